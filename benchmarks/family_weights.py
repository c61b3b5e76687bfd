"""Add trained flow policies and correction heads (A2C2) to a family of weights, with their solve rates.

    chunkenv train flow catapult --data data/catapult --out flow
    python benchmarks/family_weights.py flow --family chunkenv/agents/pretrained/published --episodes 512

evaluates every `<level>/<kind>/seed<k>/policy.safetensors` or `head.safetensors` of a folder under the action noise of
the study, as the family stores it, in rounded weights, and writes weights and figures to the family's folder. Policies
play without delay at execution horizons of 1 to 8; heads correct the family's plain policy at delays of 0 to 4 ticks,
and it plays without them, too. What was entered from the same training is skipped. The table has all of the family.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from chunkenv.agents import (
    CorrectionHead,
    FlowPolicy,
    load_correction_head,
    load_flow_policy,
    load_pretrained,
    pretrained,
)
from chunkenv.agents.common.rounding import COARSE, FINE
from chunkenv.bench.studies import play_policy
from chunkenv.registration import ACTION_NOISE
from chunkenv.strategies import Naive, Strategy
from chunkenv.training.correction import HEAD
from chunkenv.training.imitation import POLICY

HORIZONS = range(1, 9)
DELAYS = range(5)

Trained = TypeVar("Trained", FlowPolicy, CorrectionHead)


def solved(
    policy: FlowPolicy | Strategy, execution_horizon: int, episodes: int, seed: int, delay: int = 0, **chunks: Any
) -> np.ndarray:
    """Which episodes a policy solves, bool[episodes]."""
    level = policy.policy.level if isinstance(policy, Strategy) else policy.level
    chunks = {"execution_horizon": execution_horizon, "latency": delay, **chunks}
    return np.array([row["success"] for row in play_policy(level, policy, range(episodes), seed, **chunks)])


def enter_policy(path: Path, episodes: int, seed: int, family: Path, kind: str | None = None) -> None:
    """Evaluate a policy and add it to a family, unless it is there; as plain or prefix if no kind is given."""
    policy = load_flow_policy(path)
    kind = kind or pretrained.KINDS[policy.prefix_conditioned]
    evaluation = about_evaluation(path, COARSE, episodes, seed)
    if not _is_there(family, f"{policy.level}-{kind}", evaluation):
        stored = as_stored(policy, load_flow_policy)
        rates = _by(HORIZONS, lambda horizon: solved(stored, horizon, episodes, seed))
        facts = {key: policy.facts[key] for key in ("command", "data", "seed", "updates")}
        pretrained.add_pretrained(policy, {**facts, "solve_rate": rates, **evaluation}, family, kind)


def enter_head(path: Path, episodes: int, seed: int, family: Path) -> None:
    """Evaluate a head and add it to a family, unless it is there."""
    head, evaluation = load_correction_head(path), about_evaluation(path, FINE, episodes, seed)
    if not _is_there(family, f"{head.level}-a2c2-{head.label}", evaluation):
        naive, stored = Naive(load_pretrained(head.level, "plain", family)), as_stored(head, load_correction_head)
        play = partial(solved, naive, episodes=episodes, seed=seed)
        rates = {
            "solve_rate": _by(DELAYS, lambda delay: play(max(1, delay), delay=delay, correction=stored)),
            "without": _by(DELAYS, lambda delay: play(max(1, delay), delay=delay)),
        }
        pretrained.add_head(head, {**head.facts, **rates, **evaluation}, family)


def about_evaluation(path: Path, values: int, episodes: int, seed: int) -> dict[str, Any]:
    """What decides the solve rates of trained weights, and the commit that they were measured at."""
    return {
        "trained": hashlib.sha256(path.read_bytes()).hexdigest(),
        "values": values,
        "episodes": episodes,
        "evaluation_seed": seed,
        "action_noise": ACTION_NOISE,
        "commit": commit(),
    }


def _is_there(family: Path, name: str, evaluation: Mapping[str, Any]) -> bool:
    known = pretrained.manifest(family) if (family / "manifest.json").is_file() else {}
    there = known.get(name, {})
    return all(there.get(key) == evaluation[key] for key in evaluation if key != "commit")


def _by(values: range, solve: Callable[[int], np.ndarray]) -> dict[str, float]:
    return {str(value): round(float(solve(value).mean()), 4) for value in values}


def as_stored(trained: Trained, load: Callable[[Path], Trained]) -> Trained:
    """The same with weights as a family stores them, rounded; the solve rates are of this one."""
    with tempfile.TemporaryDirectory() as folder:
        trained.save(Path(folder) / "rounded", small=True)
        return load(Path(folder) / "rounded")


def commit() -> str:
    """The commit that this is run at."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def lines(name: str, record: Mapping[str, Any]) -> list[str]:
    """The rows of the table about a record, in percent."""
    rates = {name: record.get("solve_rate", {})}
    if "without" in record:
        rates[f"{name}, without"] = record["without"]
    else:
        name = f"{name}, of demonstrators who solve {100 * record['data']['solve_rate']:.0f}"
        rates = {name: record.get("solve_rate", {})}
    return [
        f"| {about} | " + " | ".join(f"{key}: {100 * rate:.0f}" for key, rate in each.items()) + " |"
        for about, each in rates.items()
    ]


def main() -> None:
    """Add what is new, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", type=Path, required=True, help="the folder that gets the weights")
    parser.add_argument("--episodes", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for name, enter in ((POLICY, enter_policy), (HEAD, enter_head)):
        for path in sorted(chosen.folder.glob(f"*/*/seed*/{name}")):
            enter(path, chosen.episodes, chosen.seed, chosen.family)
    for name, record in pretrained.manifest(chosen.family).items():
        print(*lines(name, record), sep="\n")


if __name__ == "__main__":
    main()
