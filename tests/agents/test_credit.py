"""Under delay the chunk that is credited is the one that really ran."""

from __future__ import annotations

import numpy as np
import pytest

from chunkenv.agents.common.critics import critic_values
from chunkenv.agents.qc_fql import QCFQL, QCFQLSettings
from chunkenv.data.replay_buffer import Batch
from tests.agents import chain
from tests.agents.test_qc import DELAYED


def naive(batch: Batch) -> Batch:
    """The chunk that was predicted: its first row never ran, because the one before it was still under way.

    A behaviour that does anything at random predicts a first row that has nothing to do with what ran.
    """
    predicted = batch.actions.copy()
    predicted[:, 0] = np.random.default_rng(0).permutation(predicted[:, 0])
    return batch._replace(actions=predicted)


@pytest.mark.no_cover
def test_crediting_what_was_predicted_gives_wrong_values():
    settings = QCFQLSettings(
        hidden=(64, 64), learning_rate=3e-3, polyak=0.05, batch=64, alpha=0.01, steps=5, horizons=DELAYED
    )
    initial = QCFQL.create(0, chain.STATES + 1, 1, settings)
    observations, rows, truth = chain.places(chain.chunk_values(DELAYED))
    errors = []
    for change in (lambda batch: batch, naive):
        agent = chain.learn(initial, [chain.experience(5000)], 600, change=change)
        found = np.asarray(critic_values(agent.params["critics"], observations, rows).mean(axis=0))
        errors.append(float(np.abs(found - truth).mean()))
    assert errors[0] < 0.07
    assert errors[1] > 0.15
