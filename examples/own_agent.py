"""Your own agent beside the Q-chunking family: imitates chunks weighted by their advantage, with inference delay.

    python examples/own_agent.py [--updates 2000]

Needs `pip install "chunkenv[agents,bench,manipulation]"`, and a minute. It learns from twenty demonstrations to put a
cube in its place with an inference delay of two ticks, and is trained, stopped, resumed and saved like the others.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from chunkenv import data
from chunkenv.agents import (
    AgentSettings,
    Learner,
    Recipe,
    Sizes,
    as_tree,
    critic_values,
    fill_unplayed,
    initial_critics,
    initial_one_step,
    mean_counted,
    one_step_chunks,
    register,
    settings_for,
    window_actions,
)
from chunkenv.collect import collect_oracle
from chunkenv.training import OfflineOnlineTraining, TrainingConfig, resume, train


@dataclass(frozen=True, kw_only=True)
class WeightedSettings(AgentSettings):
    """The common settings, and the temperature of the weight of a chunk: exp(advantage / temperature), at most 20."""

    temperature: float = 1.0


@as_tree
@dataclass(frozen=True)
class Weighted(Learner):
    """Advantage-weighted regression (Peng et al. 2019, arXiv 1910.00177) over chunks that continue their prefix."""

    settings: WeightedSettings
    name = "weighted"
    settings_class = WeightedSettings

    @classmethod
    def create(cls, seed, observation_size, action_size, settings):
        """A critic of chunks, and a policy from observation and prefix to a chunk."""
        sizes, horizons = Sizes(observation_size, action_size), settings.horizons
        for_critics, for_policy = jax.random.split(jax.random.key(seed))
        params = {
            "critics": initial_critics(for_critics, sizes, settings),
            "policy": initial_one_step(for_policy, sizes, horizons, settings.hidden),
        }
        return cls.from_params(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations, prefix, lengths, key):
        """The same chunk each time: the policy is deterministic."""
        return self._chunks(self.params["policy"], observations, prefix, lengths).clip(-1, 1)

    def loss(self, params, batch, key):
        """The critic's loss with the semi-MDP target; the policy's: imitation of chunks better than its own."""
        for_actions, for_prefix = jax.random.split(key)
        horizons = self.settings.horizons
        done = window_actions(batch, for_actions)[:, : horizons.prediction_horizon]  # executed rows, of any inference
        known = batch.known[:, : horizons.prediction_horizon, None]  # windows are shorter at an episode's end
        lengths = jnp.full(len(done), horizons.delay)

        prefix = fill_unplayed(batch.prefix, batch.prefix_known, for_prefix)
        later = self.sample_chunk(batch.next_observations, prefix, lengths, key)
        targets = batch.rewards + batch.discounts * self._worth(self.target, batch.next_observations, later)
        q = critic_values(params["critics"], batch.observations, done[:, horizons.seen])

        own = self._chunks(params["policy"], batch.observations, done[:, : horizons.delay], lengths)
        critics = self.params["critics"]
        advantage = self._worth(critics, batch.observations, done) - self._worth(critics, batch.observations, own)
        weight = jax.lax.stop_gradient(jnp.exp(advantage / self.settings.temperature).clip(max=20))
        losses = {
            "critic_loss": mean_counted((q - targets) ** 2, batch.counted),
            "policy_loss": (weight[:, None, None] * known * (own - done) ** 2).mean(),
        }
        return sum(losses.values()), {**losses, "weight": weight.mean()}

    def _chunks(self, policy, observations, prefix, lengths):
        still = jnp.zeros((len(observations), 1, self.settings.horizons.prediction_horizon, self.sizes.action))
        return one_step_chunks(policy, observations, still, prefix, lengths, self.settings.horizons)[:, 0]

    def _worth(self, critics, observations, chunks):
        return critic_values(critics, observations, chunks[:, self.settings.horizons.seen]).mean(axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--updates", type=int, default=2000)
    updates = parser.parse_args().updates
    register("weighted", Recipe(Weighted, WeightedSettings))
    settings = settings_for("weighted", chunk=5, delay=2, hidden=(256, 256))
    folder = Path(tempfile.mkdtemp())
    collect_oracle("manip-cube-single-task2", "task", folder / "data", episodes=20, action_noise=0.3)
    task = "chunkenv/manip-cube-single-task2-v0"
    config = TrainingConfig(task, offline_steps=updates, online_steps=0, evaluate_every=updates // 2)
    training = OfflineOnlineTraining(config, "weighted", settings, data.load(folder / "data"), 0)
    for metrics in train(resume(training, folder / "training"), folder / "training"):
        if "solve_rate" in metrics:
            solved = f"{metrics['solve_rate']:.0%} of {config.episodes} episodes solved"
            print(f"{metrics['steps']} updates: {solved}, d = 2")
