import itertools

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv import ActionDelay, ObservationDelay
from chunkenv.errors import ActionError, ArgumentError, EnvironmentFault, ResetNeededError
from chunkenv.latency import Constant
from tests.worlds import ACTIONS, Recorder
from tests.wrappers.one_step import FailsOnce, Script, assert_same, listed


def play(env, limit=200):
    """(seen, reward, terminated, truncated, delay, age) of the reset and of every step, to the end."""
    observation, info = env.reset(seed=0)
    rows = [(int(observation[0]), 0, False, False, info["observation_delay"], info["observation_age"])]
    while not (rows[-1][2] or rows[-1][3]) and len(rows) <= limit:
        observation, reward, terminated, truncated, info = env.step(np.float32(len(rows)))
        seen = int(observation[0])
        assert info["made"] == seen
        rows.append((seen, reward, terminated, truncated, info["observation_delay"], info["observation_age"]))
    return rows


def columns(rows):
    seen, rewards, terminated, truncated, delays, ages = map(list, zip(*rows, strict=True))
    return seen, rewards, [a or b for a, b in zip(terminated, truncated, strict=True)], delays, ages


# ---------------------------------------------------------------- tables


def test_constant_delay():
    # The world makes observations 0 1 2 3 with rewards - 10 20 30 and ends. Two ticks late:
    # step      reset  1   2   3   4   5
    # seen      0      0   0   1   2   3
    # reward    -      0   0   10  20  30
    seen, rewards, ends, delays, ages = columns(play(ObservationDelay(Script([10, 20, 30]), latency=2)))
    assert seen == [0, 0, 0, 1, 2, 3]
    assert rewards == [0, 0, 0, 10, 20, 30]
    assert ends == [False] * 5 + [True]
    assert delays == [0, 0, 0, 2, 2, 2]
    assert ages == [0, 1, 2, 2, 2, 2]


def test_random_delays_the_newest_that_has_arrived_is_seen():
    # made at      1   2   3   4   5   6
    # reward       1   2   4   8   16  32
    # delay        3   0   2   2   0   1
    # arrives at   4   2   5   6   5   7
    # step         1   2   3   4   5   6   7
    # seen         0   2   2   2   5   5   6       (1 and 4 come after newer ones, 3 with a newer one: dropped)
    # reward       0   3   0   0   28  0   32      (those of 1 and 2 with 2, those of 3, 4 and 5 with 5)
    env = ObservationDelay(Script([1, 2, 4, 8, 16, 32]), latency=listed(3, 0, 2, 2, 0, 1))
    seen, rewards, ends, delays, ages = columns(play(env))
    assert seen == [0, 0, 2, 2, 2, 5, 5, 6]
    assert rewards == [0, 0, 3, 0, 0, 28, 0, 32]
    assert ends == [False] * 7 + [True]
    assert delays == [0, 0, 0, 0, 0, 0, 0, 1]
    assert ages == [0, 1, 0, 1, 2, 0, 1, 1]


def test_what_was_under_way_before_the_end_still_arrives_while_waiting():
    # made at      1   2   3 (end)
    # delay        2   2   4
    # arrives at   3   4   7
    # step         1   2   3   4   5   6   7
    # seen         0   0   1   2   2   2   3
    seen, rewards, ends, _, ages = columns(play(ObservationDelay(Script([1, 2, 4]), latency=listed(2, 2, 4))))
    assert seen == [0, 0, 0, 1, 2, 2, 2, 3]
    assert rewards == [0, 0, 0, 1, 2, 0, 0, 4]
    assert ends == [False] * 7 + [True]
    assert ages == [0, 1, 2, 2, 2, 3, 4, 4]


def test_last_observation_that_overtakes_brings_all_rewards():
    # made at      1   2   3 (end)
    # delay        9   9   0
    seen, rewards, ends, _, _ = columns(play(ObservationDelay(Script([1, 2, 4]), latency=listed(9, 9, 0))))
    assert (seen, rewards, ends) == ([0, 0, 0, 3], [0, 0, 0, 7], [False, False, False, True])


def test_seconds_become_ticks_of_the_control_step():
    assert columns(play(ObservationDelay(Script([1, 1]), Constant(0.1), control_dt=0.05)))[0] == [0, 0, 0, 1, 2]
    assert columns(play(ObservationDelay(Script([1, 1]), Constant(1.5))))[0] == [0, 0, 0, 1, 2]


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("end", "flags"), [("terminated", (True, False)), ("truncated", (False, True)), ("both", (True, True))]
)
def test_flags_keep_their_meaning_and_come_once(end, flags):
    rows = play(ObservationDelay(Script([1, 1, 1], end), latency=3))
    assert [row[2:4] for row in rows] == [(False, False)] * 6 + [flags]


def test_the_world_is_not_stepped_after_its_end_and_actions_are_ignored():
    env = ObservationDelay(Script([1, 1]), latency=3)
    play(env)
    assert [float(action) for action in env.unwrapped.actions] == [1, 2]


def test_actions_are_checked_while_waiting_too():
    env = ObservationDelay(Script([1]), latency=2)
    env.reset(seed=0)
    env.step(np.float32(0))
    with pytest.raises(ActionError):
        env.step(np.float32("nan"))
    assert [env.step(np.float32(0))[2] for _ in range(2)] == [False, True]
    with pytest.raises(ResetNeededError):
        env.step(np.float32(0))


def test_a_time_limit_inside_counts_the_world_and_arrives_late():
    env = ObservationDelay(gym.wrappers.TimeLimit(Script([1] * 50), 3), latency=2)
    rows = play(env)
    assert [row[0] for row in rows] == [0, 0, 0, 1, 2, 3]
    assert rows[-1][2:4] == (False, True)
    assert sum(row[1] for row in rows) == 3


def test_a_time_limit_outside_counts_the_agent_and_cuts_what_is_under_way():
    env = gym.wrappers.TimeLimit(ObservationDelay(Script([1] * 50), latency=2), 3)
    rows = play(env)
    assert [row[0] for row in rows] == [0, 0, 0, 1]
    assert rows[-1][2:4] == (False, True)
    assert sum(row[1] for row in rows) == 1
    assert play(env) == rows


def test_info_of_the_end_arrives_with_it():
    class Succeeds(Script):
        def step(self, action):
            *rest, info = super().step(action)
            return *rest, {**info, "success": rest[2]}

    env = ObservationDelay(Succeeds([0, 0]), latency=2)
    env.reset(seed=0)
    assert [env.step(np.float32(0))[4].get("success") for _ in range(4)] == [None, None, False, True]


def test_nothing_under_way_survives_a_reset():
    env = ObservationDelay(Script([1, 2, 4, 8]), latency=2)
    rows = play(env)
    env.reset()
    for _ in range(3):
        env.step(np.float32(0))
    assert play(env) == rows


# ---------------------------------------------------------------- what is handed out


def test_nothing_late_is_the_wrapped_environment():
    bare, wrapped = Recorder(limit=8), ObservationDelay(Recorder(limit=8), latency=0)
    added = {"observation_delay": 0, "observation_age": 0}
    observation, info = bare.reset(seed=3)
    assert_same((observation, {**info, **added}), wrapped.reset(seed=3))
    for seed in range(8):
        action = np.random.default_rng(seed).uniform(-1, 1, 2).astype(np.float32)
        *rest, info = bare.step(action)
        assert_same((*rest, {**info, **added}), wrapped.step(action))
    assert_same(bare.actions, wrapped.unwrapped.actions)


def test_what_the_agent_does_to_an_observation_stays_its_own():
    env = ObservationDelay(Recorder(), latency=3)
    first, info = env.reset(seed=0)
    kept = first["luck"].copy()
    first["luck"][:] = 9.0
    info["fresh"] = "spoilt"
    again, *_, info = env.step(np.zeros(2, np.float32))
    assert again["luck"].tolist() == kept.tolist()
    assert info["fresh"] is True


def test_an_environment_that_reuses_its_arrays_does_not_change_what_is_under_way():
    class Reusing(Script):
        def reset(self, **arguments):
            self.buffer, info = super().reset(**arguments)
            return self.buffer, info

        def step(self, action):
            observation, *rest = super().step(action)
            self.buffer[:] = observation
            return self.buffer, *rest

    assert columns(play(ObservationDelay(Reusing([1, 2, 3]), latency=2)))[0] == [0, 0, 0, 1, 2, 3]


def test_an_environment_that_changes_its_action_does_not_change_the_one_observed():
    class Greedy(Script):
        def step(self, action):
            result = super().step(action)
            action += 1
            return result

    env = ObservationDelay(Greedy([0] * 9, action_space=ACTIONS["box"]), latency=1, observe=1)
    env.reset(seed=0)
    assert env.step(np.zeros(2, np.float32))[0]["recent_actions"].tolist() == [0, 0]


def test_reward_is_a_float_whatever_the_world_pays():
    env = ObservationDelay(Script([np.float32(0.5), 1]), latency=0)
    env.reset(seed=0)
    assert [type(env.step(np.float32(0))[1]) for _ in range(2)] == [float, float]


# ---------------------------------------------------------------- observe


def test_observe_shows_the_last_actions_and_the_age():
    env = ObservationDelay(Script([0] * 9), latency=listed(1, 3, 0, 9), observe=2)
    first, _ = env.reset(seed=0)
    seen = [first] + [env.step(np.float32(action))[0] for action in (1, 2, 3, 4)]
    # made at 1 2 3 4, delay 1 3 0 9, arrives at 2 5 3 13; of the last two actions, sent after what is seen: 0 1 1 0 1
    assert [float(one["observation"][0]) for one in seen] == [0, 0, 1, 3, 3]
    assert [float(one["observation_age"][0]) for one in seen] == [0, 1, 1, 0, 1]
    assert [list(map(float, one["recent_actions"])) for one in seen] == [[0, 0], [0, 1], [1, 2], [2, 3], [3, 4]]
    assert all(env.observation_space.contains(one) for one in seen)


def test_observe_true_shows_as_many_as_the_constant_delay():
    assert ObservationDelay(Script([0]), 3, observe=True).observation_space["recent_actions"].shape == (3,)


@pytest.mark.parametrize("kind", ACTIONS)
def test_observe_in_any_space(kind):
    space = ACTIONS[kind]
    space.seed(1)
    env = ObservationDelay(Recorder(space), latency=1, observe=3)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    for _ in range(4):
        observation = env.step(space.sample())[0]
        assert env.observation_space.contains(observation)
    assert {"tick", "luck", "recent_actions", "observation_age"} == set(observation)


def test_both_delays_can_be_observed_in_either_order():
    outside = ActionDelay(ObservationDelay(Script([0] * 9), 1, observe=1), 2, observe=3)
    inside = ObservationDelay(ActionDelay(Script([0] * 9), 2, observe=3), 1, observe=1)
    keys = {"observation", "recent_actions", "observation_age", "sent_actions", "action_age"}
    assert set(outside.reset(seed=0)[0]) == set(inside.reset(seed=0)[0]) == keys


# ---------------------------------------------------------------- properties


episodes = st.tuples(
    st.lists(st.integers(-50, 50), min_size=1, max_size=25),
    st.lists(st.integers(0, 8), min_size=1, max_size=25),
    st.sampled_from(["terminated", "truncated", "both"]),
)


@given(episodes)
def test_rewards_and_end_arrive_once_and_with_their_observation(episode):
    rewards, delays, end = episode
    rows = play(ObservationDelay(Script(rewards, end), latency=listed(*delays)))
    last = len(rewards)
    assert len(rows) - 1 == last + delays[(last - 1) % len(delays)]
    assert rows[-1][0] == last
    for step in range(len(rows)):
        assert sum(row[1] for row in rows[: step + 1]) == sum(rewards[: rows[step][0]])
        assert (rows[step][2] or rows[step][3]) == (step == len(rows) - 1)
    assert rows[-1][2:4] == (end != "truncated", end != "terminated")


@given(episodes)
def test_what_is_seen_is_the_newest_that_has_arrived(episode):
    rewards, delays, _ = episode
    arrival = [0] + [made + delays[(made - 1) % len(delays)] for made in range(1, len(rewards) + 1)]
    rows = play(ObservationDelay(Script(rewards), latency=listed(*delays)))
    for step, (seen, _, _, _, delay, age) in enumerate(rows):
        assert seen == max(made for made in range(min(step, len(rewards)) + 1) if arrival[made] <= step)
        assert (delay, age) == (arrival[seen] - seen, step - seen)


@given(episodes)
def test_the_age_grows_by_at_most_one_a_tick(episode):
    rewards, delays, _ = episode
    ages = columns(play(ObservationDelay(Script(rewards), latency=listed(*delays))))[4]
    assert all(after <= before + 1 for before, after in itertools.pairwise(ages))


@given(episodes, st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_stacked_delays_conserve_the_reward_too(episode, outer):
    rewards, delays, end = episode
    env = ObservationDelay(ObservationDelay(Script(rewards, end), listed(*delays)), listed(*outer))
    rows = play(ActionDelay(env, latency=2))
    assert sum(row[1] for row in rows) == sum(rewards)
    assert rows[-1][2:4] == (end != "truncated", end != "terminated")


# ---------------------------------------------------------------- bad input


def test_bad_draw_leaves_the_world_where_it_was():
    env = ObservationDelay(Script([5, 6]), latency=FailsOnce([]))
    env.reset(seed=0)
    with pytest.raises(ArgumentError, match=r"drew a latency of -1.0"):
        env.step(np.float32(1))
    assert env.unwrapped.tick == 0
    assert env.step(np.float32(2))[1] == 5


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None, "much", [1.0, 2.0]])
def test_a_reward_that_is_no_number_is_the_environments_fault(reward):
    env = ObservationDelay(Script([1, reward, 1]), latency=1)
    env.reset(seed=0)
    env.step(np.float32(0))
    with pytest.raises(EnvironmentFault, match=r"returned the reward .* at tick 2; expected a finite number"):
        env.step(np.float32(0))
    with pytest.raises(ResetNeededError):
        env.step(np.float32(0))
