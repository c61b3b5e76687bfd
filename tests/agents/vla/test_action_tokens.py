import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.fft import dct

from chunkenv.agents.vla import BinTokens, FrequencyTokens
from chunkenv.agents.vla.action_tokens import END, MIDDLE, VALUES, action_tokens, cosines
from chunkenv.errors import ArgumentError

BINS, FREQUENCIES = BinTokens(5, 2), FrequencyTokens(5, 2)
CHUNKS = arrays(np.float32, (5, 2), elements=st.floats(-1, 1, width=32))
quick = settings(max_examples=50, deadline=None)


@quick
@given(CHUNKS)
def test_bins_come_back_within_half_a_bin(chunk):
    tokens = np.asarray(BINS.encode(chunk))
    assert tokens.min() >= 0
    assert tokens.max() < VALUES
    assert np.abs(BINS.decode(tokens) - chunk).max() <= 1 / VALUES + 1e-6


@quick
@given(CHUNKS)
def test_frequencies_come_back_within_their_scale(chunk):
    tokens = np.asarray(FREQUENCIES.encode(chunk))
    assert tokens.min() >= 0
    assert tokens.max() < VALUES
    error = np.asarray(FREQUENCIES.decode(tokens)) - chunk
    assert np.sqrt((error**2).mean()) <= 0.5 / FREQUENCIES.scale + 1e-6


def test_every_bin_comes_back_as_itself():
    every = np.arange(VALUES).reshape(-1, 1)
    tokens = BinTokens(1, 1)
    assert np.array_equal(tokens.encode(tokens.decode(every)), every)


def test_the_transform_is_scipys_and_orthonormal():
    chunk = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    np.testing.assert_allclose(cosines(7) @ chunk, dct(chunk, axis=0, norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(cosines(7) @ cosines(7).T, np.eye(7), atol=1e-6)


def test_the_lowest_frequencies_of_all_dimensions_stand_first_and_a_constant_needs_no_others():
    constant = np.tile(np.array([0.5, -0.25], np.float32), (5, 1))
    tokens = np.asarray(FREQUENCIES.encode(constant))
    assert tokens.tolist() == [MIDDLE + 11, MIDDLE - 6, *[END] * 8]  # 10 * 0.5 * sqrt(5) = 11.2
    assert np.asarray(FREQUENCIES.counted(tokens, np.ones(5))).tolist() == [1, 1, 1, *[0] * 7]


def test_nothing_behind_the_first_end_counts():
    tokens = np.asarray(FREQUENCIES.encode(np.random.default_rng(0).uniform(-1, 1, (5, 2)).astype(np.float32)))
    cut, garbage = tokens.copy(), tokens.copy()
    cut[3:] = END
    garbage[3] = END
    assert np.array_equal(FREQUENCIES.decode(cut), FREQUENCIES.decode(garbage))


def test_rows_beyond_the_episode_teach_bins_row_by_row_and_frequencies_not_at_all():
    known, tokens = np.array([1.0, 1, 1, 0, 0]), np.full(10, MIDDLE)
    assert np.asarray(BINS.counted(tokens, known)).tolist() == [1] * 6 + [0] * 4
    assert not np.asarray(FREQUENCIES.counted(tokens, known)).any()


def test_actions_out_of_range_are_clipped():
    wild = np.full((5, 2), 3.0, np.float32)
    for tokens in (BINS, FREQUENCIES):
        np.testing.assert_allclose(tokens.decode(tokens.encode(wild)), 1.0, atol=0.05)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: FrequencyTokens(16, 2, scale=40.0), "scale=40 does not fit 256 values for 16 rows"),
        (lambda: action_tokens("bpe", 5, 2), "tokens='bpe' is unknown"),
        (lambda: action_tokens("bins", 0, 2), "prediction_horizon=0"),
    ],
)
def test_one_sentence_for_what_is_invalid(call, said):
    with pytest.raises(ArgumentError) as error:
        call()
    assert said in str(error.value)
