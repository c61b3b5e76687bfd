"""The oracles' solve rates on the ten families of manipulation tasks, tick by tick and as chunked policies under delay.

    python benchmarks/manipulation_oracles.py --out results/manipulation_oracles.jsonl

plays every task, without noise and tick by tick; `--delays 0 2 5 --action-noise 0.1` plays it in chunks, with delay
and noise. Every episode is a line of the file, and episodes in the file are not played again: the command continues
where it was stopped. The tables cover all episodes that the options select. Seeds are the same: episodes are paired.
Needs the extra `manipulation`.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
from gymnasium.wrappers import ClipAction

from chunkenv import ActionNoise, ChunkedExecution
from chunkenv.bench.analysis import wilson
from chunkenv.evaluate import episode_seed, play_episode
from chunkenv.manipulation import FAMILIES, TASKS
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.oracles.oracle_policy import OraclePolicy
from chunkenv.utils.processes import begin_worker

PREDICTION_HORIZON, EXECUTION_HORIZON = 10, 5
TICK_BY_TICK = "none"


class Episode(NamedTuple):
    """One episode to play; `delay` is in ticks, or 'none' for an oracle that acts at every tick."""

    family: str
    task: int
    delay: int | str
    prefix_aware: bool
    style: str
    action_noise: float
    seed: int
    episode: int


def play(episode: Episode) -> dict[str, Any]:
    """The episode's row: its settings, whether it was solved, and its number of ticks."""
    env, player = made(episode._replace(seed=0, episode=0))
    seed = episode_seed(episode.seed, episode.episode)
    if episode.delay == TICK_BY_TICK:
        return episode._asdict() | played_closed_loop(env, player, seed)
    row = play_episode(env, player, seed)
    return episode._asdict() | {"solved": bool(row["success"]), "ticks": row["ticks"]}


@lru_cache(maxsize=1)
def made(episode: Episode) -> tuple[gym.Env, Any]:
    """The environment and its player; each process keeps those of its last episode."""
    chunked = episode.delay != TICK_BY_TICK
    name = f"chunkenv/manip-{episode.family}-task{episode.task}-v0"
    env: gym.Env = gym.make(name, observation="state" if chunked else "features")
    if episode.action_noise:
        env = ActionNoise(ClipAction(env), episode.action_noise)
    if not chunked:
        return env, Oracle(episode.family, episode.style)
    policy = OraclePolicy(episode.family, PREDICTION_HORIZON, episode.prefix_aware, episode.style)
    return ChunkedExecution(env, PREDICTION_HORIZON, EXECUTION_HORIZON, latency=int(episode.delay)), policy


def played_closed_loop(env: gym.Env, oracle: Oracle, seed: int) -> dict[str, Any]:
    """An episode in which the oracle observes the facts at every tick."""
    env.reset(seed=seed)
    oracle.reset()
    facts, ticks, over, info = env.get_wrapper_attr("facts"), 0, False, {}
    while not over:
        _, _, terminated, truncated, info = env.step(oracle.act(facts()))
        ticks, over = ticks + 1, terminated or truncated
    return {"solved": bool(info["success"]), "ticks": ticks}


def played(episodes: list[Episode], path: Path, workers: int) -> list[dict[str, Any]]:
    """The rows of all episodes: those in the file, and the others, which are played and appended to it."""
    found = {Episode(*(row[field] for field in Episode._fields)): row for row in read(path)}
    missing = [episode for episode in episodes if episode not in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for count, (episode, row) in enumerate(in_processes(missing, workers), start=1):
            found[episode] = row
            print(f"\n{json.dumps(row)}", end="", file=file, flush=True)
            if not row["solved"] or count % 100 == 0:
                word = "solved" if row["solved"] else "not solved"
                print(f"{count} of {len(missing)}: {word}, {episode}", flush=True)
    return [found[episode] for episode in episodes]


def in_processes(episodes: list[Episode], workers: int) -> Iterator[tuple[Episode, dict[str, Any]]]:
    """The episodes with their rows, in the order in which they finish."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker)
    try:
        jobs = {pool.submit(play, episode): episode for episode in episodes}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    finally:
        pool.shutdown(cancel_futures=True)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows in the file, without an incomplete last line."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def task_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """One line for each family and delay: how many of each task's episodes are solved, and the family's rate."""
    tasks = sorted({row["task"] for row in rows})
    yield "| family | delay | " + " | ".join(f"task {task}" for task in tasks) + " | solved % [95 %] | median ticks |"
    yield "|---|---|" + "---|" * (len(tasks) + 2)
    for family, delay in dict.fromkeys((row["family"], row["delay"]) for row in rows):
        mine = [row for row in rows if (row["family"], row["delay"]) == (family, delay)]
        counts = [solved([row for row in mine if row["task"] == task]) for task in tasks]
        ticks = statistics.median(row["ticks"] for row in mine)
        yield f"| {family} | {delay} | {' | '.join(counts)} | {rate(mine)} | {ticks:.0f} |"


def solved(rows: list[dict[str, Any]]) -> str:
    """How many of the rows are solved, of how many."""
    return f"{sum(row['solved'] for row in rows)} of {len(rows)}"


def rate(rows: list[dict[str, Any]]) -> str:
    """The solve rate with its 95 % interval (Wilson), in percent."""
    interval = wilson(sum(row["solved"] for row in rows), len(rows))
    return f"{100 * interval.estimate:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def delay_of(text: str) -> int | str:
    """A delay from the command line."""
    return text if text == TICK_BY_TICK else int(text)


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=FAMILIES, choices=FAMILIES)
    parser.add_argument("--tasks", nargs="+", type=int, default=TASKS, choices=TASKS)
    parser.add_argument("--delays", nargs="+", type=delay_of, default=[TICK_BY_TICK], help="ticks, or 'none'")
    parser.add_argument("--naive", action="store_true", help="plan as if there were no delay")
    parser.add_argument("--style", default="markov", choices=["markov", "plan"])
    parser.add_argument("--action-noise", type=float, default=0.0)
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/manipulation_oracles.jsonl"))
    return parser.parse_args()


def main() -> None:
    """Play what is missing, and print the table."""
    asked = arguments()
    episodes = [
        Episode(family, task, delay, not asked.naive, asked.style, asked.action_noise, asked.seed, episode)
        for family in asked.families
        for delay in asked.delays
        for task in asked.tasks
        for episode in range(asked.episodes)
    ]
    print(*task_table(played(episodes, asked.out, asked.workers)), sep="\n")


if __name__ == "__main__":
    main()
