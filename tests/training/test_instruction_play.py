import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.training.instruction_play import InstructionPlay

ARGUMENTS = {"goal": "instruction", "goals": "train", "max_episode_steps": 5}


class Listener:
    """Does nothing, and keeps what it is told."""

    def __init__(self):
        self.heard = []

    def infer(self, observation, request):
        self.heard.append(observation["instruction"])
        return np.zeros((4, 5), np.float32)


def test_episodes_are_asked_for_in_words_and_their_ticks_and_successes_are_counted():
    listener = Listener()
    play = InstructionPlay("chunkenv/manip-cube-single-v0", 4, 2, ARGUMENTS, episodes=2, seed=1)
    assert play(listener) == {"solve_rate": 0.0, "length": 5.0}
    assert len(listener.heard) == 6  # of five ticks, two at a time
    assert all("red cube" in sentence for sentence in listener.heard)
    assert len(set(listener.heard)) == 2


def test_nothing_is_played_without_episodes():
    assert InstructionPlay("no/such-v0", 4, 2, episodes=0)(Listener()) == {}
    with pytest.raises(ArgumentError, match="execution_horizon=0"):
        InstructionPlay("no/such-v0", 4, 0)
