"""What a latency model promises, as checks to inherit."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from chunkenv.latency import Constant, LatencyModel, from_spec
from chunkenv.testing.expect import difference, expect, expect_same, global_randomness, seeded_global_randomness, skip

TOOK = 0.125
"""Seconds that an inference took, for models that are measured."""
SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


class LatencyContract:
    """Checks of a latency model: override `make_model` (a new model at each call).

        class TestSeldom(LatencyContract):
            def make_model(self):
                return Seldom(usual=0.02, rare=0.5)

    Attributes:
        episodes: how many times a sample begins anew.
        draws: how many draws each episode of a sample has.
    """

    episodes: int = 50
    draws: int = 100

    def make_model(self) -> LatencyModel:
        """A new model: override this."""
        raise NotImplementedError(f"{type(self).__name__} must override make_model() to return a latency model.")

    def test_draws_are_finite_seconds_of_at_least_0(self) -> None:
        """A latency that is no number, infinite or negative cannot be waited for."""
        for drawn in self._draws():
            for seconds in rows_of_draw(drawn):
                expect(0.0 <= seconds < math.inf, f"{seconds!r} was drawn; expected finite seconds of at least 0.")

    def test_rows_that_stream_never_fall(self) -> None:
        """A draw has seconds for as many rows as `rows` says, or fewer, each there when the one before it is."""
        most = self.make_model().rows
        for drawn in self._draws():
            rows = rows_of_draw(drawn)
            fits = isinstance(drawn, float | int) or 1 <= len(rows) <= (most or 0)
            expect(fits, f"{drawn!r} was drawn; with rows={most!r} of the model no such list was expected.")
            expect(rows == sorted(rows), f"{drawn!r} was drawn; expected the seconds of its rows never to fall.")

    def test_the_same_stream_gives_the_same_draws(self) -> None:
        """All randomness comes from the given generator."""
        self._expect_draws(self._some(self.make_model()), "the same model and rng seed give other draws")

    def test_two_streams_do_not_disturb_each_other(self) -> None:
        """What a model remembers travels in its state, not in the model: many environments share one."""
        model = self.make_model()
        one, other = stream(model, 0), stream(model, 1)
        self._expect_draws([(next(one), next(other))[0] for _ in range(self.draws)], "another stream disturbs this one")

    def test_the_model_is_not_changed_by_drawing(self) -> None:
        """A model is immutable."""
        model = self.make_model()
        before = copy.deepcopy(_attributes_of(model))
        self._some(model)
        expect_same(before, _attributes_of(model), "its attributes", "drawing has changed the model")
        self._expect_draws(self._some(model), "a model that was drawn from gives other draws than a new one")

    def test_the_state_is_not_changed_in_place(self) -> None:
        """`draw` returns a new state: the old one can be drawn from again."""
        model = self.make_model()
        rng = np.random.default_rng(0)
        state = model.begin(rng)
        for _ in range(self.draws):
            before = copy.deepcopy(state)
            next_state = model.charged(TOOK).draw(rng, state)[1]
            found = difference(_attributes_of(before), _attributes_of(state), "the state")
            expect(found is None, f"draw(rng, state) has changed the state that it was given: {found}")
            state = next_state

    def test_the_global_random_state_is_not_read(self) -> None:
        """Draws are the same whatever numpy.random.seed and random.seed were given."""
        with seeded_global_randomness(1):
            actual = self._some(self.make_model())
        with seeded_global_randomness(2):
            self._expect_draws(actual, "the draws depend on the global random state")

    def test_the_global_random_state_is_not_changed(self) -> None:
        """No other randomness depends on how often a latency is drawn."""
        with seeded_global_randomness(1):
            before = global_randomness()
            self._some(self.make_model())
            expect(
                difference(before, global_randomness(), "") is None,
                "drawing has changed the global state of random or numpy.random; expected only rng to move.",
            )

    def test_its_spec_is_plain_data(self) -> None:
        """spec() goes through JSON unchanged."""
        spec = self.make_model().spec()
        try:
            through = json.loads(json.dumps(spec, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise AssertionError(f"spec() is {spec!r}, which is no JSON ({error}); expected plain data.") from error
        expect_same(spec, through, "spec() out of JSON", "spec() does not come out of JSON as it went in")

    def test_its_spec_draws_the_same(self) -> None:
        """from_spec(spec()) is the model again."""
        self._expect_draws(self._some(from_spec(self.make_model().spec())), "from_spec(spec()) gives other draws")

    def test_the_mean_is_that_of_the_draws(self) -> None:
        """Within six standard errors of a sample; of rows that stream, the first; skipped if it knows no mean."""
        mean = self._read_statistic(self.make_model().mean)
        sample, error = _mean_and_error(self._sample())
        actual = (
            f"mean() is {mean!r}; expected {sample:.6g} +- {error:.2g}, the mean of {self.episodes * self.draws} draws."
        )
        expect(abs(mean - sample) <= error, actual)

    def test_quantiles_rise(self) -> None:
        """A larger share is never exceeded by less; skipped if the model does not know its quantiles."""
        quantiles = [self._read_statistic(lambda q=q: self.make_model().quantile(q)) for q in SHARES]
        expect(
            quantiles == sorted(quantiles), f"quantile(q) is {quantiles} for q = {SHARES}; expected them never to fall."
        )

    def test_quantiles_are_those_of_the_draws(self) -> None:
        """A share q of the draws does not exceed quantile(q), within six standard errors."""
        sample = self._sample()
        for q in SHARES:
            seconds = self._read_statistic(lambda q=q: self.make_model().quantile(q))
            below, error = _mean_and_error(sample < seconds * (1 - 1e-9))
            up_to, other = _mean_and_error(sample <= seconds * (1 + 1e-9))
            actual = f"quantile({q}) is {seconds!r}, which {up_to:.1%} of the draws do not exceed; expected {q:.1%}"
            expect(below - error <= q <= up_to + other, f"{actual} +- {max(error, other):.1%}.")

    def test_a_sum_with_a_constant_adds_up(self) -> None:
        """Model + Constant(0.25) draws 0.25 s more."""
        actual = self._some(self.make_model() + Constant(0.25))
        for number, (alone, got) in enumerate(zip(self._some(self.make_model()), actual, strict=True)):
            want = [seconds + 0.25 for seconds in rows_of_draw(alone)]
            sentence = f"draw {number} of model + Constant(0.25) is {got!r}; expected 0.25 more than {alone!r}."
            expect(np.allclose(want, rows_of_draw(got), rtol=1e-9, atol=0.0), sentence)

    def test_it_pickles(self) -> None:
        """The model, and its state in the middle of an episode."""
        model, rng = self.make_model(), np.random.default_rng(0)
        state = model.begin(rng)
        actual = []
        for _ in range(self.draws):
            try:
                model, state = pickle.loads(pickle.dumps((model, state)))
            except Exception as error:
                raise AssertionError(
                    f"{model!r} with the state {state!r} cannot be pickled ({error}); expected that."
                ) from error
            seconds, state = model.charged(TOOK).draw(rng, state)
            actual.append(seconds)
        self._expect_draws(actual, "out of a pickle it gives other draws")

    def _some(self, model: LatencyModel) -> list[float | Sequence[float]]:
        draws = stream(model, 0)
        return [next(draws) for _ in range(self.draws)]

    def _draws(self) -> list[float | Sequence[float]]:
        """All draws of the sample."""
        model, rng = self.make_model(), np.random.default_rng(0)
        return [drawn for number in range(self.episodes) for drawn in _episode(model, rng, number, self.draws)]

    def _expect_draws(self, actual: list[float | Sequence[float]], why: str) -> None:
        expect_same(self._some(self.make_model()), actual, "draw", why)

    def _sample(self) -> np.ndarray:
        """Seconds [episodes, draws] of one generator, as one environment would meet them; of first rows, if any."""
        firsts = [rows_of_draw(drawn)[0] for drawn in self._draws()]
        return np.array(firsts).reshape(self.episodes, self.draws)

    def _read_statistic(self, statistic: Callable[[], float]) -> float:
        try:
            return float(statistic())
        except NotImplementedError as error:
            skip(str(error))


def stream(model: LatencyModel, seed: int) -> Iterator[float | Sequence[float]]:
    """Draws of a model, one after the other; of one that is measured, after inferences of `TOOK` seconds."""
    rng = np.random.default_rng(seed)
    state = model.begin(rng)
    while True:
        seconds, state = model.charged(TOOK).draw(rng, state)
        yield seconds


def rows_of_draw(drawn: float | Sequence[float]) -> list[float]:
    """The seconds of each row; of a chunk that comes as a whole there is one number.

    >>> rows_of_draw(0.5), rows_of_draw((0.5, 0.75))
    ([0.5], [0.5, 0.75])
    """
    return [float(seconds) for seconds in np.ravel(np.asarray(drawn))]


def _episode(model: LatencyModel, rng: np.random.Generator, number: int, draws: int) -> list[float | Sequence[float]]:
    state, sample = model.begin_episode(rng, number), list[float | Sequence[float]]()
    for _ in range(draws):
        seconds, state = model.charged(TOOK).draw(rng, state)
        sample.append(seconds)
    return sample


def _mean_and_error(sample: np.ndarray) -> tuple[float, float]:
    """The mean of a sample [episodes, draws], and six of its standard errors; draws of an episode may be correlated."""
    means = sample.mean(axis=1)
    rounding = 1e-9 * abs(means).max()
    return float(means.mean()), float(6 * means.std(ddof=1) / math.sqrt(len(means)) + rounding)


def _attributes_of(value: object) -> object:
    """The attributes of an object, all the way down, as plain containers."""
    if isinstance(value, dict):
        return {str(key): _attributes_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_attributes_of(item) for item in value]
    if not hasattr(value, "__dict__"):
        return value
    return {"": type(value).__name__} | {name: _attributes_of(item) for name, item in vars(value).items()}
