"""Each member of many is the single one, whatever the rules: in flight, streaming, chosen, charged, corrected."""

import gymnasium as gym
import pytest
from gymnasium.vector import SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from tests.vector.comparing import MODES, outside_and_inside, play_both, play_singles
from tests.vector.rules import examples, rules
from tests.worlds import ACTIONS, Recorder

pytestmark = pytest.mark.filterwarnings(
    "ignore::chunkenv.errors.StaleChunkWarning", "ignore::chunkenv.errors.UnderrunWarning"
)


class Ending(Recorder):
    """Terminates, or is truncated, at ticks that differ from member to member and from episode to episode."""

    def reset(self, *, seed=None, options=None):
        result = super().reset(seed=seed, options=options)
        self.limit = int(self.np_random.integers(1, 25))
        return result

    def step(self, action):
        observation, reward, _, over, info = super().step(action)
        info["success"] = bool(self.np_random.random() < 0.2)
        if self.tick % 3 == 0:
            info["third"] = self.tick
        if self.limit % 2:
            return observation, reward, over, False, info
        return observation, reward, False, over, info


WORLDS = {
    "CartPole": lambda: gym.make("CartPole-v1", max_episode_steps=23),
    "Pendulum": lambda: gym.make("Pendulum-v1", max_episode_steps=17),
    "echo": Ending,
    "Dict of actions": lambda: Ending(ACTIONS["dict"]),
    "Tuple of actions": lambda: Ending(ACTIONS["tuple"]),
    "matrices": lambda: Ending(ACTIONS["matrix box"]),
}
REAL = ("Pendulum", "echo", "matrices")
"""Those with actions that can be corrected."""


def check_world(world, data, levels=("basic", "actions", "full"), steps=12):
    """Draw rules, and compare a batch of that world with each of its members alone."""
    chunks = data.draw(rules(world in REAL), "chunks")
    chunks["info"] = data.draw(st.sampled_from(levels), "info")
    num_envs, mode = data.draw(st.integers(1, 4), "num_envs"), data.draw(st.sampled_from(MODES), "mode")
    seed, first = data.draw(st.integers(0, 2**31), "seed"), WORLDS[world]().action_space.sample()
    members = SyncVectorEnv([WORLDS[world]] * num_envs, autoreset_mode=mode)
    many = ChunkedVectorExecution(members, first_action=first, **chunks)
    alone = [ChunkedExecution(WORLDS[world](), first_action=first, **chunks) for _ in range(num_envs)]
    play_singles(many, alone, steps, seed)


@pytest.mark.parametrize("world", WORLDS)
@given(st.data())
@examples(20)
def test_each_is_the_single_one_to_the_bit(world, data):
    check_world(world, data)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@given(st.data())
@examples(500)
def test_each_is_the_single_one_in_many_cases(world, data):
    check_world(world, data, steps=25)


@given(rules(), st.sampled_from(MODES), st.integers(0, 2**31))
@examples(25)
def test_the_layout_is_that_of_gymnasium(chunks, mode, seed):
    """Against a `SyncVectorEnv` of `ChunkedExecution`s, which has no charges."""
    if getattr(chunks.get("latency"), "measured", False):
        chunks["latency"] = 2
    play_both(*outside_and_inside(Ending, 3, mode, **chunks), steps=12, seed=seed)
