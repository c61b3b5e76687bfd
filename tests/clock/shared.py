"""What the tests of the clock share: what hypothesis draws."""

from hypothesis import strategies as st

from tests.clock.playing import Case

horizons = st.integers(1, 12).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h)))
delay_lists = st.lists(st.integers(0, 15), min_size=1, max_size=12)
cold_starts = st.sampled_from(["free", "charged"])


@st.composite
def cases(draw, most=4, constant=False, rows=16):
    """Clocks with overlap, and the delays of their inferences: whole chunks and rows that stream, or stop early."""
    rows = draw(st.integers(1, rows))
    horizon, count = draw(st.integers(1, rows)), 1 if constant else draw(st.integers(1, 4))
    ticks = st.integers(0, rows + 3)
    streams = st.lists(ticks, min_size=1, max_size=rows).map(lambda waits: tuple(sorted(waits)))
    whole = st.lists(ticks, min_size=rows, max_size=rows).map(lambda waits: tuple(sorted(waits)))
    most = draw(st.integers(1, most))
    period = draw(st.none() | st.integers(horizon, rows + 3)) if most > 1 else None
    return Case(
        rows,
        horizon,
        draw(st.lists(ticks | streams | whole, min_size=count, max_size=count)),
        most,
        period,
        typical=draw(ticks),
        cold_start=draw(cold_starts),
        ticks=draw(st.integers(1, 40)),
        expected=None if constant else draw(st.none() | ticks),
    )
