"""A control loop at 50 Hz with a slow policy: run it on the real clock, write a trace, replay it in simulation.

    python examples/realtime.py

The policy computes in Python for 30 to 70 ms, in a process of its own, so that the loop keeps its period. The delays
differ in every run; the simulation of the trace has the same rows as the run, to the tick.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

import gymnasium as gym

from chunkenv import ChunkedExecution, evaluate
from chunkenv.latency import Trace, write_trace
from chunkenv.realtime import RealtimeExecution

CONTROL_DT = 0.02
HORIZONS = dict(prediction_horizon=12, execution_horizon=6)


class Balance:
    """Pushes the cart to where the pole falls, then to and fro; it thinks as long as it is told to."""

    def __init__(self, thinks):
        """Whether it takes its time."""
        self.thinks = thinks

    def infer(self, observation, request):
        """A chunk of 12 actions; all randomness comes from the request."""
        end = time.perf_counter() + request.rng.uniform(0.03, 0.07) * self.thinks
        while time.perf_counter() < end:
            pass
        push = int(observation[2] + 0.3 * observation[3] > 0)
        return [push, 1 - push] * 6


def main():
    """Run, write, replay."""
    loop = RealtimeExecution(gym.make("CartPole-v1"), Balance(thinks=True), **HORIZONS, control_dt=CONTROL_DT)
    rows = loop.run(episodes=5, seed=0)
    path = Path(tempfile.mkdtemp()) / "trace.jsonl"
    write_trace(path, loop.trace, CONTROL_DT)
    delays = [row.delay_ticks for row in loop.trace if row.delay_ticks is not None]
    print(f"{len(delays)} delays, in ticks of 20 ms: {dict(sorted(Counter(delays).items()))}")
    print(f"{loop.late_ticks} ticks were late, {loop.missed_deadlines} deadlines were missed")

    def make_env():
        latency = Trace(path, mode="exact")
        return ChunkedExecution(gym.make("CartPole-v1"), **HORIZONS, latency=latency, control_dt=CONTROL_DT)

    replayed = evaluate(make_env, Balance(thinks=False), episodes=5, seed=0)
    for row, simulated in zip(rows, replayed, strict=True):
        print(f"real: {row['return']:4.0f}, {row['underruns']} underruns   replayed: {simulated['return']:4.0f}")
    print(f"the simulation has the rows of the run: {rows == replayed}")


if __name__ == "__main__":
    main()
