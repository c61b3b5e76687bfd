"""Which model describes recorded latencies: estimates by maximum likelihood, and how they are compared."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chunkenv.errors import ArgumentError
from chunkenv.latency.arguments import seconds_of
from chunkenv.latency.bursty import Bursty
from chunkenv.latency.distributions import Gamma, LogNormal, Uniform
from chunkenv.latency.likelihood import Chain, Seconds, chain_of, log_density, log_likelihood
from chunkenv.latency.model import Constant, LatencyModel, Sum, checked_draw

LEAST = 10
"""Latencies that a fit needs."""
FOLDS = 5
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Of the quantiles that a fit is compared by."""
FLOORS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Shares of the least latency that may be a constant part: nearer to it, the likelihood has no bound."""
DRAWS = 20_000
"""Of a model that does not know its quantiles."""
ROUNDS = 60
LEAST_SIGMA = 1e-3
MARGIN = 5.0
"""What a uniform distribution has beyond both ends, in mean distances of neighbours."""

Estimate = Callable[[Sequence[Seconds]], LatencyModel | None]


class Fit(NamedTuple):
    """A model, and how well it describes the latencies that it was fitted to.

    Attributes:
        model: the estimate from all of them.
        parameters: how many numbers were estimated.
        log_likelihood: of all latencies.
        held_out: the mean logarithm of the density of a latency that was not fitted to: each fifth of the recording is
            predicted by a fit to the rest. The larger, the better; -inf if it was thought impossible.
        gap: the largest distance in seconds between a quantile of the model and of the recording, of those of `SHARES`
            that at least two latencies lie beyond.
    """

    model: LatencyModel
    parameters: int
    log_likelihood: float
    held_out: float
    gap: float

    @property
    def name(self) -> str:
        """The classes of the model's parts: 'Constant + LogNormal'."""
        parts = self.model.parts if isinstance(self.model, Sum) else (self.model,)
        return " + ".join(type(part).__name__ for part in parts)

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 * parameters - 2 * log_likelihood. The smaller, the better."""
        return 2.0 * self.parameters - 2.0 * self.log_likelihood


def fit_models(episodes: Sequence[ArrayLike]) -> list[Fit]:
    """Fit the models of this package to recorded latencies.

    `LogNormal` and `Gamma`, each alone and with a `Constant`, `Uniform`, and a `Bursty` of two `LogNormal`, which alone
    knows that slow inferences come together. Latencies that are all alike are a `Constant`, and nothing else is tried.

    Args:
        episodes: seconds of each episode, in their order: the order tells whether there are bursts.

    Returns:
        The fits, the one that predicts best what it has not seen first.

    Raises:
        ArgumentError: for fewer than 10 latencies, or one that is none.

    >>> rng = np.random.default_rng(0)
    >>> best = fit_models([0.08 * np.exp(0.3 * rng.standard_normal(500))])[0].model
    >>> best.quantile(0.5).__round__(3)
    0.079
    """
    read = [_read(episode) for episode in episodes]
    read = [episode for episode in read if len(episode)]
    together = np.concatenate(read) if read else np.zeros(0)
    if len(together) < LEAST:
        raise ArgumentError(f"{len(together)} latencies are too few to fit a model to; record at least {LEAST}.")
    if together.max() - together.min() <= 1e-6 * together.max():
        return [Fit(Constant(float(np.median(together))), 1, math.inf, math.inf, 0.0)]
    fits = [_fit(estimate, count, read) for estimate, count in ESTIMATES]
    return sorted((fit for fit in fits if fit is not None), key=lambda fit: (-fit.held_out, fit.aic))


def quantiles_of(model: LatencyModel, shares: Sequence[float]) -> list[float]:
    """Quantiles of a model in seconds; of draws, always the same ones, if it does not know its own.

    >>> quantiles_of(Uniform(0.0, 1.0), [0.25, 0.5])
    [0.25, 0.5]
    """
    try:
        return [model.quantile(share) for share in shares]
    except NotImplementedError:
        rng = np.random.default_rng(0)
        state, drawn = model.begin(rng), list[float]()
    for _ in range(DRAWS):
        seconds, state = checked_draw(model, rng, state)
        drawn.append(seconds[0] if isinstance(seconds, tuple) else seconds)
    return np.quantile(drawn, shares).tolist()


def _read(episode: ArrayLike) -> Seconds:
    values: Sequence[object] = np.ravel(np.asarray(episode, dtype=object)).tolist()
    return np.array([seconds_of(f"latency {place}", value) for place, value in enumerate(values)], np.float64)


def _fit(estimate: Estimate, parameters: int, episodes: Sequence[Seconds]) -> Fit | None:
    model = estimate(episodes)
    if model is None:
        return None
    together = np.concatenate(episodes)
    shares = [share for share in SHARES if min(share, 1.0 - share) * len(together) >= 2.0]
    gap = float(np.abs(np.array(quantiles_of(model, shares)) - np.quantile(together, shares)).max())
    return Fit(model, parameters, log_likelihood(model, episodes), _score_held_out(estimate, episodes), gap)


def _score_held_out(estimate: Estimate, episodes: Sequence[Seconds]) -> float:
    total = 0.0
    for seen, unseen in _folds(episodes):
        model = estimate(seen)
        total += -math.inf if model is None else log_likelihood(model, unseen)
    return total / sum(map(len, episodes))


def _folds(episodes: Sequence[Seconds]) -> Iterator[tuple[list[Seconds], list[Seconds]]]:
    """Each fifth of the recording, in one piece, and the rest."""
    edges = np.linspace(0, sum(map(len, episodes)), FOLDS + 1).astype(int).tolist()
    for low, high in itertools.pairwise(edges):
        seen, unseen, start = list[Seconds](), list[Seconds](), 0
        for episode in episodes:
            first, last = max(low - start, 0), max(high - start, 0)
            seen += [part for part in (episode[:first], episode[last:]) if len(part)]
            unseen += [part for part in (episode[first:last],) if len(part)]
            start += len(episode)
        yield seen, unseen


def _uniform(episodes: Sequence[Seconds]) -> LatencyModel | None:
    """A little wider than what was seen: its ends are hardly ever met."""
    seconds = np.concatenate(episodes)
    low, high = float(seconds.min()), float(seconds.max())
    if low == high:
        return None
    beyond = MARGIN * (high - low) / len(seconds)
    return Uniform(max(low - beyond, 0.0), high + beyond)


def _log_normal(episodes: Sequence[Seconds]) -> LatencyModel | None:
    seconds = np.concatenate(episodes)
    return _log_normal_of(seconds, np.ones(len(seconds))) if seconds.min() > 0.0 else None


def _gamma(episodes: Sequence[Seconds]) -> LatencyModel | None:
    seconds = np.concatenate(episodes)
    return _gamma_of(seconds) if seconds.min() > 0.0 else None


def _with_floor(estimate: Estimate) -> Estimate:
    """The same with a constant part, of those that are tried the one with the largest likelihood."""

    def estimate_both(episodes: Sequence[Seconds]) -> LatencyModel | None:
        least = float(min(episode.min() for episode in episodes))
        found: list[LatencyModel] = []
        for floor in (share * least for share in FLOORS if least > 0.0):
            rest = estimate([episode - floor for episode in episodes])
            found += [] if rest is None else [Constant(floor) + rest]
        return max(found, key=lambda model: log_likelihood(model, episodes), default=None)

    return estimate_both


def _log_normal_of(seconds: Seconds, weights: Seconds) -> LogNormal:
    logs = np.log(seconds)
    middle = float(np.average(logs, weights=weights))
    spread = math.sqrt(float(np.average((logs - middle) ** 2, weights=weights)))
    return LogNormal(math.exp(middle), min(max(spread, LEAST_SIGMA), 10.0))


def _gamma_of(seconds: Seconds) -> Gamma:
    """The shape k solves log k - digamma(k) = log(mean) - mean(log), whose left side falls from infinity to 0."""
    mean = float(seconds.mean())
    wanted = math.log(mean) - float(np.log(seconds).mean())
    low, high = math.log(1e-4), math.log(1e8)
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle - digamma(math.exp(middle)) > wanted else (low, middle)
    return Gamma(mean, min(max(math.exp(-low / 2), 1e-4), 100.0))


def digamma(x: float) -> float:
    """The derivative of the logarithm of the gamma function, for x > 0 (DLMF 5.5.2 and 5.11.2).

    >>> digamma(1.0).__round__(12)
    -0.577215664902
    """
    total = 0.0
    while x < 12.0:
        total -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return total + math.log(x) - 0.5 / x - series


def _bursty(episodes: Sequence[Seconds]) -> LatencyModel | None:
    """Expectation maximisation (Baum et al. 1970), which begins with the slowest fifth as bursts."""
    seconds = np.concatenate(episodes)
    if seconds.min() <= 0.0:
        return None
    congested = np.where(seconds > np.quantile(seconds, 0.8), 0.95, 0.05)
    enter, leave, before = 0.1, 0.4, -math.inf
    model = None
    for _ in range(ROUNDS):
        if not 2.0 < congested.sum() < len(seconds) - 2.0:
            return None
        calm, slow = _log_normal_of(seconds, 1.0 - congested), _log_normal_of(seconds, congested)
        model = Bursty(calm, slow, enter, leave)
        chains = [chain_of(log_density(calm, each), log_density(slow, each), enter, leave) for each in episodes]
        congested = np.concatenate([chain.congested for chain in chains])
        enter, leave = _changes(chains)
        likelihood = sum(chain.log_likelihood for chain in chains)
        if likelihood - before < 1e-5 * len(seconds):
            break
        before = likelihood
    return model


def _changes(chains: Sequence[Chain]) -> tuple[float, float]:
    """How often calm draws are followed by congested ones, and the other way round."""
    slow = sum(float(chain.congested[:-1].sum()) for chain in chains)
    calm = sum(len(chain.congested) - 1 for chain in chains) - slow
    enter = sum(chain.entered for chain in chains) / max(calm, 1e-9)
    leave = sum(chain.left for chain in chains) / max(slow, 1e-9)
    return min(max(enter, 1e-6), 1.0), min(max(leave, 1e-6), 1.0)


ESTIMATES: tuple[tuple[Estimate, int], ...] = (
    (_uniform, 2),
    (_log_normal, 2),
    (_gamma, 2),
    (_with_floor(_log_normal), 3),
    (_with_floor(_gamma), 3),
    (_bursty, 6),
)
"""How each model is fitted, and how many numbers that estimates."""
