"""Collecting: blocks of episodes are played, in this process or in others, and put together when there are enough.

Whoever plays an episode, and beside which others, its rows are the same: they hang on the dataset's seed and the
episode's number. A collection that ends early, in whatever way, goes on with the same call, and ends with the same
dataset as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import chunkenv
from chunkenv.collect.expert_player import ExpertPlayer
from chunkenv.collect.experts import read_sources
from chunkenv.collect.planner_player import PlanPlayer
from chunkenv.data.dataset import META, Dataset, load
from chunkenv.data.dataset_files import DataError
from chunkenv.data.environments import manipulation_level
from chunkenv.data.episodes import Block, Player, as_block
from chunkenv.data.shards import Goal, Parts, remove
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.utils.checks import one_of, real_number, whole_number
from chunkenv.utils.processes import begin_worker, ignore_interrupts

EXPERT_BLOCK = 256
PLAN_BLOCK = 8  # a planner thinks: a block is to be done in seconds
SLOTS = 128
ACTION_NOISE = 0.1
"""Standard deviation per channel and tick, added before the environment clips: that of real-time chunking's data."""

Progress = Callable[[int, int], None]
"""Is told how many episodes and ticks are kept."""


def collect(
    level: str,
    experts: Sequence[Any],
    out: str | Path,
    *,
    episodes: int | None = None,
    transitions: int | None = None,
    seed: int = 0,
    action_noise: float = ACTION_NOISE,
    slots: int = SLOTS,
    workers: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of experts into a folder, or go on collecting them.

    Each episode is played by one expert, drawn from the episode's own random stream; the world gets noise on top of its
    actions, the data do not. Rows depend on the level, the experts, the noise and the seed only.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        experts: each has `actions(observations float32[N, O]) -> float32[N, 6]`, on compact observations; or is the
            path of a checkpoint; or a `Source`, which says where it is from.
        out: the folder; with a finished dataset of the same settings in it, that is returned.
        episodes: how many; or
        transitions: at least how many ticks; the episode that reaches them is the last one.
        seed: of the dataset. An evaluation with the same seed meets the same noise: choose another one for it.
        action_noise: standard deviation of the noise.
        slots: how many episodes a process plays side by side.
        workers: how many processes; like `slots` it changes nothing but the time.
        command: to be noted down with the data.
        progress: called with the numbers of episodes and ticks that are kept, at first and after every block.

    Raises:
        ArgumentError: an argument that cannot be meant, or a folder with something else in it.
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
    one_of("level", level, LEVELS)
    sources = read_sources(experts, level)
    noise, workers = _checked(seed, action_noise, workers)
    slots = whole_number("slots", slots, at_least=1)
    make_player = partial(ExpertPlayer, level, sources, seed, noise, slots, 1 if workers > 1 else None)
    fingerprints = make_player().fingerprints
    described = [
        {"name": source.name, "sha256": sha256} | _measured(source.expert)
        for source, sha256 in zip(sources, fingerprints, strict=True)
    ]
    recipe = _recipe(level, described, noise, seed)
    run = _Run(make_player, EXPERT_BLOCK, recipe, Path(out), _read_goal(episodes, transitions), workers)
    return run.finish(command, progress)


def collect_plans(
    level: str,
    policy: Any,
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
    """Collect episodes of a planner, which sees the engine's state, beside the observations that a learner sees.

    A chunk is asked for every `execution_horizon` ticks, without delay; a row is the action executed at its tick.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        policy: a `chunkenv.agents.sampling_planner.Planner` of the level, or anything that infers chunks as it does.
        out: this and the others: as in `collect`.
        episodes: how many; or
        transitions: at least how many ticks.
        seed: of the dataset.
        action_noise: standard deviation of the noise.
        execution_horizon: rows of a chunk that are executed.
        workers: how many processes.
        command: to be noted down with the data.
        progress: called after every block.

    Raises:
        ArgumentError: as in `collect`.
        DataError: as in `collect`.
    """
    one_of("level", level, LEVELS)
    for name in ("infer", "reset", "prediction_horizon"):
        if not hasattr(policy, name):
            raise ArgumentError(f"policy={policy!r} has no {name}; give a planner, for example Planner({level!r}).")
    noise, workers = _checked(seed, action_noise, workers)
    executed = whole_number("execution_horizon", execution_horizon, at_least=1)
    make_player = partial(PlanPlayer, level, policy, seed, noise, executed)
    settings = getattr(policy, "settings", None)
    described = {
        "name": type(policy).__name__.lower(),
        "prediction_horizon": policy.prediction_horizon,
        "execution_horizon": executed,
    } | ({"settings": asdict(settings)} if is_dataclass(settings) and not isinstance(settings, type) else {})
    recipe = _recipe(level, [described], noise, seed)
    run = _Run(make_player, PLAN_BLOCK, recipe, Path(out), _read_goal(episodes, transitions), workers)
    return run.finish(command, progress)


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
    workers: int = 1,
    command: str = "",
    progress: Progress | None = None,
) -> Dataset:
    """Collect episodes of the oracle in a manipulation task.

    Args:
        level: such as "manip-cube-single-task2", or its id.
        style: "play" (random sub-goals), "task" (the whole task) or "noisy" (random sub-goals under noise).
        out: this and the others: as in `collect`.
        reward: as the environment has it, "count" or "sparse".
        episodes: how many; or
        transitions: at least how many ticks.
        seed: of the dataset.
        action_noise: the largest standard deviation of the oracle's noise, part of its actions; the style's if None.
        primitives: ogbench's that it drives, "plan" (with correlated noise) or "markov"; the style's if None.
        workers: how many processes.
        command: to be noted down with the data.
        progress: called after every block.

    Raises:
        ArgumentError: as in `collect`.
        DataError: as in `collect`.
        MissingExtraError: ogbench is not installed.
    """
    from chunkenv.collect.oracle_player import OraclePlayer  # brings mujoco, which other data can do without

    level = manipulation_level(level)
    if action_noise is not None:
        real_number("action_noise", action_noise, at_least=0.0)
    _, workers = _checked(seed, 0.0, workers)
    arguments = {"reward": reward}
    make_player = partial(OraclePlayer, level, arguments, style, seed, action_noise, primitives)
    make_player()
    described = {"name": "oracle", "style": style, "action_noise": action_noise}
    if primitives is not None:
        described["primitives"] = primitives
    recipe = _recipe(level, [described], 0.0, seed) | {"observation": "features", "arguments": arguments}
    run = _Run(make_player, PLAN_BLOCK, recipe, Path(out), _read_goal(episodes, transitions), workers)
    return run.finish(command, progress)


def _checked(seed: Any, action_noise: Any, workers: Any) -> tuple[float, int]:
    whole_number("seed", seed, at_least=0)
    return real_number("action_noise", action_noise, at_least=0.0), whole_number("workers", workers, at_least=1)


def _read_goal(episodes: Any, transitions: Any) -> Goal:
    if (episodes is None) == (transitions is None):
        raise ArgumentError("How much is to be collected? Give either a number of episodes or one of transitions.")
    if episodes is not None:
        return Goal(whole_number("episodes", episodes, at_least=1), None)
    return Goal(None, whole_number("transitions", transitions, at_least=1))


def _measured(expert: Any) -> dict[str, Any]:
    """What an expert knows about its skill; NaN is no knowledge."""
    found = {name: getattr(expert, name, None) for name in ("solve_rate", "steps")}
    return {name: value for name, value in found.items() if value is not None and value == value}


def _recipe(level: str, experts: list[dict[str, Any]], noise: float, seed: int) -> dict[str, Any]:
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


class _Run:
    """A collection: where it is to go, and what it takes."""

    def __init__(
        self,
        make_player: Callable[[], Player],
        size: int,
        recipe: dict[str, Any],
        out: Path,
        goal: Goal,
        workers: int,
    ) -> None:
        self._make_player, self._size, self._recipe = make_player, size, recipe
        self._out, self._goal, self._workers = out, goal, workers

    def finish(self, command: str, progress: Progress | None) -> Dataset:
        """Play what is missing, and write the dataset; or find it written."""
        if (self._out / META).is_file():
            return self._found()
        parts = Parts(self._out, self._size, self._recipe)
        enough = self._fill(parts, progress or (lambda *_: None))
        return parts.write(enough, self._recipe | {"command": command})

    def _found(self) -> Dataset:
        """The finished dataset in the folder."""
        dataset = load(self._out)
        same = all(dataset.info.get(key) == value for key, value in self._recipe.items())
        if not same or self._goal.met_by(dataset.episodes.length) != len(dataset.episodes.length):
            raise ArgumentError(f"{self._out} holds another dataset; choose another folder, or remove it first.")
        remove(self._out)
        return dataset

    def _fill(self, parts: Parts, progress: Progress) -> int:
        """Play until there is enough, and say how many episodes that are."""
        progress(*parts.counts)
        blocks = self._played(parts.missing(self._goal))
        with contextlib.closing(blocks):
            while (enough := parts.enough_for(self._goal)) is None:
                parts.keep(*next(blocks))
                progress(*parts.counts)
        return enough

    def _played(self, numbers: Iterator[int]) -> Generator[tuple[int, Block], None, None]:
        """Blocks, as they are finished."""
        tasks = ((number, self._goal.numbers(number, self._size)) for number in numbers)
        if self._workers > 1:
            yield from _played_by_workers(self._make_player, tasks, self._workers)
        else:
            player = self._make_player()
            yield from ((number, as_block(player.play(episodes))) for number, episodes in tasks)


def _played_by_workers(
    make_player: Callable[[], Player], tasks: Iterator[tuple[int, range]], workers: int
) -> Generator[tuple[int, Block], None, None]:
    """Blocks played in processes, which are spawned: a forked one would hold the files of its parent open."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(make_player,))
    running: dict[Future[Block], int] = {}
    try:
        while True:
            with ignore_interrupts():
                for number, episodes in itertools.islice(tasks, workers - len(running)):
                    running[pool.submit(_play, episodes)] = number
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise DataError(
            "A worker process ended in the middle of a block; if memory was short, try fewer workers. What is "
            "collected is kept: the same command goes on."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_player: Player  # of a worker process


def _begin(make_player: Callable[[], Player]) -> None:
    global _player
    begin_worker()
    _player = make_player()


def _play(episodes: range) -> Block:
    return as_block(_player.play(episodes))
