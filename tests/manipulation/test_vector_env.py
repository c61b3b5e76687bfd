"""Many manipulation environments at once: each is the single one to the bit, whatever N and the threads."""

import copy
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ActionError, ArgumentError, EnvironmentFault, MissingExtraError, ResetNeededError
from chunkenv.latency import Uniform
from chunkenv.manipulation import FAMILIES
from chunkenv.manipulation.engine.kinematics import Controller
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.oracles.styles import Actor
from chunkenv.manipulation.vector_env import ManipulationVectorEnv
from tests.manipulation.engine.test_engine import POSITIONS
from tests.manipulation.shared import EVERY_DAY, in_families, random_actions
from tests.vector.comparing import MODES, play_both, same

CUBE = "chunkenv/manip-cube-single-task2-v0"
MASK = np.array([True, False, True])

environments = st.fixed_dictionaries(
    {
        "reward": st.sampled_from(["count", "sparse"]),
        "timing": st.sampled_from(["next", "current"]),
        "observation": st.sampled_from(["features", "features", "state"]),
        "max_episode_steps": st.integers(2, 9),
    }
)
tasks = st.sampled_from([{"task": 1}, {"task": 5}, {}, {"goal": "objects"}, {"goal": "features"}])
chunks = st.fixed_dictionaries(
    {
        "prediction_horizon": st.integers(4, 8),
        "execution_horizon": st.integers(1, 4),
        "latency": st.sampled_from([0, 2, Uniform(0.0, 0.2)]),
        "underrun": st.sampled_from(["hold", "stop"]),
        "observe_prefix": st.booleans(),
    }
)


def pair(family, task, num_envs, threads, mode, environment, chunked=None):
    """Single environments in a `SyncVectorEnv`, and the native vector environment."""
    number = f"-task{task['task']}" if "task" in task else ""
    name, goal = f"chunkenv/manip-{family}{number}-v0", {key: task[key] for key in task if key == "goal"}

    def make_one():
        env = gym.make(name, **environment, **goal)
        return ChunkedExecution(env, **chunked) if chunked else env

    singles = SyncVectorEnv([make_one] * num_envs, autoreset_mode=mode)
    arguments = dict(threads=threads, autoreset_mode=mode, **environment, **goal, **(chunked or {}))
    native = gym.make_vec(name, num_envs=num_envs, vectorization_mode="vector_entry_point", **arguments)
    assert isinstance(native.unwrapped, ManipulationVectorEnv)
    return singles, native


@given(
    st.sampled_from(EVERY_DAY),
    tasks,
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(MODES),
    environments,
    st.none() | chunks,
    st.integers(0, 1000),
)
@settings(max_examples=8, deadline=None)
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_each_is_the_single_one_to_the_bit(family, task, num_envs, threads, mode, environment, chunked, seed):
    play_both(*pair(family, task, num_envs, threads, mode, environment, chunked), steps=6, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", FAMILIES)
def test_long_runs_of_every_family(family, mode):
    arguments = dict(prediction_horizon=8, execution_horizon=4, latency=Uniform(0.0, 0.15))
    environment = dict(max_episode_steps=50)
    for task in ({"task": 3}, {"goal": "objects"}):
        assert play_both(*pair(family, task, 3, 2, mode, environment, arguments), steps=40) >= 6


def test_make_vec_makes_it_with_and_without_chunks():
    envs = gym.make_vec(CUBE, num_envs=3)
    assert type(envs) is ManipulationVectorEnv
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert (envs.action_space.shape, envs.observation_space.shape, envs.control_dt) == ((3, 5), (3, 28), 0.05)
    same(gym.make_vec(envs.spec).reset(seed=0), envs.reset(seed=0))
    chunked = gym.make_vec(CUBE, num_envs=3, prediction_horizon=8, latency=2)
    assert type(chunked) is ChunkedVectorExecution
    assert chunked.action_space.shape == (3, 8, 5)


def test_the_time_limit_is_the_family_s():
    envs = ManipulationVectorEnv("cube-single", 2, 2)
    envs.reset(seed=0)
    played = envs.play(np.zeros((2, 210, 5), np.float32), np.array([210, 5]))
    assert (played.ticks.tolist(), played.truncated.tolist()) == ([200, 5], [True, False])
    with pytest.raises(ResetNeededError, match=r"play the environments \[0\]"):
        envs.play(np.zeros((2, 1, 5), np.float32), np.array([1, 1]))


def test_no_limit():
    envs = ManipulationVectorEnv("cube-single", 2, 1, max_episode_steps=-1)
    envs.reset(seed=0)
    assert not envs.play(np.zeros((1, 210, 5), np.float32), np.array([210])).truncated.any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("observation", ["features", "state"])
def test_nothing_returned_is_overwritten_later(mode, observation):
    envs = ManipulationVectorEnv("scene", 1, 3, autoreset_mode=mode, max_episode_steps=3, observation=observation)
    returned = [envs.reset(seed=0)]
    kept = copy.deepcopy(returned)
    for actions in random_actions(15).reshape(5, 3, 5):
        returned.append(envs.step(actions))
        kept.append(copy.deepcopy(returned[-1]))
        if mode == AutoresetMode.DISABLED and (over := returned[-1][2] | returned[-1][3]).any():
            envs.reset(options={"reset_mask": over})
    same(returned, kept)


@pytest.mark.parametrize("goal", ["objects", "features"])
def test_play_is_steps(goal):
    steps, plays, every = (ManipulationVectorEnv("scene", None, 3, goal=goal, reward="sparse") for _ in range(3))
    for envs in (steps, plays, every):
        envs.reset(seed=0)
    actions, ticks = random_actions(12).reshape(3, 4, 5), np.array([4, 0, 2])
    played, watched = plays.play(actions, ticks), every.play(actions, ticks, every_tick=True)
    same(tuple(played), tuple(watched._replace(seen=None)))
    assert [len(seen) for seen in watched.seen] == [4, 0, 2]
    same(watched.seen[2][1], {key: values[2] for key, values in played.observations.items()})
    for tick in range(4):
        seen, rewards, *_ = steps.step(actions[:, tick])
        assert rewards[0] == played.rewards[0, tick]
        same(watched.seen[0][tick], {key: values[0] for key, values in seen.items()})


@in_families(5, 100)
def test_states_travel(family, ticks):
    envs, other = (ManipulationVectorEnv(family, 3, 2, max_episode_steps=ticks + 4) for _ in range(2))
    single = ManipulationEnv(family, 1)
    envs.reset(seed=0)
    for actions in random_actions(2 * ticks).reshape(ticks, 2, 5):
        envs.step(actions)
    other.set_states(envs.get_states())
    single.set_state(envs.get_states()[1])
    for actions in random_actions(8).reshape(4, 2, 5):
        result = envs.step(actions)
        same(result, other.step(actions))
        same(result[0][1], single.step(actions[1])[0])
    assert result[3].all()


@in_families(40, 200)
def test_facts_are_the_single_one_s(family, ticks):
    """While an oracle presses, pulls and carries; without disturbing the episode."""
    envs, single = ManipulationVectorEnv(family, 3, 2), ManipulationEnv(family, 3)
    envs.reset(seed=[7, 0])
    single.reset(seed=0)
    actor = Actor("noisy", family, np.random.default_rng(0))
    for _ in range(ticks):
        facts = single.facts()
        same(facts, envs.facts(1))
        actions = np.stack([np.zeros(5, np.float32), actor.act(facts)])
        terminated = single.step(actions[1])[2]
        assert envs.step(actions)[2][1] == terminated
        if terminated:
            break


@pytest.mark.parametrize(("index", "said"), [(2, "there are 2 environments"), (-1, "index=-1"), (0.5, "index=0.5")])
def test_facts_of_nobody(index, said):
    envs = ManipulationVectorEnv("cube-single", 1, 2)
    with pytest.raises(ResetNeededError, match="read facts"):
        envs.facts(0)
    envs.reset(seed=0)
    with pytest.raises(ArgumentError, match=said):
        envs.facts(index)


def test_copies_go_on_alike():
    envs = ManipulationVectorEnv("scene", None, 2, max_episode_steps=4)
    envs.reset(seed=0)
    envs.step(random_actions(2))
    other = copy.deepcopy(envs)
    assert type(other._beginner.world._ik) is Controller, "its episodes begin as fast"
    for actions in random_actions(12).reshape(6, 2, 5):
        same(envs.step(actions), other.step(actions))


BAD_ACTIONS = {
    "too few environments": (np.zeros((2, 5), np.float32), r"shape \(2, 5\); expected \(3, 5\)"),
    "NaN in one": (np.where(np.arange(3)[:, None] == 2, np.nan, np.zeros((3, 5))), "environment 2 .*nan"),
    "too large in one": (np.where(np.arange(3)[:, None] == 1, 1.5, np.zeros((3, 5))), r"environment 1.*1\.5"),
    "nothing": (None, r"expected \(3, 5\)"),
}


@pytest.mark.parametrize("name", BAD_ACTIONS)
def test_a_bad_action_is_refused_and_moves_nothing(name):
    actions, sentence = BAD_ACTIONS[name]
    envs = ManipulationVectorEnv("cube-single", 1, 3)
    envs.reset(seed=0)
    before = envs.get_states()
    with pytest.raises(ActionError, match=sentence):
        envs.step(actions)
    same(envs.get_states(), before)
    envs.step(np.full((3, 5), 1 + 1e-7, np.float32))


@pytest.mark.parametrize(
    ("actions", "ticks", "sentence"),
    [
        (np.zeros((3, 5)), [1, 1, 1], "give float32"),
        (np.zeros((3, 4, 6)), [1, 1, 1], "give float32"),
        ("nonsense", [1, 1, 1], "give float32"),
        (np.zeros((3, 4, 5)), [1, 1], "ticks="),
        (np.zeros((3, 4, 5)), [1.0, 1.0, 1.0], "ticks="),
        (np.zeros((3, 4, 5)), [0, 5, 0], "from 0 to 4"),
        (np.where(np.arange(4)[:, None] == 2, np.nan, np.zeros((3, 4, 5))), [2, 3, 0], "row 2 of environment 1"),
    ],
)
def test_what_cannot_be_played_moves_nothing(actions, ticks, sentence):
    envs = ManipulationVectorEnv("cube-single", 1, 3)
    envs.reset(seed=0)
    before = envs.get_states()
    with pytest.raises((ActionError, ArgumentError), match=sentence):
        envs.play(actions, np.array(ticks))
    same(envs.get_states(), before)


def test_the_resetting_ones_action_is_ignored():
    envs = ManipulationVectorEnv("cube-single", 1, 2, max_episode_steps=1)
    envs.reset(seed=0)
    assert envs.step(np.zeros((2, 5), np.float32))[3].all()
    _, rewards, terminated, truncated, infos = envs.step(np.full((2, 5), np.nan, np.float32))
    assert not any(values.any() for values in (rewards, terminated, truncated, infos["success"]))


def test_unsound_physics_is_told_and_a_reset_mends_it():
    envs = ManipulationVectorEnv("cube-single", 1, 2)
    first, _ = envs.reset(seed=0)
    states = envs.get_states()
    states[1, POSITIONS + envs._engine.world.model.nq] = 1e11  # a velocity
    envs.set_states(states)
    with pytest.raises(EnvironmentFault, match=r"environments \[1\].*call reset"):
        envs.step(np.zeros((2, 5), np.float32))
    with pytest.raises(ResetNeededError):
        envs.step(np.zeros((2, 5), np.float32))
    same(envs.reset(seed=0)[0], first)
    envs.step(np.zeros((2, 5), np.float32))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"family": "cube-singel"}, "cube-single"),
        ({"task": 6}, "task=6"),
        ({"goal": "features"}, "goal='features' is for goal-conditioned"),
        ({"task": None, "goal": "pixels"}, "goal='pixels'"),
        ({"num_envs": 0}, "num_envs=0"),
        ({"threads": 0}, "threads=0"),
        ({"observation": "pictures"}, "observation='pictures'"),
        ({"reward": "dense"}, "reward='dense'"),
        ({"autoreset_mode": "Sometimes"}, "autoreset_mode='Sometimes'"),
        ({"render_mode": "human"}, "render_mode='human'"),
        ({"max_episode_steps": 0}, "max_episode_steps=0"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        ManipulationVectorEnv(**{"family": "cube-single", "task": 1, **arguments})


def test_steps_need_a_reset():
    envs = ManipulationVectorEnv("cube-single", 1, 3, autoreset_mode="Disabled", max_episode_steps=2)
    calls = {"step": lambda: envs.step(np.zeros((3, 5), np.float32)), "get the states": envs.get_states}
    for wish, call in calls.items():
        with pytest.raises(ResetNeededError, match=f"cannot {wish}"):
            call()
    with pytest.raises(ResetNeededError, match="reset all"):
        envs.reset(options={"reset_mask": MASK})
    envs.reset()
    for _ in range(2):
        calls["step"]()
    with pytest.raises(ResetNeededError, match=r"\[0, 1, 2\] are over"):
        calls["step"]()
    envs.reset(options={"reset_mask": MASK})
    with pytest.raises(ResetNeededError, match=r"\[1\] are over"):
        calls["step"]()


def test_a_wrong_task_leaves_everything_as_it_is():
    envs = ManipulationVectorEnv("cube-single", None, 2)
    envs.reset(seed=0, options={"task": 4})
    before = envs.get_states()
    with pytest.raises(ArgumentError, match="task=6"):
        envs.reset(options={"task": 6})
    same(envs.get_states(), before)


def test_states_that_are_none():
    envs, foreign = ManipulationVectorEnv("cube-single", 1, 2), ManipulationVectorEnv("cube-double", 1, 2)
    envs.reset(seed=0)
    foreign.reset(seed=0)
    damaged = envs.get_states()
    damaged[1, 3] = np.nan
    before = envs.get_states()
    for states in (before[:1], before[0], None, foreign.get_states(), damaged):
        with pytest.raises(ArgumentError, match="state"):
            envs.set_states(states)
    same(envs.get_states(), before)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read where Linux tells it")
def test_a_further_environment_takes_little_memory():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    envs = [ManipulationVectorEnv("scene", 1, 2)]
    envs[0].reset(seed=0)
    envs[0].step(np.zeros((2, 5), np.float32))
    before = resident()
    envs.append(ManipulationVectorEnv("scene", 1, 42))
    envs[1].reset(seed=0)
    for actions in random_actions(84).reshape(2, 42, 5):
        envs[1].step(actions)
    assert (resident() - before) / 40 < 2, "MB a further environment"


def test_frames_of_every_environment():
    envs = ManipulationVectorEnv("scene", 1, 2, render_mode="rgb_array", render_size=48)
    with pytest.raises(ResetNeededError):
        envs.render()
    envs.reset(seed=0)
    single = ManipulationEnv("scene", 1, render_mode="rgb_array", render_size=48)
    single.reset(seed=1)
    for actions in random_actions(6).reshape(3, 2, 5):
        envs.step(actions)
        single.step(actions[1])
    try:
        frames = envs.render()
    except MissingExtraError as error:  # nothing to draw with on this machine
        pytest.skip(str(error))
    assert [frame.shape for frame in frames] == [(48, 48, 3)] * 2
    same(frames[1], single.render())
    assert (frames[0] != frames[1]).any()
    envs.close()


def test_render_without_a_mode_says_so():
    envs = ManipulationVectorEnv("cube-single", 1, 1)
    envs.reset()
    with pytest.warns(UserWarning, match="render_mode"):
        assert envs.render() is None
