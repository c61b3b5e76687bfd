import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ChunkedExecution
from chunkenv.latency import Streamed, Trace, TraceRow, write_trace


def test_a_slow_inference_is_pending_while_newer_chunks_come_and_go(tmp_path):
    """The chunks that are kept are not those of the last requests alone."""
    delays = [9, *([0] * 8)]
    rows = [TraceRow(0, 0, None, None), *(TraceRow(0, 1 + i, None, delay) for i, delay in enumerate(delays))]
    write_trace(tmp_path / "a.jsonl", rows, control_dt=0.05)
    env = ChunkedExecution(
        gym.make("Pendulum-v1"),
        prediction_horizon=2,
        execution_horizon=1,
        latency=Trace(tmp_path / "a.jsonl", mode="exact"),
        max_in_flight=2,
        request_period=1,
        delay_estimate="last",
    )
    env.reset(seed=0)
    pending = []
    for number in range(10):
        pending.append([(float(chunk[0, 0]), age) for chunk, age in env.request.pending])
        env.step(np.full((2, 1), number / 10, np.float32))
    assert pending == [[], [], *([(np.float32(0.1), age)] for age in range(1, 9))]


@pytest.mark.parametrize("in_flight", [1, 2])
def test_a_chunk_acts_to_its_end_while_streams_end_too_soon(in_flight):
    env = ChunkedExecution(
        gym.make("Pendulum-v1"),
        prediction_horizon=6,
        execution_horizon=1,
        latency=Streamed((0.05,)),
        max_in_flight=in_flight,
        info="actions",
    )
    env.reset(seed=0)
    infos = [env.step(np.full((6, 1), number, np.float32))[4] for number in range(7)]
    assert [info["sources"].tolist() for info in infos] == [[[i, i]] for i in range(6)] + [[[-1, -1]]]
    assert all(info["actions"] == [0.0] for info in infos)
