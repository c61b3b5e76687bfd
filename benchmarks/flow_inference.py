"""The cost of the inference of one chunk: floating point operations, and time for one observation and for a batch.

    python benchmarks/flow_inference.py --levels catapult --batches 1 256

times the flow policies of the package. Each figure is the median over repeats; the 10 % and 90 % quantiles are shown,
too; the first call, which compiles, is left out. The arithmetic is that of one chunk alone: in a batch, terms that
depend on flow time only are computed once for all.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from chunkenv.agents import FlowPolicy, load_pretrained
from chunkenv.agents.pretrained import KINDS
from chunkenv.kinetix import LEVELS


class Streams(NamedTuple):
    """The part of a request that a flow policy reads."""

    rng: tuple[np.random.Generator, ...]


def seconds(action: Callable[[], object], repeats: int) -> np.ndarray:
    """The seconds of each of `repeats` calls, after one that is not counted."""
    action()
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return np.array(taken)


def inference(policy: FlowPolicy, batch: int) -> Callable[[], object]:
    """One inference of a batch."""
    observations = np.random.default_rng(0).standard_normal((batch, policy.observation_size), np.float32)
    request = Streams(tuple(np.random.default_rng(index) for index in range(batch)))
    return lambda: policy.infer_batch(observations, request)


def line(level: str, kind: str, batch: int, repeats: int) -> str:
    """A row of the table."""
    policy = load_pretrained(level, kind)
    taken = seconds(inference(policy, batch), repeats)
    low, median, high = np.quantile(taken, [0.1, 0.5, 0.9]) * 1e3
    work = policy.steps * policy.flops_per_evaluation
    times = f"{median:.2f} [{low:.2f}, {high:.2f}] | {1e3 * median / batch:.1f}"
    return f"| {level} | {kind} | {batch} | {work / 1e6:.2f} | {times} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", nargs="+", default=LEVELS, choices=LEVELS)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 256])
    parser.add_argument("--repeats", type=int, default=200)
    chosen = parser.parse_args()
    print(f"jax {jax.__version__}, {jax.default_backend()}, {os.cpu_count()} cores\n")
    print("| level | kind | batch | MFLOP per chunk | ms per call [10 %, 90 %] | us per chunk |")
    print("|---|---|---|---|---|---|")
    for level in chosen.levels:
        for kind in chosen.kinds:
            for batch in chosen.batches:
                print(line(level, kind, batch, chosen.repeats), flush=True)


if __name__ == "__main__":
    main()
