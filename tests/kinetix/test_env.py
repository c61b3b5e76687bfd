"""The environment: Gymnasium's and Stable-Baselines3's contracts, options, bad input, states, determinism."""

import copy
import functools
import json
import pickle
import timeit
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.errors import ActionError, ArgumentError, ResetNeededError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.env import OBSERVATIONS, REWARDS, KinetixEnv

SIZES = {"grasp_easy": 7, "catapult": 5, "cartpole_thrust": 2, "hard_lunar_lander": 3, "mjc_half_cheetah": 7}
SIZES |= {"mjc_swimmer": 3, "mjc_walker": 7, "h17_unicycle": 3, "chain_lander": 6, "catcher_v3": 6, "trampoline": 4}
SIZES |= {"car_launch": 5}  # bodies that move
ZERO = np.zeros(6, np.float32)


def make(level, **options):
    return gymnasium.make(f"chunkenv/kinetix-{level}-v0", **options)


def actions(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 6)).astype(np.float32)


def episode(env, seed=0, n=60):
    """Everything that an episode shows, as bytes and numbers."""
    observation, info = env.reset(seed=seed)
    rows = [(observation.tobytes(), info)]
    for action in actions(n, seed):
        observation, reward, terminated, truncated, info = env.step(action)
        rows.append((observation.tobytes(), reward, terminated, truncated, info))
        if terminated or truncated:
            break
    return rows


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_contracts_without_a_warning(level, observation, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # a window where there may be no screen
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for reward in REWARDS:
            check_env(make(level, observation=observation, reward=reward).unwrapped)
            sb3.check_env(make(level, observation=observation, reward=reward))


@pytest.mark.parametrize("level", LEVELS)
def test_spaces(level):
    env = make(level)
    assert env.observation_space.shape == (679,)
    assert env.action_space == gymnasium.spaces.Box(-1, 1, (6,), np.float32)
    assert env.metadata["render_fps"] == 30
    assert env.spec.max_episode_steps == 256
    assert make(level, observation="compact").observation_space.shape == (7 * SIZES[level],)
    state_space = make(level, observation="state").observation_space
    assert state_space.dtype == np.uint8


@pytest.mark.parametrize("level", LEVELS)
def test_compact_is_what_changes_in_symbolic(level):
    symbolic, compact = make(level), make(level, observation="compact")
    one, other = symbolic.reset()[0], compact.reset()[0]
    seen, short = [one], [other]
    for action in actions(100):
        one, _, terminated, _, _ = symbolic.step(action)
        seen.append(one)
        short.append(compact.step(action)[0])
        if terminated:
            break
    seen, short = np.array(seen), np.array(short)
    changing = np.flatnonzero((seen != seen[0]).any(0))
    own = np.flatnonzero((short != short[0]).any(0))
    assert len(changing) == len(own)
    order = np.argsort(own // 7 * 100 + np.array([0, 1, 2, 3, 4, 5, 6])[own % 7])
    np.testing.assert_array_equal(seen[:, changing], short[:, own[order]])


def test_state_observation_is_the_state():
    env = make("catapult", observation="state")
    observation, _ = env.reset()
    np.testing.assert_array_equal(observation, env.unwrapped.get_state())
    observation = env.step(ZERO)[0]
    np.testing.assert_array_equal(observation, env.unwrapped.get_state())


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_observations_share_no_memory(observation):
    env = make("catapult", observation=observation)
    seen = [env.reset()[0]] + [env.step(ZERO)[0] for _ in range(3)] + [env.reset()[0], env.unwrapped.get_state()]
    for k, one in enumerate(seen):
        assert not any(np.shares_memory(one, other) for other in seen[k + 1 :])
        assert not np.shares_memory(one, env.unwrapped._state)


def test_rewards_are_shaped_as_said():
    sparse, distance, penalty = (KinetixEnv("cartpole_thrust", reward=reward) for reward in REWARDS)
    for env in (sparse, distance, penalty):
        env.reset()
    last = None
    for tick, action in enumerate(np.repeat(actions(16, seed=3), 16, axis=0), start=1):
        now = sparse.simulator.rollout(sparse.get_state(), action[None, None]).distances[0, 0]
        _, base, terminated, _, info = sparse.step(action)
        assert distance.step(action)[1] == pytest.approx(base + (0.1 * (last - now) if last else 0), abs=1e-6)
        charged = 256 - tick + 1 if terminated else 1
        assert penalty.step(action)[1] == pytest.approx(base - charged * now / 6 / 256, abs=1e-6)
        assert info == {"success": False}
        last = now
        if terminated:
            break
    assert terminated
    assert base == -1


def test_success():
    """catapult: green falls on the blue floor when the blocks under it are thrown over."""
    env = KinetixEnv("catapult", reward="penalty")
    chunks = np.repeat(np.random.default_rng(0).uniform(-1, 1, (400, 10, 6)), 16, axis=1).astype(np.float32)
    result = env.simulator.rollout(env.simulator.initial_state(), chunks)
    n = np.flatnonzero(result.rewards.max(axis=1) == 1)[0]
    env.reset()
    for action in chunks[n, : result.ends[n] + 1]:
        _, reward, terminated, truncated, info = env.step(action)
    assert (reward, terminated, truncated, info) == (1.0, True, False, {"success": True})
    assert type(terminated) is bool
    assert type(info["success"]) is bool
    assert type(reward) is float
    with pytest.raises(ResetNeededError):
        env.step(ZERO)


def test_time_limit():
    env = make("mjc_swimmer")
    env.reset()
    for tick in range(256):
        _, _, terminated, truncated, _ = env.step(ZERO)
        assert (terminated, truncated) == (False, tick == 255)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_run_to_run(level):
    env = make(level)
    assert episode(env) == episode(env) == episode(make(level))


def test_the_seed_changes_nothing():
    env = make("trampoline")
    np.testing.assert_array_equal(env.reset(seed=1)[0], env.reset(seed=2)[0])


def test_rebuilt_from_its_spec():
    env = make("catapult", observation="compact", reward="penalty")
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert episode(env) == episode(again)
    assert json.loads(env.spec.to_json())["kwargs"]["level"] == "catapult"


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_alone(observation, copied):
    env = make("car_launch", observation=observation, reward="distance")
    env.reset(seed=5)
    for action in actions(10):
        env.step(action)
    twin = copied(env)
    before = env.unwrapped.get_state()
    shown = [twin.step(action) for action in actions(10, 1)]
    np.testing.assert_array_equal(env.unwrapped.get_state(), before)
    for expected, action in zip(shown, actions(10, 1), strict=True):
        got = env.step(action)
        np.testing.assert_array_equal(got[0], expected[0])
        assert got[1:] == expected[1:]
    assert env.unwrapped.np_random.random() == twin.unwrapped.np_random.random()


def test_a_copy_before_reset_still_needs_one():
    env = copy.deepcopy(KinetixEnv("catapult"))
    with pytest.raises(ResetNeededError):
        env.step(ZERO)


@settings(max_examples=30, deadline=None)
@given(level=st.sampled_from(LEVELS), seed=st.integers(0, 999), at=st.integers(0, 30))
def test_states_go_back_to_the_bit(level, seed, at):
    env = KinetixEnv(level, reward="distance")
    env.reset()
    row = actions(50, seed)
    for action in row[:at]:
        if env.step(action)[2]:
            return
    state = env.get_state()
    first = outcomes(env, row[at:])
    env.set_state(state)
    np.testing.assert_array_equal(env.get_state(), state)
    assert outcomes(env, row[at:]) == first
    other = KinetixEnv(level, reward="distance")
    other.set_state(state)
    assert outcomes(other, row[at:]) == first


def outcomes(env, row):
    shown = []
    for action in row:
        observation, *rest = env.step(action)
        shown.append((observation.tobytes(), *rest))
        if rest[1]:
            break
    return [*shown, env.get_state().tobytes()]


def test_a_state_of_the_end_is_an_end():
    env = KinetixEnv("chain_lander")
    env.reset()
    while not env.step(actions(1)[0])[2]:
        pass
    state = env.get_state()
    env.reset()
    env.set_state(state)
    with pytest.raises(ResetNeededError):
        env.step(ZERO)


BAD_ACTIONS = [
    (np.zeros(5, np.float32), "6 finite numbers"),
    (np.zeros(7, np.float32), "6 finite numbers"),
    (np.zeros((1, 6), np.float32), "6 finite numbers"),
    (np.zeros((6, 1), np.float32), "6 finite numbers"),
    (np.zeros(0, np.float32), "6 finite numbers"),
    (np.float32(0), "6 finite numbers"),
    (0, "not 0"),
    (None, "not None"),
    ("left", "not 'left'"),
    ([0, 0, 0, 0, 0], "not [0, 0, 0, 0, 0]"),
    ([0, 0, 0, 0, 0, "a"], "6 finite numbers"),
    ([0, [0], 0, 0, 0, 0], "6 finite numbers"),
    ({"motor": 1}, "6 finite numbers"),
    (np.zeros(6, bool), "6 finite numbers"),
    (np.zeros(6, complex), "6 finite numbers"),
    (np.zeros(6, object), "6 finite numbers"),
    (np.full(6, "0"), "6 finite numbers"),
    (np.array([0, 0, 0, 0, 0, np.nan], np.float32), "must be finite"),
    (np.array([np.nan, 0, 0, 0, 0, 0], np.float64), "must be finite"),
    (np.array([0, np.inf, 0, 0, 0, 0], np.float32), "must be finite"),
    (np.array([0, 0, -np.inf, 0, 0, 0], np.float32), "must be finite"),
    (np.array([0, 0, 0, 0, 1e39, 0]), "must be finite"),
    ([float("nan")] * 6, "must be finite"),
    ([float("inf")] * 6, "must be finite"),
]


@pytest.mark.parametrize(("action", "says"), BAD_ACTIONS)
def test_bad_actions_change_nothing(action, says):
    env = KinetixEnv("catapult")
    env.reset()
    env.step(ZERO)
    state = env.get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ActionError) as error:
            env.step(action)
    assert says in str(error.value)
    np.testing.assert_array_equal(env.get_state(), state)
    env.step(ZERO)


@settings(max_examples=50, deadline=None)
@given(action=arrays(np.float32, 6))
def test_any_action_is_played_or_refused(action):
    env = cached("catapult")
    env.reset()
    if np.isfinite(action).all():
        assert np.isfinite(env.step(action)[0]).all()
    else:
        with pytest.raises(ActionError):
            env.step(action)


cached = functools.cache(KinetixEnv)


@pytest.mark.parametrize("action", [np.zeros(6), np.zeros(6, np.float16), np.zeros(6, int), [0] * 6, (0.0,) * 6])
def test_actions_of_other_number_types(action):
    env = KinetixEnv("catapult")
    env.reset()
    expected = env.step(ZERO)[0]
    env.reset()
    np.testing.assert_array_equal(env.step(action)[0], expected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": "catapullt"}, "did you mean 'catapult'?"),
        ({"level": "spaceship"}, "There is no Kinetix level 'spaceship'"),
        ({"level": None}, "There is no Kinetix level None"),
        ({"level": "catapult", "observation": "symbol"}, "did you mean 'symbolic'?"),
        ({"level": "catapult", "observation": "pixels"}, "observation='pixels' is unknown; choose one of 'symbolic'"),
        ({"level": "catapult", "observation": None}, "observation=None is unknown"),
        ({"level": "catapult", "observation": ["compact"]}, "observation=['compact'] is unknown"),
        ({"level": "catapult", "reward": "dense"}, "reward='dense' is unknown"),
        ({"level": "catapult", "reward": "spars"}, "did you mean 'sparse'?"),
        ({"level": "catapult", "reward": 1}, "reward=1 is unknown"),
        ({"level": "catapult", "reward": {}}, "reward={} is unknown"),
        ({"level": "catapult", "render_mode": "rgb"}, "render_mode='rgb' is unknown"),
        ({"level": "catapult", "render_mode": "humann"}, "did you mean 'human'?"),
        ({"level": "catapult", "render_size": 0}, "render_size=0 is too small; give an int of at least 16."),
        ({"level": "catapult", "render_size": 50.5}, "render_size=50.5 is not a whole number"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(ArgumentError) as error:
        KinetixEnv(**options)
    assert says in str(error.value)


BAD_STATES = [None, "state", b"", 0, np.zeros(3, np.uint8), np.zeros(4000, np.uint8), np.zeros(4)]


@pytest.mark.parametrize("state", BAD_STATES)
def test_bad_states_change_nothing(state):
    env = KinetixEnv("catapult")
    env.reset()
    before = env.get_state()
    for wrong in (state, before.astype(float), before[None], KinetixEnv("trampoline").simulator.initial_state()):
        with pytest.raises(ArgumentError):
            env.set_state(wrong)
        np.testing.assert_array_equal(env.get_state(), before)


def test_nothing_before_reset():
    env = KinetixEnv("catapult")
    for use in (lambda: env.step(ZERO), env.get_state):
        with pytest.raises(ResetNeededError, match=r"call reset\(\) before"):
            use()
    env.reset()
    env.step(ZERO)


def test_nothing_after_an_end():
    env = KinetixEnv("chain_lander")
    env.reset()
    while not env.step(actions(1)[0])[2]:
        pass
    state = env.get_state()
    for _ in range(2):
        with pytest.raises(ResetNeededError, match="episode is over"):
            env.step(ZERO)
    np.testing.assert_array_equal(env.get_state(), state)
    env.reset()
    env.step(ZERO)


def test_vector_environments():
    envs = gymnasium.make_vec("chunkenv/kinetix-catapult-v0", num_envs=2, observation="compact")
    observations, infos = envs.reset(seed=0)
    assert observations.shape == (2, 35)
    assert infos["success"].tolist() == [False, False]
    envs.step(np.zeros((2, 6), np.float32))


@pytest.mark.slow
def test_states_are_cheap():
    """Under 5 microseconds either way, at best of many: the machine may be busy."""
    env = KinetixEnv("grasp_easy")
    env.reset()
    state = env.get_state()
    for use in (env.get_state, lambda: env.set_state(state)):
        assert min(timeit.repeat(use, number=1000, repeat=20)) / 1000 < 5e-6
