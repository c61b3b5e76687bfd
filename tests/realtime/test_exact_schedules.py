"""What a real clock has recorded is replayed in simulation tick for tick, whatever happened."""

import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.evaluate import episode_seed, evaluate
from chunkenv.latency import Trace, read_trace, write_trace
from chunkenv.realtime import ManualClock, RealtimeExecution, ScriptedWorker
from tests.realtime.shared import Numbers, Random, same
from tests.realtime.test_realtime_execution import simulate

EPISODES = 3


class Tardy(Numbers):
    """Its steps take a while, some of them more than a tick: ticks are late, and deadlines missed."""

    def __init__(self, limit, clock=None, rng=None, control_dt=0.0):
        super().__init__(limit)
        self.clock, self.rng, self.control_dt = clock, rng, control_dt

    def step(self, action):
        if self.clock is not None:
            self.clock.advance(self.control_dt * float(self.rng.choice([0.0, 0.3, 0.95, 1.7])))
        return super().step(action)


class Schedule:
    """A control loop, and what happens in it, drawn from a seed.

    Inferences take a random time, as long as a few ticks, none, or more than a chunk has rows. The ticks themselves
    take time, too, so that a delay in ticks is not what the seconds alone would make of it.
    """

    def __init__(self, seed):
        self.rng = rng = np.random.default_rng(seed)
        self.rows = int(rng.integers(1, 9))
        self.horizon = self.rows, int(rng.integers(1, self.rows + 1))
        self.control_dt = float(rng.choice([0.01, 0.02, 1 / 30, 0.1, 0.05]))
        self.limit = int(rng.integers(1, 40))
        self.options = {
            "overlap": bool(rng.integers(4)),
            "cold_start": str(rng.choice(["free", "charged"])),
            "underrun": str(rng.choice(["hold", "zero", "stop"])),
        }
        if self.options["overlap"]:
            self.options["max_in_flight"] = int(rng.integers(1, 4))
        if self.options.get("max_in_flight", 1) > 1:
            self.options["request_period"] = int(rng.integers(self.horizon[1], self.rows + 1))
        self.scale = float(rng.choice([0.3, 1.0, 3.0]))

    def seconds(self, inference):
        ticks = self.rng.choice([0.0, 1.0, 2.0, self.rng.gamma(2.0), 12.0], p=[0.1, 0.1, 0.1, 0.65, 0.05])
        return float(ticks) * self.scale * self.control_dt

    def record(self, path):
        """Decisions and rows under the real clock; the file is written."""
        clock, decisions = ManualClock(), []
        world = Tardy(self.limit, clock, self.rng, self.control_dt)
        loop = RealtimeExecution(
            world,
            Random(self.horizon),
            *self.horizon,
            control_dt=self.control_dt,
            clock=clock,
            worker=ScriptedWorker(clock, self.seconds),
            info="full",
            **self.options,
        )
        rows = loop.run(EPISODES, 0, on_decision=decisions.append)
        write_trace(path, loop.trace, self.control_dt)
        return decisions, rows

    def replay(self, path):
        """The same in simulation."""

        def make():
            return ChunkedExecution(
                Numbers(self.limit),
                *self.horizon,
                latency=Trace(path, mode="exact"),
                control_dt=self.control_dt,
                info="full",
                delay_estimate="max",
                **self.options,
            )

        env, policy = make(), Random(self.horizon)
        steps = [step for episode in range(EPISODES) for step in simulate(env, policy, episode_seed(0, episode))]
        return steps, evaluate(make, Random(self.horizon), EPISODES, 0)


def expect_the_same(seed, path):
    schedule = Schedule(seed)
    decisions, rows = schedule.record(path)
    if all(row.delay_ticks is None for row in read_trace(path).rows):
        return 0
    steps, simulated_rows = schedule.replay(path)
    assert len(decisions) == len(steps)
    for decision, step in zip(decisions, steps, strict=True):
        for info in (decision.info, step[4]):
            info.pop("broken_prefix", None)  # a real clock does not know what is in flight, so it promises less
        assert same(list(decision[2:]), step), f"{decision[2:]}\n{step}"
    assert simulated_rows == rows
    return len(decisions)


@pytest.mark.filterwarnings("ignore::UserWarning")  # underruns are what some schedules are about
@pytest.mark.parametrize("first", range(0, 60, 20))
def test_a_recording_is_replayed_tick_for_tick(tmp_path, first):
    assert sum(expect_the_same(seed, tmp_path / "a.jsonl") for seed in range(first, first + 20)) > 100


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("first", range(1000, 2000, 100))
def test_a_thousand_recordings_are_replayed_tick_for_tick(tmp_path, first):
    assert sum(expect_the_same(seed, tmp_path / "a.jsonl") for seed in range(first, first + 100)) > 500


def test_the_delays_are_not_what_the_seconds_come_to(tmp_path):
    """Or the file would not need them."""
    other = 0
    for seed in range(20):
        schedule = Schedule(seed)
        schedule.record(tmp_path / "a.jsonl")
        rows = [row for row in read_trace(tmp_path / "a.jsonl").rows if row.delay_ticks is not None]
        other += sum(row.delay_ticks != np.ceil(row.latency_s / schedule.control_dt) for row in rows)
    assert other > 20
