from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from chunkenv.errors import ArgumentError
from chunkenv.sb3 import SB3VecEnv
from chunkenv.vector.workers import WorkerVectorEnv
from tests.sb3.worlds import DictLine, Line
from tests.worlds import ACTIONS

ENDS = ((2, True), (3, False), (3, True), (5, False))


def vector(*env_fns, kind=SyncVectorEnv, **arguments):
    return kind(list(env_fns), autoreset_mode=AutoresetMode.SAME_STEP, **arguments)


def lines(world=Line):
    return [partial(world, end=end, terminates=terminates) for end, terminates in ENDS]


def same(ours, theirs):
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    return np.array_equal(ours, theirs) and np.asarray(ours).dtype == np.asarray(theirs).dtype


@pytest.mark.parametrize("world", [Line, DictLine])
@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv, WorkerVectorEnv])
def test_step_for_step_what_dummy_vec_env_returns(world, kind):
    ours, theirs = SB3VecEnv(vector(*lines(world), kind=kind)), DummyVecEnv(lines(world))
    assert same(ours.reset(), theirs.reset())
    assert ours.reset_infos == theirs.reset_infos
    for _ in range(12):
        actions = np.zeros((4, 2), np.float32)
        for mine, yours in zip(ours.step(actions), theirs.step(actions), strict=True):
            if isinstance(mine, list):
                assert all(same(*pair) for pair in zip(mine, yours, strict=True))
            else:
                assert same(mine, yours)
        assert ours.reset_infos == theirs.reset_infos
    ours.close()


def test_all_ending_at_once():
    env = SB3VecEnv(vector(*[partial(Line, end=1, terminates=False)] * 3))
    env.reset()
    observations, rewards, dones, infos = env.step(np.zeros((3, 2), np.float32))
    assert dones.all()
    np.testing.assert_array_equal(observations, np.zeros((3, 1)))
    for info in infos:
        assert info["TimeLimit.truncated"] is True
        np.testing.assert_array_equal(info["terminal_observation"], [1.0])
    assert rewards.dtype == np.float32


def test_an_end_that_is_both_is_no_truncation():
    env = SB3VecEnv(vector(lambda: TimeLimit(Line(end=2), 2)))
    env.reset()
    env.step(np.zeros((1, 2), np.float32))
    *_, infos = env.step(np.zeros((1, 2), np.float32))
    assert infos[0]["TimeLimit.truncated"] is False


def test_nothing_returned_is_overwritten_later():
    env = SB3VecEnv(vector(*lines(), copy=False))
    first = env.reset()
    second, rewards, dones, _ = env.step(np.zeros((4, 2), np.float32))
    kept = [np.copy(array) for array in (first, second, rewards, dones)]
    final = env.step(np.zeros((4, 2), np.float32))[3][0]["terminal_observation"]
    env.step(np.zeros((4, 2), np.float32))
    for array, before in zip((first, second, rewards, dones), kept, strict=True):
        np.testing.assert_array_equal(array, before)
    np.testing.assert_array_equal(final, [2.0])


class Reusing(Line):
    """Its steps return one array for ever."""

    seen = np.zeros(1, np.float32)

    def step(self, action):
        self.seen[:], *rest = super().step(action)
        return self.seen, *rest


def test_a_terminal_observation_is_not_the_environments_own_array():
    env = SB3VecEnv(vector(partial(Reusing, end=2)))
    env.reset()
    finals = [env.step(np.zeros((1, 2), np.float32))[3][0].get("terminal_observation") for _ in range(3)]
    np.testing.assert_array_equal(finals[1], [2.0])


def test_seeds_count_up_and_are_used_once():
    env = SB3VecEnv(vector(*[partial(gym.make, "Pendulum-v1")] * 3))
    assert list(env.seed(7)) == [7, 8, 9]
    first, again = env.reset(), env.reset()
    expected = [gym.make("Pendulum-v1").reset(seed=seed)[0] for seed in (7, 8, 9)]
    np.testing.assert_array_equal(first, expected)
    assert not np.array_equal(again, first)


def test_options_reach_every_environment_once():
    env = SB3VecEnv(vector(*lines()))
    env.set_options({"push": 1})
    env.reset()
    assert env.get_attr("options") == [{"push": 1}] * 4
    env.reset()
    assert env.get_attr("options") == [None] * 4


def test_options_that_differ_are_refused():
    env = SB3VecEnv(vector(*lines()))
    env.set_options([{"push": 1}, {}, {}, {}])
    with pytest.raises(ArgumentError, match="differ between environments"):
        env.reset()


def test_attributes_and_methods_of_some():
    env = SB3VecEnv(vector(*lines()))
    env.set_attr("end", 9, indices=[1, 2])
    assert env.get_attr("end") == [2, 9, 9, 5]
    assert env.get_attr("end", indices=1) == [9]
    assert env.env_method("twice", 3, indices=[0, 3]) == [6, 6]
    assert not env.has_attr("nothing of this name")


@pytest.mark.parametrize("kind", [AsyncVectorEnv, WorkerVectorEnv])
def test_attributes_and_methods_of_workers(kind):
    env = SB3VecEnv(vector(*lines(), kind=kind))
    env.set_attr("end", 9, indices=2)
    assert env.get_attr("end") == [2, 3, 9, 5]
    assert env.env_method("twice", number=3) == [6] * 4
    with pytest.raises(ArgumentError, match=r"cannot call 'twice' of the environments \[0\] alone"):
        env.env_method("twice", 3, indices=0)
    env.close()


def test_wrappers_are_found_inside_and_outside():
    env = SB3VecEnv(RecordEpisodeStatistics(vector(lambda: TimeLimit(Line(), 9), Line)))
    assert env.env_is_wrapped(TimeLimit) == [True, False]
    assert env.env_is_wrapped(TimeLimit, indices=1) == [False]
    assert env.env_is_wrapped(RecordEpisodeStatistics) == [True, True]


def test_frames():
    env = SB3VecEnv(vector(*[partial(Line, render_mode="rgb_array")] * 2))
    env.reset()
    env.step(np.zeros((2, 2), np.float32))
    assert [frame[0, 0, 0] for frame in env.get_images()] == [1, 1]
    assert env.render().shape == (8, 4, 3)
    assert SB3VecEnv(vector(Line, Line)).get_images() == [None, None]


def test_normalisation_of_stable_baselines_works_over_it():
    env = VecNormalize(SB3VecEnv(vector(*lines())))
    env.reset()
    for _ in range(5):
        env.step(np.zeros((4, 2), np.float32))
    assert np.all(np.isfinite(env.get_original_reward()))


class Native(VectorEnv):
    """A vector environment without members."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    num_envs, level = 2, "easy"
    single_observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
    single_action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __str__(self):
        return "Native"


def test_a_native_environment_has_its_own_attributes_only():
    env = SB3VecEnv(Native())
    env.set_attr("level", "hard")
    assert env.get_attr("level") == ["hard", "hard"]
    assert env.env_is_wrapped(TimeLimit) == [False, False]
    with pytest.raises(ArgumentError, match="cannot set 'level' of the environments \\[0\\] alone: Native"):
        env.set_attr("level", "easy", indices=0)
    with pytest.raises(ArgumentError, match="cannot call 'solve' of single environments: Native"):
        env.env_method("solve")


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_autoreset_modes_are_refused(mode):
    with pytest.raises(ArgumentError, match=f"has the autoreset mode {mode.name}; .* needs SAME_STEP"):
        SB3VecEnv(SyncVectorEnv([Line], autoreset_mode=mode))


@pytest.mark.parametrize("name", ["dict", "tuple", "nested"])
def test_actions_that_stable_baselines_does_not_know(name):
    with pytest.raises(ArgumentError, match="unknown to Stable-Baselines3; give it one Box"):
        SB3VecEnv(vector(partial(Line, action_space=ACTIONS[name])))


def test_observations_that_stable_baselines_does_not_know():
    class Odd(Line):
        def __init__(self):
            super().__init__()
            self.observation_space = spaces.Tuple((self.observation_space,))

    with pytest.raises(ArgumentError, match="observations of Tuple"):
        SB3VecEnv(vector(Odd))


@pytest.mark.parametrize("part", ["action_space", "observation_space"])
def test_choices_that_do_not_count_from_zero_are_refused(part):
    """Stable-Baselines3 would give 0, and encode 3 as a choice that does not exist."""

    class Odd(Line):
        def __init__(self):
            super().__init__()
            setattr(self, part, spaces.Discrete(3, start=1))

    with pytest.raises(ArgumentError, match=r"counts from zero, not as .*start=1.* use make_sb3_env"):
        SB3VecEnv(vector(Odd))


def test_a_single_environment_is_refused():
    with pytest.raises(ArgumentError, match=r"is no gymnasium.vector.VectorEnv; make one with gymnasium.make_vec"):
        SB3VecEnv(Line())
