"""Make a family of weights for the Kinetix levels: experts, their demonstrations, and what learns from these.

    python benchmarks/policy_family.py --recipe published --actions sampled --out results/published

runs, level by level, the commands that a user would run (`chunkenv train ppo`, `data collect`, `train flow`, ...), and
enters each policy with its solve rates into `<out>/policies`, a folder for `--policies` of the studies. All of them go
on where they were stopped, so this script does, too; several may work on different levels at once. The families of the
package:

    published  --recipe published --actions sampled --updates 6000
    smooth     --recipe smooth --actions mean --seeds 2 --kinds plain executed, the latter entered as prefix

Needs the extras `agents`, `data` and `kinetix`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import family_weights

from chunkenv.agents import load_learned_model
from chunkenv.agents.policies.correction_head import LABELS
from chunkenv.agents.ppo import RECIPES
from chunkenv.agents.pretrained import add_model
from chunkenv.collect.expert_player import ACTIONS
from chunkenv.registration import LEVELS
from chunkenv.training.correction import HEAD
from chunkenv.training.imitation import POLICY
from chunkenv.training.model_training import MODEL

INTENDED = ("--prefix-conditioned", "--intended-prefix")
FLOWS = {
    "plain": (),
    "prefix": (*INTENDED, "--prefix-decay", "0.5"),
    "executed": ("--prefix-conditioned",),
    "soft-prefix": (*INTENDED, "--prefix-decay", "0.5", "--soft-rows", "6"),
    "vlash": ("--future-offsets", "4"),
}
"""The options of `chunkenv train flow` for each kind."""
GROWN = ("prefix", "soft-prefix")
"""Flows that begin with the plain policy, as in training-time RTC's study."""
TUNED = ("remac", "deflect")
"""Kinds that begin with the plain or the prefix-conditioned policy."""
HEADS = tuple(f"a2c2-{label}" for label in LABELS)
HIDDEN = "128,128"
"""Of heads: larger ones correct no better, and a package of 20 MB has no room for them."""
DATA_SEED = 100
"""Far from the seeds of evaluations, whose noise must not be that of the data."""


class Family:
    """The folders of a family, and how it is made.

    Args:
        chosen: the options of the command line.
    """

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen, self._out = chosen, chosen.out
        self._experts, self._policies = chosen.experts or chosen.out / "experts", chosen.out / "policies"

    def make(self, level: str) -> None:
        """Make what is missing of a level."""
        for command in self._demonstrations(level):
            chunkenv(*command)
        for kind in self._chosen.kinds:
            folder = self._out / "trained" / kind
            chunkenv(*self._training(level, kind), "--out", folder)
            (path,) = (path for name in (POLICY, HEAD, MODEL) for path in folder.glob(f"{level}/**/seed0/{name}"))
            self._enter(kind, path)

    def _demonstrations(self, level: str) -> Iterator[tuple[object, ...]]:
        chosen = self._chosen
        for seed in range(chosen.seeds):
            yield "train", "ppo", level, "--recipe", chosen.recipe, "--seed", seed, "--out", self._experts
        yield ("data", "collect", level, "--experts", self._experts / level, "--actions", chosen.actions,
               "--transitions", chosen.transitions, "--solve-rate", chosen.solve_rate,
               "--seed", DATA_SEED, "--workers", 1, "--out", self._data(level))  # fmt: skip

    def _data(self, level: str) -> Path:
        return self._out / "data" / level

    def _training(self, level: str, kind: str) -> tuple[object, ...]:
        if kind in FLOWS:
            start = ("--start-from", self._policies) if kind in GROWN else ()
            options = "--data", self._data(level), "--updates", self._chosen.updates
            return "train", "flow", level, *FLOWS[kind], *start, *options
        if kind in TUNED:
            return "train", kind, level, "--data", self._data(level), "--start-from", self._policies
        if kind == "model":
            return "train", "model", level, "--data", self._data(level)
        label = {"a2c2-expert": ("--expert", self._experts / level), "a2c2-policy": ("--label", "policy")}[kind]
        return "train", "a2c2", level, "--policies", self._policies, "--hidden", HIDDEN, *label

    def _enter(self, kind: str, path: Path) -> None:
        """Put trained weights into the family, with what they solve."""
        episodes = self._chosen.episodes
        if kind == "model":
            model = load_learned_model(path)
            add_model(model, {**model.facts, "commit": family_weights.commit()}, self._policies)
        elif kind in HEADS:
            family_weights.enter_head(path, episodes, 0, self._policies)
        else:
            family_weights.enter_policy(path, episodes, 0, self._policies, kind)


def chunkenv(*arguments: object) -> None:
    """Run a command of the package; what it prints is shown."""
    print("$ chunkenv", *arguments, flush=True)
    subprocess.run([Path(sys.executable).with_name("chunkenv"), *map(str, arguments)], check=True)


def main() -> None:
    """Make what is missing."""
    kinds = (*FLOWS, *TUNED, "model", *HEADS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=RECIPES, default="published", help="of the experts")
    parser.add_argument("--actions", choices=ACTIONS, default="sampled", help="of the demonstrations")
    parser.add_argument("--kinds", nargs="+", choices=kinds, metavar="KIND", default=kinds, help=", ".join(kinds))
    parser.add_argument("--levels", nargs="+", choices=LEVELS, metavar="LEVEL", default=LEVELS)
    parser.add_argument("--seeds", type=int, default=6, help="experts for each level")
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--solve-rate", type=float, default=0.65, help="of each demonstrator, at least")
    parser.add_argument("--updates", type=int, default=10_000, help="of flow policies")
    parser.add_argument("--episodes", type=int, default=256, help="that each policy is evaluated on")
    parser.add_argument("--experts", type=Path, help="a folder with experts of another family, not to train them again")
    parser.add_argument("--out", type=Path, default=Path("results") / "published")
    chosen = parser.parse_args()
    for level in chosen.levels:
        Family(chosen).make(level)


if __name__ == "__main__":
    main()
