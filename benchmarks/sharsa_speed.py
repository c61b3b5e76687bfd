"""Times of an update of SHARSA and of the official code, in turns, in one run.

    git clone https://github.com/seohongpark/horizon-reduction official-sharsa      # commit c298aed was looked at
    python benchmarks/sharsa_speed.py --official official-sharsa

Without `--official` it times ours alone. Sizes are those of cube-double: 37 features, goals of 6 numbers, one action of
5 at a time, batch 256. The official flows have layer norms, ours have none. What it imports from distrax and
ml_collections is replaced, as in `qc_speed.py`; the rest of its code is unchanged.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from qc_speed import prepare, stand_in, timed

from chunkenv import agents
from chunkenv.data.windows.subgoal_windows import SubgoalBatch

OBSERVATION, GOAL, ACTION, BATCH, AHEAD, DISCOUNT = 37, 6, 5, 256, 25, 0.999
WIDTHS = {"3x256": (256, 256, 256), "4x512": (512, 512, 512, 512)}


def draw(*shape: int) -> np.ndarray:
    """Random numbers for a batch."""
    return np.random.default_rng(0).uniform(-1, 1, (BATCH, *shape)).astype(np.float32)


def ours(hidden: tuple[int, ...], chunk: int = 1) -> Callable[[], Any]:
    """An update of ours, which waits for its result."""
    settings = agents.settings_for("sharsa", chunk, discount=DISCOUNT, hidden=hidden, batch=BATCH, goal_size=GOAL)
    made, ones = agents.create("sharsa", 0, OBSERVATION + GOAL, ACTION, settings), np.ones(BATCH, np.float32)
    goals = {
        name: draw(GOAL) for name in ("value_goals", "value_subgoals", "policy_goals", "policy_subgoals", "nearby")
    }
    seen = {name: draw(OBSERVATION) for name in ("observations", "next_observations")}
    batch = SubgoalBatch(
        chunks=draw(chunk, ACTION),
        known=np.ones((BATCH, chunk), np.float32),
        rewards=0 * ones,
        discounts=ones,
        **goals,
        **seen,
    )

    def update() -> None:
        nonlocal made
        made, _ = made.update(batch)
        jax.block_until_ready(made.params)

    return update


def official(hidden: tuple[int, ...]) -> Callable[[], Any]:
    """An update of the official code, which waits for its result."""
    module = importlib.import_module("agents.sharsa")
    config = module.get_config()
    config.update(actor_hidden_dims=hidden, value_hidden_dims=hidden, batch_size=BATCH)
    goals = ("high_value_goals", "high_value_actions", "high_actor_goals", "high_actor_actions", "low_actor_goals")
    ones = np.ones(BATCH, np.float32)
    batch = {name: draw(GOAL) for name in goals}
    batch |= {name: draw(OBSERVATION) for name in ("observations", "high_value_next_observations")}
    batch |= {"actions": draw(ACTION), "high_value_subgoal_steps": AHEAD * ones}
    batch |= {"high_value_rewards": 0 * ones, "high_value_masks": ones}
    made = module.SHARSAAgent.create(0, batch, config)

    def update() -> None:
        nonlocal made
        made, _ = made.update(batch)
        jax.block_until_ready(made.network.params)

    return update


def main() -> None:
    """Time all widths, in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, help="a checkout of github.com/seohongpark/horizon-reduction")
    parser.add_argument("--widths", nargs="*", default=[*WIDTHS], choices=[*WIDTHS])
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.official:
        placeholder = SimpleNamespace(placeholder=lambda kind: None)
        sys.modules["ml_collections"] = stand_in("ml_collections", ConfigDict=dict, config_dict=placeholder)
        prepare(arguments.official)
    print(f"{platform.machine()}, JAX {jax.__version__}, minimum of {arguments.repeats} in turns")
    print("| networks | update, ms | official | ratio | with chunks of 5 |\n|---|---|---|---|---|")
    for name in arguments.widths:
        report(name, arguments.official is not None, arguments.repeats)


def report(name: str, compare: bool, repeats: int) -> None:
    """Time one width, and print it; the first call of each compiles, and does not count."""
    cases = {"ours": ours(WIDTHS[name]), "chunks": ours(WIDTHS[name], 5)}
    if compare:
        cases["official"] = official(WIDTHS[name])
    for update in cases.values():
        update()
    fastest = {case: min(times) for case, times in _in_turns(cases, repeats).items()}
    beside = f"{fastest['official']:.1f} | {fastest['ours'] / fastest['official']:.2f}" if compare else " | "
    print(f"| {name} | {fastest['ours']:.1f} | {beside} | {fastest['chunks']:.1f} |")


def _in_turns(cases: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each case, one after the other, so many times."""
    rounds = [{case: timed(update) for case, update in cases.items()} for _ in range(repeats)]
    return {case: [each[case] for each in rounds] for case in cases}


if __name__ == "__main__":
    main()
