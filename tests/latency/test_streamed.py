import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import Bursty, Streamed
from tests.latency.shared import INF, NAN, draws


def test_every_draw_has_the_seconds_of_all_rows():
    assert draws(Streamed([0.1, 0.1, 0.25]), 2).tolist() == [[0.1, 0.1, 0.25]] * 2
    assert Streamed(np.array([0.1, 0.25])) == Streamed((0.1, 0.25))
    assert (Streamed((0.1, 0.25)).mean(), Streamed((0.1, 0.25)).quantile(0.9)) == (0.1, 0.1)


BAD_ARGUMENTS = [
    (lambda: Streamed(()), r"seconds=\(\) is no list of seconds; give those of each row"),
    (lambda: Streamed(0.1), "seconds=0.1 is no list of seconds"),
    (lambda: Streamed("123"), "seconds='123' is no list of seconds"),
    (lambda: Streamed((0.1, NAN)), r"seconds\[1\]=nan is not a finite number"),
    (lambda: Streamed((0.1, INF)), r"seconds\[1\]=inf is not a finite number"),
    (lambda: Streamed((-0.1, 0.1)), r"seconds\[0\]=-0.1"),
    (
        lambda: Streamed((0.1, 0.3, 0.2)),
        r"seconds\[2\]=0.2 is less than seconds\[1\]=0.3, but rows come in their order",
    ),
    (lambda: Streamed((0.1, 0.2)) + Streamed((0.1,)), "models with rows=2 and rows=1 do not go together"),
    (lambda: Bursty(Streamed((0.1, 0.2)), Streamed((0.1,)), 0.5, 0.5), "rows=2 and rows=1 do not go together"),
    (lambda: Streamed((0.1, 0.2)).quantile(2.0), "q=2.0"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()
