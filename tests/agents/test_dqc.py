from __future__ import annotations

import numpy as np
import pytest

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.dqc import DQC, DQCSettings
from chunkenv.data.horizons import Horizons
from tests.agents import chain

DELAYED = Horizons(chunk=2, backup=2, delay=1, discount=0.9)
LONG = Horizons(chunk=1, backup=3, discount=0.9)
OPTIMISM = 0.9


def expectile(found: list[float], share: float = OPTIMISM) -> float:
    """What leaves as much above it, weighted by `share`, as below it."""
    low, high = min(found), max(found)
    for _ in range(60):
        middle = (low + high) / 2
        pull = sum((share if value > middle else 1 - share) * (value - middle) for value in found)
        low, high = (middle, high) if pull > 0 else (low, middle)
    return middle


def error(horizons: Horizons) -> float:
    settings = DQCSettings(
        hidden=(64, 64), learning_rate=3e-3, polyak=0.05, batch=64, samples=8, steps=5, implicit="expectile",
        optimism=OPTIMISM, horizons=horizons,
    )  # fmt: skip
    replay = chain.experience(5000, cut=0.0)
    agent = chain.learn(DQC.create(0, chain.STATES + 1, 1, settings), [replay], 1500)
    observations, rows, truth = chain.places(chain.chunk_values(horizons, expectile))
    found = np.asarray(critic_values(agent.params["critics"], observations, rows).mean(axis=0))
    return float(np.abs(found - truth).mean())


@pytest.mark.no_cover
def test_the_short_critic_finds_the_fixed_point_of_the_implicit_backup_under_delay():
    assert error(DELAYED) < 0.08


@pytest.mark.slow
def test_a_long_critic_teaches_a_short_one_its_mean():
    """With the mean for distillation, a short chunk is worth what its goings-on in the data are, on average."""
    assert error(LONG) < 0.08
