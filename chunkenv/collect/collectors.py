"""Collecting data: experts, planners and oracles play episodes, which are kept as a dataset.

The rows of an episode depend on the dataset's seed and the episode's number only, not on the process that plays it or
on the other episodes. A collection that ends early, in whatever way, is continued by the same call, and ends with the
same dataset.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path

import chunkenv
from chunkenv.collect.collection import Collection, Progress
from chunkenv.collect.expert_player import ExpertPlayer
from chunkenv.collect.experts import Demonstrator, ExpertSource, read_sources
from chunkenv.collect.planner_player import ChunkPlanner, PlannerPlayer
from chunkenv.data.dataset import Dataset
from chunkenv.data.dataset_files import Info
from chunkenv.data.shards import CollectionSize
from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE, read_task
from chunkenv.utils.checks import real_number, whole_number

EXPERT_BLOCK = 256
PLAN_BLOCK = 8  # planning takes time: a block is to take seconds
SLOTS = 128


def collect(
    level: str,
    experts: Sequence[Demonstrator | ExpertSource | str | Path],
    out: str | Path,
    *,
    episodes: int | None = None,
    transitions: int | None = None,
    seed: int = 0,
    action_noise: float = ACTION_NOISE,
    actions: str = "mean",
    slots: int = SLOTS,
    workers: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of experts into a folder, or go on collecting them.

    Each episode is played by one expert, drawn from the episode's own random stream; the environment gets noise on top
    of its actions, the data do not. Rows depend on the level, the experts, the noise and the seed only.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        experts: each has `actions(observations float32[N, O]) -> float32[N, 6]`, on compact observations; or is the
            path of a checkpoint; or an `ExpertSource`, which also names it.
        out: the folder; with a finished dataset of the same settings in it, that is returned.
        episodes: how many; or
        transitions: at least how many ticks; the episode that reaches them is the last one.
        seed: of the dataset. An evaluation with the same seed has the same noise: use another one there.
        action_noise: standard deviation of the noise.
        actions: "mean", what an expert holds for best, or "sampled" from its Gaussian, as in real-time chunking's data:
            later actions then answer to samples, which are not the same in another chunk.
        slots: how many episodes a process plays side by side.
        workers: how many processes; like `slots`, it changes the time only.
        command: is stored with the data.
        progress: called with the numbers of episodes and ticks that are kept, first and after every block.

    Raises:
        ArgumentError: an invalid argument, or a folder with something else in it.
        DataError: a file cannot be read, or a worker died; what is collected is kept.
        UnwritableError: the disk is full, say; what is collected is kept.

    >>> import tempfile
    >>> import numpy as np
    >>> class Still:
    ...     def actions(self, observations):
    ...         return np.zeros((len(observations), 6), np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     dataset = collect("chain_lander", [Still()], folder, episodes=2, slots=2)
    >>> dataset.info["episodes"], dataset.actions.max()
    (2, np.float32(0.0))
    """
    level = read_task(level, "Kinetix level").level
    sources = read_sources(experts, level)
    noise, workers = _check(seed, action_noise, workers)
    slots = whole_number("slots", slots, at_least=1)
    threads = 1 if workers > 1 else None
    make_player = partial(ExpertPlayer, level, sources, seed, noise, slots, threads, actions)
    fingerprints = make_player().fingerprints
    described = [
        {"name": source.name, "sha256": sha256} | _read_skill(source.expert)
        for source, sha256 in zip(sources, fingerprints, strict=True)
    ]
    recipe = _recipe(level, described, noise, seed) | ({} if actions == "mean" else {"actions": actions})
    collection = Collection(make_player, EXPERT_BLOCK, recipe, Path(out), _read_size(episodes, transitions), workers)
    return collection.finish(command, progress)


def collect_plans(
    level: str,
    policy: ChunkPlanner,
    out: str | Path,
    *,
    episodes: int | None = None,
    transitions: int | None = None,
    seed: int = 0,
    action_noise: float = ACTION_NOISE,
    execution_horizon: int = 4,
    workers: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of a planner: it gets the engine's state, the data have the observations that a learner gets.

    A chunk is inferred every `execution_horizon` ticks, without delay; a row is the action executed at its tick.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: a `chunkenv.agents.Planner` of the level, or anything that infers chunks as it does.
        out: this and the others: as in `collect`.
        episodes: how many; or
        transitions: at least how many ticks.
        seed: of the dataset.
        action_noise: standard deviation of the noise.
        execution_horizon: rows of a chunk that are executed.
        workers: how many processes.
        command: is stored with the data.
        progress: called after every block.

    Raises:
        ArgumentError: as in `collect`.
        DataError: as in `collect`.
    """
    level = read_task(level, "Kinetix level").level
    for name in ("infer", "reset", "prediction_horizon"):
        if not hasattr(policy, name):
            raise ArgumentError(f"policy={policy!r} has no {name}; give a planner, for example Planner({level!r}).")
    noise, workers = _check(seed, action_noise, workers)
    executed = whole_number("execution_horizon", execution_horizon, at_least=1)
    make_player = partial(PlannerPlayer, level, policy, seed, noise, executed)
    settings = getattr(policy, "settings", None)
    described: Info = {
        "name": type(policy).__name__.lower(),
        "prediction_horizon": policy.prediction_horizon,
        "execution_horizon": executed,
    } | ({"settings": asdict(settings)} if is_dataclass(settings) and not isinstance(settings, type) else {})
    recipe = _recipe(level, [described], noise, seed)
    collection = Collection(make_player, PLAN_BLOCK, recipe, Path(out), _read_size(episodes, transitions), workers)
    return collection.finish(command, progress)


def collect_oracle(
    level: str,
    style: str,
    out: str | Path,
    *,
    reward: str = "count",
    episodes: int | None = None,
    transitions: int | None = None,
    seed: int = 0,
    action_noise: float | None = None,
    primitives: str | None = None,
    pauses: float = 0.0,
    detours: float = 0.0,
    failures: float = 0.0,
    goals: str | None = None,
    workers: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of the oracle in a manipulation task.

    Args:
        level: such as "manip-cube-single-task2", or its id; with `goals`, of a goal-conditioned task, "manip-scene".
        style: "play" (random sub-goals), "task" (the whole task) or "noisy" (random sub-goals under noise).
        out: this and the others: as in `collect`.
        reward: as the environment has it, "count" or "sparse".
        episodes: how many; or
        transitions: at least how many ticks.
        seed: of the dataset.
        action_noise: the largest standard deviation of the oracle's noise, part of its actions; the style's if None.
        primitives: ogbench's that it drives, "plan" (with correlated noise) or "markov"; the style's if None.
        pauses: in style "task", the share of ticks in which nothing moves; see `Imperfection` for this and the next.
        detours: the share of ticks in which the gripper goes astray.
        failures: the share of episodes in which it gives up.
        goals: in a goal-conditioned task, what episodes are about: "tasks", "train" or "held-out", as
            `GoalManipulationEnv` has it; their rows are the features, without the goal.
        workers: how many processes.
        command: is stored with the data.
        progress: called after every block.

    Raises:
        ArgumentError: as in `collect`.
        DataError: as in `collect`.
        MissingExtraError: ogbench is not installed.
    """
    from chunkenv.collect.oracle_player import OraclePlayer  # imports mujoco, which other data do not need
    from chunkenv.manipulation.oracles import Imperfection

    level = read_task(level, "manipulation task" if goals is None else "goal-conditioned task").level
    if action_noise is not None:
        real_number("action_noise", action_noise, at_least=0.0)
    _, workers = _check(seed, 0.0, workers)
    arguments = {"reward": reward} | ({} if goals is None else {"goal": "instruction", "goals": goals})
    imperfection = Imperfection(pauses, detours, failures) if pauses or detours or failures else None
    make_player = partial(OraclePlayer, level, arguments, style, seed, action_noise, primitives, imperfection)
    make_player()
    described: Info = {"name": "oracle", "style": style, "action_noise": action_noise}
    if primitives is not None:
        described["primitives"] = primitives
    if imperfection is not None:
        described["imperfection"] = asdict(imperfection)
    recipe = _recipe(level, [described], 0.0, seed) | {"observation": "features", "arguments": arguments}
    collection = Collection(make_player, PLAN_BLOCK, recipe, Path(out), _read_size(episodes, transitions), workers)
    return collection.finish(command, progress)


def _check(seed: int, action_noise: float, workers: int) -> tuple[float, int]:
    whole_number("seed", seed, at_least=0)
    return real_number("action_noise", action_noise, at_least=0.0), whole_number("workers", workers, at_least=1)


def _read_size(episodes: int | None, transitions: int | None) -> CollectionSize:
    if (episodes is None) == (transitions is None):
        raise ArgumentError("How much is to be collected? Give either a number of episodes or one of transitions.")
    if episodes is not None:
        return CollectionSize(whole_number("episodes", episodes, at_least=1), None)
    return CollectionSize(None, whole_number("transitions", transitions, at_least=1))


def _read_skill(expert: object) -> Info:
    """The solve rate and training steps that an expert has as attributes; NaN means unknown."""
    found = {name: getattr(expert, name, None) for name in ("solve_rate", "steps")}
    return {name: value for name, value in found.items() if value is not None and value == value}


def _recipe(level: str, experts: list[Info], noise: float, seed: int) -> Info:
    """All that decides the rows."""
    recipe = {
        "level": level,
        "observation": "compact",
        "experts": experts,
        "noise": noise,
        "seed": seed,
        "chunkenv": chunkenv.__version__,
    }
    return json.loads(json.dumps(recipe))  # as it will be read again: with lists for tuples
