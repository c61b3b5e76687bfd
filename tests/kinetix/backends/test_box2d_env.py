"""The Box2D levels: the contracts and options of the other Kinetix tasks, and how near the physics is to theirs."""

import copy
import json
import os
import pickle
import subprocess
import sys
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
from chunkenv.errors import ActionError, ArgumentError, ChunkenvError, ResetNeededError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.env import REWARDS, KinetixEnv
from chunkenv.kinetix.level import load_level
from tests.kinetix.test_env import BAD_ACTIONS, ZERO, actions, episode

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Box2D's binding is older than Python's ideas about such types
    pytest.importorskip("Box2D")
from chunkenv.kinetix.backends.box2d_env import Box2DKinetixEnv

SOLVED = {"grasp_easy", "catapult", "chain_lander"}  # by actions that solve them in our engine
OBSERVATIONS = ("symbolic", "compact")


def make(level, **options):
    return gymnasium.make(f"chunkenv/kinetix-{level}-box2d-v0", **options)


def solving_actions(level):
    folder = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "fixtures", "kinetix")
    with np.load(os.path.join(folder, "solving_actions.npz")) as file:
        return file[min(name for name in file if name.startswith(level))]


def positions(env, row):
    """Of the moving bodies, [tick, body, 2], until the end."""
    seen = [env.reset()[0]]
    for action in row:
        observation, _, ended, _, _ = env.step(action)
        seen.append(observation)
        if ended:
            break
    return np.array(seen).reshape(len(seen), -1, 7)[..., :2]


def gap(level, row):
    """How far apart bodies are in the two simulators, the largest of each tick, as long as both episodes last."""
    ours, theirs = (positions(one(level, "compact"), row) for one in (KinetixEnv, Box2DKinetixEnv))
    n = min(len(ours), len(theirs))
    return np.linalg.norm(ours[:n] - theirs[:n], axis=-1).max(axis=-1)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_contracts_without_a_warning(level, observation):
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(level, observation=observation).unwrapped, skip_render_check=True)
        sb3.check_env(make(level, observation=observation))


def test_contracts_with_pictures(monkeypatch):
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make("catapult").unwrapped)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_it_starts_like_the_others(level, observation):
    env, other = make(level, observation=observation), gymnasium.make(f"chunkenv/kinetix-{level}-v0")
    ours = KinetixEnv(level, observation)
    assert env.observation_space == ours.observation_space
    assert env.action_space == ours.action_space
    assert env.spec.max_episode_steps == other.spec.max_episode_steps
    np.testing.assert_array_equal(env.reset(seed=0)[0], ours.reset(seed=0)[0])


@pytest.mark.parametrize("level", LEVELS)
def test_the_constant_features_stay(level):
    env = make(level)
    first = env.reset()[0]
    after = [env.step(action)[0] for action in actions(4)][-1]
    record = env.unwrapped.simulator.records[0]
    places = record["feature_places"][: record["n_moving"], None] + np.array([0, 1, 2, 3, 7, 12, 13])
    changed = np.flatnonzero(first != after)
    assert changed.size
    assert np.isin(changed, places).all()


@pytest.mark.parametrize("level", ["cartpole_thrust", "hard_lunar_lander"])
@pytest.mark.parametrize("seed", range(3))
def test_in_the_air_it_flies_as_in_our_engine(level, seed):
    row = np.repeat(actions(3, seed), 8, axis=0)
    apart = gap(level, row)
    assert len(apart) > 15
    assert apart[:16].max() < 1e-3


@pytest.mark.parametrize("level", LEVELS)
def test_the_first_ticks_are_similar(level):
    """Within a tenth of a metre: Box2D parts bodies that start in contact at once, our engine little by little."""
    assert gap(level, np.repeat(actions(1), 4, axis=0)).max() < 0.1


def motor_effect(one, level, joint, drive):
    """By how much a motor, driven for one tick, changes the spin of its second body against its first."""
    spins = []
    for control in (0, drive):
        env, action = one(level), ZERO.copy()
        env.reset()
        action[joint.channel] = control
        env.step(action)
        a, b = (env._state["bodies"][0, slot]["w"] for slot in joint.bodies)
        spins.append(b - a)
    return spins[1] - spins[0]


@pytest.mark.parametrize("level", ["mjc_half_cheetah", "mjc_walker", "grasp_easy", "h17_unicycle", "catapult"])
def test_motors_turn_the_same_way(level):
    compared = 0
    for joint in load_level(level).joints:
        for drive in (1, -1):
            ours, theirs = (motor_effect(one, level, joint, drive) for one in (KinetixEnv, Box2DKinetixEnv))
            if joint.motor and abs(ours) > 1:  # the others drive wheels on the ground, or into a limit
                assert theirs == pytest.approx(ours, rel=0.5)
                compared += 1
    assert compared


@pytest.mark.parametrize("level", ["cartpole_thrust", "hard_lunar_lander", "chain_lander"])
@pytest.mark.parametrize("channel", [4, 5])
def test_thrusters_push_the_same_way(level, channel):
    speeds = []
    for one in (KinetixEnv, Box2DKinetixEnv):
        env, action = one(level, "compact"), ZERO.copy()
        env.reset()
        action[channel] = 1
        speeds.append(env.step(action)[0].reshape(-1, 7)[:, 2:5])
    np.testing.assert_allclose(*speeds, atol=0.1)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_run_to_run(level):
    env = make(level)
    assert episode(env) == episode(env) == episode(make(level))


@pytest.mark.parametrize("level", sorted(SOLVED))
def test_success(level):
    env = make(level, reward="penalty")
    env.reset()
    row = solving_actions(level)
    for action in [*row, *[row[-1]] * 100]:
        _, reward, terminated, truncated, info = env.step(action)
        if terminated:
            break
    assert (reward, terminated, truncated, info) == (1.0, True, False, {"success": True})
    assert (type(reward), type(terminated), type(info["success"])) == (float, bool, bool)
    with pytest.raises(ResetNeededError, match="episode is over"):
        env.unwrapped.step(ZERO)


def test_failure():
    env = Box2DKinetixEnv("chain_lander")
    env.reset()
    while True:
        _, reward, terminated, truncated, info = env.step(actions(1)[0])
        if terminated:
            break
    assert (reward, truncated, info) == (-1.0, False, {"success": False})
    env.reset()
    assert env.step(ZERO)[2] is False


def test_rewards_are_shaped_as_said():
    sparse, distance, penalty = (Box2DKinetixEnv("cartpole_thrust", reward=reward) for reward in REWARDS)
    for env in (sparse, distance, penalty):
        env.reset()
    last = None
    for tick, action in enumerate(np.repeat(actions(16, seed=3), 16, axis=0), start=1):
        _, base, terminated, _, _ = sparse.step(action)
        now = float(sparse._state["distance"][0])
        assert distance.step(action)[1] == pytest.approx(base + (0.1 * (last - now) if last else 0), abs=1e-6)
        charged = 256 - tick + 1 if terminated else 1
        assert penalty.step(action)[1] == pytest.approx(base - charged * now / 6 / 256, abs=1e-6)
        last = now
        if terminated:
            break
    assert (base, terminated) == (-1, True)


def test_time_limit():
    env = make("mjc_swimmer")
    env.reset()
    for tick in range(256):
        _, _, terminated, truncated, _ = env.step(ZERO)
        assert (terminated, truncated) == (False, tick == 255)


def test_rebuilt_from_its_spec():
    env = make("catapult", observation="compact", reward="penalty")
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert episode(env) == episode(again)
    assert json.loads(env.spec.to_json())["kwargs"]["level"] == "catapult"


def test_pictures():
    pytest.importorskip("pygame")
    env = make("catapult", render_mode="rgb_array", render_size=100)
    env.reset()
    first = env.render()
    for _ in range(10):
        env.step(np.ones(6, np.float32))
    assert first.shape == (100, 100, 3)
    assert (first != env.render()).any()


def test_vector_environments():
    envs = gymnasium.make_vec("chunkenv/kinetix-catapult-box2d-v0", num_envs=2, observation="compact")
    assert envs.reset(seed=0)[0].shape == (2, 35)
    envs.step(np.zeros((2, 6), np.float32))
    envs.close()


@pytest.mark.parametrize(("action", "says"), BAD_ACTIONS)
def test_bad_actions_change_nothing(action, says):
    env, twin = Box2DKinetixEnv("catapult"), Box2DKinetixEnv("catapult")
    for one in (env, twin):
        one.reset()
        one.step(ZERO)
    with pytest.raises(ActionError) as error:
        env.step(action)
    assert says in str(error.value)
    np.testing.assert_array_equal(env.step(ZERO)[0], twin.step(ZERO)[0])


@settings(max_examples=60, deadline=None)
@given(level=st.sampled_from(LEVELS), row=arrays(np.float32, (4, 6)))
def test_any_action_is_played_or_refused(level, row):
    """What is played is clipped, and seen within the space."""
    env = Box2DKinetixEnv(level)
    env.reset()
    for action in row:
        if not np.isfinite(action).all():
            with pytest.raises(ActionError, match="must be finite"):
                env.step(action)
            continue
        observation, _, ended, _, _ = env.step(action)
        assert env.observation_space.contains(observation)
        if ended:
            break


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"level": "catapullt"}, "did you mean 'catapult'?"),
        ({"level": "catapult", "observation": "symbol"}, "did you mean 'symbolic'?"),
        ({"level": "catapult", "observation": "state"}, "choose one of 'symbolic', 'compact'"),
        ({"level": "catapult", "reward": "spars"}, "did you mean 'sparse'?"),
        ({"level": "catapult", "render_mode": "humann"}, "did you mean 'human'?"),
    ],
)
def test_bad_options(options, says):
    with pytest.raises(ArgumentError) as error:
        Box2DKinetixEnv(**options)
    assert says in str(error.value)


def test_nothing_before_reset():
    env = Box2DKinetixEnv("catapult")
    with pytest.raises(ResetNeededError, match=r"call reset\(\) before"):
        env.step(ZERO)


@pytest.mark.parametrize(
    "use", [lambda env: env.get_state(), lambda env: env.set_state(None), copy.deepcopy, pickle.dumps]
)
def test_states_are_refused(use):
    env = Box2DKinetixEnv("catapult")
    env.reset()
    with pytest.raises(ChunkenvError, match="The state of a Box2D world cannot be"):
        use(env)
    env.step(ZERO)


def test_without_box2d_the_error_says_what_to_install():
    code = "import sys; sys.modules['Box2D'] = None\nimport gymnasium, chunkenv\n"
    code += "gymnasium.make('chunkenv/kinetix-catapult-box2d-v0')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert "MissingExtraError" in done.stderr
    assert 'pip install "chunkenv[box2d]"' in done.stderr


def test_the_package_imports_no_box2d():
    code = "import sys, chunkenv, chunkenv.kinetix, chunkenv.kinetix.env; sys.exit('Box2D' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=100).returncode == 0


@pytest.mark.slow
def test_episodes_leave_no_memory_behind():
    statm = "/proc/self/statm"
    if not os.path.exists(statm):
        pytest.skip("memory is read from /proc")

    def resident():
        with open(statm) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    env = Box2DKinetixEnv("grasp_easy", "compact")
    sizes = []
    for _ in range(3):
        for _ in range(500):
            env.reset()
            env.step(ZERO)
        sizes.append(resident())
    assert sizes[2] - sizes[1] < 500 * 1024  # 1 kB an episode
