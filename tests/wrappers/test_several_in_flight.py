"""Several inferences in flight, and rows that stream, as an environment plays them."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution
from chunkenv.errors import ArgumentError, UnderrunWarning
from chunkenv.latency import LatencyModel, LogNormal, Streamed, Uniform
from tests.worlds import ACTIONS, Recorder


class Numbered(gym.Env):
    """Observes the tick; a member of a chunk is a number, so that every action tells its chunk and row."""

    observation_space = gym.spaces.Box(0.0, 1e6, (1,), np.float32)
    action_space = gym.spaces.Box(-1e6, 1e6, (1,), np.float32)
    dt = 1.0

    def __init__(self, limit=40, ends=None):
        self.limit, self.ends = limit, ends

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick, self.actions = 0, []
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.actions.append(float(action[0]))
        self.tick += 1
        seen = np.array([self.tick], np.float32)
        return seen, 1.0, self.tick == self.ends, self.tick >= self.limit, {}


def numbered_chunk(number, horizon):
    """Row i of the chunk of decision `number`: 100 * number + i."""
    return (100 * number + np.arange(horizon, dtype=np.float32))[:, None]


def play(env, decisions=1000):
    """Infos and requests of the decisions of an episode."""
    infos, requests = [], []
    env.reset(seed=0)
    for number in range(decisions):
        requests.append(env.request)
        *_, terminated, truncated, info = env.step(numbered_chunk(number, env.prediction_horizon))
        infos.append(info)
        if terminated or truncated:
            break
    return infos, requests


# H, s, delay, k, period: the ticks of the first requests, and the rows of the ticks of later decisions.
TABLE = {
    "two, d > s": (8, 2, 4, 2, None, [0, 2, 4, 6], [[4, 5], [4, 5]]),
    "three": (8, 2, 6, 3, None, [0, 2, 4, 6], [[6, 7], [6, 7]]),
    "two, too few": (8, 3, 6, 2, None, [0, 3, 6], [[6, 7, -1], [6, 7, -1]]),
    "three, as soon as possible": (8, 1, 6, 3, 1, [0, 1, 2, 3, 7, 8], None),
}


@pytest.mark.parametrize("name", TABLE)
def test_worked_tables(name):
    horizon, executed, delay, most, period, ticks, rows = TABLE[name]
    options = {"max_in_flight": most, "request_period": period, "info": "full"}
    infos, requests = play(ChunkedExecution(Numbered(), horizon, executed, delay, **options))
    assert [request.tick for request in requests][: len(ticks)] == ticks
    if rows:
        assert [info["sources"][:, 1].tolist() for info in infos[5:7]] == rows
    else:
        assert sum(info["underruns"] for info in infos[4:13]) == 6  # two of six ticks, three decisions in six ticks
    assert all(info["in_flight"] <= most - 1 for info in infos[:-1])


@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
@pytest.mark.parametrize("delay_estimate", ["oracle", "last", "max:3"])
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(5, 9),
    st.integers(1, 45),
)
def test_every_row_runs_at_its_tick_and_info_tells_it(delay_estimate, delays, most, executed, horizon, ends):
    options = {"max_in_flight": most, "delay_estimate": delay_estimate, "info": "full", "underrun": [-7.0]}
    if most > 1:
        options["request_period"] = executed
    env = ChunkedExecution(Numbered(ends=ends), horizon, executed, Listed(tuple(delays)), control_dt=1.0, **options)
    infos, requests = play(env)
    for number, (info, request) in enumerate(zip(infos, requests, strict=True)):
        for place, (age, row) in enumerate(info["sources"].tolist()):
            action, tick = env.unwrapped.actions[request.tick + place], request.tick + place
            if age < 0:
                assert (action, info["staleness"][place]) == (-7.0, -1)
                continue
            chunk = number - age
            assert action == 100 * chunk + row
            assert requests[chunk].tick + row == tick
            assert info["staleness"][place] == row
    promised = [request.prefix.ravel().tolist() for request in requests]
    if delay_estimate == "oracle" and (most == 1 or len(set(delays)) == 1):
        for request, prefix in zip(requests, promised, strict=True):
            ran = env.unwrapped.actions[request.tick : request.tick + len(prefix)]
            assert ran == prefix[: len(ran)]
        assert not any(info.get("broken_prefix") for info in infos)


class Listed(LatencyModel):
    """Delays out of a list, round its end."""

    def __init__(self, delays):
        self.delays = delays

    def begin(self, rng):
        return 0

    def draw(self, rng, state):
        return float(self.delays[state % len(self.delays)]), state + 1

    def mean(self):
        return float(max(self.delays))


def test_a_broken_promise_is_counted():
    """Chunk 1 takes seven ticks, chunk 2 one: it arrives first, and chunk 1 was promised the rows of chunk 0."""
    latency = Listed((7, 1, 1))
    options = {"max_in_flight": 2, "request_period": 3, "info": "full"}
    env = ChunkedExecution(Numbered(), 12, 3, latency, control_dt=1.0, **options)
    infos, requests = play(env, decisions=4)
    assert requests[1].prefix.ravel().tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert env.unwrapped.actions == [0, 1, 2, 3, 4, 5, 6, 201, 202, 203, 301, 302]
    # Ticks 7, 8 and 9: chunk 1 was to see rows 7, 8 and 9 of chunk 0 there.
    assert [info["broken_prefix"] for info in infos] == [0, 0, 2, 1]
    assert [info["overtaken"] for info in infos] == [0, 0, 0, 1]


def test_the_request_shows_what_is_in_flight():
    env = ChunkedExecution(Numbered(), 8, 2, 6, max_in_flight=3, observe_prefix=True)
    play(env, decisions=4)
    newest, older = env.request.pending
    assert (newest.age, older.age) == (2, 4)
    assert newest.chunk.ravel().tolist() == numbered_chunk(3, 8).ravel().tolist()
    assert older.chunk.ravel().tolist() == numbered_chunk(2, 8).ravel().tolist()
    # Rows 6 and 7 of chunk 1, which arrives now, of chunk 2 in two ticks, of chunk 3 in four.
    assert env.request.prefix.ravel().tolist() == [106, 107, 206, 207, 306, 307]


def test_the_observation_carries_it():
    env = ChunkedExecution(Numbered(), 8, 2, 6, max_in_flight=3, observe_prefix=True)
    env.reset(seed=0)
    seen = [env.step(numbered_chunk(number, 8))[0] for number in range(4)]
    assert all(env.observation_space.contains(each) for each in seen)
    assert [each["pending_mask"].tolist() for each in seen] == [[0, 0], [1, 0], [1, 1], [1, 1]]
    assert [each["pending_age"].tolist() for each in seen] == [[0, 0], [2, 0], [2, 4], [2, 4]]
    assert seen[-1]["pending"][:, 0, 0].tolist() == [300, 200]
    assert seen[0]["pending"].shape == (2, 8, 1)


def test_the_flat_observation_is_the_dict_laid_out():
    arguments = {"prediction_horizon": 8, "execution_horizon": 2, "latency": 4, "max_in_flight": 2}
    nested = ChunkedExecution(Numbered(), observe_prefix=True, **arguments)
    flat = ChunkedExecution(Numbered(), observe_prefix="flat", **arguments)
    nested.reset(seed=0), flat.reset(seed=0)
    for number in range(5):
        chunk = numbered_chunk(number, 8)
        expected = gym.spaces.flatten(nested.observation_space, nested.step(chunk)[0])
        np.testing.assert_array_equal(flat.step(chunk)[0], expected)


@pytest.mark.parametrize("name", ACTIONS)
def test_any_action_space(name):
    env = ChunkedExecution(Recorder(ACTIONS[name]), 6, 1, 3, max_in_flight=3, observe_prefix=True, info="full")
    env.reset(seed=0)
    env.action_space.seed(0)
    chunks, done = [], False
    while not done:
        assert len(env.request.pending) == min(len(chunks[1:]), 2)
        chunks.append(env.action_space.sample())
        observation, _, _, done, info = env.step(chunks[-1])
        assert env.observation_space.contains(observation)
    assert info["sources"].tolist() == [[3, 3]]


@pytest.mark.parametrize("ends", [None, 5])
def test_equal_to_one_at_a_time_where_one_is_enough(ends):
    arguments = {"latency": 2, "info": "full", "observe_prefix": True}
    one = ChunkedExecution(Numbered(ends=ends), 8, 4, **arguments)
    two = ChunkedExecution(Numbered(ends=ends), 8, 4, max_in_flight=2, **arguments)
    for ones, twos in zip(*(play(env)[0] for env in (one, two)), strict=True):
        assert {
            key: twos[key].tolist() if key == "sources" else twos[key] for key in ("ticks", "delay", "sources")
        } == {key: ones[key].tolist() if key == "sources" else ones[key] for key in ("ticks", "delay", "sources")}
        assert (twos["discarded"], twos["underruns"]) == (ones["discarded"], ones["underruns"])


@pytest.mark.parametrize("underrun", ["hold", "stop", [3.0]])
@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("cold_start", ["free", "charged"])
@pytest.mark.parametrize(("horizon", "executed", "delay"), [(8, 4, 2), (4, 4, 3), (3, 1, 5), (5, 2, 0)])
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_rows_that_come_together_are_a_chunk_to_the_bit(horizon, executed, delay, cold_start, overlap, underrun):
    options = {
        "cold_start": cold_start,
        "overlap": overlap,
        "underrun": underrun,
        "info": "full",
        "observe_prefix": "flat",
        "control_dt": 1.0,
    }
    whole = ChunkedExecution(Numbered(limit=23), horizon, executed, delay, **options)
    rows = ChunkedExecution(Numbered(limit=23), horizon, executed, Streamed((float(delay),) * horizon), **options)
    for env in (whole, rows):
        env.reset(seed=0)
    done, number = False, 0
    while not done:
        assert pickle.dumps(whole.request._replace(left_over=0, prefix=0)) == pickle.dumps(
            rows.request._replace(left_over=0, prefix=0)
        )
        np.testing.assert_array_equal(whole.request.left_over, rows.request.left_over)
        one, two = (env.step(numbered_chunk(number, horizon)) for env in (whole, rows))
        info = two[-1]
        assert info.pop("row_delays").shape == (horizon,)
        assert pickle.dumps([np.asarray(one[0]), *one[1:4]]) == pickle.dumps([np.asarray(two[0]), *two[1:4]])
        assert str(one[-1]) == str(info)
        done, number = one[2] or one[3], number + 1
    assert whole.unwrapped.actions == rows.unwrapped.actions


def test_rows_that_stream_by_hand():
    latency = Streamed((1.0,) * 4 + (3.0,) * 4)
    infos, requests = play(ChunkedExecution(Numbered(), 8, 4, latency, info="full"))
    assert infos[3]["sources"].tolist() == [[1, 4], [0, 1], [0, 2], [0, 3]]
    assert [infos[3][key] for key in ("delay", "underruns")] == [1, 0]
    assert infos[3]["row_delays"].tolist() == [1, 1, 1, 1, 3, 3, 3, 3]
    assert infos[0]["row_delays"].tolist() == [0] * 8  # the first chunk is free
    assert requests[3].prefix_length == 1


def test_a_row_that_is_missing_is_an_underrun():
    """Row 2 is there at tick 4 only; the chunk before it does not act again."""
    latency = Streamed((1.0, 1.0, 4.0, 4.0, 4.0, 4.0))
    infos, _ = play(ChunkedExecution(Numbered(), 6, 4, latency, info="full", underrun=[-7.0]))
    assert infos[2]["sources"].tolist() == [[1, 4], [0, 1], [-1, -1], [-1, -1]]
    assert infos[2]["underruns"] == 2


def test_rows_that_never_come():
    latency = Streamed((1.0, 1.0, 1.0))
    infos, requests = play(ChunkedExecution(Numbered(), 6, 2, latency, info="full"))
    assert infos[2]["row_delays"].tolist() == [1, 1, 1, -1, -1, -1]
    assert infos[2]["sources"].tolist() == [[1, 2], [0, 1]]
    assert requests[2].left_over.ravel().tolist() == [102]


def test_latency_stays_paired_with_another_number_in_flight():
    """What an inference takes comes from the latency's own stream, whatever happens meanwhile."""

    def delays(most):
        latency = LogNormal(median=3.0, sigma=0.5)
        env = ChunkedExecution(Numbered(limit=400), 24, 4, latency, max_in_flight=most, control_dt=1.0)
        return [info["delay"] for info in play(env)[0]][:30]

    assert delays(2) == delays(3)


def test_goes_through_json_and_pickle():
    env = ChunkedExecution(
        gym.make("Pendulum-v1"), 12, 2, Uniform(0.1, 0.3), max_in_flight=3, request_period=3, observe_prefix="flat"
    )
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    env.reset(seed=0), again.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(8):
        chunk = env.action_space.sample()
        env = pickle.loads(pickle.dumps(env))
        ours, other = env.step(chunk), again.step(chunk)
        np.testing.assert_array_equal(ours[0], other[0])
        assert ours[-1] == other[-1]


MISTAKES = {
    "max_in_flight=0": ({"max_in_flight": 0}, "max_in_flight=0 is too small"),
    "synchronous": ({"max_in_flight": 2, "overlap": False}, "max_in_flight=2 needs overlap=True"),
    "a horizon to choose": ({"max_in_flight": 2, "execution_horizon": (1, 4)}, "give one execution horizon"),
    "a period for one": ({"request_period": 5}, "request_period=5 needs several inferences in flight"),
    "a short period": (
        {"max_in_flight": 2, "request_period": 1, "execution_horizon": 3},
        "request_period=1 is less than execution_horizon=3",
    ),
    "more rows than a chunk": ({"latency": Streamed((0.1,) * 9), "control_dt": 0.1}, "has the delays of 9 rows"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(name):
    arguments, message = MISTAKES[name]
    with pytest.raises(ArgumentError, match=message):
        ChunkedExecution(Numbered(), 8, **arguments)


class Unknown(LatencyModel):
    """Does not say its mean; counts what is drawn."""

    draws = 0

    def draw(self, rng, state):
        Unknown.draws += 1
        return 0.1, state


def test_a_model_without_a_mean_is_not_drawn_from_behind_its_back():
    Unknown.draws = 0
    with pytest.raises(ArgumentError, match="does not know its mean, on which execution_horizon=None depends"):
        ChunkedExecution(Numbered(), 8, latency=Unknown(), control_dt=0.1)
    with pytest.raises(ArgumentError, match="does not know its mean, on which request_period=None depends"):
        ChunkedExecution(Numbered(), 8, 2, Unknown(), control_dt=0.1, max_in_flight=2)
    ChunkedExecution(Numbered(), 8, 2, Unknown(), control_dt=0.1)
    assert Unknown.draws == 0


@pytest.mark.filterwarnings("error")
def test_certain_underruns_are_warned_of():
    with pytest.warns(UnderrunWarning, match=r"leave 2 of the 6 ticks of every 2 decisions .* prediction_horizon=9 or"):
        ChunkedExecution(Numbered(), 8, 3, 6, max_in_flight=2)
    with pytest.warns(UnderrunWarning, match="choose request_period=2, so that requests do not bunch"):
        ChunkedExecution(Numbered(), 8, 1, 6, max_in_flight=3, request_period=1)
    ChunkedExecution(Numbered(), 8, 2, 6, max_in_flight=3)
