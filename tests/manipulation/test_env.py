"""The environment: Gymnasium's and Stable-Baselines3's contracts, options, bad input, states, determinism."""

import copy
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

import chunkenv
from chunkenv.errors import ActionError, ArgumentError, EnvironmentFault, ResetNeededError
from chunkenv.manipulation import FAMILIES, TASKS
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from tests.manipulation.driving import Driver
from tests.manipulation.shared import EVERY_DAY, in_families, random_actions

ZERO = np.zeros(5, np.float32)


def id_of(family, task):
    return f"chunkenv/manip-{family}-v0" if task is None else f"chunkenv/manip-{family}-task{task}-v0"


EVERY_DAYS_IDS = [id_of("cube-double", 1), id_of("scene", 2), id_of("puzzle-3x3", None)]
ALL_IDS = [id_of(family, task) for family in FAMILIES for task in (*TASKS, None)]


def started(family, task=2, seed=0, **options):
    env = ManipulationEnv(family, task, **options)
    env.reset(seed=seed)
    return env


def driven(env, ticks, seed=0):
    """The same environment after some ticks with contacts; whether it is still running."""
    driver = Driver(seed)
    for _ in range(ticks):
        if env.step(driver.act(env.facts()))[2]:
            env.reset()
    return env


def bytes_of(result):
    """Everything that a step or a reset shows, to be compared to the bit."""
    return pickle.dumps([part.tobytes() if isinstance(part, np.ndarray) else part for part in result])


@pytest.mark.parametrize(
    "name", [*EVERY_DAYS_IDS, *(pytest.param(name, marks=pytest.mark.slow, id=f"{name}-slow") for name in ALL_IDS)]
)
def test_contracts_without_a_warning(name):
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make(name)
        check_env(env.unwrapped, skip_render_check=True)
        sb3.check_env(env.unwrapped)
        assert env.spec.max_episode_steps == FAMILY[env.unwrapped.world.family.name].time_limit


@pytest.mark.parametrize("observation", ["features", "state"])
@pytest.mark.parametrize("reward", ["count", "sparse"])
@pytest.mark.parametrize("timing", ["next", "current"])
def test_contracts_of_every_option(observation, reward, timing):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(ManipulationEnv("cube-single", 1, reward, timing, observation), skip_render_check=True)


def test_everything_that_a_step_returns_is_plain():
    env = started("scene")
    observation, reward, terminated, truncated, info = env.step(ZERO)
    assert observation.dtype == np.float32
    assert observation in env.observation_space
    assert type(reward) is float
    assert type(terminated) is bool
    assert type(truncated) is bool
    assert info == {"success": False}
    assert type(info["success"]) is bool
    assert env.action_space is env.action_space
    assert env.control_dt == 0.05


@pytest.mark.parametrize("family", EVERY_DAY)
def test_the_seed_alone_decides(family):
    def episode(seed, noise):
        np.random.seed(noise)  # noqa: NPY002 (ogbench drew from it)
        env = ManipulationEnv(family, 4)
        rows = [env.reset(seed=seed), *(env.step(action) for action in random_actions(5, seed))]
        return [bytes_of(row) for row in rows]

    assert episode(1, 5) == episode(1, 6)
    assert episode(1, 5)[0] != episode(2, 5)[0]


@pytest.mark.parametrize("family", EVERY_DAY)
def test_a_reset_forgets_the_last_episode(family):
    fresh, used = ManipulationEnv(family, 1), driven(started(family, 1), 60)
    assert bytes_of(fresh.reset(seed=7)) == bytes_of(used.reset(seed=7))
    np.testing.assert_array_equal(fresh.get_state(), used.get_state())


def test_an_unseeded_reset_goes_on_with_the_stream():
    env = started("cube-double")
    first = env.reset()[0]
    assert (first != env.reset()[0]).any()
    env.reset(seed=0)
    np.testing.assert_array_equal(env.reset()[0], first)


@in_families(20, 200)
def test_a_state_set_elsewhere_goes_on_to_the_bit(family, ticks):
    source, other = driven(started(family), 7), started(family, task=5, seed=1)
    driver = Driver(3)
    for start in range(3 if ticks < 200 else 5):
        other.set_state(source.get_state())
        for _ in range(ticks):
            action = driver.act(source.facts())
            ours, theirs = source.step(action), other.step(action)
            assert bytes_of(ours) == bytes_of(theirs), start
            np.testing.assert_array_equal(source.get_state(), other.get_state())
            if ours[2]:
                source.reset()
                break


@pytest.mark.parametrize("family", EVERY_DAY)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_go_on_to_the_bit_and_apart(family, copied):
    env = driven(started(family), 30)
    twin = copied(env)
    for action in random_actions(20):
        assert bytes_of(env.step(action)) == bytes_of(twin.step(action))
    before = env.get_state()
    twin.step(ZERO)
    np.testing.assert_array_equal(env.get_state(), before)
    assert bytes_of(env.reset()) != bytes_of((before, {}))
    assert bytes_of(env.reset(seed=3)) == bytes_of(twin.reset(seed=3))


def test_a_copy_before_the_first_reset_needs_one_too():
    twin = copy.deepcopy(ManipulationEnv("cube-double", 1))
    with pytest.raises(ResetNeededError, match="not reset yet"):
        twin.step(ZERO)
    twin.reset(seed=0)


def test_what_needs_a_reset_says_so():
    env = ManipulationEnv("cube-double", 1)
    for wish in (lambda: env.step(ZERO), env.get_state, env.facts):
        with pytest.raises(ResetNeededError, match=r"call reset\(\)"):
            wish()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"family": "cube-duoble"}, "did you mean 'cube-double'"),
        ({"task": 6}, "task=6 is unknown; choose one of 1, 2, 3, 4, 5"),
        ({"task": True}, "task=True"),
        ({"task": "2"}, "task='2'"),
        ({"reward": "dense"}, "reward='dense'"),
        ({"timing": "late"}, "timing='late'"),
        ({"observation": "pictures"}, "observation='pictures'"),
        ({"render_mode": "ansi"}, "render_mode='ansi'"),
        ({"render_size": 3}, "render_size=3"),
    ],
)
def test_a_wrong_option_is_one_sentence(wrong, sentence):
    with pytest.raises(ArgumentError, match=sentence.replace("?", r"\?")):
        ManipulationEnv(**{"family": "cube-double", "task": 1} | wrong)


def test_another_task_is_refused_before_anything_changes():
    env = started("cube-double", 2)
    before = env.get_state()
    with pytest.raises(ArgumentError, match="plays task 2 only"):
        env.reset(seed=5, options={"task": 3})
    np.testing.assert_array_equal(env.get_state(), before)
    env.reset(options={"task": 2})


@pytest.mark.parametrize(
    "action",
    [
        [np.nan, 0, 0, 0, 0],
        [0, np.inf, 0, 0, 0],
        [0, 0, 0, 0, 1.01],
        [0, 0, 0, 0, -3],
        [0, 0, 0, 0],
        [[0, 0, 0, 0, 0]],
        "close",
        None,
        [None] * 5,
        [1j, 0, 0, 0, 0],
        [True] * 5,
    ],
)
def test_a_wrong_action_is_refused_and_nothing_changes(action):
    env = started("cube-double")
    before = env.get_state()
    with pytest.raises(ActionError, match="5 finite numbers in"):
        env.step(action)
    np.testing.assert_array_equal(env.get_state(), before)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), min_size=5, max_size=5))
def test_every_action_of_the_space_is_played_whatever_holds_it(action):
    one, other = started("cube-double"), started("cube-double")
    assert bytes_of(one.step(np.float32(action))) == bytes_of(other.step(action))


def test_rounding_is_no_mistake():
    one, other = started("cube-double"), started("cube-double")
    assert bytes_of(one.step(ZERO + 1)) == bytes_of(other.step([1.0000005] * 5))


@pytest.mark.parametrize("state", [np.zeros(3), np.zeros(355), np.full(355, np.nan), "state", None])
def test_a_wrong_state_is_refused_and_nothing_changes(state):
    env = started("cube-double")
    before = env.get_state()
    assert before.shape == (355,)
    with pytest.raises(ArgumentError, match="A state is 355 finite numbers"):
        env.set_state(state)
    np.testing.assert_array_equal(env.get_state(), before)


def solved(env):
    """The environment in a state from which doing nothing solves its task: a cube falls into place."""
    state = env.get_state()
    world, physics = env.world, state[env.layout.physics]
    mujoco.mj_setState(world.model, world.data, physics, mujoco.mjtState.mjSTATE_INTEGRATION)
    for address, mocap in zip(world.cube_addresses, world._cube_target_mocap_ids, strict=True):
        world.data.qpos[address] = [*world.data.mocap_pos[mocap], 1, 0, 0, 0]
    world.data.qpos[world.cube_addresses[-1][2]] += 0.06
    return env


@pytest.mark.parametrize("timing", ["next", "current"])
@pytest.mark.parametrize(("reward", "before", "after"), [("count", -1, 0), ("sparse", -1, 0)])
def test_the_end_of_an_episode(timing, reward, before, after):
    env = solved(started("cube-double", 4, reward=reward, timing=timing))
    ends = []
    for _ in range(20):
        in_place = env.facts()["successes"].all()
        _, got, terminated, truncated, info = env.step(ZERO)
        now = env.facts()["successes"].all() if timing == "next" else in_place
        assert (terminated, info["success"], truncated) == (now, now, False)
        assert got == (after if now else before)
        ends.append(terminated)
        if terminated:
            break
    assert ends.count(True) == 1
    with pytest.raises(ResetNeededError, match="The episode is over"):
        env.step(ZERO)
    env.set_state(env.get_state())
    env.step(ZERO)


def test_unsound_physics_are_a_fault_and_a_reset_mends_them():
    env = started("cube-double")
    state = env.get_state()
    velocities = slice(1 + env.world.model.nq, 1 + env.world.model.nq + env.world.model.nv)
    state[velocities] = 1e11
    env.set_state(state)
    with pytest.raises(EnvironmentFault, match="unsound"):
        env.step(ZERO)
    with pytest.raises(ResetNeededError):
        env.step(ZERO)
    assert np.isfinite(env.reset(seed=0)[0]).all()
    assert bytes_of(env.step(ZERO)) == bytes_of(started("cube-double").step(ZERO))


def test_chunked_and_delayed_like_any_other():
    plain = gymnasium.make(id_of("scene", 1))
    one = chunkenv.ChunkedExecution(gymnasium.make(id_of("scene", 1)), 1, 1)
    assert bytes_of(plain.reset(seed=0)) == bytes_of(one.reset(seed=0))
    for action in random_actions(5):
        expected, got = plain.step(action), one.step(action[None])
        np.testing.assert_array_equal(expected[0], got[0])
        assert expected[1:4] == got[1:4]
    delayed = chunkenv.ChunkedExecution(gymnasium.make(id_of("scene", 1)), 8, 4, latency=2)
    delayed.reset(seed=0)
    for chunk in random_actions(24).reshape(3, 8, 5):
        info = delayed.step(chunk)[-1]
    assert (info["delay"], info["ticks"]) == (2, 4)


def test_latency_in_seconds_knows_how_long_a_tick_is():
    env = chunkenv.ChunkedExecution(
        gymnasium.make(id_of("cube-double", 1)), 8, 4, latency=chunkenv.latency.Constant(seconds=0.1)
    )
    env.reset(seed=0)
    env.step(random_actions(8))
    assert env.step(random_actions(8))[-1]["delay"] == 2
