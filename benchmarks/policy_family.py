"""Make a family of flow policies for the Kinetix levels: experts, their demonstrations, and policies of several kinds.

    python benchmarks/policy_family.py --recipe published --actions sampled --out results/published

runs, level by level, the commands that a user would run (`chunkenv train ppo`, `data collect`, `train flow`), and
enters each policy with its solve rates into `<out>/policies`, a folder for `--policies` of the studies. All of them go
on where they were stopped, so this script does, too; several may work on different levels at once. The families of the
package:

    published  --recipe published --actions sampled --kinds plain prefix
    smooth     --recipe smooth --actions mean --kinds plain executed, entered as prefix (made with two experts a level)

Needs the extras `agents`, `data` and `kinetix`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flow_weights import enter

from chunkenv.agents.ppo import RECIPES
from chunkenv.collect.expert_player import ACTIONS
from chunkenv.registration import LEVELS

PREFIXES = {"plain": [], "prefix": ["--prefix-conditioned", "--intended-prefix"], "executed": ["--prefix-conditioned"]}
"""The options of `chunkenv train flow` for each kind."""
DATA_SEED = 100
"""Far from the seeds of evaluations, whose noise must not be that of the data."""


def chunkenv(*arguments: object) -> None:
    """Run a command of the package; what it prints is shown."""
    print("$ chunkenv", *arguments, flush=True)
    subprocess.run([Path(sys.executable).with_name("chunkenv"), *map(str, arguments)], check=True)


def commands(level: str, chosen: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    """Everything that has to be done for a level, in this order."""
    experts, data = chosen.experts or chosen.out / "experts", chosen.out / "data" / level
    for seed in range(chosen.seeds):
        yield "train", "ppo", level, "--recipe", chosen.recipe, "--seed", seed, "--out", experts
    yield ("data", "collect", level, "--experts", experts / level, "--actions", chosen.actions,
           "--transitions", chosen.transitions, "--seed", DATA_SEED, "--workers", 1, "--out", data)  # fmt: skip
    for kind in chosen.kinds:
        yield ("train", "flow", level, "--data", data, *PREFIXES[kind], "--updates", chosen.updates,
               "--out", chosen.out / "flow" / kind)  # fmt: skip


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, default="published", help="of the experts")
    parser.add_argument("--actions", choices=ACTIONS, default="sampled", help="of the demonstrations")
    parser.add_argument("--kinds", nargs="+", choices=PREFIXES, default=["plain", "prefix"])
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--seeds", type=int, default=6, help="experts for each level")
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--updates", type=int, default=10_000)
    parser.add_argument("--episodes", type=int, default=256, help="that each policy is evaluated on")
    parser.add_argument("--experts", type=Path, help="a folder with experts of another family, not to train them again")
    parser.add_argument("--out", type=Path, default=Path("results") / "published")
    chosen = parser.parse_args()
    for level in chosen.levels:
        for command in commands(level, chosen):
            chunkenv(*command)
        for kind in chosen.kinds:
            (path,) = (chosen.out / "flow" / kind / level).glob("*/seed0/policy.safetensors")
            enter(path, chosen.episodes, 0, chosen.out / "policies", kind)


if __name__ == "__main__":
    main()
