"""How likely recorded latencies are under a model: what fits are compared by."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chunkenv.errors import ArgumentError
from chunkenv.latency.bursty import Bursty
from chunkenv.latency.distributions import Gamma, LogNormal, Uniform
from chunkenv.latency.model import Constant, LatencyModel, Sum

Seconds = NDArray[np.float64]


def log_likelihood(model: LatencyModel, episodes: Sequence[Seconds]) -> float:
    """The logarithm of the density of recorded latencies; -inf if the model cannot draw them.

    Args:
        model: `Uniform`, `LogNormal` or `Gamma`, perhaps with a `Constant` added, or a `Bursty` of two such models.
        episodes: seconds of each episode, in their order.

    Raises:
        ArgumentError: for a model without a density.

    >>> round(log_likelihood(Uniform(0.0, 0.5), [np.array([0.1, 0.2])]), 4)
    1.3863
    """
    if isinstance(model, Bursty):
        return sum(_chain(model, seconds).log_likelihood for seconds in episodes)
    return float(sum(log_density(model, seconds).sum() for seconds in episodes))


def log_density(model: LatencyModel, seconds: Seconds) -> Seconds:
    """The logarithm of a model's density at each of some latencies; draws must be independent of one another.

    Raises:
        ArgumentError: for a model without a density.
    """
    if isinstance(model, Uniform):
        width = model.high - model.low
        inside = (seconds >= model.low) & (seconds <= model.high)
        return np.where(inside, -math.log(width) if width else math.inf, -math.inf)
    if isinstance(model, LogNormal):
        return _log_normal(model, seconds)
    if isinstance(model, Gamma):
        return _log_gamma(model, seconds)
    if isinstance(model, Sum):
        varying = [part for part in model.parts if not isinstance(part, Constant)]
        if len(varying) == 1:
            return log_density(varying[0], seconds - model.quantile(0.0) + varying[0].quantile(0.0))
    raise ArgumentError(f"{model!r} has no density here; give Uniform, LogNormal or Gamma, with a Constant or without.")


def _log_normal(model: LogNormal, seconds: Seconds) -> Seconds:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(seconds)
        deviation = (logs - math.log(model.median)) / model.sigma
        density = -0.5 * deviation**2 - logs - math.log(model.sigma * math.sqrt(2.0 * math.pi))
    return np.where(seconds > 0.0, density, -math.inf)


def _log_gamma(model: Gamma, seconds: Seconds) -> Seconds:
    shape = model.cv**-2
    scale = model.average / shape
    with np.errstate(divide="ignore", invalid="ignore"):
        density = (shape - 1.0) * np.log(seconds) - seconds / scale - math.lgamma(shape) - shape * math.log(scale)
    return np.where(seconds > 0.0, density, -math.inf)


class Chain:
    """What a `Bursty` model says of one episode: which draws were congested.

    Attributes:
        log_likelihood: of the episode.
        congested: float64[n], the probability that each draw was congested, given all draws of the episode.
        entered: expected number of changes into congestion.
        left: expected number of changes out of it.
    """

    def __init__(self, log_likelihood: float, congested: Seconds, entered: float, left: float) -> None:
        self.log_likelihood, self.congested = log_likelihood, congested
        self.entered, self.left = entered, left


def _chain(model: Bursty, seconds: Seconds) -> Chain:
    return chain_of(log_density(model.calm, seconds), log_density(model.congested, seconds), model.enter, model.leave)


def chain_of(calm: Seconds, congested: Seconds, enter: float, leave: float) -> Chain:
    """The forward-backward algorithm (Baum et al. 1970) for two states that begin as they are in the long run.

    Args:
        calm: float64[n], logarithms of the densities of an episode's draws in the calm state.
        congested: float64[n], the same in the congested state.
        enter: probability of a change into congestion after a calm draw.
        leave: probability of a change out of it after a congested draw.
    """
    highest = np.maximum(calm, congested)
    if not np.isfinite(highest).all():
        return Chain(-math.inf, np.zeros(len(calm)), 0.0, 0.0)
    weights = np.exp(calm - highest).tolist(), np.exp(congested - highest).tolist()
    predicted, filtered, total = _forward(*weights, enter, leave)
    smoothed, entered, left = _backward(predicted, filtered, enter, leave)
    return Chain(total + float(highest.sum()), np.clip(smoothed, 0.0, 1.0), entered, left)


def _forward(
    calm: list[float], congested: list[float], enter: float, leave: float
) -> tuple[list[float], list[float], float]:
    """Probabilities of congestion before and after each draw is seen, and the logarithm of the likelihood."""
    predicted, filtered, total = list[float](), list[float](), 0.0
    ahead = enter / (enter + leave)
    for here, there in zip(calm, congested, strict=True):
        evidence = (1.0 - ahead) * here + ahead * there
        now = ahead * there / evidence if evidence else ahead
        predicted.append(ahead)
        filtered.append(now)
        total += math.log(evidence) if evidence else -math.inf
        ahead = now * (1.0 - leave) + (1.0 - now) * enter
    return predicted, filtered, total


def _backward(
    predicted: list[float], filtered: list[float], enter: float, leave: float
) -> tuple[list[float], float, float]:
    """Probabilities of congestion given the whole episode, and the expected numbers of changes."""
    smoothed, entered, left = filtered[-1:], 0.0, 0.0
    for place in range(len(filtered) - 2, -1, -1):
        now, ahead, after = filtered[place], predicted[place + 1], smoothed[-1]
        stays = after / ahead if ahead else 0.0
        goes = (1.0 - after) / (1.0 - ahead) if ahead < 1.0 else 0.0
        entered += (1.0 - now) * enter * stays
        left += now * leave * goes
        smoothed.append(now * ((1.0 - leave) * stays + leave * goes))
    return smoothed[::-1], entered, left
