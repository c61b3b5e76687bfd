"""What is no environment of Gymnasium is refused by every wrapper, with how to get one."""

import gymnasium as gym
import pytest

import chunkenv
from chunkenv import ActionDelay, ActionNoise, ChunkedExecution, FlattenChunk, ObservationDelay, RecordTicks
from chunkenv.errors import ArgumentError
from chunkenv.wrappers import ChunkOverlay
from tests.worlds import Recorder

WRAPPERS = {
    "ChunkedExecution": lambda env: ChunkedExecution(env, 8),
    "ActionDelay": lambda env: ActionDelay(env, 2),
    "ObservationDelay": lambda env: ObservationDelay(env, 2),
    "ActionNoise": lambda env: ActionNoise(env, 0.1),
    "FlattenChunk": FlattenChunk,
    "ChunkOverlay": ChunkOverlay,
    "RecordTicks": lambda env: RecordTicks(env, "videos"),
}


class Parallel:
    """As an environment of PettingZoo looks: its spaces are methods."""

    possible_agents = ("left", "right")

    def action_space(self, agent):
        return gym.spaces.Discrete(2)

    observation_space = action_space


OTHERS = {
    "a number": (5, r"not 5: make one with gymnasium.make"),
    "nothing": (None, r"not None: make one with gymnasium.make"),
    "an id": ("CartPole-v1", r"not 'CartPole-v1': give gymnasium.make\('CartPole-v1'\)"),
    "a class": (Recorder, r"it is a class; give an object of it, Recorder\("),
    "several agents": (Parallel(), r"not <.*Parallel.*>: it has several agents \(PettingZoo\); write a gymnasium.Env"),
    "many environments": (
        gym.vector.SyncVectorEnv([Recorder]),
        r"many environments; use .*ChunkedVectorExecution",
    ),
}


@pytest.mark.parametrize("name", WRAPPERS)
@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_environment_is_refused_with_a_remedy(name, other):
    value, sentence = OTHERS[other]
    with pytest.raises(ArgumentError, match=f"^{name} wraps a Gymnasium environment, .*{sentence}"):
        WRAPPERS[name](value)


@pytest.mark.parametrize("other", ["a number", "nothing", "an id", "several agents"])
def test_the_vector_twin_refuses_them_too(other):
    with pytest.raises(ArgumentError, match=r"is no gymnasium\.vector\.VectorEnv; make one with gymnasium\.make_vec"):
        chunkenv.ChunkedVectorExecution(OTHERS[other][0], 8)
