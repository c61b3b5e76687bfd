"""Many environments at once: each is what `ChunkedExecution` is around it alone."""

import copy
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as vector_wrappers
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import (
    ActionError,
    ArgumentError,
    EnvironmentFault,
    ResetNeededError,
    StaleChunkWarning,
    UnderrunWarning,
)
from chunkenv.latency import Constant, LogNormal, Uniform
from chunkenv.testing import CountingEnv
from tests.vector import faulty
from tests.vector.comparing import MODES, outside_and_inside, play_both, same
from tests.worlds import ACTIONS, Recorder

WORLDS = {
    "CartPole": lambda: gym.make("CartPole-v1", max_episode_steps=23),
    "Pendulum": lambda: gym.make("Pendulum-v1", max_episode_steps=17),
    "Dict observation": lambda: Recorder(limit=13),
    "Dict of actions": lambda: Recorder(ACTIONS["dict"], limit=11),
    "Tuple of actions": lambda: Recorder(ACTIONS["tuple"], limit=12),
    "matrices": lambda: Recorder(ACTIONS["matrix box"], limit=12),
}

horizons = st.integers(1, 6).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h)))
latencies = st.sampled_from(
    [0, 1, 2, 5, Constant(0.1), Uniform(0.0, 0.3), LogNormal(0.1, 0.6), {"model": "uniform", "low": 0.0, "high": 0.2}]
)


@st.composite
def arguments(draw, cold_starts=("free", "charged")):
    horizon, executed = draw(horizons)
    return dict(
        prediction_horizon=horizon,
        execution_horizon=executed,
        latency=draw(latencies),
        overlap=draw(st.booleans()),
        underrun=draw(st.sampled_from(["hold", "stop"])),
        cold_start=draw(st.sampled_from(cold_starts)),
        discount=draw(st.sampled_from([1.0, 0.9, 0.0])),
        observe_prefix=draw(st.sampled_from([False, True, "flat"])),
        delay_estimate=draw(st.sampled_from(["oracle", "last", "max", "max:2"])),
        control_dt=0.05,
    )


@pytest.mark.parametrize("world", WORLDS)
@given(arguments(), st.integers(1, 5), st.sampled_from(MODES), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_each_is_the_single_one_to_the_bit(world, chunks, num_envs, mode, seed):
    make_env = WORLDS[world]
    first = make_env().action_space.sample()
    pair = outside_and_inside(make_env, num_envs, mode, first_action=first, **chunks)
    play_both(*pair, steps=12, seed=seed)


@given(arguments(), st.sampled_from(MODES), st.integers(0, 2**31), st.sampled_from(["actions", "full"]))
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_requests_and_infos_of_every_tick_are_those_of_the_single_ones(chunks, mode, seed, level):
    """The same members with the same seeds, stepped alone until they end: request and per-tick info agree."""
    make_env = WORLDS["Pendulum"]
    inside = outside_and_inside(make_env, 3, mode, info=level, **chunks)[1]
    singles = [ChunkedExecution(make_env(), info=level, **chunks) for _ in range(3)]
    inside.action_space.seed(seed)
    inside.reset(seed=seed)
    under_way = dict(enumerate(singles))
    for index, single in enumerate(singles):
        single.reset(seed=seed + index)
    while under_way:
        for index, single in under_way.items():
            _same_request(inside.request, single.request, index)
        actions = inside.action_space.sample()
        *_, terminated, truncated, infos = inside.step(actions)
        for index, single in list(under_way.items()):
            *_, info = single.step(actions[index])
            _same_details(infos, info, index, terminated[index] or truncated[index], mode)
            if terminated[index] or truncated[index]:
                del under_way[index]
        if mode == AutoresetMode.DISABLED and under_way and (terminated | truncated).any():
            inside.reset(options={"reset_mask": terminated | truncated})


def _same_request(batch, single, index):
    assert (batch.tick[index], batch.delay_estimate[index]) == (single.tick, single.delay_estimate)
    assert (batch.prefix_length[index], batch.left_over_length[index]) == (
        single.prefix_length,
        len(single.left_over),
    )
    assert (batch.execution_horizon, batch.rng) == (single.execution_horizon, None)
    same(batch.prefix[index][: batch.prefix_length[index]], single.prefix)
    same(batch.left_over[index][: batch.left_over_length[index]], single.left_over)
    assert not batch.prefix[index][batch.prefix_length[index] :].any()


def _same_details(infos, info, index, ended, mode):
    if ended and mode == AutoresetMode.SAME_STEP:
        infos = infos["final_info"]
    per_tick = {"rewards", "actions", "sources", "staleness", "observations"} & info.keys()
    assert "actions" in per_tick
    assert per_tick <= infos.keys()
    for key in per_tick:
        assert infos[f"_{key}"][index]
        same(infos[key][index], info[key], key)


def counting(num_envs=3, mode=AutoresetMode.NEXT_STEP, ends=None, **chunks):
    """Counting worlds of which member i is truncated at tick ends[i]."""
    ends = ends or [None] * num_envs
    envs = SyncVectorEnv([lambda end=end: CountingEnv(truncate_at=end) for end in ends], autoreset_mode=mode)
    return ChunkedVectorExecution(envs, **{"prediction_horizon": 4, **chunks})


def chunks_of(num_envs=3, horizon=4):
    return np.ones((num_envs, horizon, 1), np.float32)


def test_those_that_end_early_are_not_stepped_on():
    envs = counting(ends=[2, None, 3])
    envs.reset(seed=0)
    observations, rewards, terminated, truncated, infos = envs.step(chunks_of())
    assert observations[:, 0].tolist() == [2, 4, 3]
    assert rewards.tolist() == [2, 4, 3]
    assert infos["ticks"].tolist() == [2, 4, 3]
    assert (terminated.tolist(), truncated.tolist()) == ([False] * 3, [True, False, True])
    assert [env.tick for env in envs.unwrapped.envs] == [2, 4, 3]


def test_next_step_resets_in_a_decision_of_no_ticks():
    envs = counting(ends=[2, None, 3])
    envs.reset(seed=0)
    envs.step(chunks_of())
    chunks = chunks_of()
    chunks[0] = np.nan  # ignored: the step of an environment that ended is its reset
    observations, rewards, terminated, truncated, infos = envs.step(chunks)
    assert observations[:, 0].tolist() == [0, 8, 0]
    assert rewards.tolist() == [0, 4, 0]
    assert not (terminated | truncated).any()
    for key in ("ticks", "discount", "delay", "underruns", "discarded"):
        assert infos[f"_{key}"].tolist() == [False, True, False]
        assert infos[key][[0, 2]].tolist() == [0, 0]
    assert envs.step(chunks_of())[0][:, 0].tolist() == [2, 12, 3]


def test_the_keys_are_there_when_all_end_together():
    envs = counting(ends=[2, 2, 2])
    envs.reset(seed=0)
    envs.step(chunks_of())
    *_, infos = envs.step(chunks_of())
    assert infos["ticks"].tolist() == [0, 0, 0]
    assert not infos["_ticks"].any()


def test_same_step_has_the_last_observation_with_its_prefix():
    envs = counting(mode=AutoresetMode.SAME_STEP, ends=[3, None, None], latency=1, execution_horizon=2)
    watched = ChunkedVectorExecution(envs.env, 4, 2, latency=1, observe_prefix=True)
    watched.reset(seed=0)
    chunks = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    watched.step(chunks)
    observations, _, _, truncated, infos = watched.step(chunks + 100)
    assert truncated.tolist() == [True, False, False]
    assert infos["_final_obs"].tolist() == [True, False, False]
    final = infos["final_obs"][0]
    assert (float(final["observation"][0]), float(final["prefix_length"][0])) == (3.0, 1.0)
    assert final["prefix"][:, 0].tolist() == [101, 0, 0, 0]
    assert observations["observation"][:, 0].tolist() == [0, 4, 4]
    assert observations["prefix_length"][:, 0].tolist() == [0, 1, 1]
    assert infos["final_info"]["ticks"].tolist() == [1, 0, 0]
    assert infos["_ticks"].tolist() == [False, True, True]


def test_disabled_needs_a_reset_of_those_that_ended():
    envs = counting(mode=AutoresetMode.DISABLED, ends=[2, None, 3])
    envs.reset(seed=0)
    envs.step(chunks_of())
    with pytest.raises(ResetNeededError, match=r"\[0, 2\] are over.*reset_mask"):
        envs.step(chunks_of())
    mask = np.array([True, False, True])
    observations, _ = envs.reset(options={"reset_mask": mask})
    assert observations[:, 0].tolist() == [0, 4, 0]
    assert envs.request.tick.tolist() == [0, 4, 0]
    assert envs.step(chunks_of())[0][:, 0].tolist() == [2, 8, 3]


def test_each_draws_its_latency_from_a_stream_of_its_own():
    envs = counting(8, ends=[None] * 8, latency=Uniform(0.0, 1.0), control_dt=0.1, prediction_horizon=10)
    envs.reset(seed=5)
    envs.step(chunks_of(8, 10))
    delays = [envs.step(chunks_of(8, 10))[4]["delay"] for _ in range(6)]
    assert len({tuple(column) for column in np.transpose(delays)}) == 8
    alone = ChunkedExecution(CountingEnv(), 10, latency=Uniform(0.0, 1.0), control_dt=0.1)
    alone.reset(seed=5 + 3)
    alone.step(chunks_of(1, 10)[0])
    assert [int(line[3]) for line in delays] == [alone.step(chunks_of(1, 10)[0])[4]["delay"] for _ in range(6)]


def test_a_reset_of_a_part_leaves_the_others_streams_alone():
    arguments = dict(latency=Uniform(0.0, 1.0), control_dt=0.1, prediction_horizon=10, num_envs=3)
    plays = []
    for masked in (False, True):
        envs = counting(**arguments)
        envs.reset(seed=0)
        envs.step(chunks_of(3, 10))
        if masked:
            envs.reset(options={"reset_mask": np.array([True, False, False])})
        plays.append([envs.step(chunks_of(3, 10))[4]["delay"][1:].tolist() for _ in range(5)])
    assert plays[0] == plays[1]


def test_seeds_may_be_given_one_by_one():
    envs, alone = (
        counting(latency=LogNormal(0.2, 0.9), control_dt=0.1),
        counting(latency=LogNormal(0.2, 0.9), control_dt=0.1),
    )
    envs.reset(seed=[7, 8, 9])
    alone.reset(seed=7)
    for _ in range(4):
        same(envs.step(chunks_of()), alone.step(chunks_of()))


@pytest.mark.parametrize("mode", MODES)
def test_nothing_returned_is_overwritten_later(mode):
    envs = outside_and_inside(WORLDS["Pendulum"], 3, mode, prediction_horizon=4, latency=2, observe_prefix=True)[1]
    envs.action_space.seed(0)
    returned = [envs.reset(seed=0), envs.request]
    kept = copy.deepcopy(returned)
    for _ in range(12):
        result = envs.step(envs.action_space.sample())
        returned += [result, envs.request]
        kept += copy.deepcopy([result, envs.request])
        if mode == AutoresetMode.DISABLED and (over := result[2] | result[3]).any():
            envs.reset(options={"reset_mask": over})
    same(returned, kept)


@pytest.mark.parametrize("mode", MODES)
def test_the_caller_may_write_into_everything(mode):
    pair = [
        outside_and_inside(WORLDS["Pendulum"], 2, mode, prediction_horizon=4, latency=2, underrun="hold")[1]
        for _ in range(2)
    ]
    for envs in pair:
        envs.action_space.seed(0)
    same(*(envs.reset(seed=0) for envs in pair))
    for _ in range(9):
        actions = [envs.action_space.sample() for envs in pair]
        results = [envs.step(action) for envs, action in zip(pair, actions, strict=True)]
        same(*results)
        over = results[0][2] | results[0][3]
        _overwrite([results[1], actions[1], pair[1].request])
        if mode == AutoresetMode.DISABLED and over.any():
            for envs in pair:
                envs.reset(options={"reset_mask": over.copy()})


def test_actions_in_the_info_are_the_callers():
    envs = ChunkedVectorExecution(SyncVectorEnv([Recorder] * 2), 3, info="full")
    envs.reset(seed=0)
    *_, infos = envs.step(np.ones((2, 3, 2), np.float32))
    infos["actions"][0][1][:] = -1
    assert envs.unwrapped.envs[0].actions[1].tolist() == [1, 1]


def _overwrite(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, np.ndarray) and value.dtype != object:
        value[...] = 1
    elif isinstance(value, tuple | list | np.ndarray):
        for part in value:
            _overwrite(part)


BAD_CHUNKS = {
    "too few environments": (np.zeros((2, 4, 1), np.float32), r"shape \(2, 4, 1\); expected \(3, 4, 1\)"),
    "too few rows": (np.zeros((3, 3, 1), np.float32), r"environment 0 has shape \(3, 1\); expected \(4, 1\)"),
    "no batch": (np.zeros((4, 1), np.float32), r"shape \(4, 1\); expected \(3, 4, 1\)"),
    "text": (np.full((3, 4, 1), "left"), r"environment 0 has dtype <U4; expected float32"),
    "nothing": (None, r"expected \(3, 4, 1\)"),
    "a ragged list": ([[[0.0]], [0.0], 1.0], "ragged"),
    "NaN in one": (np.where(np.arange(3)[:, None, None] == 1, np.nan, np.zeros((3, 4, 1))), "environment 1 .*nan"),
    "infinity in one": (np.where(np.arange(3)[:, None, None] == 2, np.inf, np.zeros((3, 4, 1))), "environment 2 .*inf"),
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_bad_chunk_is_refused_and_moves_nothing(name):
    chunks, sentence = BAD_CHUNKS[name]
    envs, undisturbed = (counting(latency=Uniform(0.0, 0.4), control_dt=0.1) for _ in range(2))
    for one in (envs, undisturbed):
        one.reset(seed=0)
        one.step(chunks_of())
    with pytest.raises(ActionError, match=sentence):
        envs.step(chunks)
    for _ in range(3):
        same(envs.step(chunks_of()), undisturbed.step(chunks_of()))


def test_a_bad_part_of_a_dict_names_its_environment():
    envs = ChunkedVectorExecution(SyncVectorEnv([lambda: Recorder(ACTIONS["dict"])] * 3), 2)
    envs.reset(seed=0)
    chunks = envs.action_space.sample()
    chunks["grip"][1, 0] = 7
    with pytest.raises(ActionError, match=r"chunk of environment 1\['grip'\].*out of range"):
        envs.step(chunks)
    del chunks["grip"]
    with pytest.raises(ActionError, match="expected a dict with the keys"):
        envs.step(chunks)


def test_steps_and_requests_need_a_reset():
    envs = counting()
    with pytest.raises(ResetNeededError, match="cannot step"):
        envs.step(chunks_of())
    with pytest.raises(ResetNeededError, match="cannot read the request"):
        _ = envs.request
    with pytest.raises(ResetNeededError, match="reset all"):
        envs.reset(options={"reset_mask": np.array([True, False, True])})


@pytest.mark.parametrize(
    "mask", [[True, False, True], np.array([1, 0, 1]), np.zeros(3, bool), np.ones(2, bool)], ids=repr
)
def test_a_mask_that_cannot_be_meant(mask):
    envs = counting()
    envs.reset(seed=0)
    with pytest.raises(ArgumentError, match=r"reset_mask.*3 bools"):
        envs.reset(options={"reset_mask": mask})
    envs.step(chunks_of())


@pytest.mark.parametrize("seed", [[1, 2], "seven", -1, 1.5, [1, 2, -3]])
def test_seeds_that_cannot_be_meant(seed):
    with pytest.raises(ArgumentError, match="seed"):
        counting().reset(seed=seed)


class Faulty(CountingEnv):
    """Raises, or returns a reward that is no number, at a tick."""

    def __init__(self, fault=None, at=6):
        super().__init__()
        self.fault, self.at = fault, at

    def step(self, action):
        observation, reward, *rest = super().step(action)
        if self.tick == self.at and self.fault == "raise":
            raise OSError("the motor is on fire")
        return observation, float("nan") if self.tick == self.at and self.fault == "nan" else reward, *rest


def test_an_environment_that_raises_is_named_with_its_tick():
    envs = ChunkedVectorExecution(SyncVectorEnv([CountingEnv, lambda: Faulty("raise"), CountingEnv]), 4)
    envs.reset(seed=0)
    envs.step(chunks_of())
    with pytest.raises(OSError, match="on fire") as caught:
        envs.step(chunks_of())
    notes = " ".join(caught.value.__notes__)
    assert "environment 1" in notes
    assert "at tick 5" in notes
    with pytest.raises(ResetNeededError):
        envs.step(chunks_of())
    with pytest.raises(ResetNeededError, match="reset all"):
        envs.reset(options={"reset_mask": np.array([False, True, False])})
    envs.reset(seed=0)
    envs.step(chunks_of())
    with pytest.raises(OSError, match="on fire") as caught:
        envs.step(chunks_of())
    assert "at tick 5" in " ".join(caught.value.__notes__), "the ticks were counted on over the reset"


def test_a_reward_that_is_no_number_is_named_with_its_environment():
    envs = ChunkedVectorExecution(SyncVectorEnv([CountingEnv, CountingEnv, lambda: Faulty("nan")]), 4)
    envs.reset(seed=0)
    envs.step(chunks_of())
    with pytest.raises(EnvironmentFault, match=r"environment 2 .* \[1.0, nan, 1.0, 1.0\] from tick 4 on"):
        envs.step(chunks_of())
    with pytest.raises(ResetNeededError):
        envs.step(chunks_of())


def test_a_vector_environment_that_can_only_be_stepped_whole_is_refused():
    whole = AsyncVectorEnv([CountingEnv] * 2)
    try:
        with pytest.raises(ArgumentError, match=r"stepped whole.*wrappers=.*ChunkedExecution"):
            ChunkedVectorExecution(whole, 4)
    finally:
        whole.close()
    wrapped = vector_wrappers.RecordEpisodeStatistics(SyncVectorEnv([CountingEnv] * 2))
    with pytest.raises(ArgumentError, match="other wrappers around"):
        ChunkedVectorExecution(wrapped, 4)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("prediction_horizon", 0),
        ("execution_horizon", 5),
        ("latency", -1),
        ("overlap", 1),
        ("underrun", "freeze"),
        ("cold_start", "warm"),
        ("discount", 1.5),
        ("observe_prefix", "all"),
        ("delay_estimate", "median"),
        ("control_dt", 0.0),
        ("info", "some"),
    ],
)
def test_arguments_are_checked_as_those_of_one(argument, value):
    with pytest.raises(ArgumentError) as one:
        ChunkedExecution(CountingEnv(), **{"prediction_horizon": 4, argument: value})
    with pytest.raises(ArgumentError) as many:
        counting(**{argument: value})
    assert str(one.value) == str(many.value)


def test_stale_chunks_are_warned_of_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        envs = counting(latency=9)
        envs.reset(seed=0)
        envs.step(chunks_of())
    (warning,) = caught
    assert warning.category is StaleChunkWarning
    assert warning.filename == __file__


def test_horizons_and_warnings_are_those_of_one():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        usual = counting(prediction_horizon=8, latency=2)
        starved = counting(prediction_horizon=8, execution_horizon=8, latency=2)
    (warning,) = caught
    assert (warning.category, warning.filename) == (UnderrunWarning, __file__)
    assert (usual.execution_horizon, starved.execution_horizon) == (6, 8)


def test_what_it_says_of_itself():
    envs = counting(prediction_horizon=4, execution_horizon=2, discount=0.5, delay_estimate="last")
    assert (envs.prediction_horizon, envs.execution_horizon) == (4, 2)
    assert (envs.discount, envs.delay_estimate, envs.num_envs) == (0.5, "last", 3)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert envs.single_action_space.shape == (4, 1)
    assert envs.action_space.shape == (3, 4, 1)


def test_close_closes_the_members():
    closed = []

    class Closing(CountingEnv):
        def close(self):
            closed.append(self)

    ChunkedVectorExecution(SyncVectorEnv([Closing, Closing]), 4).close()
    assert len(closed) == 2


@pytest.mark.parametrize("mode", MODES)
def test_episode_statistics_count_decisions(mode):
    envs = vector_wrappers.RecordEpisodeStatistics(counting(mode=mode, ends=[6, 100, 10]))
    envs.reset(seed=0)
    episodes = {}
    for _ in range(4):
        *_, terminated, truncated, infos = envs.step(chunks_of())
        for index in np.flatnonzero(infos.get("_episode", np.zeros(3, bool))):
            episodes.setdefault(int(index), (float(infos["episode"]["r"][index]), int(infos["episode"]["l"][index])))
        if mode == AutoresetMode.DISABLED and (over := terminated | truncated).any():
            envs.reset(options={"reset_mask": over})
    assert episodes == {0: (6.0, 2), 2: (10.0, 3)}


def test_normalized_observations():
    envs = outside_and_inside(WORLDS["Pendulum"], 3, AutoresetMode.NEXT_STEP, prediction_horizon=4, latency=1)
    play_both(*(vector_wrappers.NormalizeObservation(one) for one in envs), steps=15)


def test_stepping_a_finished_episode_of_a_wrapped_wrapper_keeps_the_depths_apart():
    """A member that is chunked already has used the stream of depth 0."""
    make_env = lambda: ChunkedExecution(CountingEnv(), 2, latency=Uniform(0.0, 0.3), control_dt=0.1)
    pair = outside_and_inside(make_env, 2, AutoresetMode.NEXT_STEP, prediction_horizon=3, latency=1)
    play_both(*pair, steps=5)
    make_env = lambda: ChunkedExecution(CountingEnv(), 2, latency=1)
    random = dict(prediction_horizon=3, latency=Uniform(0.0, 0.5), control_dt=0.1)
    play_both(*outside_and_inside(make_env, 2, AutoresetMode.NEXT_STEP, **random), steps=8)


def test_nan_in_an_observation_names_the_environment():
    members = [faulty.Faulty, lambda: faulty.Faulty(fault="nan observation", at=8)]
    envs = ChunkedVectorExecution(SyncVectorEnv(members), prediction_horizon=6, execution_horizon=4, latency=2)
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    with pytest.raises(EnvironmentFault, match=r"environment 1 of SyncVectorEnv.* an observation with NaN at tick 8"):
        envs.step(envs.action_space.sample())
