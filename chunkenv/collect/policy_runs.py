"""Collecting the runs of a chunked policy itself, on whose states a correction of it is learned."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import chunkenv
from chunkenv.collect.collection import Collection, Progress
from chunkenv.collect.experts import ExpertSource
from chunkenv.collect.policy_player import SLOTS, ChunkSampler, PolicyPlayer
from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import Info
from chunkenv.data.shards import CollectionSize
from chunkenv.registration import ACTION_NOISE, read_task
from chunkenv.utils.checks import real_number, whole_number


def collect_runs(
    level: str,
    policy: ChunkSampler,
    out: str | Path,
    *,
    transitions: int,
    source: Info,
    leader: ExpertSource | None = None,
    seed: int = 0,
    action_noise: float = ACTION_NOISE,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of a chunked policy into a folder, or go on collecting them.

    There is no delay, and each chunk is executed to its last row, so that the action of an episode's tick t is row
    t % H of a chunk, as planned. With a leader every second episode gets the leader's actions instead; the data have
    what the policy planned.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: infers chunks from compact observations.
        out: the folder; with a finished dataset of the same settings in it, that is returned.
        transitions: at least how many ticks; the episode that reaches them is the last one.
        source: what tells this policy from others: "name" and "sha256".
        leader: an expert of the level; see `PolicyPlayer`.
        seed: of the dataset. An evaluation with the same seed has the same noise: use another one there.
        action_noise: standard deviation of the noise.
        command: is stored with the data.
        progress: called with the numbers of episodes and ticks that are kept, first and after every block.

    Raises:
        ArgumentError: an invalid argument, or a folder with something else in it.
        DataError: a file cannot be read; what is collected is kept.
        UnwritableError: the disk is full, say; what is collected is kept.
    """
    level = read_task(level, "Kinetix level").level
    noise = real_number("action_noise", action_noise, at_least=0.0)
    seed = whole_number("seed", seed, at_least=0)
    size = CollectionSize(None, whole_number("transitions", transitions, at_least=1))
    recipe: Info = {
        "level": level,
        "observation": "compact",
        "experts": [source],
        "noise": noise,
        "seed": seed,
        "execution_horizon": policy.prediction_horizon,
        "chunkenv": chunkenv.__version__,
    }
    if leader is not None:
        recipe["leader"] = {"name": leader.name, "sha256": leader.sha256}
    make_player = partial(PolicyPlayer, level, policy, seed, noise, None if leader is None else leader.expert)
    return Collection(make_player, SLOTS, recipe, Path(out), size, workers=1).finish(command, progress)
