"""A correction of every action, tick by tick."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from chunkenv import ChunkedExecution
from chunkenv.errors import ActionError, ArgumentError
from tests.worlds import ACTIONS, Recorder

ARGUMENTS = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2, "info": "full"}


def add_a_tenth(observation, row, row_index, tick, rng):
    return np.full_like(row, 0.1)


def add_nothing(observation, row, row_index, tick, rng):
    return np.zeros_like(row)


class Noise:
    """Draws from its own stream."""

    def correct(self, observation, row, row_index, tick, rng):
        return rng.normal(0.0, 0.1, row.shape)


class Witness:
    """Keeps what it was asked, and spoils what it was given."""

    def __init__(self):
        self.asked = []

    def correct(self, observation, row, row_index, tick, rng):
        self.asked.append((float(observation["tick"][0]), row.tolist(), row_index, tick))
        row += 7.0
        return np.zeros_like(row)


def chunk_of(number):
    return np.full((8, 2), number / 100, np.float32) + np.arange(8, dtype=np.float32)[:, None] / 1000


def play(env, decisions=7):
    env.reset(seed=0)
    return [env.step(chunk_of(number)) for number in range(decisions)]


def test_a_correction_of_zero_changes_nothing_to_the_bit():
    plain, corrected = (
        ChunkedExecution(Recorder(), **ARGUMENTS),
        ChunkedExecution(Recorder(), correction=add_nothing, **ARGUMENTS),
    )
    for one, two in zip(play(plain), play(corrected), strict=True):
        assert str(two[-1].pop("base_actions")) == str(two[-1]["actions"])
        assert str(one) == str(two)
    assert pickle.dumps(plain.unwrapped.actions) == pickle.dumps(corrected.unwrapped.actions)


def test_rows_beyond_the_bounds_stay_where_they_are():
    env = ChunkedExecution(gym.make("Pendulum-v1"), 2, correction=add_nothing, info="actions")
    env.reset(seed=0)
    *_, info = env.step(np.full((2, 1), 5.0, np.float32))
    assert [float(action[0]) for action in info["actions"]] == [5.0, 5.0]


def test_it_sees_every_tick_that_has_a_row_once():
    witness = Witness()
    env = ChunkedExecution(Recorder(), 8, 4, 5, correction=witness, underrun=[0.5, 0.5], info="full")
    results = play(env, 3)
    # Cycle 1: rows 4 to 7 of chunk 0, an underrun at tick 8; cycle 2: rows 5, 6 and 7 of chunk 1, two underruns.
    assert [asked[2:] for asked in witness.asked] == [
        *[(row, row) for row in range(8)],
        *[(5, 9), (6, 10), (7, 11)],
    ]
    assert all(seen == tick for seen, _, _, tick in witness.asked)
    assert sum(result[-1]["underruns"] for result in results) == 3
    assert [action.tolist() for action in env.unwrapped.actions[12:14]] == [[0.5, 0.5]] * 2
    assert float(env.unwrapped.actions[0][0]) == 0.0, "the correction wrote into the row that the environment got"


def test_the_prefix_stays_uncorrected_and_info_tells_both():
    env = ChunkedExecution(Recorder(), correction=add_a_tenth, observe_prefix=True, **ARGUMENTS)
    env.reset(seed=0)
    observation, *_, info = env.step(chunk_of(0))
    np.testing.assert_array_equal(env.request.prefix, chunk_of(0)[4:6])
    np.testing.assert_array_equal(observation["prefix"][:2], chunk_of(0)[4:6])
    np.testing.assert_array_equal(info["base_actions"], chunk_of(0)[:4])
    np.testing.assert_allclose(np.array(info["actions"]), chunk_of(0)[:4] + 0.1, rtol=1e-6)
    np.testing.assert_array_equal(env.unwrapped.actions, info["actions"])


def test_the_sum_stays_within_the_bounds():
    env = ChunkedExecution(Recorder(), 2, correction=add_a_tenth, info="actions")
    env.reset(seed=0)
    *_, info = env.step(np.full((2, 2), 0.95, np.float32))
    np.testing.assert_array_equal(info["actions"], np.ones((2, 2), np.float32))


def test_what_is_held_is_what_acted():
    env = ChunkedExecution(Recorder(), 8, 8, 2, correction=add_a_tenth, info="full")
    play(env, 2)
    # Ticks 8 and 9 have no row: the corrected action of tick 7 is held, and not corrected again.
    last, *held = (action.tolist() for action in env.unwrapped.actions[7:10])
    assert held == [last, last]


def test_its_randomness_is_seeded_and_its_own():
    def actions(seed, correction=None):
        env = ChunkedExecution(Recorder(), correction=correction, **ARGUMENTS)
        env.reset(seed=seed)
        result = [env.step(chunk_of(number)) for number in range(3)]
        return np.array(env.unwrapped.actions), [step[0]["luck"].tolist() for step in result]

    one, luck = actions(0, Noise())
    np.testing.assert_array_equal(one, actions(0, Noise())[0])
    assert (one != actions(1, Noise())[0]).all()
    assert luck == actions(0)[1], "the world's own randomness changed"


def test_a_name_goes_through_json():
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, correction=f"{__name__}:add_a_tenth", info="actions")
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    for each in (env, again):
        each.reset(seed=0)
    chunk = np.zeros((8, 1), np.float32)
    assert str(env.step(chunk)) == str(again.step(chunk))
    assert float(env.step(chunk)[-1]["actions"][0][0]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(3), r"the correction at tick 0 is array\(\[0., 0., 0.\]\); expected finite numbers of shape \(2,\)"),
        (np.full(2, np.nan), "expected finite numbers"),
        (None, "expected finite numbers"),
        ("left", "expected finite numbers"),
    ],
)
def test_bad_corrections_are_told(answer, message):
    env = ChunkedExecution(Recorder(), 4, correction=lambda *_: answer)
    env.reset(seed=0)
    with pytest.raises(ActionError, match=message):
        env.step(np.zeros((4, 2), np.float32))
    env.reset(seed=0)


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        (3, "correction=3 cannot correct"),
        (Noise, "cannot correct; give a function or an object"),
        ("nowhere:correct", "cannot be imported"),
        ("tests.worlds:Nobody", "cannot be imported"),
        ("word", "write 'package.module:name'"),
    ],
)
def test_what_cannot_correct_is_refused(correction, message):
    with pytest.raises(ArgumentError, match=message):
        ChunkedExecution(Recorder(), 4, correction=correction)


@pytest.mark.parametrize("name", ["discrete", "multibinary", "dict"])
def test_choices_are_not_corrected(name):
    with pytest.raises(ArgumentError, match="adds to real numbers, but actions are"):
        ChunkedExecution(Recorder(ACTIONS[name]), 4, correction=add_nothing)


def test_with_several_in_flight():
    witness = Witness()
    env = ChunkedExecution(Recorder(), 8, 2, 4, max_in_flight=2, correction=witness)
    play(env, 6)
    assert [asked[3] for asked in witness.asked] == list(range(12))
    assert [asked[2] for asked in witness.asked][8:] == [4, 5, 4, 5]
