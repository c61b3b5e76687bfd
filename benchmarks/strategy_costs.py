"""What a chunk costs under each method of the studies: evaluations, floating point operations, and time.

    OMP_NUM_THREADS=1 python benchmarks/strategy_costs.py --batches 1 32 --repeats 200

Time is that of the processor (`time.process_time`), so that what else the machine does hardly matters; the
fewest seconds of the repeats count, and the methods take turns. The networks have the package's sizes and are not
trained: time does not depend on what weights are. Every request is one in the middle of an episode with a delay of two
ticks and an execution horizon of four. A correction is what a method adds to the actions of one tick; a tick is the
environment's own part.

`Method.cost` and `Method.correction` of `chunkenv/bench/studies/methods.py` are the columns of the batch of 32, which
is how many episodes studies play side by side, and `TICK` there is the last line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from chunkenv.agents import CorrectionHead, FlowPolicy, FlowSettings, LearnedModel
from chunkenv.agents.delay_aware.model_learning import ModelSettings, initial_model_state
from chunkenv.agents.delay_aware.residual_learning import HeadSettings, initial_head
from chunkenv.agents.nets.mixer import ChunkSizes, initial_weights
from chunkenv.agents.nets.preconditioned_flow import PreconditionedFlow
from chunkenv.agents.policies.correction_head import LABELS
from chunkenv.agents.policies.learned_model import ModelScales
from chunkenv.agents.pretrained import KINDS, add_head, add_model, add_pretrained
from chunkenv.bench.studies.measured_latency import MEASURED_ON, SCHEDULE
from chunkenv.bench.studies.methods import (
    METHODS,
    PREDICTION_HORIZON,
    SLOTS,
    flow_policy,
    make_envs,
    play_policy,
    set_up,
)
from chunkenv.evaluate.asking import Asker
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.registration import LEVELS
from chunkenv.strategies import Cost
from chunkenv.vector import VectorRequest

PLAIN = ("plain", "vlash")
"""Kinds without a prefix."""
HIDDEN = (128, 128)
"""Of the package's heads."""
DELAY, HORIZON = SCHEDULE

Call = Callable[[], object]
Key = TypeVar("Key")


def add_untrained(folder: Path, level: str) -> None:
    """Make a family of untrained weights of every kind for a level."""
    size = Simulator(level).compact_size
    for kind in KINDS:
        add_pretrained(untrained_policy(level, size, kind not in PLAIN), {}, folder, kind)
    for label in LABELS:
        add_head(untrained_head(level, size, label), {}, folder)
    add_model(untrained_model(level, size), {}, folder)


def untrained_policy(level: str, observation: int, prefix: bool) -> FlowPolicy:
    """A flow policy of the default size."""
    settings = FlowSettings()
    sizes = ChunkSizes(observation, PREDICTION_HORIZON, N_ACTIONS, prefix)
    weights = initial_weights(settings.architecture, sizes, 0)
    blank, one = np.zeros(observation, np.float32), np.ones(observation, np.float32)
    flow = PreconditionedFlow(weights, blank, one, settings.architecture, sizes, settings.steps, settings.data_std)
    facts = {"level": level, "max_prefix": 4 * prefix, "soft_rows": 6 * prefix}
    return FlowPolicy(flow, np.zeros(N_ACTIONS, np.float32), np.ones(N_ACTIONS, np.float32), facts)


def untrained_head(level: str, observation: int, label: str) -> CorrectionHead:
    """A correction head of the package's size."""
    size = observation + N_ACTIONS
    state = initial_head(HeadSettings(HIDDEN), size + 2, N_ACTIONS, 0)
    layers = tuple({name: np.asarray(value) for name, value in layer.items()} for layer in state.layers)
    return CorrectionHead(level, label, PREDICTION_HORIZON, *mean_and_scale(size), layers, {})


def untrained_model(level: str, observation: int) -> LearnedModel:
    """A learned model of the default size."""
    state, ones = initial_model_state(ModelSettings(), observation, N_ACTIONS, 0), np.ones(N_ACTIONS, np.float32)
    scales = ModelScales(*mean_and_scale(observation), *mean_and_scale(observation), -ones, ones)
    return LearnedModel(level, state.layers, scales, {})


def mean_and_scale(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Those that change nothing."""
    return np.zeros(size, np.float32), np.ones(size, np.float32)


class Noted:
    """A correction that notes what it was asked last.

    Args:
        corrector: has `correct_batch`.
    """

    def __init__(self, corrector: Any) -> None:
        self.correct, self._batch, self._asked = corrector.correct, corrector.correct_batch, ()

    def correct_batch(self, *asked: Any) -> Any:
        """What the corrector answers."""
        self._asked = asked
        return self._batch(*asked)

    def again(self) -> Any:
        """The same once more."""
        return self._batch(*self._asked)


class AtWork(NamedTuple):
    """A method in the middle of some episodes.

    Attributes:
        cost: of a chunk, as the strategy counts it.
        chunk: infers one for each episode, from the same observations each time.
        correction: corrects an action of each episode; None if the method does not correct.
    """

    cost: Cost
    chunk: Call
    correction: Call | None


def at_work(method: str, level: str, family: str, batch: int) -> AtWork:
    """A method in a batch of environments, after two decisions."""
    way = METHODS[method]
    policy = flow_policy(level, way.weights, family)
    strategy, chunks = set_up(way, policy, level, family, DELAY, latency=DELAY, execution_horizon=HORIZON)
    noted = Noted(chunks["correction"]) if "correction" in chunks else None
    envs = make_envs(level, way.observation, {"overlap": way.overlap, **chunks, "correction": noted}, batch)
    observations, asker = envs.reset(seed=0)[0], Asker(envs, strategy)
    rngs = tuple(np.random.default_rng(row) for row in range(batch))
    for _ in range(2):
        observations = envs.step(asker.ask(observations, rngs).action)[0]
    request = envs.request._replace(rng=rngs)
    return AtWork(strategy.cost, partial(strategy.infer_batch, observations, request), noted and noted.again)


def fewest_seconds(calls: Mapping[Key, Call], repeats: int) -> dict[Key, float]:
    """The processor's seconds of the fastest of so many calls, which take turns; a first one warms up."""
    fewest = dict.fromkeys(calls, np.inf)
    for turn, (key, call) in product(range(repeats + 1), calls.items()):
        begun = time.process_time()
        call()
        if turn:
            fewest[key] = min(fewest[key], time.process_time() - begun)
    return fewest


class Resting:
    """A policy that does nothing, and takes no time."""

    def infer_batch(self, observations: np.ndarray, request: VectorRequest) -> np.ndarray:
        """Zeros [N, H, A]."""
        return np.zeros((len(request.tick), PREDICTION_HORIZON, N_ACTIONS), np.float32)


def tick_seconds(level: str) -> float:
    """The processor's seconds of a tick of as many episodes as studies play side by side, without any inference."""
    play = partial(play_policy, level, Resting(), seed=0, execution_horizon=HORIZON, latency=DELAY)
    play([0])  # compiles
    begun = time.process_time()
    rows = play(range(4 * SLOTS))
    return (time.process_time() - begun) / sum(row["ticks"] for row in rows) * SLOTS


def measured_columns(compared: Mapping[str, AtWork], repeats: int) -> dict[str, str]:
    """The part of the table for one batch: milliseconds of a chunk, it and a correction by the chunk of naive."""
    corrections = {name: each.correction for name, each in compared.items() if each.correction is not None}
    added = fewest_seconds(corrections, repeats)  # before further chunks: a reflex forgets the old ones
    chunks = fewest_seconds({name: each.chunk for name, each in compared.items()}, repeats)
    naive = chunks["naive"]
    return {
        name: f" {1000 * seconds:.2f} | {seconds / naive:.2f} | {added[name] / naive:.2f} |"
        if name in added
        else f" {1000 * seconds:.2f} | {seconds / naive:.2f} | |"
        for name, seconds in chunks.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, SLOTS])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--methods", nargs="+", choices=METHODS, metavar="NAME", default=list(METHODS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        add_untrained(Path(folder), MEASURED_ON)
        print_table(options.methods, options.batches, options.repeats, folder)
    tick = 1000 * sum(map(tick_seconds, LEVELS)) / len(LEVELS)
    print(f"\nA tick of {SLOTS} environments, in the mean over {len(LEVELS)} levels: {tick:.2f} ms")


def print_table(methods: Sequence[str], batches: Sequence[int], repeats: int, family: str) -> None:
    """A line for each method, with what it costs in batches of each size."""
    print(
        "| method | evaluations | VJPs | MFLOP |",
        *(f" batch {b}: ms | x naive | correction |" for b in batches),
        sep="",
    )
    print("|---|---|---|---|", "---|---|---|" * len(batches), sep="")
    compared = {batch: {name: at_work(name, MEASURED_ON, family, batch) for name in methods} for batch in batches}
    measured = [measured_columns(own, repeats) for own in compared.values()]
    for name, (cost, *_) in compared[batches[0]].items():
        flops = f"{(cost.flops or 0) / 1e6:.1f}"
        print(f"| {name} | {cost.evaluations} | {cost.vjps} | {flops} |", *(each[name] for each in measured), sep="")


if __name__ == "__main__":
    main()
