import json

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ActionDelay
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.latency import Constant, Uniform
from tests.worlds import ACTIONS, Recorder
from tests.wrappers.one_step import FailsOnce, Script, assert_same, listed


def play(env, actions):
    """Executed actions, and the delay and age in the info, tick by tick."""
    env.reset(seed=0)
    infos = [env.step(np.float32(action))[4] for action in actions]
    executed = [float(action) for action in env.unwrapped.actions]
    return executed, [info["action_delay"] for info in infos], [info["action_age"] for info in infos]


# ---------------------------------------------------------------- tables


def test_constant_delay():
    # sent        1   2   3   4   5
    # arrives at  2   3   4   5   6
    executed, delays, ages = play(ActionDelay(Script([0] * 9), latency=2), [1, 2, 3, 4, 5])
    assert executed == [0, 0, 1, 2, 3]
    assert delays == [-1, -1, 2, 2, 2]
    assert ages == [-1, -1, 2, 2, 2]


def test_random_delays_the_newest_that_has_arrived_acts():
    # tick        0   1   2   3   4   5   6
    # sent        10  11  12  13  14  15  16
    # delay       2   3   0   2   0   5   1
    # arrives at  2   4   2   5   4   10  7
    # acts        -   -   12  12  14  14  14      (10 comes with 12, 11 with 14, 13 after 14: all dropped)
    # age         -   -   0   1   0   1   2
    env = ActionDelay(Script([0] * 9), latency=listed(2, 3, 0, 2, 0, 5, 1))
    executed, delays, ages = play(env, range(10, 17))
    assert executed == [0, 0, 12, 12, 14, 14, 14]
    assert delays == [-1, -1, 0, 0, 0, 0, 0]
    assert ages == [-1, -1, 0, 1, 0, 1, 2]


def test_an_overtaken_action_is_dropped_and_a_late_one_still_comes():
    # tick        0   1   2   3   4   5
    # delay       4   1   4   0   9   9
    # arrives at  4   2   6   3   13  14
    # acts        -   -   1   3   3   3
    executed, delays, ages = play(ActionDelay(Script([0] * 9), latency=listed(4, 1, 4, 0, 9, 9)), range(6))
    assert executed == [0, 0, 1, 3, 3, 3]
    assert delays == [-1, -1, 1, 0, 0, 0]
    assert ages == [-1, -1, 1, 0, 1, 2]


def test_seconds_become_ticks_of_the_control_step():
    executed, _, _ = play(ActionDelay(Script([0] * 9), Constant(0.1), control_dt=0.05), [1, 2, 3])
    assert executed == [0, 0, 1]
    executed, _, _ = play(ActionDelay(Script([0] * 9), Constant(1.5)), [1, 2, 3])
    assert executed == [0, 0, 1]


def test_nothing_late_is_the_wrapped_environment():
    bare, wrapped = Recorder(limit=8), ActionDelay(Recorder(limit=8), latency=0)
    assert_same(bare.reset(seed=3), wrapped.reset(seed=3))
    for seed in range(8):
        action = np.random.default_rng(seed).uniform(-1, 1, 2).astype(np.float32)
        expected, got = bare.step(action), wrapped.step(action)
        assert {"action_delay": 0, "action_age": 0}.items() <= got[4].items()
        assert_same(expected, (*got[:4], {k: v for k, v in got[4].items() if not k.startswith("action_")}))
    assert_same(bare.actions, wrapped.unwrapped.actions)


# ---------------------------------------------------------------- before the first arrives


@pytest.mark.parametrize("kind", ACTIONS)
def test_first_action_acts_until_one_arrives_in_any_space(kind):
    space = ACTIONS[kind]
    space.seed(1)
    first, sent = space.sample(), [space.sample() for _ in range(4)]
    env = ActionDelay(Recorder(space), latency=2, first_action=first)
    env.reset(seed=0)
    for action in sent:
        env.step(action)
    assert_same([first, first, sent[0], sent[1]], env.unwrapped.actions)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_a_whole_numbered_first_action_survives_json(dtype):
    space = spaces.Box(0, 100, (2,), dtype)
    env = ActionDelay(Recorder(space), latency=1, first_action=np.array([3, 100], dtype))
    again = ActionDelay(Recorder(space), **json.loads(json.dumps(env._saved_kwargs)))
    again.reset(seed=0)
    again.step(np.array([7, 8], dtype))
    assert_same([np.array([3, 100], dtype)], again.unwrapped.actions)


@pytest.mark.parametrize("kind", ["discrete", "multidiscrete", "multibinary", "dict", "tuple"])
def test_discrete_actions_need_a_first_action(kind):
    with pytest.raises(ArgumentError, match="has no zero; give first_action"):
        ActionDelay(Recorder(ACTIONS[kind]), latency=1)
    with pytest.raises(ArgumentError, match="give first_action"):
        ActionDelay(Recorder(ACTIONS[kind]), latency=Uniform(0.0, 0.1))
    ActionDelay(Recorder(ACTIONS[kind]), latency=0)


def test_a_box_without_zero_needs_a_first_action():
    with pytest.raises(ArgumentError, match="has no zero; give first_action"):
        ActionDelay(Recorder(spaces.Box(0.5, 1.0, (2,), np.float32)), latency=1)


def test_an_environment_that_changes_its_action_does_not_change_the_one_held():
    class Greedy(Script):
        def step(self, action):
            result = super().step(action.copy())
            action += 1
            return result

    env = ActionDelay(Greedy([0] * 9, action_space=ACTIONS["box"]), latency=listed(0, 9, 9))
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros(2, np.float32))
    assert [action.tolist() for action in env.unwrapped.actions] == [[0, 0]] * 3


def test_nothing_under_way_survives_a_reset():
    env = ActionDelay(Script([0] * 9), latency=2)
    play(env, [1, 2, 3])
    assert play(env, [4, 5, 6])[0] == [0, 0, 4]


def test_nothing_under_way_survives_the_end():
    env = ActionDelay(Script([1, 1]), latency=1)
    assert play(env, [1, 2])[0] == [0, 1]
    assert play(env, [3, 4])[0] == [0, 3]


# ---------------------------------------------------------------- observe


def test_observe_shows_the_last_actions_and_the_age():
    # tick        0   1   2   3
    # sent        1   2   3   4
    # delay       1   3   0   9
    # acts        -   1   3   3
    # of the last two sent, newer than what acted:  1, 1, 0, 1
    env = ActionDelay(Script([0] * 9), latency=listed(1, 3, 0, 9), observe=2)
    first, _ = env.reset(seed=0)
    seen = [first] + [env.step(np.float32(action))[0] for action in (1, 2, 3, 4)]
    assert [list(map(float, one["sent_actions"])) for one in seen] == [[0, 0], [0, 1], [1, 2], [2, 3], [3, 4]]
    assert [float(one["action_age"][0]) for one in seen] == [-1, -1, 1, 0, 1]
    assert [float(one["observation"][0]) for one in seen] == [0, 1, 2, 3, 4]
    assert all(env.observation_space.contains(one) for one in seen)


def test_observe_true_shows_as_many_as_the_constant_delay():
    assert ActionDelay(Script([0]), 3, observe=True).observation_space["sent_actions"].shape == (3,)
    assert ActionDelay(Script([0]), 0, observe=True).observation_space["sent_actions"].shape == (1,)


@pytest.mark.parametrize("kind", ACTIONS)
def test_observe_in_any_space(kind):
    space = ACTIONS[kind]
    space.seed(1)
    env = ActionDelay(Recorder(space), latency=1, observe=3, first_action=space.sample())
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    for _ in range(4):
        observation = env.step(space.sample())[0]
        assert env.observation_space.contains(observation)
    assert {"tick", "luck", "sent_actions", "action_age"} == set(observation)


def test_history_of_a_box_is_flat_oldest_first():
    env = ActionDelay(Recorder(), latency=1, observe=2)
    env.reset(seed=0)
    env.step(np.array([0.1, 0.2], np.float32))
    observation = env.step(np.array([0.3, 0.4], np.float32))[0]
    assert observation["sent_actions"] == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_observed_history_does_not_survive_a_reset():
    env = ActionDelay(Script([0] * 9), latency=2, observe=2)
    play(env, [1, 2, 3])
    observation, _ = env.reset()
    assert (observation["sent_actions"].tolist(), observation["action_age"].tolist()) == ([0, 0], [-1])


# ---------------------------------------------------------------- properties


@given(st.lists(st.integers(0, 6), min_size=1, max_size=25))
def test_every_tick_executes_the_newest_that_has_arrived(delays):
    executed, real, ages = play(ActionDelay(Script([0] * 30), latency=listed(*delays)), range(1, len(delays) + 1))
    for tick in range(len(delays)):
        arrived = [sent for sent in range(tick + 1) if sent + delays[sent] <= tick]
        if not arrived:
            assert (executed[tick], real[tick], ages[tick]) == (0, -1, -1)
            continue
        assert executed[tick] == max(arrived) + 1
        assert (real[tick], ages[tick]) == (delays[max(arrived)], tick - max(arrived))
        assert ages[tick] >= real[tick]
    assert executed == sorted(executed)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("first", [[0.0], np.zeros(3), float("nan"), "zero", [np.inf, 0.0]])
def test_bad_first_action(first):
    with pytest.raises(ActionError, match="first_action"):
        ActionDelay(Recorder(), latency=1, first_action=first)


def test_bad_draw_leaves_the_world_where_it_was():
    env = ActionDelay(Script([0] * 9), latency=FailsOnce([]))
    env.reset(seed=0)
    with pytest.raises(ArgumentError, match=r"drew a latency of -1.0"):
        env.step(np.float32(1))
    assert env.unwrapped.tick == 0
    assert env.step(np.float32(2))[4]["action_delay"] == 0
    assert [float(action) for action in env.unwrapped.actions] == [2]
