"""Times of updates and samples of the Q-chunking family and of the official code, in turns, in one run.

    git clone https://github.com/ColinQiyangLi/qc official-qc      # commit 48283b4 was measured
    pip install ml_collections
    python benchmarks/qc_speed.py --official official-qc

Without `--official` it times ours alone. The official code imports distrax and tensorflow-probability, which do not
work with a current JAX: the few names that it uses are replaced (a tanh-Gaussian with the same arithmetic). The rest of
its code is unchanged. Sizes are those of cube-double: 37 observation features, 5 action dimensions, batch 256.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from chunkenv import agents
from chunkenv.data import Batch

OBSERVATION, ACTION, BATCH, CHUNK = 37, 5, 256, 5
LARGE, SMALL = (512, 512, 512, 512), (256, 256, 256)

CASES: dict[str, dict[str, Any]] = {
    "qc": {"agent": "qc", "hidden": LARGE},
    "qc-fql": {"agent": "qc-fql", "hidden": LARGE},
    "fql": {"agent": "fql", "hidden": LARGE},
    "bfn": {"agent": "bfn", "hidden": LARGE},
    "rlpd": {"agent": "rlpd", "hidden": LARGE},
    "rlpd-ac": {"agent": "rlpd-ac", "hidden": LARGE},
    "qc 3x256": {"agent": "qc", "hidden": SMALL},
    "qc 3x256, 8 samples": {"agent": "qc", "hidden": SMALL, "samples": 8},
    "qc-fql 3x256": {"agent": "qc-fql", "hidden": SMALL},
    "dqc": {"agent": "dqc", "hidden": LARGE},
    "qc, target in bfloat16": {"agent": "qc", "hidden": LARGE, "target_dtype": "bfloat16", "beside": "qc"},
    "qc, target of 5 steps": {"agent": "qc", "hidden": LARGE, "target_steps": 5, "beside": "qc"},
    "qc, distilled target": {"agent": "qc", "hidden": LARGE, "target_sampler": "distilled", "beside": "qc"},
}
"""The timed cases; `beside` names the case whose official time is compared with, if not its own."""

NOT_OFFICIAL = ("dqc",)


def ours(agent: str, hidden: tuple[int, ...], **given: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """An update and a sample of ours, each waiting for its result."""
    settings = agents.settings_for(agent, hidden=hidden, **given)
    made, batch = agents.create(agent, 0, OBSERVATION, ACTION, settings), windows(settings.horizons)
    seen, prefix = np.zeros((1, OBSERVATION), np.float32), np.zeros((1, 0, ACTION), np.float32)
    lengths, key = np.zeros(1, np.int32), jax.random.key(0, impl="rbg")

    def update() -> None:
        nonlocal made
        made, _ = made.update(batch)
        jax.block_until_ready(made.params)

    return update, lambda: jax.block_until_ready(made.sample_chunk(seen, prefix, lengths, key))


def windows(horizons: Any) -> Batch:
    """A random batch."""
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, (BATCH, *shape)).astype(np.float32)

    ones = np.ones(BATCH, np.float32)
    rows, delay = horizons.rows, horizons.delay
    return Batch(
        observations=draw(OBSERVATION),
        actions=draw(rows, ACTION),
        known=np.ones((BATCH, rows), np.float32),
        rewards=-ones,
        discounts=0.95 * ones,
        next_observations=draw(OBSERVATION),
        prefix=draw(delay, ACTION),
        prefix_known=np.ones((BATCH, delay), np.float32),
        counted=ones,
    )


def official(agent: str, hidden: tuple[int, ...], samples: int | None = None) -> tuple[Callable[[], Any], ...]:
    """An update and a sample of the official code, each waiting for its result."""
    chunked = agent in ("qc", "qc-fql", "rlpd-ac")
    sac = agent.startswith("rlpd")
    module = importlib.import_module("agents.acrlpd" if sac else "agents.acfql")
    config = module.get_config()
    config.update(actor_hidden_dims=hidden, value_hidden_dims=hidden, action_chunking=chunked)
    config.horizon_length = CHUNK if chunked else 1
    if not sac:
        config.actor_type = "distill-ddpg" if agent.endswith("fql") else "best-of-n"
        config.actor_num_samples = samples or (4 if agent == "bfn" else 32)
    kind = module.ACRLPDAgent if sac else module.ACFQLAgent
    made = kind.create(0, np.zeros(OBSERVATION, np.float32), np.zeros(ACTION, np.float32), config)
    batch, seen, key = sequences(config.horizon_length), np.zeros(OBSERVATION, np.float32), jax.random.PRNGKey(0)

    def update() -> None:
        nonlocal made
        made, _ = made.update(batch)
        jax.block_until_ready(made.network.params)

    return update, lambda: jax.block_until_ready(made.sample_actions(observations=seen, rng=key))


def sequences(length: int) -> dict[str, np.ndarray]:
    """A random batch in the format of the official code."""
    rng = np.random.default_rng(0)
    one = np.ones((BATCH, length), np.float32)
    return {
        "observations": rng.uniform(-1, 1, (BATCH, OBSERVATION)).astype(np.float32),
        "next_observations": rng.uniform(-1, 1, (BATCH, length, OBSERVATION)).astype(np.float32),
        "actions": rng.uniform(-1, 1, (BATCH, length, ACTION)).astype(np.float32),
        "rewards": -one,
        "masks": one,
        "valid": one,
    }


def prepare(checkout: Path) -> None:
    """Make the official modules importable, without running its `agents/__init__.py`."""
    sys.path.insert(0, str(checkout))
    package = types.ModuleType("agents")
    package.__path__ = [str(checkout / "agents")]
    sys.modules["agents"] = package
    sys.modules["distrax"] = stand_in("distrax", Transformed=object)
    sys.modules["rlpd_distributions"] = stand_in("rlpd_distributions", TanhNormal=TanhNormal)


def stand_in(name: str, **contents: Any) -> types.ModuleType:
    """A module with these names."""
    module = types.ModuleType(name)
    vars(module).update(contents)
    return module


class Squashed:
    """A normal distribution squashed by tanh, as far as the official code uses it."""

    def __init__(self, mean: jax.Array, spread: jax.Array) -> None:
        self.mean, self.spread = mean, spread

    def sample(self, seed: jax.Array) -> jax.Array:
        """A sample."""
        return jnp.tanh(self.mean + self.spread * jax.random.normal(seed, self.mean.shape))

    def log_prob(self, actions: jax.Array) -> jax.Array:
        """The log-density."""
        before = jnp.arctanh(jnp.clip(actions, -1 + 1e-6, 1 - 1e-6))
        normal = -0.5 * (((before - self.mean) / self.spread) ** 2 + jnp.log(2 * jnp.pi)) - jnp.log(self.spread)
        return (normal - 2 * (jnp.log(2.0) - before - jax.nn.softplus(-2 * before))).sum(axis=-1)


class TanhNormal(nn.Module):
    """The head of the official actor: mean and standard deviation from the features of an observation."""

    base_cls: Any
    action_dim: int

    @nn.compact
    def __call__(self, inputs: jax.Array) -> Squashed:
        """The distribution for these observations."""
        x = self.base_cls()(inputs)
        mean, log_std = nn.Dense(self.action_dim)(x), nn.Dense(self.action_dim)(x)
        return Squashed(mean, jnp.exp(jnp.clip(log_std, -20, 2)))


def timed(action: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Time all cases, in turns, and print a table and one JSON object per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", type=Path, help="a checkout of github.com/ColinQiyangLi/qc")
    parser.add_argument("--cases", nargs="*", default=[*CASES], choices=[*CASES], help="all, if not given")
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    if arguments.official:
        prepare(arguments.official)
    print(
        f"{platform.processor() or platform.machine()}, JAX {jax.__version__}, minimum of {arguments.repeats} in turns"
    )
    print("| case | update, ms | official | ratio | sample, ms | official |")
    print("|---|---|---|---|---|---|")
    for name in arguments.cases:
        report(name, arguments.official is not None, arguments.repeats)


def report(name: str, compare: bool, repeats: int) -> None:
    """Time one case, and print it."""
    case = dict(CASES[name])
    beside = CASES[case.pop("beside", name)]
    actions = [*ours(**case)]
    if compare and beside["agent"] not in NOT_OFFICIAL:
        actions += official(**beside)
    for action in actions * 2:
        action()
    best = [min(times) for times in zip(*([timed(action) for action in actions] for _ in range(repeats)), strict=True)]
    theirs = best[2:] or [float("nan")] * 2
    ratio = best[0] / theirs[0]
    print(f"| {name} | {best[0]:.1f} | {theirs[0]:.1f} | {ratio:.2f} | {best[1]:.2f} | {theirs[1]:.2f} |", flush=True)
    record = {"case": name, "update_ms": best[0], "official_ms": theirs[0], "ratio": ratio, "sample_ms": best[1]}
    print(json.dumps(record), file=sys.stderr)


if __name__ == "__main__":
    main()
