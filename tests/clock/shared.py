"""What the tests of the clock share: what hypothesis draws."""

from hypothesis import strategies as st

horizons = st.integers(1, 12).flatmap(lambda h: st.tuples(st.just(h), st.integers(1, h)))
delay_lists = st.lists(st.integers(0, 15), min_size=1, max_size=12)
cold_starts = st.sampled_from(["free", "charged"])
