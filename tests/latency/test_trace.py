import numpy as np
import pytest
from scipy import stats

from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError
from chunkenv.latency import Trace, from_spec
from tests.latency.shared import INF, NAN, draws


def test_replay_goes_on_from_a_seeded_offset_and_round_the_end():
    recorded = [0.0, 1.0, 2.0, 3.0, 4.0]
    starts = set()
    for seed in range(30):
        drawn = draws(Trace(recorded), 12, seed)
        assert list(np.diff(drawn) % 5) == [1.0] * 11
        starts.add(drawn[0])
    assert starts == set(recorded)
    assert draws(Trace(recorded), 12, 7).tolist() == draws(Trace(recorded), 12, 7).tolist()


def test_resample_keeps_the_distribution():
    drawn = draws(Trace([0.0, 1.0, 1.0, 2.0], mode="resample"), 4000)
    counts = [int((drawn == value).sum()) for value in (0.0, 1.0, 2.0)]
    assert stats.chisquare(counts, [1000, 2000, 1000]).pvalue > 0.01


def test_trace_knows_its_mean_and_quantiles():
    model = Trace([4.0, 1.0, 2.0, 3.0])
    assert model.mean() == 2.5
    assert [model.quantile(q) for q in (0.0, 0.25, 0.26, 0.5, 1.0)] == [1.0, 1.0, 2.0, 2.0, 4.0]


@pytest.mark.parametrize("text", ["0.1\n0.25\n", "0.1\r\n0.25", "\n  0.1 \n\n2.5e-1\n", "\ufeff0.1\n0.25\n"])
def test_trace_file_holds_one_number_a_line(tmp_path, text):
    path = tmp_path / "trace.csv"
    path.write_bytes(text.encode())
    model = Trace(path, mode="resample")
    assert model.seconds == (0.1, 0.25)
    assert model.spec() == {"model": "trace", "recording": str(path), "mode": "resample"}
    assert from_spec(model.spec()) == model


def test_trace_of_an_array_in_float32_falls_on_ticks():
    model = Trace(np.array([0.1, 0.3], np.float32))
    assert [ticks(seconds, 0.1) for seconds in model.seconds] == [1, 3]


BAD_ARGUMENTS = [
    (lambda: Trace([]), r"recording=\[\] is empty"),
    (lambda: Trace(np.zeros(0)), "is empty"),
    (lambda: Trace([0.1, -0.1]), r"recording\[1\]=-0.1"),
    (lambda: Trace([0.1, NAN]), r"recording\[1\]=nan"),
    (lambda: Trace([0.1, INF]), r"recording\[1\]=inf"),
    (lambda: Trace([0.1, "fast"]), r"recording\[1\]='fast'"),
    (lambda: Trace([0.1, None]), r"recording\[1\]=None"),
    (lambda: Trace([[0.1, 0.2]]), r"recording\[0\]=\[0.1, 0.2\]"),
    (lambda: Trace(np.array([True, False])), r"recording\[0\]=True"),
    (lambda: Trace(np.array(0.1)), "is no trace"),
    (lambda: Trace(0.1), "recording=0.1 is no trace"),
    (lambda: Trace(None), "recording=None is no trace"),
    (lambda: Trace(b"0.1"), "is no trace"),
    (lambda: Trace({0.1, 0.2}), "is no trace"),
    (lambda: Trace([0.1], mode="resampled"), "mode='resampled' is unknown; did you mean 'resample'?"),
    (lambda: Trace([0.1], mode="zzz"), "choose one of 'replay', 'resample'"),
    (lambda: Trace([0.1], mode=None), "mode=None is unknown"),
    (lambda: Trace([0.1]).quantile("all"), "q='all'"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()


BAD_FILES = [
    (b"", "is empty"),
    (b"\n\n  \n", "is empty"),
    (b"latency\n0.1\n", "holds 'latency' in line 1"),
    (b"0.1\n\n0.2s\n", "holds '0.2s' in line 3"),
    (b"0.1\nnan\n", "holds 'nan' in line 2"),
    (b"0.1\ninf\n", "holds 'inf' in line 2"),
    (b"0.1\n-0.2\n", "holds '-0.2' in line 2"),
    (b"0.1,0.2\n", "holds '0.1,0.2' in line 1"),
    (b"0.1;0.2\n", "each line must be one number of seconds"),
    (b"\xff\xfe\x00\x01", "cannot be read as text"),
]


@pytest.mark.parametrize(("content", "sentence"), BAD_FILES)
def test_bad_trace_file(tmp_path, content, sentence):
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=sentence) as caught:
        Trace(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["missing.csv", ".", "zero\0byte"])
def test_trace_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ArgumentError, match="cannot be read"):
        Trace(str(tmp_path / name))
