"""One step is one decision: what runs, what is paid, what is told."""

import copy
import json
import math
import pickle
import re
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from chunkenv import ChunkedExecution
from chunkenv.clock import ChunkClock
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
from tests.vector.faulty import Faulty
from tests.worlds import ACTIONS, Recorder


def chunk(number, horizon=8):
    """Row i of chunk `number` is the action 100 * number + i, which the reward of its tick then names."""
    return (100 * number + np.arange(horizon, dtype=np.float32))[:, None]


def play(env, decisions, horizon=8, seed=0):
    """The per-tick rewards of consecutive decisions."""
    env.reset(seed=seed)
    lines = []
    for number in range(decisions):
        *_, terminated, truncated, info = env.step(chunk(number, horizon))
        lines.append(info["rewards"].astype(int).tolist())
        if terminated or truncated:
            break
    return lines


# What is executed, decision by decision; an underrun holds the last action.
EXECUTED = {
    "no delay": (dict(execution_horizon=4), [[0, 1, 2, 3], [100, 101, 102, 103]]),
    "d=2, s=4": (dict(execution_horizon=4, latency=2), [[0, 1, 2, 3], [4, 5, 102, 103], [104, 105, 202, 203]]),
    "s=H: hold while waiting": (
        dict(latency=2, execution_horizon=8),
        [[0, 1, 2, 3, 4, 5, 6, 7], [7, 7, 102, 103, 104, 105, 106, 107]],
    ),
    "zero while waiting": (
        dict(latency=2, execution_horizon=8, underrun="zero"),
        [[0, 1, 2, 3, 4, 5, 6, 7], [0, 0, 102, 103, 104, 105, 106, 107]],
    ),
    "a given action while waiting": (
        dict(latency=1, execution_horizon=8, underrun=[-5.0]),
        [[0, 1, 2, 3, 4, 5, 6, 7], [-5, 101, 102, 103, 104, 105, 106, 107]],
    ),
    "synchronous": (
        dict(latency=2, execution_horizon=3, overlap=False),
        [[0, 1, 2], [2, 2, 100, 101, 102], [102, 102, 200, 201, 202]],
    ),
    "charged cold start": (
        dict(latency=2, execution_horizon=4, cold_start="charged"),
        [[0, 0, 2, 3], [4, 5, 102, 103]],
    ),
    "charged cold start with a first action": (
        dict(latency=2, execution_horizon=4, cold_start="charged", first_action=[-7.0]),
        [[-7, -7, 2, 3], [4, 5, 102, 103]],
    ),
    "d > s": (dict(latency=3, execution_horizon=2), [[0, 1], [2, 3, 4], [103, 104, 105]]),
    "d > H": (
        dict(latency=9, execution_horizon=4),
        [[0, 1, 2, 3], [4, 5, 6, 7, 7, 7, 7, 7, 7], [7] * 9],
    ),
    "s is what an inference leaves": (
        dict(latency=2),
        [[0, 1, 2, 3, 4, 5], [6, 7, 102, 103, 104, 105], [106, 107, 202, 203, 204, 205]],
    ),
    "s=H: a synchronous robot runs its whole chunk": (
        dict(latency=2, overlap=False),
        [[0, 1, 2, 3, 4, 5, 6, 7], [7, 7, 100, 101, 102, 103, 104, 105, 106, 107]],
    ),
}
UNDERRUNS = ("ignore::chunkenv.errors.StaleChunkWarning", "ignore::chunkenv.errors.UnderrunWarning")


@pytest.mark.filterwarnings(*UNDERRUNS)
@pytest.mark.parametrize("name", EXECUTED)
def test_what_is_executed(name):
    arguments, lines = EXECUTED[name]
    env = ChunkedExecution(CountingEnv(), 8, info="full", **arguments)
    assert play(env, len(lines)) == lines


@pytest.mark.filterwarnings(*UNDERRUNS)
@pytest.mark.parametrize("underrun", ["hold", "zero", [3.0]])
def test_bookkeeping_by_hand(underrun):
    """H=4, s=4, d=1: each decision has one underrun, and drops the row that came too late."""
    env = ChunkedExecution(CountingEnv(), 4, 4, latency=1, discount=0.5, underrun=underrun)
    env.reset(seed=0)
    _, reward, *_, info = env.step(chunk(0, 4))
    assert (reward, info) == (
        0 + 1 / 2 + 2 / 4 + 3 / 8,
        {"ticks": 4, "discount": 0.0625, "delay": 0, "underruns": 0, "discarded": 0},
    )
    _, reward, *_, info = env.step(chunk(1, 4))
    waited = {"hold": 3.0, "zero": 0.0}.get(str(underrun), 3.0)
    assert (reward, info) == (
        waited + 101 / 2 + 102 / 4 + 103 / 8,
        {"ticks": 4, "discount": 0.0625, "delay": 1, "underruns": 1, "discarded": 1},
    )


def test_full_info_by_hand():
    env = ChunkedExecution(CountingEnv(), 4, 2, latency=3, info="full")
    env.reset(seed=0)
    env.step(chunk(0, 4))
    *_, info = env.step(chunk(1, 4))
    assert info["rewards"].tolist() == [2, 3, 3]
    assert [float(action[0]) for action in info["actions"]] == [2, 3, 3]
    assert info["sources"].tolist() == [[1, 2], [1, 3], [-1, -1]]
    assert info["staleness"].tolist() == [2, 3, -1]
    assert [float(observation[0]) for observation in info["observations"]] == [3, 4, 5]


@pytest.mark.parametrize("end", ["terminate_at", "truncate_at"])
def test_an_end_inside_a_cycle_ends_the_decision(end):
    env = ChunkedExecution(CountingEnv(**{end: 6}), 8, 4, latency=1, discount=0.9)
    env.reset(seed=0)
    env.step(chunk(0))
    observation, reward, terminated, truncated, info = env.step(chunk(1))
    assert (float(observation[0]), reward) == (6.0, 4 + 0.9 * 101)
    assert (terminated, truncated) == (end == "terminate_at", end == "truncate_at")
    assert info["ticks"] == 2
    assert info["discount"] == (0.0 if terminated else 0.9**2)
    with pytest.raises(ResetNeededError, match="call reset"):
        env.step(chunk(2))
    with pytest.raises(ResetNeededError, match="cannot read the request"):
        _ = env.request


def test_stop_truncates_before_the_underrun():
    env = ChunkedExecution(CountingEnv(), 8, 7, latency=2, underrun="stop", info="full")
    env.reset(seed=0)
    env.step(chunk(0))
    observation, reward, terminated, truncated, info = env.step(chunk(1))
    assert (float(observation[0]), reward, terminated, truncated) == (8.0, 7.0, False, True)
    assert (info["ticks"], info["underruns"], info["discount"]) == (1, 1, 1.0)
    with pytest.raises(ResetNeededError):
        env.step(chunk(2))


def test_stop_with_nothing_played():
    env = ChunkedExecution(CountingEnv(), 8, 8, latency=2, underrun="stop", info="full")
    env.reset(seed=0)
    last, *_ = env.step(chunk(0))
    last[:] = -1.0
    observation, reward, terminated, truncated, info = env.step(chunk(1))
    assert observation.tolist() == [8.0]
    assert not np.shares_memory(observation, last)
    assert (reward, terminated, truncated, info["ticks"], info["underruns"]) == (0.0, False, True, 0, 1)
    assert info["sources"].shape == (0, 2)


def test_nothing_survives_a_reset():
    env = ChunkedExecution(CountingEnv(), 8, 4, latency=2, info="full")
    first = play(env, 3)
    assert play(env, 3) == first
    env.reset()
    assert (env.request.tick, env.request.prefix_length, len(env.request.left_over)) == (0, 0, 0)


@given(
    st.integers(1, 6).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h))),
    st.integers(0, 9),
    st.booleans(),
    st.sampled_from(["free", "charged"]),
    st.integers(0, 2**31),
)
@settings(deadline=None)
def test_plays_what_the_clock_says(horizons, longest, overlap, cold_start, seed):
    """Random delays: rewards, sources, prefix, and the ledger of rows agree with the clock, decision by decision."""
    latency = Uniform(0.0, longest * 0.05)
    arguments = dict(overlap=overlap, cold_start=cold_start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StaleChunkWarning)
        env = ChunkedExecution(
            CountingEnv(), *horizons, latency, underrun=[-1.0], info="full", control_dt=0.05, **arguments
        )
    clock = ChunkClock(*horizons, **arguments)
    env.reset(seed=seed)
    for number in range(8):
        request = env.request
        expected_prefix = [100 * (number - 1) + row for row in clock.prefix(request.delay_estimate)]
        assert request.prefix[:, 0].tolist() == expected_prefix
        assert request.left_over[:, 0].tolist() == [100 * (number - 1) + row for row in clock.left]
        *_, info = env.step(chunk(number, horizons[0]))
        assert info["delay"] == request.delay_estimate, "the oracle was wrong"
        cycle = clock.cycle(info["delay"])
        sources = cycle.sources()
        assert info["sources"].tolist() == [list(source) for source in sources]
        named = [-1 if source.age < 0 else 100 * (number - source.age) + source.row for source in sources]
        assert info["rewards"].tolist() == named
        assert (info["ticks"], info["underruns"]) == (cycle.ticks, cycle.underruns)
        clock.advance(cycle)


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "InvertedPendulum-v5", "tests/Recorder-v0"])
def test_one_row_without_delay_is_the_environment_bit_for_bit(name):
    bare, env = gym.make(name), ChunkedExecution(gym.make(name), 1)
    for world in (bare, env):
        world.action_space.seed(3)
    bare.action_space.seed(3)
    _same(bare.reset(seed=7), env.reset(seed=7))
    for _ in range(40):
        action = bare.action_space.sample()
        expected, got = bare.step(action), env.step(np.asarray(action)[None])
        added = {key: got[4].pop(key) for key in ("ticks", "discount", "delay", "underruns", "discarded")}
        assert (added["ticks"], added["delay"], added["underruns"], added["discarded"]) == (1, 0, 0, 0)
        _same(expected, got)
        if expected[2] or expected[3]:
            _same(bare.reset(), env.reset())


def _same(one, other):
    assert pickle.dumps(_plain(one)) == pickle.dumps(_plain(other))


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return (value.dtype.str, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else float(value)


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("observe_prefix", [False, True, "flat"])
def test_every_action_space(name, observe_prefix):
    env = ChunkedExecution(
        Recorder(ACTIONS[name]), 4, 2, latency=1, observe_prefix=observe_prefix, info="full", discount=0.9
    )
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    for _ in range(5):
        assert env.observation_space.contains(observation), observation
        observation, *_ = env.step(env.action_space.sample())
    assert len(env.unwrapped.actions) == 10


def test_the_executed_rows_are_the_chunks_rows_in_a_dict():
    env = ChunkedExecution(Recorder(ACTIONS["dict"]), 3, 2, latency=1)
    env.action_space.seed(0)
    env.reset(seed=0)
    first, second = env.action_space.sample(), env.action_space.sample()
    env.step(first)
    assert env.request.prefix["grip"].tolist() == first["grip"][2:].tolist()
    env.step(second)
    grips = [int(action["grip"]) for action in env.unwrapped.actions]
    assert grips == [int(first["grip"][0]), int(first["grip"][1]), int(first["grip"][2]), int(second["grip"][1])]


def test_the_caller_may_reuse_its_chunk():
    env = ChunkedExecution(CountingEnv(), 8, 4, latency=3, info="full")
    env.reset(seed=0)
    mine = chunk(0)
    env.step(mine)
    mine[:] = -99
    assert env.request.prefix[:, 0].tolist() == [4, 5, 6]
    env.request.prefix[:] = -99
    *_, info = env.step(chunk(1))
    assert info["rewards"].tolist() == [4, 5, 6, 103]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("oracle", [0, 4, 1, 3, 2]),
        ("last", [0, 9, 4, 1, 3]),
        ("max", [0, 9, 4, 4, 4]),
        ("max:2", [0, 9, 4, 4, 3]),
        ("mean", [0, 9, 4, 3, 3]),
        ("mean:2", [0, 9, 4, 3, 2]),
    ],
)
def test_delay_estimates(kind, expected, monkeypatch):
    """Delays 4, 1, 3, 2 after the free first chunk; before any was met: the model's mean, here 9."""
    env = ChunkedExecution(CountingEnv(), 12, 4, LogNormal(0.9, 0.0), control_dt=0.1, delay_estimate=kind)
    monkeypatch.setattr(env._delays, "next", iter([4, 1, 3, 2, 2]).__next__)
    env.reset(seed=0)
    estimates = []
    for number in range(5):
        estimates.append(env.request.delay_estimate)
        env.step(chunk(number, 12))
    assert estimates == expected


def test_the_prefix_is_what_the_estimate_says():
    env = ChunkedExecution(CountingEnv(), 8, 4, latency=3, delay_estimate="oracle")
    env.reset(seed=0)
    env.step(chunk(0))
    request = env.request
    assert request.prefix[:, 0].tolist() == [4, 5, 6]
    assert request.left_over[:, 0].tolist() == [4, 5, 6, 7]
    assert (request.tick, request.prefix_length, request.execution_horizon, request.rng) == (4, 3, 4, None)


def test_observed_prefix():
    env = ChunkedExecution(CountingEnv(), 4, 2, latency=1, observe_prefix=True)
    observation, _ = env.reset(seed=0)
    assert list(observation) == ["observation", "prefix", "prefix_length", "delay_estimate"]
    assert (observation["prefix_length"].tolist(), observation["delay_estimate"].tolist()) == ([0], [0])
    observation, *_ = env.step(chunk(1, 4))
    assert observation["observation"].tolist() == [2]
    assert observation["prefix"][:, 0].tolist() == [102, 0, 0, 0]
    assert (observation["prefix_length"].tolist(), observation["delay_estimate"].tolist()) == ([1], [1])


def test_a_truncated_observation_carries_the_prefix_that_the_next_request_would_have():
    env = ChunkedExecution(CountingEnv(truncate_at=3), 4, 2, latency=1, observe_prefix=True)
    env.reset(seed=0)
    env.step(chunk(0, 4))
    observation, _, _, truncated, _ = env.step(chunk(1, 4))
    assert truncated
    assert (observation["prefix_length"].tolist(), observation["prefix"][0].tolist()) == ([1], [101])


def test_a_terminal_observation_has_no_prefix():
    env = ChunkedExecution(CountingEnv(terminate_at=3), 4, 2, latency=1, observe_prefix=True)
    env.reset(seed=0)
    env.step(chunk(0, 4))
    observation, _, terminated, *_ = env.step(chunk(1, 4))
    assert terminated
    assert (observation["prefix_length"].tolist(), observation["delay_estimate"].tolist()) == ([0], [0])


def test_flat_is_the_dict_flattened():
    arguments = dict(prediction_horizon=4, execution_horizon=2, latency=1)
    nested = ChunkedExecution(CountingEnv(), **arguments, observe_prefix=True)
    flat = ChunkedExecution(CountingEnv(), **arguments, observe_prefix="flat")
    for env in (nested, flat):
        env.reset(seed=0)
    one, other = nested.step(chunk(0, 4))[0], flat.step(chunk(0, 4))[0]
    assert np.array_equal(gym.spaces.flatten(nested.observation_space, one).astype(np.float32), other)
    assert flat.observation_space.dtype == np.float32


def test_a_dict_observation_gets_the_keys_beside_its_own():
    env = ChunkedExecution(Recorder(), 4, observe_prefix=True)
    assert sorted(env.observation_space.spaces) == ["delay_estimate", "luck", "prefix", "prefix_length", "tick"]


def delays_of(env, seed, decisions=30):
    env.reset(seed=seed)
    return [env.step(chunk(number))[4]["delay"] for number in range(decisions)]


def test_latency_is_seeded():
    env = ChunkedExecution(CountingEnv(render_fps=20), 8, 4, Uniform(0.0, 0.3))
    assert delays_of(env, 1) == delays_of(env, 1)
    assert delays_of(env, 1) != delays_of(env, 2)
    assert delays_of(env, None) != delays_of(env, None), "an unseeded reset goes on with its stream"


def test_latency_does_not_touch_the_worlds_randomness():
    """The same actions meet the same world, whatever the latency draws."""
    worlds = []
    for latency in (0, Uniform(0.0, 0.2)):
        env = ChunkedExecution(Recorder(), 1, latency=latency, overlap=False, underrun="zero", info="full")
        env.reset(seed=5)
        lucks = []
        while len(lucks) < 12:
            lucks += [info_observation["luck"].tolist() for info_observation in _ticks(env)]
        worlds.append(lucks[:12])
    assert worlds[0] == worlds[1]


def _ticks(env):
    return env.step(np.zeros((1, 2), np.float32))[4]["observations"]


def test_two_stacked_wrappers_have_streams_of_their_own():
    inner = ChunkedExecution(CountingEnv(render_fps=20), 1, latency=Uniform(0.0, 0.5), overlap=False)
    outer = ChunkedExecution(inner, 1, latency=Uniform(0.0, 0.5), overlap=False, control_dt=0.05)
    outer.reset(seed=0)
    draws = [(outer._delays.next(), inner._delays.next()) for _ in range(20)]
    assert any(one != other for one, other in draws)


def test_seconds_become_ticks_by_the_frame_rate_or_control_dt():
    env = ChunkedExecution(CountingEnv(render_fps=20), 8, 4, Constant(0.1))
    assert delays_of(env, 0, 3) == [0, 2, 2]
    env = ChunkedExecution(CountingEnv(render_fps=20), 8, 4, {"model": "constant", "seconds": 0.1}, control_dt=0.1)
    assert delays_of(env, 0, 3) == [0, 1, 1]


def test_warns_once_when_chunks_will_mostly_be_stale():
    with pytest.warns(StaleChunkWarning, match="latency=24 is 24 ticks on average, more than prediction_horizon=16"):
        ChunkedExecution(CountingEnv(), 16, latency=24)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ChunkedExecution(CountingEnv(), 16, latency=24, overlap=False)


CERTAIN = {
    "s=H": (dict(execution_horizon=8, latency=2), "2 of the 8 ticks.*; choose execution_horizon=6 or less"),
    "one too many": (dict(execution_horizon=7, latency=2), "1 of the 7 ticks"),
    "more than half of a chunk": (dict(latency=5), "execution_horizon=3 .* 2 of the 5 ticks.*prediction_horizon=10"),
    "the whole chunk": (dict(latency=8), "execution_horizon=1 .* 8 of the 8 ticks.*prediction_horizon=16 or more"),
    "seconds": (dict(execution_horizon=8, latency=Constant(0.1)), "leave 2 of the 8 ticks"),
    "the least of a model": (dict(execution_horizon=7, latency=Uniform(0.1, 0.3)), "at least 2 of the 7 ticks"),
    "none in a million takes no time": (dict(execution_horizon=8, latency=LogNormal(0.1, 0.3)), "at least 1 of the 8"),
    "stopped at the first": (dict(execution_horizon=8, latency=2, underrun="stop"), "2 of the 8 ticks"),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_certain_underruns_are_warned_of_once(name):
    arguments, sentence = CERTAIN[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        env = ChunkedExecution(CountingEnv(render_fps=20), 8, info="actions", **arguments)
        play(env, 3)
    (warning,) = caught
    assert (warning.category, warning.filename) == (UnderrunWarning, __file__)
    assert re.search(sentence, str(warning.message))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("latency", [0, 1, 4, Constant(0.2), Uniform(0.0, 0.3), LogNormal(0.08, 0.3)])
@pytest.mark.parametrize("overlap", [True, False])
def test_horizons_by_default_leave_rows_for_an_inference(latency, overlap):
    env = ChunkedExecution(CountingEnv(render_fps=20), 8, latency=latency, overlap=overlap)
    typical = latency if isinstance(latency, int) else math.ceil(latency.mean() / 0.05)
    assert env.execution_horizon == (8 - typical if overlap else 8)


OPTIONS = {
    "plain": dict(),
    "delayed": dict(execution_horizon=2, latency=1, underrun="hold", discount=0.9),
    "model": dict(execution_horizon=2, latency=Uniform(0.0, 0.1), control_dt=0.05, delay_estimate="max:3"),
    "prefix": dict(execution_horizon=2, latency=1, observe_prefix=True),
    "flat": dict(execution_horizon=2, latency=1, observe_prefix="flat", info="full"),
}
WORLDS = ["Pendulum-v1", "CartPole-v1", "tests/Recorder-v0", "InvertedPendulum-v5"]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", WORLDS)
def test_both_checkers_pass(name, options):
    """No warning but those that the bare environment gets, or that name a shape that was asked for."""
    bare = _warnings_of(gym.make(name).unwrapped)
    env = ChunkedExecution(gym.make(name), 4, **OPTIONS[options])
    added = {text for text in _warnings_of(env) - bare if "is different from the unwrapped version" not in text}
    assert {text for text in added if "observation prefix has an unconventional shape" not in text} == set()


def _warnings_of(env):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(env, skip_render_check=True)
        check_env_sb3(env, skip_render_check=True)
    return {str(warning.message) for warning in caught}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", WORLDS)
def test_rebuilds_from_its_spec(name, options):
    env = ChunkedExecution(gym.make(name), 4, **OPTIONS[options])
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(again, ChunkedExecution)
    assert again.spec.to_json() == env.spec.to_json()
    assert (again.observation_space, again.action_space) == (env.observation_space, env.action_space)
    assert _episode(again) == _episode(env)


@pytest.mark.parametrize("options", OPTIONS)
def test_pickles_and_copies_in_the_middle_of_an_episode(options):
    env = ChunkedExecution(gym.make("CartPole-v1"), 4, **OPTIONS[options])
    env.reset(seed=0)
    env.step(np.array([0, 1, 0, 1]))
    twins = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    expected = _plain(list(env.step(np.array([1, 0, 1, 0]))))
    for twin in twins:
        assert _plain(list(twin.step(np.array([1, 0, 1, 0])))) == expected


BYTES = gym.spaces.Box(0, 255, (2,), np.uint8)


@pytest.mark.parametrize("name", ["dict", "tuple", "nested", "discrete", "bytes"])
def test_an_underrun_action_survives_json(name):
    space = BYTES if name == "bytes" else ACTIONS[name]
    space.seed(0)
    env = ChunkedExecution(Recorder(space), 2, latency=1, underrun=space.sample())
    kwargs = json.loads(json.dumps(env._saved_kwargs))
    again = ChunkedExecution(Recorder(space), **kwargs)
    assert again._saved_kwargs == kwargs
    assert _plain(again._underrun.action(None)) == _plain(env._underrun.action(None))


def _episode(env):
    env.action_space.seed(1)
    record = [_plain(env.reset(seed=2))]
    for _ in range(6):
        record.append(_plain(list(env.step(env.action_space.sample()))))
        if record[-1][2] or record[-1][3]:
            break
    return record


def test_renders_through():
    env = ChunkedExecution(gym.make("tests/Recorder-v0", render_mode="rgb_array"), 4)
    env.reset(seed=0)
    env.step(np.zeros((4, 2), np.float32))
    assert (env.render() == 4).all()


def test_reaches_through_outer_wrappers():
    env = gym.wrappers.RecordEpisodeStatistics(ChunkedExecution(CountingEnv(), 4, 2))
    env.reset(seed=0)
    assert env.get_wrapper_attr("request").tick == 0
    assert (env.get_wrapper_attr("prediction_horizon"), env.get_wrapper_attr("execution_horizon")) == (4, 2)


def test_an_environment_that_raises_inside_a_chunk_is_named_with_the_tick():
    class Fragile(CountingEnv):
        def step(self, action):
            if self.tick == 5:
                raise ZeroDivisionError("the gripper fell off")
            return super().step(action)

    env = ChunkedExecution(Fragile(), 4)
    env.reset(seed=0)
    env.step(chunk(0, 4))
    with pytest.raises(ZeroDivisionError) as caught:
        env.step(chunk(1, 4))
    assert "Fragile" in caught.value.__notes__[0]
    assert "at tick 5" in caught.value.__notes__[0]
    with pytest.raises(ResetNeededError):
        env.step(chunk(1, 4))
    env.reset(seed=0)
    env.step(chunk(0, 4))


def test_a_reward_that_is_not_a_number_is_a_fault():
    class Broken(CountingEnv):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, float("nan") if self.tick == 3 else 0.0, *rest

    env = ChunkedExecution(Broken(), 4)
    env.reset(seed=0)
    with pytest.raises(EnvironmentFault, match=r"returned the rewards \[0.0, 0.0, nan, 0.0\] from tick 0 on"):
        env.step(chunk(0, 4))


BAD_ARGUMENTS = [
    (dict(prediction_horizon=0), "prediction_horizon=0 is too small"),
    (dict(prediction_horizon=4.0), "prediction_horizon=4.0 is not a whole number"),
    (dict(execution_horizon=5), "execution_horizon=5 is more than prediction_horizon=4"),
    (dict(execution_horizon=0), "execution_horizon=0 is too small"),
    (dict(latency=-1), "latency=-1"),
    (dict(latency=0.05), "Constant"),
    (dict(latency=True), "latency=True"),
    (dict(latency="slow"), "latency='slow'"),
    (dict(latency=None), "latency=None"),
    (dict(latency=float("nan")), "latency=nan"),
    (dict(latency={"model": "lognorml"}), "did you mean 'lognormal'"),
    (dict(latency={}), "latency"),
    (dict(latency=Constant(0.1)), "give control_dt"),
    (dict(latency=Constant(0.1), control_dt=0.0), "control_dt=0.0"),
    (dict(latency=Constant(0.1), control_dt=-1), "control_dt=-1"),
    (dict(latency=Constant(0.1), control_dt=float("inf")), "control_dt=inf"),
    (dict(control_dt="fast"), "control_dt='fast'"),
    (dict(overlap=None), "overlap=None is not True or False"),
    (dict(underrun="holt"), "did you mean 'hold'"),
    (dict(underrun="nothing at all"), "choose one of 'hold', 'zero', 'stop'"),
    (dict(cold_start="cold"), "cold_start='cold' is unknown"),
    (dict(discount=1.1), "discount=1.1 is not a finite number from 0 to 1"),
    (dict(discount=-0.1), "discount=-0.1"),
    (dict(discount=float("nan")), "discount=nan"),
    (dict(discount="0.9"), "discount='0.9'"),
    (dict(observe_prefix="flatt"), "observe_prefix='flatt' is unknown"),
    (dict(observe_prefix=1), "observe_prefix=1 is unknown"),
    (dict(delay_estimate="orcale"), "did you mean 'oracle'"),
    (dict(delay_estimate="mean:0"), "delay_estimate='mean:n'=0 is too small"),
    (dict(delay_estimate="max:0"), "delay_estimate='max:n'=0 is too small"),
    (dict(delay_estimate="max:many"), "'many' is not a whole number"),
    (dict(delay_estimate="max:"), "is not a whole number"),
    (dict(delay_estimate="last:3"), "delay_estimate='last:3' is unknown"),
    (dict(delay_estimate=3), "delay_estimate=3 is unknown"),
    (dict(info="verbose"), "info='verbose' is unknown"),
    (dict(info=None), "info=None is unknown"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_ARGUMENTS)
def test_bad_arguments(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence.replace("(", r"\(")) as caught:
        ChunkedExecution(CountingEnv(), **{"prediction_horizon": 4} | arguments)
    assert "\n" not in str(caught.value)


BAD_FOR_DISCRETE = [
    (dict(underrun="zero"), ArgumentError, "underrun='zero' needs a Box"),
    (dict(underrun=2), ActionError, "the underrun action 2 is out of range"),
    (dict(underrun=0.5), ActionError, "the underrun action has dtype float64"),
    (dict(underrun=[0]), ActionError, r"the underrun action has shape \(1,\); expected \(\)"),
    (dict(latency=1, cold_start="charged"), ArgumentError, "give first_action"),
    (dict(latency=1, cold_start="charged", first_action=7), ActionError, "the first_action 7 is out of range"),
]


@pytest.mark.parametrize(("arguments", "error", "sentence"), BAD_FOR_DISCRETE)
def test_bad_underruns_of_a_discrete_action(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        ChunkedExecution(gym.make("CartPole-v1"), 4, **arguments)


def test_a_discrete_robot_can_start_cold_with_a_first_action():
    env = ChunkedExecution(
        Recorder(ACTIONS["discrete"]), 4, 4, latency=2, cold_start="charged", first_action=7, info="full"
    )
    env.reset(seed=0)
    *_, info = env.step(np.array([5, 5, 6, 6]))
    assert info["actions"] == [7, 7, 6, 6]


def test_spaces_that_cannot_be_chunked_are_refused():
    with pytest.raises(ArgumentError, match="cannot be chunked"):
        ChunkedExecution(Recorder(gym.spaces.Text(3)), 4)


def test_a_dict_observation_with_a_prefix_of_its_own_is_refused():
    class Taken(Recorder):
        def __init__(self):
            super().__init__()
            self.observation_space = gym.spaces.Dict({"prefix": gym.spaces.Discrete(2)})

    with pytest.raises(ArgumentError, match="would overwrite the observation's own"):
        ChunkedExecution(Taken(), 4, observe_prefix=True)


BAD_CHUNKS = {
    "box": [
        (np.zeros((3, 2), np.float32), r"shape \(3, 2\); expected \(4, 2\)"),
        (np.zeros((4,), np.float32), r"shape \(4,\)"),
        (np.zeros((4, 2, 1), np.float32), r"shape \(4, 2, 1\)"),
        (np.zeros((0, 2), np.float32), r"shape \(0, 2\)"),
        (0.0, r"shape \(\)"),
        (None, r"shape \(\)"),
        ("forward", r"shape \(\)"),
        ({"arm": 1}, r"shape \(\)"),
        ([[0, 0], [0, 0], [0, 0], [0]], "is ragged"),
        (np.full((4, 2), np.nan, np.float32), r"value nan at index \(0, 0\)"),
        (np.array([[0, 0], [0, 0], [0, np.inf], [0, 0]]), r"value inf at index \(2, 1\)"),
        (np.array([[0, 0], [-np.inf, 0], [0, 0], [0, 0]]), r"value -inf at index \(1, 0\)"),
        (np.full((4, 2), 1e300), r"value inf at index \(0, 0\)"),
        (np.zeros((4, 2), complex), "dtype complex128"),
        (np.zeros((4, 2), object), "dtype object"),
        (np.full((4, 2), "a"), "dtype <U1"),
    ],
    "discrete": [
        (np.array([5, 6, 7, 8]), "out of range"),
        (np.array([5, 6, 7, 4]), "out of range"),
        (np.array([5.0, 5.0, 5.0, 5.0]), "dtype float64; expected int64"),
        (np.array([5, 5, 5]), r"shape \(3,\)"),
        (np.array([[5], [5], [5], [5]]), r"shape \(4, 1\)"),
        (5, r"shape \(\)"),
    ],
    "multidiscrete": [
        (np.array([[0, 0], [1, 2], [2, 0], [0, 0]]), "out of range"),
        (np.array([[0, 0], [1, 2], [-1, 0], [0, 0]]), "out of range"),
        (np.zeros(8, np.int64), r"shape \(8,\)"),
    ],
    "multibinary": [(np.full((4, 3), 2, np.int8), "out of range"), (np.zeros((4, 2), np.int8), r"shape \(4, 2\)")],
    "dict": [
        ({"arm": np.zeros((4, 2), np.float32)}, r"expected a dict with the keys \['arm', 'grip'\]"),
        ({"arm": np.zeros((4, 2)), "grip": np.array([0, 1, 2, 0])}, r"chunk\['grip'\] \[0, 1, 2, 0\] is out of range"),
        ({"arm": np.full((4, 2), np.nan), "grip": np.zeros(4, int)}, r"chunk\['arm'\] has the value nan"),
        ({"arm": np.zeros((4, 2)), "grip": np.zeros(4, int), "leg": 1}, "expected a dict"),
        (np.zeros((4, 2)), "expected a dict"),
    ],
    "tuple": [
        ((np.zeros((4, 1)),), "expected a tuple of 2 parts"),
        (np.zeros((4, 1)), "expected a tuple of 2 parts"),
        ((np.zeros((4, 1)), np.full((4, 2), 3, np.int8)), r"chunk\[1\]"),
    ],
}


@pytest.mark.parametrize(
    ("name", "bad", "sentence"), [(name, bad, text) for name, cases in BAD_CHUNKS.items() for bad, text in cases]
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_a_bad_chunk_changes_nothing(name, bad, sentence):
    env = ChunkedExecution(Recorder(ACTIONS[name]), 4, 2, latency=Uniform(0.0, 0.1))
    env.action_space.seed(0)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    twin = copy.deepcopy(env)
    with pytest.raises(ActionError, match=sentence) as caught:
        env.step(bad)
    assert "\n" not in str(caught.value)
    good = env.action_space.sample()
    assert _plain(list(env.step(good))) == _plain(list(twin.step(good)))


@pytest.mark.parametrize("act", [lambda env: env.step(chunk(0)), lambda env: env.request])
def test_before_the_first_reset(act):
    with pytest.raises(ResetNeededError, match="has not begun or is over; call reset"):
        act(ChunkedExecution(CountingEnv(), 8))


def test_nan_in_an_observation_is_a_fault_of_the_environment():
    env = ChunkedExecution(Faulty(fault="nan observation", at=8), prediction_horizon=6, execution_horizon=4, latency=2)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    with pytest.raises(EnvironmentFault, match=r"Faulty.* returned an observation with NaN at tick 8; expected"):
        env.step(env.action_space.sample())
    with pytest.raises(ResetNeededError):
        env.step(env.action_space.sample())
