"""The reference engine behind our interface: what it gives, how near ours is, and when it compiles.

Needs kinetix-env, which is seldom installed beside the rest: docs/reference/backends.md says how to run these.
"""

import copy
import functools
import os
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.errors import ActionError, ArgumentError, ResetNeededError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.env import OBSERVATIONS, REWARDS, KinetixEnv
from chunkenv.kinetix.level import load_level
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from tests.kinetix.reference import reference
from tests.kinetix.test_env import BAD_ACTIONS, ZERO, actions, episode

pytest.importorskip("jax2d")
import jax

from chunkenv.kinetix.backends.jax_simulator import JaxSimulator

POSITION, OBSERVATION = 1e-5, 1e-4
BATCH = 128  # one size for all recordings, so that it is compiled once

UNUSED = {"collision_mode", "global_position", "max_rotation", "min_rotation", "n_vertices", "radius", "vertices"}
"""Fields that are caches, or differ only where they mean nothing: the radius of a polygon, a limit that is off."""

simulator = functools.cache(JaxSimulator)


def make(level, **options):
    return gymnasium.make(f"chunkenv/kinetix-{level}-v0", backend="jax", **options)


class Compilations:
    """How often XLA compiles while it is open."""

    def __enter__(self):
        self.count = 0
        jax.monitoring.register_event_duration_secs_listener(self._hear)
        return self

    def __exit__(self, *error):
        self._hear = None  # JAX keeps the listener

    def _hear(self, event, seconds, **details):
        self.count += event.endswith("backend_compile_duration")


def spread(rows):
    """At most BATCH of the recorded transitions, from all over the recording, with every end."""
    done = np.flatnonzero(rows.arrays["done"])
    others = np.linspace(0, len(rows.before) - 1, BATCH - len(done)).astype(int)
    return np.concatenate([done, others])


def used(recorded):
    """The slots of bodies that are there; the reference lets the others fall too."""
    return [body.slot for body in recorded.simulator.scene.bodies]


@pytest.fixture(params=LEVELS)
def recording(request):
    """A recording, some of its transitions, and what the backend makes of them."""
    recorded = reference(request.param)
    chosen = spread(recorded)
    states = recorded.states(recorded.before[chosen])
    rows, ticks = recorded.arrays["action"][chosen][:, None], np.ones(BATCH, int)
    played = simulator(request.param).play(states, rows, ticks, observation="symbolic")
    return recorded, chosen, states, played


def test_recorded_transitions(recording):
    """What the reference recorded, through our levels and our states: to the bit on the machine of the recording."""
    recorded, chosen, states, played = recording
    arrays, after = recorded.arrays, recorded.before[chosen] + 1
    position = states.view(STATE)["bodies"]["pos"][:, 0]
    slots = used(recorded)
    for k, axis in enumerate("xy"):
        np.testing.assert_allclose(position[axis][:, slots], arrays["position"][after][:, slots, k], atol=1e-6, rtol=0)
    expected = np.repeat(arrays["first_observation"][None], BATCH, 0)
    expected[:, arrays["feature_places"]] = arrays["features"][chosen]
    np.testing.assert_allclose(played.observations, expected, atol=2e-5, rtol=0)
    np.testing.assert_array_equal(played.rewards[:, 0], arrays["reward"][chosen])
    np.testing.assert_array_equal(played.ends == 0, arrays["done"][chosen])
    np.testing.assert_allclose(played.distances[:, 0], arrays["distance"][chosen], atol=1e-6, rtol=0)


def test_what_the_next_tick_starts_from(recording):
    recorded, chosen, states, _ = recording
    ours = states.view(STATE)[:, 0]
    expected = recorded.states(recorded.before[chosen] + 1).view(STATE)[:, 0]
    for part in ("normal", "tangent"):
        np.testing.assert_allclose(ours["contacts"][part], expected["contacts"][part], atol=1e-4, rtol=1e-4)
    for part in ("x", "y"):
        np.testing.assert_allclose(ours["joints"]["impulse"][part], expected["joints"]["impulse"][part], atol=1e-4)
    np.testing.assert_allclose(ours["joints"]["turn"], expected["joints"]["turn"], atol=1e-5)


def test_our_engine_agrees(recording):
    """The promise, from identical states and without a file between."""
    recorded, chosen, states, played = recording
    own = recorded.states(recorded.before[chosen])
    rows = recorded.arrays["action"][chosen][:, None]
    ours = recorded.simulator.play(own, rows, np.ones(BATCH, int), observation="symbolic")
    np.testing.assert_allclose(ours.observations, played.observations, atol=OBSERVATION, rtol=0)
    np.testing.assert_array_equal(ours.rewards, played.rewards)
    np.testing.assert_array_equal(ours.ends, played.ends)
    for axis in "xy":
        one, other = (batch.view(STATE)["bodies"]["pos"][axis][:, 0, used(recorded)] for batch in (own, states))
        np.testing.assert_allclose(one, other, atol=POSITION, rtol=0)
    for field in ("level", "ticks", "ended"):
        np.testing.assert_array_equal(own.view(STATE)[field], states.view(STATE)[field])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_single_environments_agree(level, observation):
    env, ours = make(level, observation=observation, reward="distance"), KinetixEnv(level, observation, "distance")
    assert env.observation_space == ours.observation_space
    assert env.action_space == ours.action_space
    _compare(env.reset(seed=0)[0], ours.reset(seed=0)[0])
    for action in np.repeat(actions(3), 2, axis=0):
        ours.set_state(env.unwrapped.get_state())
        (seen, reward, *rest), (other, their_reward, *their_rest) = env.step(action), ours.step(action)
        _compare(seen, other)
        assert reward == pytest.approx(their_reward, abs=3e-6)
        assert rest == their_rest
        if rest[0]:
            break
    assert type(reward) is float
    assert type(rest[0]) is bool


def _compare(one, other):
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    if one.dtype == np.float32:
        np.testing.assert_allclose(one, other, atol=OBSERVATION, rtol=0)


@pytest.mark.parametrize("reward", REWARDS)
def test_ends_and_their_rewards(reward):
    env, ours = make("chain_lander", reward=reward), KinetixEnv("chain_lander", reward=reward)
    env.reset()
    ours.reset()
    terminated = False
    while not terminated:
        _, given, terminated, _, info = env.step(actions(1)[0])
        other = ours.step(actions(1)[0])
        assert (terminated, info) == (other[2], other[4])
    assert given == pytest.approx(other[1], abs=1e-4)
    with pytest.raises(ResetNeededError, match="episode is over"):
        env.unwrapped.step(ZERO)
    env.reset()
    assert env.step(ZERO)[2] is False


def test_the_contract_without_a_warning():
    warm = make("catapult")  # what JAX says while it compiles is not about us
    warm.reset()
    warm.step(ZERO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make("catapult").unwrapped, skip_render_check=True)


def test_the_contract_of_sb3():
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    make("catapult").reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sb3.check_env(make("catapult"))


def test_nothing_compiles_after_the_first_step():
    """Neither the second step, nor the next reset, nor another level."""
    warm = make("catapult")
    warm.reset()
    warm.step(ZERO)
    other = make("trampoline")
    with Compilations() as compilations:
        warm.step(np.ones(6, np.float32))
        warm.reset()
        warm.step(ZERO)
        other.reset()
        other.step(ZERO)
    assert compilations.count == 0


def test_the_vector_environment_compiles_once():
    envs = gymnasium.make_vec("chunkenv/kinetix-catapult-v0", num_envs=2, backend="jax")
    envs.reset(seed=0)
    envs.step(np.zeros((2, 6), np.float32))
    with Compilations() as compilations:
        for _ in range(2):
            envs.step(np.zeros((2, 6), np.float32))
        envs.play(np.zeros((2, 5, 6), np.float32), np.array([1, 5]))
        envs.reset(seed=0)
    assert compilations.count == 0


@pytest.mark.parametrize("mode", AutoresetMode)
def test_the_vector_environment_agrees(mode):
    """Both play the same actions through ends, in chain_lander after a few steps."""
    env, ours = (
        KinetixVectorEnv("chain_lander", 2, "compact", autoreset_mode=mode, backend=b) for b in ("jax", "numba")
    )
    np.testing.assert_allclose(env.reset(seed=0)[0], ours.reset(seed=0)[0], atol=OBSERVATION)
    ends = 0
    for row in np.repeat(actions(2)[:, None], 24, axis=1).swapaxes(0, 1):
        one, other = env.step(row), ours.step(row)
        np.testing.assert_allclose(one[0], other[0], atol=1e-2)
        for mine, its in zip(one[1:4], other[1:4], strict=True):
            np.testing.assert_array_equal(mine, its)
        assert one[4].keys() == other[4].keys()
        ends += one[2].sum()
        if mode == AutoresetMode.DISABLED and one[2].any():
            for envs in (env, ours):
                envs.reset(options={"reset_mask": one[2].copy()})
    assert ends


def test_chunks():
    envs = gymnasium.make_vec(
        "chunkenv/kinetix-catapult-v0", num_envs=2, backend="jax", prediction_horizon=4, execution_horizon=2, latency=1
    )
    envs.reset(seed=0)
    observations, *_ = envs.step(np.zeros(envs.action_space.shape, np.float32))
    assert observations.shape == (2, 679)


def test_rollouts_go_on_through_all_ticks():
    own, theirs = KinetixEnv("chain_lander").simulator, simulator("chain_lander")
    chunks = np.tile(actions(2)[:, None], (1, 40, 1))
    one, other = (engine.rollout(engine.initial_state(), chunks, observations=True) for engine in (own, theirs))
    np.testing.assert_array_equal(one.ends, other.ends)
    assert one.ends.min() < 40
    np.testing.assert_array_equal(one.rewards, other.rewards)
    np.testing.assert_allclose(one.distances, other.distances, atol=1e-2)
    np.testing.assert_allclose(one.observations, other.observations, atol=1e-1)


def test_playing_in_place():
    """Each its own number of ticks; what had ended or plays nothing stays to the bit."""
    engine = simulator("chain_lander")
    states = np.tile(engine.initial_state(), (2, 1))
    first = states[0].copy()
    played = engine.play(states, np.tile(actions(2)[1:], (2, 40, 1)), np.array([0, 40]))
    assert played.ends[0] == 0
    assert 0 < played.ends[1] < 40
    assert states.view(STATE)["ticks"][:, 0].tolist() == [0, played.ends[1] + 1]
    np.testing.assert_array_equal(states[0], first)
    over = states[1].copy()
    again = engine.play(states, np.zeros((2, 2, 6)), np.array([2, 2]), observation="compact")
    assert again.ends.tolist() == [2, -1]
    assert (states[0] != first).any()
    np.testing.assert_array_equal(states[1], over)
    nothing = engine.play(states, np.zeros((2, 0, 6)), np.zeros(2, int), observation="compact")
    np.testing.assert_array_equal(nothing.observations, again.observations)


def test_states_travel_between_backends():
    env, ours = make("car_launch"), KinetixEnv("car_launch")
    env.reset()
    for action in actions(5):
        env.step(action)
    ours.set_state(env.unwrapped.get_state())
    there = ours.step(ZERO)[0]
    env.unwrapped.set_state(env.unwrapped.get_state())
    np.testing.assert_allclose(env.step(ZERO)[0], there, atol=OBSERVATION)
    env.unwrapped.set_state(ours.get_state())
    np.testing.assert_allclose(env.step(ZERO)[0], ours.step(ZERO)[0], atol=OBSERVATION)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_alone(copied):
    env = make("car_launch", reward="distance")
    env.reset(seed=5)
    env.step(ZERO)
    twin = copied(env)
    shown = [twin.step(action) for action in actions(3, 1)]
    for expected, action in zip(shown, actions(3, 1), strict=True):
        got = env.step(action)
        np.testing.assert_array_equal(got[0], expected[0])
        assert got[1:] == expected[1:]


def test_the_same_run_to_run():
    env = make("mjc_walker")
    assert episode(env, n=20) == episode(env, n=20) == episode(make("mjc_walker"), n=20)


def test_rebuilt_from_its_spec():
    env = make("catapult", observation="compact")
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(again.unwrapped.simulator, JaxSimulator)
    assert episode(env, n=5) == episode(again, n=5)


@pytest.mark.parametrize(("action", "says"), BAD_ACTIONS)
def test_bad_actions_change_nothing(action, says):
    env = KinetixEnv("catapult", backend="jax")
    env.reset()
    state = env.get_state()
    with pytest.raises(ActionError) as error:
        env.step(action)
    assert says in str(error.value)
    np.testing.assert_array_equal(env.get_state(), state)


def test_bad_options():
    with pytest.raises(ArgumentError, match="did you mean 'catapult'"):
        KinetixEnv("catapullt", backend="jax")


@pytest.mark.slow
@pytest.mark.skipif("CHUNKENV_LEVELS" not in os.environ, reason="the folder of RTC's level files is in CHUNKENV_LEVELS")
@pytest.mark.parametrize("level", LEVELS)
def test_our_levels_are_those_of_the_files(level):
    """The reference's own loader against ours, all that is active, to the bit."""
    from kinetix.util.saving import load_from_json_file

    from chunkenv.kinetix.backends.jax_scene import reference_scene

    theirs, _, _ = load_from_json_file(os.path.join(os.path.abspath(os.environ["CHUNKENV_LEVELS"]), f"{level}.json"))
    ours = reference_scene(load_level(level)).first
    np.testing.assert_array_equal(ours.collision_matrix, theirs.collision_matrix)
    for kind in ("polygon", "circle", "joint", "thruster"):
        active = np.asarray(getattr(theirs, kind).active)
        np.testing.assert_array_equal(getattr(ours, kind).active, active)
        for name, value in vars(getattr(ours, kind)).items():
            if name not in UNUSED:
                np.testing.assert_array_equal(value[active], getattr(getattr(theirs, kind), name)[active], name)
