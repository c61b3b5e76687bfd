"""Times of InFOM's updates and of the official code's, in turns, in one run.

    git clone https://github.com/chongyi-zheng/infom official-infom      # commit f0356dd was read
    pip install ml_collections
    python benchmarks/infom_speed.py --official official-infom

Without `--official` it times ours alone. distrax does not work with a current JAX: its diagonal Gaussian is replaced.
Both decide one action, from 37 observation features, with batch 256 and the paper's sizes unless `--hidden` and the
others say otherwise. The times are of one update on average over four: the policy learns in one of them. Ours has a
flow beside its policy, so it does more in that one.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from qc_speed import stand_in, timed

from chunkenv import agents
from chunkenv.data import Successors

OBSERVATION, ACTION, BATCH = 37, 5, 256
EVERY = 4  # updates for one of the policy
PHASES = ("pretrain", "finetune")
Pair = tuple[Callable[[], Any], Callable[[], Any]]
"""Four updates of either phase."""


class Diagonal:
    """A Gaussian as far as the official code uses distrax's."""

    def __init__(self, loc: jax.Array, scale_diag: jax.Array) -> None:
        self.loc, self.scale_diag = loc, scale_diag

    def sample(self, seed: jax.Array) -> jax.Array:
        """A sample."""
        return self.loc + self.scale_diag * jax.random.normal(seed, self.loc.shape)

    def mean(self) -> jax.Array:
        """Its mean."""
        return self.loc

    mode = mean

    def stddev(self) -> jax.Array:
        """Its standard deviation."""
        return self.scale_diag

    def log_prob(self, value: jax.Array) -> jax.Array:
        """The log-density."""
        scaled = (value - self.loc) / self.scale_diag
        return -(0.5 * scaled**2 + jnp.log(self.scale_diag) + 0.5 * jnp.log(2 * jnp.pi)).sum(axis=-1)


def draw(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers for a batch."""
    return rng.uniform(-1, 1, (BATCH, *shape)).astype(np.float32)


def ours(hidden: tuple[int, ...], latent: int, futures: int, steps: int) -> Pair:
    """Our updates, each waiting for its result."""
    sizes = {"hidden": hidden, "latent": latent, "futures": futures, "steps": steps, "policy_every": EVERY}
    made: Any = agents.create("infom", 0, OBSERVATION, ACTION, agents.settings_for("infom", chunk=1, **sizes))
    rng, ones = np.random.default_rng(0), np.ones(BATCH, np.float32)
    seen, rows = [draw(rng, OBSERVATION) for _ in range(3)], [draw(rng, 1, ACTION) for _ in range(2)]
    known = np.ones((BATCH, 1), np.float32)
    made = made.scaled_to(seen[0])
    batch = Successors(seen[0], rows[0], known, -ones, seen[1], seen[2], rows[1], known, 0 * ones, ones)

    def updates(step: str) -> None:
        nonlocal made
        for _ in range(EVERY):
            made, _ = getattr(made, step)(batch)
        jax.block_until_ready(made.params)

    return lambda: updates("pretrain"), lambda: updates("update")


def official(hidden: tuple[int, ...], latent: int, futures: int, steps: int) -> Pair:
    """The official updates, each waiting for its result."""
    module = importlib.import_module("agents.infom")
    config = module.get_config()
    parts = ("intention_encoder", "actor", "value", "reward")
    config.update({f"{part}_hidden_dims": hidden for part in parts})
    config.update(latent_dim=latent, num_flow_goals=futures, num_flow_steps=steps)
    rng, ones = np.random.default_rng(0), np.ones(BATCH, np.float32)
    names = ("observations", "next_observations")
    batch = {name: draw(rng, OBSERVATION) for name in names}
    batch |= {name: draw(rng, ACTION) for name in ("actions", "next_actions")}
    batch |= {
        "rewards": -ones,
        "observation_min": -2 * np.ones(OBSERVATION),
        "observation_max": 2 * np.ones(OBSERVATION),
    }
    made = module.InFOMAgent.create(0, batch["observations"], batch["actions"], config)

    def updates(update: Callable[[Any, int], Any]) -> None:
        nonlocal made
        for count in range(EVERY):
            made, _ = update(made, count)
        jax.block_until_ready(made.network.params)

    return (
        lambda: updates(lambda agent, _: agent.pretrain(batch)),
        lambda: updates(lambda agent, count: agent.finetune(batch, full_update=count == 0)),
    )


def prepare(checkout: Path) -> None:
    """Make the official modules importable, without running its `agents/__init__.py`."""
    sys.path.insert(0, str(checkout))
    package = stand_in("agents")
    package.__path__ = [str(checkout / "agents")]
    sys.modules["agents"] = package
    sys.modules["distrax"] = stand_in("distrax", Transformed=object, MultivariateNormalDiag=Diagonal)


def main() -> None:
    """Time both phases, in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, help="a checkout of github.com/chongyi-zheng/infom")
    parser.add_argument("--hidden", type=int, nargs="*", default=[512, 512, 512, 512])
    parser.add_argument("--latent", type=int, default=512)
    parser.add_argument("--futures", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    sizes = (tuple(options.hidden), options.latent, options.futures, options.steps)
    actions = [*ours(*sizes)]
    if options.official:
        prepare(options.official)
        actions += official(*sizes)
    for action in actions * 2:
        action()
    times = [[timed(action) for action in actions] for _ in range(options.repeats)]
    best = [min(each) / EVERY for each in zip(*times, strict=True)]
    theirs = best[2:] or [float("nan")] * 2
    print(f"{platform.machine()}, JAX {jax.__version__}, minimum of {options.repeats} in turns")
    print("| phase | update, ms | official | ratio |\n|---|---|---|---|")
    for phase, mine, other in zip(PHASES, best, theirs, strict=False):
        print(f"| {phase} | {mine:.1f} | {other:.1f} | {mine / other:.2f} |")


if __name__ == "__main__":
    main()
