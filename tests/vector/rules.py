"""What hypothesis draws: several inferences in flight, rows that stream, choices, charges, corrections."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from chunkenv.latency import LogNormal, Measured, Streamed, Uniform


def noisy(observation, row, row_index, tick, rng):
    """A correction that depends on all that it is given."""
    seen = sum(float(np.sum(part)) for part in observation.values()) if isinstance(observation, dict) else observation
    return np.full(row.shape, 0.1 * np.sum(seen) + 0.01 * row_index + 0.001 * tick + rng.normal(0.0, 0.1))


class Together:
    """The same correction, for many at once; what it returns for members without a row is no number."""

    correct = staticmethod(noisy)

    def __init__(self):
        self.calls = []

    def correct_batch(self, observations, rows, row_index, tick, rngs):
        self.calls.append((rows.copy(), row_index.copy(), tick.copy()))
        added = np.full(rows.shape, np.nan)
        for index in np.flatnonzero(row_index >= 0):
            own = {key: part[index] for key, part in observations.items()} if isinstance(observations, dict) else None
            seen = observations[index] if own is None else own
            added[index] = noisy(seen, rows[index], int(row_index[index]), int(tick[index]), rngs[index])
        return added


@st.composite
def streams(draw, rows):
    """Rows that come one by one, all of them or not, some with a random latency before."""
    ticks = draw(st.lists(st.integers(0, rows + 3), min_size=1, max_size=rows))
    model = Streamed(tuple(0.05 * tick for tick in sorted(ticks)))
    return model + draw(st.sampled_from([Uniform(0.0, 0.2), LogNormal(0.05, 0.8)])) if draw(st.booleans()) else model


@st.composite
def latencies(draw, rows):
    kind = draw(st.sampled_from(["ticks", "random", "streams", "measured"]))
    if kind == "ticks":
        return draw(st.integers(0, rows + 2))
    if kind == "random":
        return draw(st.sampled_from([Uniform(0.0, 0.3), LogNormal(0.1, 0.6)]))
    if kind == "streams":
        return draw(streams(rows))
    return draw(
        st.sampled_from([Measured(), Measured(2.0) + Uniform(0.0, 0.1)]) | streams(rows).map(Measured().__add__)
    )


@st.composite
def rules(draw, real=False, rows=8):
    """Arguments of chunked execution; where actions are real numbers, they may be corrected."""
    rows = draw(st.integers(1, rows))
    most = draw(st.integers(1, 4))
    executed = draw(st.integers(1, rows))
    if most == 1 and draw(st.booleans()):
        executed = (draw(st.integers(1, executed)), executed)
    chunks = dict(prediction_horizon=rows, execution_horizon=executed, max_in_flight=most)
    if draw(st.booleans()):
        chunks["delays"] = tuple(sorted(draw(st.sets(st.integers(0, rows + 2), min_size=1, max_size=4))))
    else:
        chunks["latency"] = draw(latencies(rows))
    measured = getattr(chunks.get("latency"), "measured", False)
    if most > 1:
        period = st.integers(executed, rows + 3)
        chunks["request_period"] = draw(period if measured else st.none() | period)
    kinds = ["last", "max", "max:2"] + ["oracle"] * (not measured)
    return chunks | dict(
        overlap=most > 1 or draw(st.booleans()),
        underrun=draw(st.sampled_from(["hold", "stop", *["zero"] * real])),
        cold_start=draw(st.sampled_from(["free", "charged"])),
        discount=draw(st.sampled_from([1.0, 0.9, 0.0])),
        observe_prefix=draw(st.sampled_from([False, True, "flat"])),
        delay_estimate=draw(st.sampled_from(kinds)),
        correction=draw(st.sampled_from([None, noisy, Together()])) if real else None,
        control_dt=0.05,
    )


def examples(count):
    """So many examples; the machine may be busy."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])
