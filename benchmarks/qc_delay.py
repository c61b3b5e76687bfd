"""What a late inference costs an agent that decides chunks, and what helps: the prefix in the state, or RTC.

    chunkenv data collect manip-cube-single-task2 --style play --episodes 120 --seed 100 --out data/cube-single
    python benchmarks/qc_delay.py --data data/cube-single --delays 0 1 2 5 --seeds 0 1 2 --out results/qc_delay

trains one agent for each delay d and each seed with the prefix in its state, and one without, as `chunkenv train qc`
does, and plays them with the delay that they learned with:

- prefix: policy and critic see what is decided already.
- no prefix: they don't; the process is not Markov.
- no prefix, RTC: the same agent, but its candidates are inpainted around what is decided already.
- surprised: the agent that learned without a delay; d + s is at most its chunk, so it decides more often.
- surprised, RTC: the same one under Real-Time Chunking.

`--horizons` plays the agent that learned without a delay at these execution horizons, without a delay, and under
Real-Time Chunking where something is left of the previous chunk. What is there is not done again, and what was
interrupted goes on. Intervals are of 95 %, from a bootstrap over seeds.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from qc_tasks import FINAL_SEED, add_training_options, shown, trained

from chunkenv.agents.policies.behaviour_policy import BehaviourPolicy, chunk_values
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.evaluate import evaluate
from chunkenv.strategies import RTC, BestOf
from chunkenv.training.metrics import read
from chunkenv.training.offline_online import Training
from chunkenv.wrappers import ChunkedExecution

CHUNK = 5


def main() -> None:
    """Train and play what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of a dataset; none: the table only")
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 1, 2, 5])
    parser.add_argument("--horizons", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add_training_options(parser)
    parser.add_argument("--out", type=Path, default=Path("results") / "qc_delay")
    options = parser.parse_args()
    for seed in options.seeds if options.data else ():
        play_all(options, seed)
    show(options.out)


def play_all(options: Any, seed: int) -> None:
    """All cells of one seed."""
    plain, _ = trained(options, options.data, "qc", seed, delay=0)
    for horizon in options.horizons:
        play(options, seed, "no delay", 0, horizon, plain, ChunkPolicy(plain.agent))
        if horizon < CHUNK:
            play(options, seed, "no delay, RTC", 0, horizon, plain, inpainted(plain.agent))
    for delay in (delay for delay in options.delays if delay):
        seeing, _ = trained(options, options.data, "qc", seed, delay=delay, prefix=True)
        play(options, seed, "prefix", delay, CHUNK, seeing, ChunkPolicy(seeing.agent))
        blind, _ = trained(options, options.data, "qc", seed, delay=delay, prefix=False)
        play(options, seed, "no prefix", delay, CHUNK, blind, ChunkPolicy(blind.agent))
        play(options, seed, "no prefix, RTC", delay, CHUNK, blind, inpainted(blind.agent))
        if delay < CHUNK:
            play(options, seed, "surprised", delay, CHUNK - delay, plain, ChunkPolicy(plain.agent))
            play(options, seed, "surprised, RTC", delay, CHUNK - delay, plain, inpainted(plain.agent))


def inpainted(agent: Any) -> BestOf:
    """The agent, whose candidates go on from what is left of the previous chunk."""
    return BestOf(RTC(BehaviourPolicy(agent)), chunk_values(agent), agent.settings.samples)


def play(options: Any, seed: int, way: str, delay: int, horizon: int, training: Training, policy: Any) -> None:
    """Append a line with the successes of one cell, if it is missing."""
    path = options.out / "cells.jsonl"
    cell = {"seed": seed, "way": way, "delay": delay, "execution_horizon": horizon, "episodes": options.final}
    if any(cell.items() <= line.items() for line in read(path)):
        return
    plan, rows = training.plan, training.agent.settings.horizons.prediction_horizon

    def make_env() -> ChunkedExecution:
        return ChunkedExecution(gym.make(plan.id, **plan.arguments), rows, horizon, delay)

    played = evaluate(make_env, policy, options.final, FINAL_SEED)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(cell | {"success": [bool(row["success"]) for row in played]}) + "\n")


def show(out: Path) -> None:
    """The table of all cells."""
    print("| d | s | way | seeds | solved, % (each seed) |\n|---|---|---|---|---|")
    shares = defaultdict(list)
    for line in read(out / "cells.jsonl"):
        shares[line["delay"], line["execution_horizon"], line["way"]].append(float(np.mean(line["success"])))
    for (delay, horizon, way), found in sorted(shares.items()):
        print(f"| {delay} | {horizon} | {way} | {len(found)} | {shown(found)} |")


if __name__ == "__main__":
    main()
