from __future__ import annotations

import numpy as np
import pytest

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.qc_fql import QCFQL, QCFQLSettings
from tests.agents import chain
from tests.agents.test_qc import DELAYED, LATE, ONE_STEP, UNDELAYED


def error(horizons) -> float:
    """What the critic is off by on average; the policy hardly imitates, so that it finds what is best."""
    settings = QCFQLSettings(
        hidden=(64, 64), learning_rate=3e-3, polyak=0.05, batch=64, alpha=0.01, steps=5, horizons=horizons
    )
    agent = chain.learn(QCFQL.create(0, chain.STATES + 1, 1, settings), [chain.experience(5000)], 1500)
    observations, rows, truth = chain.places(chain.chunk_values(horizons))
    found = np.asarray(critic_values(agent.params["critics"], observations, rows).mean(axis=0))
    return float(np.abs(found - truth).mean())


@pytest.mark.no_cover
def test_the_critic_finds_the_true_chunk_values_under_delay():
    assert error(DELAYED) < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("horizons", [UNDELAYED, ONE_STEP, LATE], ids=str)
def test_the_critic_finds_the_true_chunk_values(horizons):
    assert error(horizons) < 0.07
