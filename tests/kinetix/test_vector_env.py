"""Many Kinetix environments at once: each is the single one to the bit, whatever N and the threads."""

import copy
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as vector_wrappers
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ActionNoise, ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ActionError, ArgumentError, ResetNeededError, StaleChunkWarning
from chunkenv.kinetix import LEVELS, tallies
from chunkenv.kinetix.engine import batch_kernels
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.latency import LogNormal, Uniform
from tests.vector.comparing import MODES, play_both, same

CATAPULT = "chunkenv/kinetix-catapult-v0"
MASK = np.array([True, False, True])

environments = st.fixed_dictionaries(
    {
        "observation": st.sampled_from(["symbolic", "compact", "state"]),
        "reward": st.sampled_from(["sparse", "distance", "penalty"]),
        "max_episode_steps": st.integers(3, 40),
    }
)
noises = st.sampled_from([0.0, 0.1])
chunks = st.fixed_dictionaries(
    {
        "prediction_horizon": st.integers(4, 8),
        "execution_horizon": st.integers(1, 4),
        "latency": st.sampled_from([0, 2, 9, Uniform(0.0, 0.2), LogNormal(0.05, 0.8)]),
        "overlap": st.booleans(),
        "underrun": st.sampled_from(["hold", "zero", "stop"]),
        "cold_start": st.sampled_from(["free", "charged"]),
        "discount": st.sampled_from([1.0, 0.97]),
        "observe_prefix": st.booleans(),
        "delay_estimate": st.sampled_from(["oracle", "last", "max:3"]),
    }
)


def pair(level, num_envs, threads, mode, environment, chunked=None, noise=0.0):
    """Single environments in a `SyncVectorEnv`, and the native vector environment."""
    name = f"chunkenv/kinetix-{level}-v0"

    def make_one():
        env = gym.make(name, **environment)
        env = ActionNoise(env, noise) if noise else env
        return ChunkedExecution(env, **chunked) if chunked else env

    singles = SyncVectorEnv([make_one] * num_envs, autoreset_mode=mode)
    arguments = dict(threads=threads, autoreset_mode=mode, action_noise=noise, **environment, **(chunked or {}))
    native = gym.make_vec(name, num_envs=num_envs, **arguments)
    assert isinstance(native.unwrapped, KinetixVectorEnv)
    return singles, native


@given(
    st.sampled_from(LEVELS),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from(MODES),
    environments,
    st.none() | chunks,
    noises,
    st.sampled_from([None, 2.0]),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_each_is_the_single_one_to_the_bit(level, num_envs, threads, mode, environment, chunked, noise, scale, seed):
    play_both(*pair(level, num_envs, threads, mode, environment, chunked, noise), steps=15, seed=seed, scale=scale)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", LEVELS)
def test_whole_episodes_of_every_level(level, mode):
    arguments = dict(prediction_horizon=8, execution_horizon=4, latency=Uniform(0.0, 0.15), discount=0.99)
    environment = dict(observation="symbolic", reward="penalty")
    assert play_both(*pair(level, 16, 2, mode, environment, arguments), steps=140) >= 16


@pytest.mark.parametrize("mode", MODES)
def test_full_info_is_that_of_the_single_ones(mode):
    arguments = dict(prediction_horizon=6, execution_horizon=3, latency=2, info="full")
    native = gym.make_vec(CATAPULT, num_envs=2, autoreset_mode=mode, max_episode_steps=7, **arguments)
    single = ChunkedExecution(gym.make(CATAPULT, max_episode_steps=7), **arguments)
    native.action_space.seed(0)
    native.reset(seed=0)
    single.reset(seed=0)
    for _ in range(3):
        actions = native.action_space.sample()
        *_, infos = native.step(actions)
        *_, truncated, info = single.step(actions[1])
        infos = infos["final_info"] if truncated and mode == AutoresetMode.SAME_STEP else infos
        same({key: infos[key][1] for key in info if key != "success"}, _boxed(info))


def _boxed(info):
    """Numbers as an array's items are."""
    return {
        key: np.array([value])[0] if isinstance(value, int | float) else value
        for key, value in info.items()
        if key != "success"
    }


def test_threads_and_company_change_nothing():
    """The first three of 40 on three threads are three alone on one."""
    chunked = dict(prediction_horizon=8, execution_horizon=4, latency=Uniform(0.0, 0.2))
    many = gym.make_vec(CATAPULT, num_envs=40, threads=3, **chunked)
    few = gym.make_vec(CATAPULT, num_envs=3, threads=1, **chunked)
    many.action_space.seed(0)
    many.reset(seed=0)
    few.reset(seed=0)
    for _ in range(20):
        actions = many.action_space.sample()
        for one, other in zip(many.step(actions)[:4], few.step(actions[:3])[:4], strict=True):
            same(one[:3], other)


def test_make_vec_without_chunks_is_the_native_environment():
    envs = gym.make_vec(CATAPULT, num_envs=3)
    assert type(envs) is KinetixVectorEnv
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert (envs.action_space.shape, envs.observation_space.shape) == ((3, 6), (3, 679))
    assert envs.spec.id == CATAPULT
    same(gym.make_vec(envs.spec).reset(seed=0), envs.reset(seed=0))


def test_make_vec_with_chunks_is_wrapped():
    envs = gym.make_vec(CATAPULT, num_envs=3, vectorization_mode="vector_entry_point", prediction_horizon=8, latency=2)
    assert type(envs) is ChunkedVectorExecution
    assert envs.action_space.shape == (3, 8, 6)


def test_make_vec_can_still_wrap_single_ones():
    envs = gym.make_vec(CATAPULT, num_envs=2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": "SameStep"})
    assert type(envs) is SyncVectorEnv
    assert ChunkedVectorExecution(envs, 8).action_space.shape == (2, 8, 6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunked", [{}, {"prediction_horizon": 4, "latency": 1}])
def test_nothing_returned_is_overwritten_later(mode, chunked):
    envs = gym.make_vec(CATAPULT, num_envs=3, autoreset_mode=mode, max_episode_steps=9, observation="state", **chunked)
    envs.action_space.seed(0)
    returned = [envs.reset(seed=0)]
    kept = copy.deepcopy(returned)
    for _ in range(20):
        returned.append(envs.step(envs.action_space.sample()))
        kept.append(copy.deepcopy(returned[-1]))
        if mode == AutoresetMode.DISABLED and (over := returned[-1][2] | returned[-1][3]).any():
            envs.reset(options={"reset_mask": over})
    same(returned, kept)


def test_the_caller_may_write_into_everything():
    pair_ = [gym.make_vec(CATAPULT, num_envs=2, observation="state") for _ in range(2)]
    actions = np.ones((2, 6), np.float32)
    seen = pair_[0].reset(seed=0)[0]
    seen[:] = 0
    pair_[1].reset(seed=0)
    for _ in range(4):
        results = [envs.step(actions) for envs in pair_]
        same(*results)
        results[0][0][:] = 0
        pair_[0].get_states()[:] = 0


BAD_ACTIONS = {
    "too few environments": (np.zeros((2, 6), np.float32), r"shape \(2, 6\); expected \(3, 6\)"),
    "too few numbers": (np.zeros((3, 5), np.float32), r"environment 0 has shape \(5,\); expected \(6,\)"),
    "NaN in one": (np.where(np.arange(3)[:, None] == 2, np.nan, np.zeros((3, 6))), "environment 2 .*nan"),
    "nothing": (None, r"expected \(3, 6\)"),
    "complex": (np.zeros((3, 6), complex), "dtype complex128"),
}


@pytest.mark.parametrize("name", BAD_ACTIONS)
def test_a_bad_action_is_refused_and_moves_nothing(name):
    actions, sentence = BAD_ACTIONS[name]
    envs = KinetixVectorEnv("catapult", 3)
    envs.reset(seed=0)
    before = envs.get_states()
    with pytest.raises(ActionError, match=sentence):
        envs.step(actions)
    assert envs.get_states().tobytes() == before.tobytes()
    envs.step(np.zeros((3, 6), np.float32))


def test_the_resetting_ones_action_is_ignored():
    envs = KinetixVectorEnv("catapult", 2, max_episode_steps=1)
    first, _ = envs.reset(seed=0)
    assert envs.step(np.zeros((2, 6), np.float32))[3].all()
    seen, rewards, terminated, truncated, infos = envs.step(np.full((2, 6), np.nan, np.float32))
    same(seen, first)
    assert not any(values.any() for values in (rewards, terminated, truncated, infos["success"]))


def test_a_chunk_of_one_with_nan_names_it():
    envs = gym.make_vec(CATAPULT, num_envs=3, prediction_horizon=4)
    envs.reset(seed=0)
    actions = np.zeros((3, 4, 6), np.float32)
    actions[1, 2, 3] = np.nan
    with pytest.raises(ActionError, match=r"chunk of environment 1 has the value nan at index \(2, 3\)"):
        envs.step(actions)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"level": "catapullt"}, "catapult"),
        ({"num_envs": 0}, "num_envs=0"),
        ({"threads": 0}, "threads=0"),
        ({"observation": "pixels"}, "observation='pixels'"),
        ({"reward": "dense"}, "reward='dense'"),
        ({"autoreset_mode": "Sometimes"}, "autoreset_mode='Sometimes'"),
        ({"render_mode": "human"}, "render_mode='human'"),
        ({"max_episode_steps": 0}, "max_episode_steps=0"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        KinetixVectorEnv(**{"level": "catapult", **arguments})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"latency": 2}, "latency=2 needs chunks, but there is no prediction_horizon: give "),
        ({"prediction_horizn": 8}, "prediction_horizn=8 is no argument here; did you mean 'prediction_horizon'"),
        ({"prediction_horizon": 4, "execution_horizon": 5}, "execution_horizon=5"),
    ],
)
def test_arguments_of_make_vec_that_cannot_be_meant(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        gym.make_vec(CATAPULT, num_envs=2, **arguments)


def test_steps_need_a_reset():
    envs = KinetixVectorEnv("catapult", 3, autoreset_mode="Disabled", max_episode_steps=2)
    calls = {
        "step": lambda: envs.step(np.zeros((3, 6), np.float32)),
        "get the states": envs.get_states,
    }
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
    with pytest.raises(ResetNeededError, match=r"play the environments \[1\]"):
        envs.play(np.zeros((3, 4, 6), np.float32), np.array([4, 4, 4]))
    assert envs.play(np.zeros((3, 4, 6), np.float32), np.array([4, 0, 1])).ticks.tolist() == [2, 0, 1]


def test_play_is_steps():
    steps, plays, every = (KinetixVectorEnv("trampoline", 3, reward="distance") for _ in range(3))
    for envs in (steps, plays, every):
        envs.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        actions, ticks = rng.uniform(-1, 1, (3, 5, 6)).astype(np.float32), np.array([5, 0, 2])
        played, watched = plays.play(actions, ticks), every.play(actions, ticks, every_tick=True)
        same(tuple(played), tuple(watched._replace(seen=None)))
        assert [len(seen) for seen in watched.seen] == [5, 0, 2]
        for index, seen in enumerate(watched.seen):
            if seen:
                same(seen[-1], played.observations[index])
    assert plays.get_states()[1].tobytes() == plays.simulator.initial_state().tobytes()
    plays.reset(seed=0)
    actions = rng.uniform(-1, 1, (3, 5, 6)).astype(np.float32)
    played = plays.play(actions, np.full(3, 5))
    for tick in range(5):
        seen, rewards, *_ = steps.step(actions[:, tick])
        same(rewards, played.rewards[:, tick].copy())
    same(seen, played.observations)


def test_a_layout_of_the_actions_compiles_nothing_more():
    envs = KinetixVectorEnv("catapult", 3)
    envs.reset(seed=0)
    compiled = [len(kernel.signatures) for kernel in (batch_kernels.play, tallies.allow, tallies.tally)]
    envs.step(np.zeros((6, 3)).T)
    envs.step(np.zeros((3, 12), np.float32)[:, ::2])
    envs.play(np.zeros((3, 4, 12), np.float32)[..., ::2], np.full(6, 2)[::2], every_tick=True)
    assert [len(kernel.signatures) for kernel in (batch_kernels.play, tallies.allow, tallies.tally)] == compiled


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_what_ended_in_play_is_reset_by_the_next_step(mode):
    envs = KinetixVectorEnv("catapult", 2, max_episode_steps=3, autoreset_mode=mode)
    first, _ = envs.reset(seed=0)
    envs.play(np.ones((2, 3, 6), np.float32), np.array([3, 1]))
    seen, _, terminated, truncated, infos = envs.step(np.ones((2, 6), np.float32))
    same(seen[0], first[0])
    assert not (terminated | truncated).any()
    assert infos["_success"].all()
    _, _, _, truncated, infos = envs.step(np.ones((2, 6), np.float32))
    assert truncated.tolist() == [False, True]


NAN_IN_ROW_2 = np.where(np.arange(4)[:, None] == 2, np.nan, np.zeros((3, 4, 6)))


@pytest.mark.parametrize("every_tick", [False, True])
@pytest.mark.parametrize(
    ("actions", "ticks", "sentence"),
    [
        (np.zeros((3, 6)), [1, 1, 1], "give float32"),
        (np.zeros((2, 4, 6)), [1, 1, 1], "give float32"),
        (np.zeros((3, 4, 6)), [1, 1], "ticks="),
        (np.zeros((3, 4, 6)), [1.0, 1.0, 1.0], "ticks="),
        (np.zeros((3, 4, 6)), [0, 5, 0], "from 0 to 4"),
        (np.zeros((3, 4, 6)), [0, -1, 0], "from 0 to 4"),
        (NAN_IN_ROW_2, [2, 3, 0], "row 2 of environment 1"),
    ],
)
def test_what_cannot_be_played_moves_nothing(actions, ticks, sentence, every_tick):
    envs = KinetixVectorEnv("catapult", 3)
    envs.reset(seed=0)
    before = envs.get_states()
    with pytest.raises((ActionError, ArgumentError), match=sentence):
        envs.play(actions, np.array(ticks), every_tick=every_tick)
    assert envs.get_states().tobytes() == before.tobytes()
    envs.play(NAN_IN_ROW_2, np.array([2, 1, 0]), every_tick=every_tick)


def test_states_travel():
    envs, other = (KinetixVectorEnv("catapult", 3, max_episode_steps=12) for _ in range(2))
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        envs.step(rng.uniform(-1, 1, (3, 6)).astype(np.float32))
    other.set_states(envs.get_states())
    for _ in range(9):
        actions = rng.uniform(-1, 1, (3, 6)).astype(np.float32)
        same(envs.step(actions), other.step(actions))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda envs: pickle.loads(pickle.dumps(envs))])
def test_a_copy_goes_on_alike_up_to_the_time_limit(copied):
    """It once kept the ticks and the distance of the moment at which it was made: no limit, and wrong rewards."""
    envs = KinetixVectorEnv("catapult", 2, reward="distance", max_episode_steps=4)
    envs.reset(seed=0)
    envs.step(np.ones((2, 6), np.float32))
    other = copied(envs)
    for _ in range(6):
        same(envs.step(np.ones((2, 6), np.float32)), other.step(np.ones((2, 6), np.float32)))


def test_states_whose_episode_is_over_are_not_played():
    envs = KinetixVectorEnv("catapult", 2, max_episode_steps=3)
    envs.reset(seed=0)
    envs.play(np.zeros((2, 3, 6), np.float32), np.array([3, 1]))
    other = KinetixVectorEnv("catapult", 2, max_episode_steps=3)
    other.set_states(envs.get_states())
    with pytest.raises(ResetNeededError, match=r"\[0\]"):
        other.play(np.zeros((2, 3, 6), np.float32), np.array([1, 1]))


def test_states_that_are_none():
    envs = KinetixVectorEnv("catapult", 2)
    envs.reset(seed=0)
    foreign = KinetixVectorEnv("trampoline", 2)
    foreign.reset(seed=0)
    for states in (envs.get_states()[:1], envs.get_states()[0], None, foreign.get_states(), envs.get_states() * 1.0):
        with pytest.raises(ArgumentError, match="state"):
            envs.set_states(states)


def test_a_part_is_reset():
    envs = KinetixVectorEnv("catapult", 3)
    first, _ = envs.reset(seed=0)
    actions = np.ones((3, 6), np.float32)
    before = envs.step(actions)[0]
    options = {"reset_mask": MASK}
    seen, infos = envs.reset(options=options)
    same(seen, np.where(MASK[:, None], first, before))
    assert infos["_success"].tolist() == MASK.tolist()
    assert list(options) == ["reset_mask"]


def test_no_limit():
    envs = gym.make_vec(CATAPULT, num_envs=2, max_episode_steps=-1)
    envs.reset(seed=0)
    played = envs.play(np.zeros((2, 300, 6), np.float32), np.full(2, 300))
    assert played.ticks.tolist() == [300, 300]
    assert not played.truncated.any()


@pytest.mark.parametrize("chunked", [{}, {"prediction_horizon": 4}])
def test_frames_of_every_environment(chunked):
    pytest.importorskip("pygame")
    envs = gym.make_vec(CATAPULT, num_envs=2, render_mode="rgb_array", render_size=32, **chunked)
    single = gym.make(CATAPULT, render_mode="rgb_array", render_size=32)
    with pytest.raises(ResetNeededError):
        envs.unwrapped.render()
    envs.reset(seed=0)
    single.reset(seed=0)
    actions = np.ones(envs.action_space.shape, np.float32)
    actions[0] = -1
    envs.step(actions)
    for _ in range(chunked.get("prediction_horizon", 1)):
        single.step(np.ones(6, np.float32))
    frames = envs.render()
    assert isinstance(frames, tuple)
    assert [frame.shape for frame in frames] == [(32, 32, 3)] * 2
    same(frames[1], single.render())
    assert (frames[0] != frames[1]).any()
    envs.reset(options={"reset_mask": np.array([False, True])})
    single.reset()
    frames, before = envs.render(), frames
    same(frames[1], single.render())
    same(frames[0], before[0])


def test_render_without_a_mode_says_so():
    envs = KinetixVectorEnv("catapult", 1)
    envs.reset()
    with pytest.warns(UserWarning, match="render_mode"):
        assert envs.render() is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("chunked", [{}, {"prediction_horizon": 4, "latency": 1}])
def test_episode_statistics(mode, chunked):
    """As over single environments; the first episodes' lengths are 9 ticks, or 3 decisions."""
    both = pair("catapult", 2, 1, mode, {"max_episode_steps": 9}, chunked or None)
    lengths = [_episode_lengths(vector_wrappers.RecordEpisodeStatistics(envs), mode) for envs in both]
    assert lengths[0] == lengths[1]
    assert lengths[1][:2] == ([3, 3] if chunked else [9, 9])


def _episode_lengths(envs, mode):
    envs.reset(seed=0)
    lengths = []
    while len(lengths) < 4:
        *_, terminated, truncated, infos = envs.step(np.zeros(envs.action_space.shape, np.float32))
        over = terminated | truncated
        lengths += infos["episode"]["l"][over].tolist() if over.any() else []
        if mode == AutoresetMode.DISABLED and over.any():
            envs.reset(options={"reset_mask": over})
    return lengths


def test_normalized_observations():
    environment, chunked = {"observation": "compact"}, {"prediction_horizon": 4, "latency": 1}
    envs = pair("catapult", 3, 1, AutoresetMode.NEXT_STEP, environment, chunked)
    play_both(*(vector_wrappers.NormalizeObservation(one) for one in envs), steps=15)


def test_stale_chunks_are_warned_of_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        envs = gym.make_vec(CATAPULT, num_envs=3, prediction_horizon=4, latency=6)
        envs.reset(seed=0)
        envs.step(np.zeros((3, 4, 6), np.float32))
    assert [warning.category for warning in caught] == [StaleChunkWarning]


def test_close():
    envs = gym.make_vec(CATAPULT, num_envs=2, prediction_horizon=4)
    envs.close()
    assert envs.unwrapped.closed
