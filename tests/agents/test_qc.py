from __future__ import annotations

import numpy as np
import pytest

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.qc import QC, QCSettings
from chunkenv.data.horizons import Horizons
from tests.agents import chain

UNDELAYED = Horizons(chunk=2, backup=2, discount=0.9)
ONE_STEP = Horizons(chunk=1, backup=1, discount=0.9)
N_STEP = Horizons(chunk=1, backup=3, discount=0.9)
DELAYED = Horizons(chunk=2, backup=2, delay=1, discount=0.9)
LATE = Horizons(chunk=2, backup=2, delay=2, discount=0.9)
BLIND = Horizons(chunk=2, backup=2, delay=1, discount=0.9, prefix=False)


def small(horizons: Horizons, **given: object) -> QCSettings:
    quick = dict(hidden=(64, 64), learning_rate=3e-3, polyak=0.05, samples=16, steps=5, batch=64)
    return QCSettings(**{**quick, **given}, horizons=horizons)


def errors(horizons: Horizons, cut: float = 0.1, updates: int = 1500, **given: object) -> np.ndarray:
    """What the critic is off by after training, for every state and chunk."""
    agent = QC.create(0, chain.STATES + 1, 1, small(horizons, **given))
    agent = chain.learn(agent, [chain.experience(5000, cut=cut)], updates)
    observations, rows, wanted = chain.places(chain.chunk_values(horizons, chain.best_of(16)))
    return np.asarray(critic_values(agent.params["critics"], observations, rows).mean(axis=0)) - wanted


@pytest.mark.no_cover
def test_the_critic_finds_the_true_chunk_values_under_delay():
    assert np.abs(errors(DELAYED, updates=1000)).mean() < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("horizons", [UNDELAYED, ONE_STEP, LATE], ids=str)
def test_the_critic_finds_the_true_chunk_values(horizons):
    assert np.abs(errors(horizons)).mean() < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("horizons", [N_STEP, BLIND], ids=str)
def test_biased_controls_find_the_fixed_point_that_their_bias_has(horizons):
    """An uncorrected return, and a critic that does not see the prefix: without limits that choose who is counted."""
    assert np.abs(errors(horizons, cut=0.0)).mean() < 0.08


@pytest.mark.slow
@pytest.mark.parametrize("given", [dict(target_sampler="distilled"), dict(target_dtype="bfloat16")], ids=str)
def test_faster_targets_find_the_same_values(given):
    assert np.abs(errors(UNDELAYED, **given)).mean() < 0.06
