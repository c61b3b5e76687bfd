"""A LeRobot policy in a chunked environment: a small ACT with random weights, late by two control steps.

    python examples/lerobot_adapter.py

Needs `pip install "chunkenv" "gymnasium[classic-control]" lerobot`. `LeRobotPolicy` takes every policy of LeRobot, also
yours from `from_pretrained`. It calls the policy in this process: LeRobot's own server takes pickles over a socket, and
whoever sends one can run any code there.
"""

import gymnasium as gym
import numpy as np
import torch

import chunkenv


class LeRobotPolicy:
    """Chunks of a policy of LeRobot, as `chunkenv.evaluate` and the strategies ask for them.

    With `by_queue=False` it calls `predict_action_chunk`, once for each request. With `by_queue=True` it empties the
    policy's queue and fills it by `select_action`: for policies that know no other way (Diffusion, VQ-BeT: their
    `predict_action_chunk` reads a history of observations that only `select_action` writes). The history is then
    copies of one observation.

    Args:
        policy: a `PreTrainedPolicy`, or anything with `reset`, `predict_action_chunk` and `select_action`.
        rows: of a chunk: `prediction_horizon` of the environment; at most `chunk_size`, or `n_action_steps` by queue
            (VQ-BeT's `action_chunk_size`).
        to_batch: makes observations [N, ...] the policy's batch, a dict of tensors.
        preprocess: of the batch, the first of LeRobot's `make_pre_post_processors`.
        postprocess: of actions [N * rows, A], the second.
        by_queue: use `select_action`.
    """

    def __init__(self, policy, rows, to_batch, preprocess=None, postprocess=None, by_queue=False):
        names = ["n_action_steps", "action_chunk_size"] if by_queue else ["chunk_size", "n_action_steps"]
        available = next(getattr(policy.config, name) for name in names if hasattr(policy.config, name))
        if rows > available:
            raise ValueError(f"rows={rows} are more than the {available} that the policy predicts; ask for fewer.")
        self.policy, self.rows, self.to_batch, self.by_queue = policy, rows, to_batch, by_queue
        self.preprocess, self.postprocess = preprocess or (lambda it: it), postprocess or (lambda it: it)

    def reset(self):
        """An episode begins."""
        self.policy.reset()

    def infer(self, observation, request):
        """One chunk [rows, A]."""
        named = isinstance(observation, dict)
        one = {key: value[None] for key, value in observation.items()} if named else np.asarray(observation)[None]
        return self.infer_batch(one, request)[0]

    @torch.no_grad()
    def infer_batch(self, observations, request):
        """Chunks [N, rows, A]."""
        chunks = self._predict(self.preprocess(self.to_batch(observations)))[:, : self.rows]
        return self.postprocess(chunks.flatten(0, 1)).reshape(chunks.shape).cpu().numpy()

    def _predict(self, batch):
        if not self.by_queue:
            return self.policy.predict_action_chunk(batch)
        self.policy.reset()
        return torch.stack([self.policy.select_action(dict(batch)) for _ in range(self.rows)], dim=1)


def to_batch(observations):
    """The pendulum's observation under the two names that ACT wants without cameras.

    Pictures uint8 [N, height, width, 3] go to "observation.images.NAME" as floats [N, 3, height, width] from 0 to 1.
    """
    state = torch.as_tensor(observations, dtype=torch.float32)
    return {"observation.state": state, "observation.environment_state": state}


def make_policy(rows):
    """A small ACT that has learnt nothing; yours: `ACTPolicy.from_pretrained(path)`."""
    from lerobot.configs.types import FeatureType, PolicyFeature
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy

    sizes = {"dim_model": 32, "n_heads": 2, "dim_feedforward": 64, "n_encoder_layers": 1, "n_vae_encoder_layers": 1}
    state, env = PolicyFeature(FeatureType.STATE, (3,)), PolicyFeature(FeatureType.ENV, (3,))
    return ACTPolicy(
        ACTConfig(
            input_features={"observation.state": state, "observation.environment_state": env},
            output_features={"action": PolicyFeature(FeatureType.ACTION, (1,))},
            chunk_size=rows,
            n_action_steps=rows,
            device="cpu",
            **sizes,
        )
    )


if __name__ == "__main__":
    torch.manual_seed(0)

    def make_env():
        """Chunks of eight rows, a request every four control steps, an inference of two."""
        return chunkenv.ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=2)

    for by_queue in (False, True):
        policy = LeRobotPolicy(make_policy(8), 8, to_batch, by_queue=by_queue)
        rows = chunkenv.evaluate(make_env, policy, episodes=2, seed=0)
        print(f"by_queue={by_queue}: returns {[round(row['return']) for row in rows]}")
