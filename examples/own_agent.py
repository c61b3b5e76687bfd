"""An agent of your own beside QC and its kin: chunks of the data, weighted by their advantage, with a late inference.

    python examples/own_agent.py

Needs `pip install "chunkenv[agents,bench,manipulation]"`, and a minute. It learns from twenty demonstrations to put a
cube where it belongs, each inference taking two ticks, and is trained, stopped, resumed and saved like the others.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp

from chunkenv import data
from chunkenv.agents import registry as q_agents
from chunkenv.agents.common.learner import (
    Learner,
    Settings,
    as_tree,
    filled,
    initial_critics,
    mean_counted,
    values,
    window,
)
from chunkenv.agents.nets import one_step_flow as one_step
from chunkenv.agents.nets.chunk_flow import Sizes
from chunkenv.collect.collect import collect_oracle
from chunkenv.training.offline_online import Plan, resume_or_begin, train


@dataclass(frozen=True, kw_only=True)
class WeightedSettings(Settings):
    """Those of all agents, and how strongly a better chunk counts: by exp(advantage / temperature), at most 20."""

    temperature: float = 1.0


@as_tree
@dataclass(frozen=True)
class Weighted(Learner):
    """Advantage-weighted regression (Peng et al. 2019, arXiv 1910.00177) over chunks that go on from their prefix."""

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
            "policy": one_step.initial(for_policy, sizes, horizons, settings.hidden),
        }
        return cls.begun(params, seed, sizes, settings)

    @jax.jit
    def sample_chunk(self, observations, prefix, lengths, key):
        """The same chunk each time: it draws nothing."""
        return self._chunks(self.params["policy"], observations, prefix, lengths).clip(-1, 1)

    def loss(self, params, batch, key):
        """The critic's by the semi-MDP's target, and the policy's: imitation of what was better than its own."""
        for_actions, for_prefix = jax.random.split(key)
        horizons = self.settings.horizons
        done = window(batch, for_actions)[:, : horizons.prediction_horizon]  # what ran, whichever inference decided it
        known = batch.known[:, : horizons.prediction_horizon, None]  # an episode's end cuts windows
        lengths = jnp.full(len(done), horizons.delay)

        prefix = filled(batch.prefix, batch.prefix_known, for_prefix)
        later = self.sample_chunk(batch.next_observations, prefix, lengths, key)
        targets = batch.rewards + batch.discounts * self._worth(self.target, batch.next_observations, later)
        q = values(params["critics"], batch.observations, done[:, horizons.seen])

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
        return one_step.raw_chunks(policy, observations, still, prefix, lengths, self.settings.horizons)[:, 0]

    def _worth(self, critics, observations, chunks):
        return values(critics, observations, chunks[:, self.settings.horizons.seen]).mean(axis=0)


if __name__ == "__main__":
    q_agents.register("weighted", q_agents.Recipe(Weighted, WeightedSettings))
    settings = q_agents.settings_for("weighted", chunk=5, delay=2, hidden=(256, 256))
    folder = Path(tempfile.mkdtemp())
    collect_oracle("manip-cube-single-task2", "task", folder / "data", episodes=20, action_noise=0.3)
    plan = Plan("chunkenv/manip-cube-single-task2-v0", offline_steps=2000, online_steps=0, evaluate_every=1000)
    training = resume_or_begin(plan, "weighted", settings, data.load(folder / "data"), 0, folder / "training")
    for metrics in train(training, folder / "training"):
        if "solve_rate" in metrics:
            print(f"{metrics['steps']} updates: {metrics['solve_rate']:.0%} of {plan.episodes} episodes solved, d = 2")
