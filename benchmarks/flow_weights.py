"""Add trained flow policies to a family of weights, with their solve rates.

    chunkenv train flow catapult --data data/catapult --out flow
    python benchmarks/flow_weights.py flow --family chunkenv/agents/pretrained/smooth --episodes 512

evaluates every `<level>/<kind>/seed<k>/policy.safetensors` of a folder, without delay, at execution horizons of 1 to 8
and under the action noise of the study, and writes policy and figures to the folder of a family. A policy of the same
training that is already there is skipped. The table compares each with its demonstrators, which observe every tick.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from chunkenv.agents import FlowPolicy, load_flow_policy
from chunkenv.agents import pretrained as weights
from chunkenv.bench.studies import play_policy
from chunkenv.registration import ACTION_NOISE
from chunkenv.strategies import Strategy

POLICY = "policy.safetensors"  # as `chunkenv train flow` calls it
HORIZONS = range(1, 9)


def solved(
    policy: FlowPolicy | Strategy, execution_horizon: int, episodes: int, seed: int, delay: int = 0
) -> np.ndarray:
    """Which episodes a policy solves, bool[episodes]."""
    level = policy.policy.level if isinstance(policy, Strategy) else policy.level
    chunks = {"execution_horizon": execution_horizon, "latency": delay}
    return np.array([row["success"] for row in play_policy(level, policy, range(episodes), seed, **chunks)])


def facts(policy: FlowPolicy, episodes: int, seed: int) -> dict[str, Any]:
    """The manifest's record of a policy."""
    rates = {str(horizon): round(float(solved(policy, horizon, episodes, seed).mean()), 4) for horizon in HORIZONS}
    return {
        **{key: policy.facts[key] for key in ("command", "data", "seed", "updates")},
        "commit": commit(),
        "solve_rate": rates,
        "episodes": episodes,
        "evaluation_seed": seed,
        "action_noise": ACTION_NOISE,
    }


def enter(path: Path, episodes: int, seed: int, family: Path, kind: str | None = None) -> None:
    """Evaluate a policy and add it to a family, unless it is there; as plain or prefix if no kind is given."""
    policy, digest = load_flow_policy(path), hashlib.sha256(path.read_bytes()).hexdigest()
    kind = kind or weights.KINDS[policy.prefix_conditioned]
    known = weights.manifest(family) if (family / "manifest.json").is_file() else {}
    there = known.get(f"{policy.level}-{kind}", {})
    if (there.get("trained"), there.get("episodes")) != (digest, episodes):
        record = {**facts(rounded(policy), episodes, seed), "trained": digest}
        weights.add_pretrained(policy, record, family, kind)


def rounded(policy: FlowPolicy) -> FlowPolicy:
    """The policy as the package stores it, in 8 bits; the solve rates are of this one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / POLICY
        policy.save(path, small=True)
        return load_flow_policy(path)


def line(name: str, record: dict[str, Any]) -> str:
    """A row of the table, in percent."""
    rates = " | ".join(f"{100 * rate:.0f}" for rate in record["solve_rate"].values())
    return f"| {name} | {100 * record['data']['solve_rate']:.0f} | {rates} |"


def commit() -> str:
    """The commit that this is run at."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def main() -> None:
    """Add new policies, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", type=Path, required=True, help="the folder that gets the weights")
    parser.add_argument("--episodes", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for path in sorted(chosen.folder.glob(f"*/*/seed*/{POLICY}")):
        enter(path, chosen.episodes, chosen.seed, chosen.family)
    print("| policy | demonstrators | " + " | ".join(f"s={horizon}" for horizon in HORIZONS) + " |")
    print("|---" * (2 + len(HORIZONS)) + "|")
    print(*(line(name, record) for name, record in weights.manifest(chosen.family).items()), sep="\n")


if __name__ == "__main__":
    main()
