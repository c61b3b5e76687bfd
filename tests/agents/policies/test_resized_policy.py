import numpy as np
import pytest

pytest.importorskip("jax")

from chunkenv.agents.nets.network_size import count_parameters
from chunkenv.agents.policies.resized_policy import resized
from chunkenv.strategies import RTC, TrainingTimeRTC
from tests.agents.policies.test_flow_policy import batch, policy
from tests.strategies.policies import requests


@pytest.mark.parametrize("prefix", [False, True])
def test_a_larger_policy_answers_as_its_kind_does(prefix):
    small = policy(prefix)
    large = resized(small, 200_000)
    parameters = count_parameters(large.flow.architecture, large.flow.sizes)
    assert parameters == pytest.approx(200_000, rel=0.3)
    assert sum(each.size for each in large.flow.weights.values()) == parameters
    assert (large.level, large.steps, large.max_prefix) == (small.level, small.steps, small.max_prefix)
    chunks = np.linspace(-1, 1, 48, dtype=np.float32).reshape(8, 6)
    np.testing.assert_allclose(large.to_actions(chunks), small.to_actions(chunks), atol=1e-6)
    assert large.flops_per_evaluation > 10 * small.flops_per_evaluation


@pytest.mark.no_cover
@pytest.mark.parametrize(("strategy", "prefix"), [(RTC, False), (TrainingTimeRTC, True)])
def test_strategies_work_on_it(strategy, prefix):
    observations, left_over = batch(3)
    chunks = strategy(resized(policy(prefix), 200_000)).infer_batch(
        observations, requests(left_over, [4, 4, 4], delay=2)
    )
    assert chunks.shape == (3, 8, 6)
    assert np.isfinite(chunks).all()
