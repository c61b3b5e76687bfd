"""What an agent chooses with a chunk: the execution horizon, how long it thinks; what its own inference took."""

import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from chunkenv import ChunkedExecution, FlattenChunk
from chunkenv.clock import ChunkClock
from chunkenv.errors import ActionError, ArgumentError, ResetNeededError
from chunkenv.latency import Constant, Measured
from chunkenv.wrappers import DecisionSpace
from tests.worlds import ACTIONS, Recorder


def recorder(limit=40):
    return Recorder(gym.spaces.Box(-1e6, 1e6, (1,), np.float32), limit)


def chunk_of(number, horizon=8):
    return (100 * number + np.arange(horizon, dtype=np.float32))[:, None]


def test_each_decision_lasts_as_long_as_the_agent_chose():
    env = ChunkedExecution(recorder(), 8, (2, 6), latency=2, info="full")
    env.reset(seed=0)
    played = []
    for number, horizon in enumerate((6, 2, 3, 5)):
        *_, info = env.step({"chunk": chunk_of(number), "horizon": horizon})
        played.append((info["ticks"], info["horizon"], info["sources"][:, 1].tolist()))
    # Rows 0 to 5 of chunk 0; its rows 6 and 7, for two ticks, which is all of cycle 1; then rows 2, 3 of chunk 1 ...
    assert played == [
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (2, 2, [6, 7]),
        (3, 3, [2, 3, 2]),
        (5, 5, [3, 4, 2, 3, 4]),
    ]
    assert env.unwrapped.actions == [0, 1, 2, 3, 4, 5, 6, 7, 102, 103, 202, 203, 204, 302, 303, 304]


def test_a_delay_longer_than_the_chosen_horizon_lasts():
    env = ChunkedExecution(recorder(), 8, (1, 6), latency=4)
    env.reset(seed=0)
    env.step({"chunk": chunk_of(0), "horizon": 4})
    assert env.step({"chunk": chunk_of(1), "horizon": 1})[-1]["ticks"] == 4


def test_choosing_the_same_always_is_having_it_fixed():
    chosen = ChunkedExecution(recorder(), 8, (2, 6), latency=2, info="full", observe_prefix="flat")
    fixed = ChunkedExecution(recorder(), 8, 3, latency=2, info="full", observe_prefix="flat")
    chosen.reset(seed=0), fixed.reset(seed=0)
    for number in range(10):
        one, two = chosen.step({"chunk": chunk_of(number), "horizon": 3}), fixed.step(chunk_of(number))
        assert one[-1].pop("horizon") == 3
        assert str(one) == str(two)


def test_the_request_says_what_may_be_chosen():
    env = ChunkedExecution(recorder(), 8, (2, 6), delays=(0, 1, 3))
    env.reset(seed=0)
    assert (env.request.horizons, env.request.delays, env.request.execution_horizon) == ((2, 6), (0, 1, 3), 6)
    fixed = ChunkedExecution(recorder(), 8, 2)
    fixed.reset(seed=0)
    assert (fixed.request.horizons, fixed.request.delays) == (None, None)


def test_each_inference_takes_what_the_agent_chose():
    env = ChunkedExecution(recorder(), 8, 4, delays=(0, 2, 4), info="full", observe_prefix=True)
    observation, _ = env.reset(seed=0)
    assert env.request.delay_estimate == 0  # the first chunk is free
    env.step({"chunk": chunk_of(0), "delay": 2})
    played = []
    for number, (place, delay) in enumerate([(1, 2), (0, 0), (2, 4)], 1):
        assert env.request.delay_estimate == 4  # the longest, whose prefix tells what may still run
        assert env.request_after(delay).prefix_length == delay
        observation, *_, info = env.step({"chunk": chunk_of(number), "delay": place})
        assert observation["prefix_length"] == [4]
        played.append((info["delay"], info["sources"].tolist()))
    assert played == [
        (2, [[1, 4], [1, 5], [0, 2], [0, 3]]),
        (0, [[0, 0], [0, 1], [0, 2], [0, 3]]),
        (4, [[1, 4], [1, 5], [1, 6], [1, 7]]),
    ]


@pytest.mark.parametrize("delay", [0, 2, 4])
def test_choosing_one_delay_always_is_having_it(delay):
    chosen = ChunkedExecution(recorder(), 8, 4, delays=(0, 2, 4), info="full")
    fixed = ChunkedExecution(recorder(), 8, 4, latency=delay, info="full")
    chosen.reset(seed=0), fixed.reset(seed=0)
    for number in range(9):
        action = chosen.action_space.join(chunk_of(number), delay)
        assert str(chosen.step(action)) == str(fixed.step(chunk_of(number)))
        assert str(chosen.request_after(delay)._replace(delays=None)) == str(fixed.request)


def test_join_makes_actions_of_answers():
    space = DecisionSpace(ACTIONS["box"], (2, 6), (0, 2, 4))
    chunk = np.zeros(2, np.float32)
    for answer, delay, horizon, place in [
        (chunk, None, 6, 2),
        ((chunk, 3), 0, 3, 0),
        ((chunk, np.int64(2)), 2, 2, 1),
    ]:
        action = space.join(answer, delay)
        assert (action["horizon"], action["delay"]) == (horizon, place)
        assert space.contains({**action, "horizon": np.int64(horizon), "delay": np.int64(place)})
    with pytest.raises(ActionError, match=r"the delay 3 is none of delays=\(0, 2, 4\)"):
        space.join(chunk, 3)


def test_a_tuple_is_not_taken_for_a_pair():
    actions = gym.spaces.Tuple((gym.spaces.Box(-1.0, 1.0, (1,)), gym.spaces.Discrete(3)))
    env = ChunkedExecution(Recorder(actions), 2, (1, 2))
    chunk = env.chunk_space.sample()
    assert env.action_space.join(chunk)["chunk"] is chunk
    assert env.action_space.join((chunk, 1)) == {"chunk": chunk, "horizon": 1}


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("choices", [{"execution_horizon": (1, 3)}, {"execution_horizon": 2, "delays": (0, 1)}])
def test_any_action_space(name, choices):
    env = ChunkedExecution(Recorder(ACTIONS[name]), 4, observe_prefix=True, **choices)
    env.action_space.seed(0)
    env.reset(seed=0)
    done = False
    while not done:
        observation, _, _, done, _ = env.step(env.action_space.sample())
        assert env.observation_space.contains(observation)
    again = gym.make(EnvSpec.from_json(ChunkedExecution(gym.make("tests/Recorder-v0"), 4, **choices).spec.to_json()))
    assert again.action_space.keys() == env.action_space.keys()


@pytest.mark.parametrize("choices", [{"execution_horizon": (1, 3)}, {"execution_horizon": 2, "delays": (0, 1)}])
def test_gymnasiums_checker_is_silent(choices):
    with warnings.catch_warnings(record=True) as caught:
        check_env(ChunkedExecution(Recorder(), 4, **choices), skip_render_check=True)
    # It always says that a wrapper is not the environment itself.
    assert [str(each.message) for each in caught if "different from the unwrapped" not in str(each.message)] == []


BAD = {
    "no dict": (np.zeros((8, 1)), "expected a dict with the keys"),
    "no horizon": ({"chunk": np.zeros((8, 1))}, "expected a dict with the keys"),
    "too long": ({"chunk": np.zeros((8, 1)), "horizon": 7}, r"the action\['horizon'\] 7 is out of range"),
    "half a tick": ({"chunk": np.zeros((8, 1)), "horizon": 2.5}, r"the action\['horizon'\] has dtype float64"),
    "a bad chunk": ({"chunk": np.full((8, 1), np.nan), "horizon": 2}, r"the action\['chunk'\] has the value nan"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_decisions_move_nothing(name):
    action, message = BAD[name]
    env = ChunkedExecution(recorder(), 8, (2, 6), latency=1)
    env.reset(seed=0)
    with pytest.raises(ActionError, match=message):
        env.step(action)
    assert env.unwrapped.tick == 0
    env.step({"chunk": chunk_of(0), "horizon": 2})


MISTAKES = {
    "both": ({"latency": 2, "delays": (0, 2)}, "cannot both say what an inference takes"),
    "a model and delays": ({"latency": Constant(0.1), "delays": (0, 2)}, "cannot both say"),
    "none": ({"delays": ()}, r"delays=\(\) is no choice of delays"),
    "a word": ({"delays": "02"}, "delays='02' is no choice of delays"),
    "falling": ({"delays": (2, 0)}, r"delays=\(2, 0\) must increase"),
    "negative": ({"delays": (-1, 0)}, r"delays\[0\]=-1"),
    "an empty range": ({"execution_horizon": (4, 2)}, r"execution_horizon=\(4, 2\) is no choice of horizons"),
    "three": ({"execution_horizon": (1, 2, 3)}, "is no choice of horizons"),
    "beyond the chunk": ({"execution_horizon": (1, 9)}, "execution_horizon=9 is more than prediction_horizon=8"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(name):
    arguments, message = MISTAKES[name]
    with pytest.raises(ArgumentError, match=message):
        ChunkedExecution(gym.make("Pendulum-v1"), 8, **arguments)


def test_flat_choices_of_real_numbers():
    env = FlattenChunk(ChunkedExecution(recorder(), 4, (1, 3), delays=(0, 1), info="full"))
    assert env.action_space.shape == (6,)
    assert (env.action_space.low[4:].tolist(), env.action_space.high[4:].tolist()) == ([-1, -1], [1, 1])
    env.reset(seed=0)
    env.step(np.array([0, 1, 2, 3, 0, 1], np.float32))
    # The delay first, then the horizon: names in alphabetical order.
    *_, info = env.step(np.array([0, 1, 2, 3, 0.9, -0.2], np.float32))
    assert (info["delay"], info["horizon"]) == (1, 2)


@pytest.mark.parametrize("name", ["discrete", "multidiscrete", "multibinary"])
def test_flat_choices_beside_choices(name):
    flat = FlattenChunk(ChunkedExecution(Recorder(ACTIONS[name]), 4, (1, 3), delays=(0, 1)))
    flat.action_space.seed(0)
    flat.reset(seed=0)
    for _ in range(9):
        action = flat.action_space.sample()
        *_, info = flat.step(action)
        assert info["horizon"] == action[-1]


def test_a_decision_pays_for_its_own_inference():
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, Measured(scale=2.0), delay_estimate="last", info="full")
    env.reset(seed=0)
    chunk = np.zeros((8, 1), np.float32)
    assert env.latency_is_measured
    env.charge(9.0)
    delays = [env.step(chunk)[-1]["delay"]]  # the first chunk is free
    for seconds, expected in ((0.05, 0), (0.1, 2), (0.0, 4)):
        assert env.request.delay_estimate == expected
        env.charge(seconds)
        delays.append(env.step(chunk)[-1]["delay"])
    assert delays == [0, 2, 4, 0]


def test_nobody_forgets_to_charge():
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, Measured(), delay_estimate="max")
    with pytest.raises(ResetNeededError, match="cannot charge an inference"):
        env.charge(0.1)
    env.reset(seed=0)
    chunk = np.zeros((8, 1), np.float32)
    env.step(chunk)
    env.charge(0.05)
    env.step(chunk)
    with pytest.raises(ArgumentError, match="nobody has said that: call charge"):
        env.step(chunk)
    for bad in (-1.0, float("nan"), "0.1"):
        with pytest.raises(ArgumentError):
            env.charge(bad)
    env.charge(0.05)
    assert env.step(chunk)[-1]["delay"] == 1


def test_an_oracle_of_what_is_measured_is_refused():
    with pytest.raises(ArgumentError, match="delay_estimate='oracle' cannot know what an inference will take"):
        ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, Measured())
    with pytest.raises(ArgumentError, match="does not know its mean"):
        ChunkedExecution(gym.make("Pendulum-v1"), 8, latency=Measured(), delay_estimate="last")
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2)
    env.reset(seed=0)
    with pytest.raises(ArgumentError, match=r"charge\(0.1\) needs latency=Measured"):
        env.charge(0.1)


def test_environments_with_choices_pickle():
    env = ChunkedExecution(gym.make("CartPole-v1"), 8, (2, 4), delays=(0, 2), observe_prefix="flat")
    env.reset(seed=0)
    env.action_space.seed(0)
    action = env.action_space.sample()
    copy = pickle.loads(pickle.dumps(env))
    assert str(copy.step(action)) == str(env.step(action))


def test_the_clock_plans_what_was_chosen():
    clock = ChunkClock(8, (2, 6))
    assert (clock.horizons, clock.execution_horizon) == ((2, 6), 6)
    assert clock.cycle(0, execution_horizon=3).ticks == 3
