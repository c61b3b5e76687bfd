"""LeRobot's policies in chunked environments: a stand-in with their protocol, and the real ones where they install."""

from collections import deque
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

import chunkenv
from chunkenv.testing import PolicyContract
from tests.loops.by_hand import example

torch = pytest.importorskip("torch")
ADAPTER = example("lerobot_adapter")


class StandIn:
    """What `PreTrainedPolicy` promises: row i of a chunk is the first number observed plus i."""

    def __init__(self, chunk_size=8, n_action_steps=4):
        self.config = SimpleNamespace(chunk_size=chunk_size, n_action_steps=n_action_steps)
        self.inferences, self.resets = 0, -1
        self.reset()

    def reset(self):
        self.resets += 1
        self.queue = deque(maxlen=self.config.n_action_steps)

    def predict_action_chunk(self, batch):
        self.inferences += 1
        rows = torch.arange(self.config.chunk_size)
        return (batch["observation.state"][:, :1] + rows)[:, :, None]

    def select_action(self, batch):
        if not self.queue:
            self.queue.extend(self.predict_action_chunk(batch)[:, : self.config.n_action_steps].transpose(0, 1))
        return self.queue.popleft()


def make_env():
    return chunkenv.ChunkedExecution(gym.make("Pendulum-v1", max_episode_steps=30), 4, 2, latency=1)


class TestContract(PolicyContract):
    def make_policy(self):
        return ADAPTER.LeRobotPolicy(StandIn(), 4, ADAPTER.to_batch)

    def make_env(self):
        return make_env()


@pytest.mark.parametrize("by_queue", [False, True])
def test_both_ways_give_the_first_rows_of_a_chunk_from_this_observation(by_queue):
    policy = ADAPTER.LeRobotPolicy(StandIn(), 4, ADAPTER.to_batch, by_queue=by_queue)
    for start in (0.0, 10.0):  # the second answer has nothing of the first: no rows are left in the queue
        chunks = policy.infer_batch(np.full((2, 3), start, np.float32), None)
        assert chunks.shape == (2, 4, 1)
        assert chunks[1, :, 0].tolist() == [start, start + 1, start + 2, start + 3]
    assert policy.policy.inferences == 2


def test_a_queue_alone_would_answer_from_an_older_observation():
    """Why the adapter empties it."""
    policy = StandIn()
    policy.select_action(ADAPTER.to_batch(np.zeros((1, 3))))
    assert float(policy.select_action(ADAPTER.to_batch(np.full((1, 3), 10.0)))) == 1.0


@pytest.mark.parametrize(("by_queue", "most"), [(False, 8), (True, 4)])
def test_more_rows_than_there_are_is_a_mistake(by_queue, most):
    with pytest.raises(ValueError, match=f"rows=9 are more than the {most} "):
        ADAPTER.LeRobotPolicy(StandIn(), 9, ADAPTER.to_batch, by_queue=by_queue)


def test_processors_see_the_batch_and_single_actions():
    seen = []

    def preprocess(batch):
        return {name: values + 1 for name, values in batch.items()}

    def postprocess(actions):
        seen.append(tuple(actions.shape))
        return actions * 10

    policy = ADAPTER.LeRobotPolicy(StandIn(), 4, ADAPTER.to_batch, preprocess, postprocess)
    assert policy.infer_batch(np.zeros((2, 3)), None)[0, :, 0].tolist() == [10, 20, 30, 40]
    assert seen == [(8, 1)]


def test_observations_with_names_reach_the_batch_with_a_first_axis():
    def to_batch(observations):
        return {"observation.state": torch.as_tensor(observations["arm"])}

    policy = ADAPTER.LeRobotPolicy(StandIn(), 4, to_batch)
    assert policy.infer({"arm": np.array([5.0])}, None)[0, 0] == 5.0


def test_an_episode_resets_the_policy():
    policy = ADAPTER.LeRobotPolicy(StandIn(), 4, ADAPTER.to_batch)
    chunkenv.evaluate(make_env, policy, episodes=2, seed=0)
    assert policy.policy.resets == 2


def diffusion():
    """A small diffusion policy with its processors."""
    from lerobot.configs.types import FeatureType, PolicyFeature
    from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
    from lerobot.policies.factory import make_pre_post_processors

    kinds = {"state": FeatureType.STATE, "environment_state": FeatureType.ENV}
    inputs = {f"observation.{name}": PolicyFeature(kind, (3,)) for name, kind in kinds.items()}
    output, small = {"action": PolicyFeature(FeatureType.ACTION, (1,))}, {"down_dims": (16, 32), "n_groups": 4}
    config = DiffusionConfig(
        input_features=inputs, output_features=output, num_train_timesteps=4, device="cpu", **small
    )
    bounds = {name: {"min": -3 * torch.ones(size), "max": 3 * torch.ones(size)} for name, size in (("action", 1),)}
    for name in inputs:
        bounds[name] = {"min": -torch.ones(3), "max": torch.ones(3)}
    return DiffusionPolicy(config), make_pre_post_processors(config, dataset_stats=bounds)


def test_the_real_diffusion_policy_goes_by_its_queue():
    pytest.importorskip("lerobot")
    policy, processors = diffusion()
    adapter = ADAPTER.LeRobotPolicy(policy, 4, ADAPTER.to_batch, *processors, by_queue=True)
    chunks = adapter.infer_batch(np.zeros((2, 3)), None)
    assert chunks.shape == (2, 4, 1)
    assert np.isfinite(chunks).all()


@pytest.mark.parametrize("by_queue", [False, True])
def test_the_real_act_gives_the_same_chunk_both_ways(by_queue):
    pytest.importorskip("lerobot")
    torch.manual_seed(0)
    policy = ADAPTER.make_policy(8)
    chunk = policy.predict_action_chunk(ADAPTER.to_batch(np.ones((1, 3))))[0]
    adapter = ADAPTER.LeRobotPolicy(policy, 8, ADAPTER.to_batch, by_queue=by_queue)
    assert adapter.infer(np.ones(3), None) == pytest.approx(chunk.numpy(), abs=1e-6)
