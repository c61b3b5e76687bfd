"""Add trained correction heads (A2C2) to a family of weights, with their solve rates.

    chunkenv train a2c2 catapult --label policy --out heads
    python benchmarks/head_weights.py heads --family chunkenv/agents/pretrained/smooth --episodes 512

evaluates every `<level>/<label>/seed<k>/head.safetensors` of a folder with the family's plain policy, at delays of 0 to
4 ticks under the action noise of the study, and writes head and figures to the folder of the family. A head of the same
training that is already there is skipped. The table compares each with the same policy without a head.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from flow_weights import commit

from chunkenv.agents import CorrectionHead, load_correction_head, load_pretrained
from chunkenv.agents.pretrained import manifest
from chunkenv.agents.pretrained.heads import add_head
from chunkenv.bench.studies import play_policy
from chunkenv.registration import ACTION_NOISE
from chunkenv.strategies import Naive
from chunkenv.training.correction import HEAD

DELAYS = range(5)


def rates(head: CorrectionHead, family: Path, episodes: int, seed: int, **correction: Any) -> dict[str, float]:
    """The solve rate of the family's policy by delay, with execution horizons of max(1, delay)."""
    policy, found = Naive(load_pretrained(head.level, "plain", family)), {}
    for delay in DELAYS:
        chunks = {"execution_horizon": max(1, delay), "latency": delay, **correction}
        rows = play_policy(head.level, policy, range(episodes), seed, **chunks)
        found[str(delay)] = round(sum(row["success"] for row in rows) / episodes, 4)
    return found


def facts(head: CorrectionHead, family: Path, episodes: int, seed: int) -> dict[str, Any]:
    """The manifest's record of a head."""
    return {
        **head.facts,
        "commit": commit(),
        "solve_rate": rates(head, family, episodes, seed, correction=head),
        "without": rates(head, family, episodes, seed),
        "episodes": episodes,
        "evaluation_seed": seed,
        "action_noise": ACTION_NOISE,
    }


def enter(path: Path, episodes: int, seed: int, family: Path) -> dict[str, Any]:
    """Evaluate a head and add it to a family, unless it is there: its record."""
    head, digest = load_correction_head(path), hashlib.sha256(path.read_bytes()).hexdigest()
    name = f"{head.level}-a2c2-{head.label}"
    there = manifest(family).get(name, {})
    if (there.get("trained"), there.get("episodes")) != (digest, episodes):
        add_head(head, {**facts(rounded(head), family, episodes, seed), "trained": digest}, family)
    return manifest(family)[name]


def rounded(head: CorrectionHead) -> CorrectionHead:
    """The head as the package stores it, in 8 bits; the solve rates are of this one."""
    with tempfile.TemporaryDirectory() as folder:
        head.save(Path(folder) / HEAD, small=True)
        return load_correction_head(Path(folder) / HEAD)


def line(name: str, by_delay: dict[str, float]) -> str:
    """A row of the table, in percent."""
    return f"| {name} | " + " | ".join(f"{100 * rate:.0f}" for rate in by_delay.values()) + " |"


def main() -> None:
    """Add new heads, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--family", type=Path, required=True, help="the folder that gets the weights")
    parser.add_argument("--episodes", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print("| level, label | " + " | ".join(f"d={delay}" for delay in DELAYS) + " |")
    print("|---" * (1 + len(DELAYS)) + "|")
    for path in sorted(chosen.folder.glob(f"*/*/seed*/{HEAD}")):
        record = enter(path, chosen.episodes, chosen.seed, chosen.family)
        level, label = path.parts[-4:-2]
        print(line(f"{level}, none", record["without"]), line(f"{level}, {label}", record["solve_rate"]), sep="\n")


if __name__ == "__main__":
    main()
