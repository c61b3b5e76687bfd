"""Manipulation in chunks, natively: the rows of `evaluate`."""

import gymnasium as gym
import numpy as np
import pytest

import chunkenv
from chunkenv.latency import Uniform

CHUNKS = dict(prediction_horizon=8, execution_horizon=3, latency=Uniform(0.0, 0.2), observe_prefix=True)


class Noise:
    """A policy whose chunks are random."""

    def infer(self, observation, request):
        return request.rng.uniform(-1, 1, (8, 5)).astype(np.float32)

    def infer_batch(self, observations, request):
        return np.stack([rng.uniform(-1, 1, (8, 5)).astype(np.float32) for rng in request.rng])


@pytest.mark.parametrize("name", ["cube-double-task2", "scene"])
def test_evaluate_batch_has_the_rows_of_evaluate(name):
    def many(slots):
        return gym.make_vec(
            f"chunkenv/manip-{name}-v0", slots, max_episode_steps=12, autoreset_mode="Disabled", **CHUNKS
        )

    def one():
        return chunkenv.ChunkedExecution(gym.make(f"chunkenv/manip-{name}-v0", max_episode_steps=12), **CHUNKS)

    rows = chunkenv.evaluate_batch(many, Noise(), episodes=3, seed=3, slots=2)
    assert rows == chunkenv.evaluate(one, Noise(), episodes=3, seed=3)
    assert [row["ticks"] for row in rows] == [12] * 3
