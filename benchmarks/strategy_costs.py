"""The cost of a chunk under each execution strategy: evaluations, floating point operations, and time on this machine.

    python benchmarks/strategy_costs.py --batches 1 64 --repeats 50

The flow policy has the package's default size and prefix; its weights are not trained, since time does not depend on
them. Every request has rows left and a delay of two ticks, so that RTC computes its guidance. Each time is the fastest
of the repeats; the strategies take turns, so that a busy moment of the machine does not affect only one of them.
"""

from __future__ import annotations

import argparse
from types import SimpleNamespace

import numpy as np

from chunkenv.agents import FlowPolicy, FlowSettings
from chunkenv.agents.nets.mixer import ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.strategies import (
    BID,
    PAINT,
    RTC,
    HardMasking,
    Naive,
    Strategy,
    TemporalEnsembling,
    TrainingTimeRTC,
    measure_latency,
)
from chunkenv.vector import VectorRequest

OBSERVATION, HORIZON, ACTION, DELAY = 35, 8, 6, 2


def flow_policy(prefix: bool) -> FlowPolicy:
    """An untrained policy of the default size."""
    settings = FlowSettings()
    sizes = ChunkSizes(OBSERVATION, HORIZON, ACTION, prefix)
    weights = initial_weights(settings.architecture, sizes, 0)
    blank, one = np.zeros(OBSERVATION, np.float32), np.ones(OBSERVATION, np.float32)
    flow = PreconditionedFlow(weights, blank, one, settings.architecture, sizes, settings.steps, settings.data_std)
    return FlowPolicy(flow, blank[:ACTION], one[:ACTION], {"level": "none", "max_prefix": 4 * prefix})


def strategies() -> dict[str, Strategy]:
    """All strategies, around two policies."""
    plain, prefix = flow_policy(prefix=False), flow_policy(prefix=True)
    kinds = [Naive, TemporalEnsembling, BID, RTC, HardMasking, PAINT]
    return {kind.__name__: kind(plain) for kind in kinds} | {"TrainingTimeRTC": TrainingTimeRTC(prefix)}


def request_of(batch: int) -> VectorRequest:
    """A batch of requests in the middle of an episode, with half of the last chunk left."""
    left = np.random.default_rng(0).standard_normal((batch, HORIZON, ACTION), np.float32)
    lengths, delays = np.full(batch, HORIZON // 2), np.full(batch, DELAY)
    rng = tuple(np.random.default_rng(row) for row in range(batch))
    return VectorRequest(lengths, left, delays, delays, HORIZON // 2, left, lengths, rng)


def seconds(compared: dict[str, Strategy], batch: int, repeats: int, rounds: int = 5) -> dict[str, float]:
    """The fastest inference of a batch under each strategy."""
    observations, request = np.ones((batch, OBSERVATION), np.float32), request_of(batch)
    fastest = dict.fromkeys(compared, np.inf)
    for strategy in compared.values():
        strategy.reset()
    for _ in range(rounds):
        for name, strategy in compared.items():
            asked = SimpleNamespace(infer=strategy.infer_batch)
            taken = measure_latency(asked, observations, request, max(repeats // rounds, 1), warm_up=1)
            fastest[name] = min(fastest[name], taken.min())
    return fastest


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    compared = strategies()
    times = {batch: seconds(compared, batch, options.repeats) for batch in options.batches}
    print("| strategy | evaluations | VJPs | MFLOP |", *(f" batch {b}: ms | x naive |" for b in times), sep="")
    print("|---|---|---|---|", "---|---|" * len(times), sep="")
    for name, strategy in compared.items():
        cost = strategy.cost
        columns = [f" {1000 * taken[name]:.2f} | {taken[name] / taken['Naive']:.1f} |" for taken in times.values()]
        print(f"| {name} | {cost.evaluations} | {cost.vjps} | {(cost.flops or 0) / 1e6:.1f} |", *columns, sep="")


if __name__ == "__main__":
    main()
