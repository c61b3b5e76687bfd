"""What action delay, observation delay and action noise owe alike: to Gymnasium, to seeds, and after a mistake."""

import copy
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from chunkenv import ActionDelay, ActionNoise, ObservationDelay
from chunkenv.errors import ActionError, ResetNeededError
from chunkenv.latency import Bursty, Constant, LatencyModel, LogNormal, Trace, Uniform
from chunkenv.utils.seeding import spawn
from tests.worlds import Recorder
from tests.wrappers.one_step import Script, assert_same, listed

BURSTY = Bursty(Constant(0.02), LogNormal(0.2, 0.5), enter=0.2, leave=0.4)

WRAPPED = {
    "action, ticks": lambda env: ActionDelay(env, 2),
    "action, seconds": lambda env: ActionDelay(env, LogNormal(0.08, 0.6), control_dt=0.05, observe=3),
    "action, spec": lambda env: ActionDelay(env, {"model": "trace", "recording": [0.1, 0.0, 0.2]}, control_dt=0.1),
    "action, first": lambda env: ActionDelay(env, 1, first_action=np.array([0.25, -0.5], np.float32)),
    "observation, ticks": lambda env: ObservationDelay(env, 2),
    "observation, seconds": lambda env: ObservationDelay(env, BURSTY, observe=np.int64(4), control_dt=np.float32(0.05)),
    "observation, sum": lambda env: ObservationDelay(env, Constant(0.01) + Trace([0.0, 0.2]), control_dt=0.05),
    "noise": lambda env: ActionNoise(env, 0.1),
    "noise per element": lambda env: ActionNoise(env, np.array([0.1, 0.2])),
    "all": lambda env: ActionDelay(ObservationDelay(ActionNoise(env, 0.1), Uniform(0.0, 0.2)), 1, observe=True),
}
wrapped = pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
DELAYS = {name: wrap for name, wrap in WRAPPED.items() if "seconds" in name or "noise" in name}


class Clipping(gym.ActionWrapper, gym.utils.RecordConstructorArgs):
    """So that the Recorder, which insists on members of its space, can be given noise."""

    def __init__(self, env):
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ActionWrapper.__init__(self, env)

    def action(self, action):
        return np.clip(action, self.action_space.low, self.action_space.high)


def made(**arguments):
    return Clipping(gym.make("tests/Recorder-v0", **arguments))


def transcript(env, seed=0, ticks=30):
    """Everything that an episode hands out."""
    actions = np.random.default_rng(1).uniform(-1, 1, (ticks, 2)).astype(np.float32)
    rows = [env.reset(seed=seed)]
    for action in actions:
        rows.append(env.step(action))
        if rows[-1][2] or rows[-1][3]:
            break
    return rows


# ---------------------------------------------------------------- rebuilding, copies, rendering


@wrapped
def test_rebuilds_from_its_spec_through_json(wrap):
    env = wrap(made())
    for spec in (env.spec, EnvSpec.from_json(env.spec.to_json())):
        again = gym.make(spec)
        assert again.observation_space == env.observation_space
        assert_same(transcript(env), transcript(again))


def test_a_model_without_a_spec_rebuilds_too_only_not_from_json():
    def local():
        class Local(type(listed(1))):
            pass

        return Local((0.1, 0.0, 0.2))

    env = ActionDelay(made(), local(), control_dt=0.1)
    assert_same(transcript(env), transcript(gym.make(env.spec)))


@wrapped
def test_copies_go_on_alike(wrap):
    env = wrap(Clipping(Recorder()))
    env.reset(seed=0)
    actions = np.random.default_rng(2).uniform(-1, 1, (25, 2)).astype(np.float32)
    for action in actions[:5]:
        env.step(action)
    copies = copy.deepcopy(env), pickle.loads(pickle.dumps(env))
    ahead = [env.step(action) for action in actions[5:]]
    for other in copies:
        assert_same(ahead, [other.step(action) for action in actions[5:]])


@wrapped
def test_renders_through(wrap):
    env = wrap(made(render_mode="rgb_array"))
    env.reset(seed=0)
    env.step(np.zeros(2, np.float32))
    assert env.render_mode == "rgb_array"
    assert (np.asarray(env.render()) == 1).all()


# ---------------------------------------------------------------- seeds


@wrapped
def test_same_seed_same_episode(wrap):
    assert_same(transcript(wrap(made()), seed=5), transcript(wrap(made()), seed=5))


@wrapped
def test_nothing_of_an_episode_survives_into_the_next(wrap):
    used = wrap(Clipping(Recorder()))
    for seed in range(30):
        transcript(used, seed, ticks=1 + seed % 3)
        assert_same(transcript(used, seed=100 + seed), transcript(wrap(Clipping(Recorder())), seed=100 + seed))


@wrapped
def test_a_reset_without_a_seed_goes_on_in_the_same_streams(wrap):
    one, two = wrap(Clipping(Recorder())), wrap(Clipping(Recorder()))
    for seed in (5, None, None):
        assert_same(transcript(one, seed), transcript(two, seed))


@pytest.mark.parametrize(
    ("wrap", "purpose"), [(ActionDelay, "action_delay"), (ObservationDelay, "observation_delay"), (ActionNoise, None)]
)
def test_each_draws_from_the_stream_of_its_purpose(wrap, purpose):
    world = Script([0.0] * 9, action_space=spaces.Box(-99, 99, (), np.float64))
    env = wrap(world, 1.0) if purpose is None else wrap(world, Drawn())
    env.reset(seed=3)
    infos = [env.step(0.0)[4] for _ in range(2)]
    assert all(info.get(purpose) == (0 if purpose else None) for info in infos)
    drawn = world.actions if purpose is None else DRAWN
    rng = spawn(3, purpose or "action_noise")
    assert drawn[-2:] == [rng.standard_normal() for _ in range(2)]


DRAWN = []


class Drawn(LatencyModel):
    """Notes a draw from its stream, and takes no time."""

    def draw(self, rng, state):
        DRAWN.append(rng.standard_normal())
        return 0.0, state


@pytest.mark.parametrize("wrap", DELAYS.values(), ids=DELAYS)
def test_another_seed_and_a_reset_without_one_go_on_to_other_numbers(wrap):
    env = wrap(Clipping(Recorder()))

    def drawn(seed):
        rows = transcript(env, seed)
        return str([sorted(row[4].items()) for row in rows[1:]]) + str(env.unwrapped.actions)

    assert len({drawn(5), drawn(None), drawn(None), drawn(6)}) == 4


@wrapped
def test_the_worlds_own_randomness_is_untouched(wrap):
    env, bare = wrap(Clipping(Recorder())), Recorder()
    transcript(env, seed=7)
    transcript(bare, seed=7)
    while bare.tick < env.unwrapped.tick:
        bare.step(np.zeros(2, np.float32))
    while env.unwrapped.tick < bare.tick:
        env.unwrapped.step(np.zeros(2, np.float32))
    assert env.unwrapped.np_random.random() == bare.np_random.random()


@pytest.mark.parametrize(
    ("wrap", "key"),
    [
        (lambda env: ActionDelay(env, Uniform(0.0, 20.0)), "action_delay"),
        (lambda env: ObservationDelay(env, Uniform(0.0, 20.0)), "observation_delay"),
    ],
)
def test_stacked_delays_draw_from_streams_of_their_own(wrap, key):
    inner, outer = wrap(Script([0.0] * 60)), wrap(wrap(Script([0.0] * 60)))

    def delays(env):
        env.reset(seed=0)
        return [env.step(np.float32(0))[4][key] for _ in range(50)]

    assert delays(inner) != delays(outer)


def test_stacked_noises_draw_from_streams_of_their_own():
    def noise(env):
        env.reset(seed=0)
        for _ in range(5):
            env.step(np.zeros(2, np.float32))
        return np.array(env.unwrapped.actions)

    def world():
        return Script([0.0] * 9, action_space=spaces.Box(-99, 99, (2,), np.float32))

    one = noise(ActionNoise(world(), 1.0))
    two = noise(ActionNoise(ActionNoise(world(), 1.0), 1.0))
    assert abs(two - 2 * one).min() > 1e-3
    assert_same(one, noise(ActionDelay(ActionNoise(world(), 1.0), 0)))


# ---------------------------------------------------------------- after a mistake


BAD_ACTIONS = [
    np.array([np.nan, 0.0], np.float32),
    np.array([0.0, np.inf], np.float32),
    np.array([0.0, -np.inf], np.float32),
    np.zeros(3, np.float32),
    np.zeros((1, 2), np.float32),
    np.float32(0.0),
    np.array(["a", "b"]),
    np.zeros(2, np.complex64),
    [0.0, [0.0]],
    None,
    "left",
    {"action": 0.0},
]


@wrapped
@pytest.mark.parametrize("action", BAD_ACTIONS, ids=map(repr, BAD_ACTIONS))
def test_a_bad_action_is_refused_and_nothing_has_moved(wrap, action):
    env, undisturbed = wrap(Clipping(Recorder())), wrap(Clipping(Recorder()))
    good = np.array([0.5, -0.5], np.float32)
    for each in (env, undisturbed):
        each.reset(seed=0)
        each.step(good)
    with pytest.raises(ActionError, match="the action"):
        env.step(action)
    for _ in range(5):
        assert_same(undisturbed.step(good), env.step(good))


@pytest.mark.parametrize("action", [2, -1, 0.5, None, [0, 1], "left"])
@pytest.mark.parametrize(
    "wrap", [lambda env: ActionDelay(env, 1, first_action=0), lambda env: ObservationDelay(env, 1)]
)
def test_a_bad_discrete_action_is_refused(wrap, action):
    env = wrap(Script([0.0] * 9, action_space=spaces.Discrete(2)))
    env.reset(seed=0)
    with pytest.raises(ActionError, match="the action"):
        env.step(action)
    assert env.unwrapped.tick == 0
    env.step(1)


@wrapped
def test_a_step_before_the_first_reset_is_refused(wrap):
    env = wrap(Clipping(Recorder()))
    with pytest.raises(ResetNeededError, match=r"call reset\(\) first"):
        env.step(np.zeros(2, np.float32))
    env.reset(seed=0)
    env.step(np.zeros(2, np.float32))


@wrapped
def test_a_step_after_the_end_is_refused(wrap):
    env = wrap(Clipping(Recorder(limit=3)))
    transcript(env)
    with pytest.raises(ResetNeededError, match=r"call reset\(\) first"):
        env.step(np.zeros(2, np.float32))
    transcript(env)


@wrapped
def test_an_environment_that_fails_leaves_an_episode_that_is_over(wrap):
    class Fails(Recorder):
        def step(self, action):
            raise OSError("the robot is gone")

    env = wrap(Fails())
    env.reset(seed=0)
    with pytest.raises(OSError, match="the robot is gone"):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(ResetNeededError):
        env.step(np.zeros(2, np.float32))


@wrapped
def test_a_reset_that_fails_leaves_no_episode(wrap):
    class Fails(Recorder):
        def reset(self, *, seed=None, options=None):
            if options:
                raise KeyError("options")
            return super().reset(seed=seed)

    env = wrap(Fails())
    env.reset(seed=0)
    with pytest.raises(KeyError):
        env.reset(options={"unknown": 1})
    with pytest.raises(ResetNeededError):
        env.step(np.zeros(2, np.float32))


# ---------------------------------------------------------------- the checkers of Gymnasium and Stable-Baselines3


class Dictionary(Recorder):
    """The Recorder for checkers, which send float64 and actions out of bounds."""

    def step(self, action):
        return super().step(np.clip(action, -1, 1).astype(np.float32))


gym.register("tests/Dictionary-v0", entry_point=Dictionary, max_episode_steps=25)
WORLDS = ["Pendulum-v1", "CartPole-v1", "tests/Dictionary-v0", "InvertedPendulum-v5"]
CHECKED = {
    "action": lambda env, first: ActionDelay(env, 2, first_action=first),
    "action observed": lambda env, first: ActionDelay(
        env, LogNormal(0.05, 0.5), control_dt=0.02, observe=3, first_action=first
    ),
    "observation": lambda env, first: ObservationDelay(env, 2),
    "observation observed": lambda env, first: ObservationDelay(env, Uniform(0.0, 0.1), control_dt=0.02, observe=4),
    "noise": lambda env, first: ActionNoise(env, 0.1),
}


def warnings_of(check, env):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check(env)
    return [str(each.message) for each in caught if "is different from the unwrapped version" not in str(each.message)]


def gymnasium_check(env):
    check_env(env, skip_render_check=True)


def stable_baselines3_check(env):
    pytest.importorskip("stable_baselines3.common.env_checker").check_env(env)


@pytest.mark.parametrize("check", [gymnasium_check, stable_baselines3_check])
@pytest.mark.parametrize("wrap", CHECKED.values(), ids=CHECKED)
@pytest.mark.parametrize("world", WORLDS)
def test_passes_the_checkers_without_a_warning_of_ours(world, wrap, check):
    discrete = world == "CartPole-v1"
    if discrete and wrap is CHECKED["noise"]:
        return
    bare = warnings_of(check, gym.make(world))
    assert sorted(warnings_of(check, wrap(gym.make(world), 0 if discrete else None))) == sorted(bare)
