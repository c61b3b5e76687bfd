"""Proximal policy optimisation: the network of the experts, its losses and its update; `ppo_training` plays and trains.

The algorithm is that of Schulman et al. 2017 (arXiv 1707.06347) with generalised advantage estimation (arXiv
1506.02438) and, as an option, the random shift of the mean of robust policy optimisation (arXiv 2212.07536). As in the
experts of real-time-chunking-kinetix, noise is added to each action before the engine clips it, in training too, motors
are squashed by tanh and thrusters by the logistic function. Unlike there, the observation is compact, a single one, and
networks are small: acting is numpy's (`chunkenv.agents.policies.expert`), an update is one compiled function.

    expert(observation) + exploration + action noise -> environments -> rollout -> update -> expert ...
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from chunkenv.agents.common.checkpoint_file import load as load
from chunkenv.agents.policies.expert import FARTHEST, gains, squashed
from chunkenv.agents.ppo_settings import Settings


class Perceptron(nnx.Module):
    """Layers with tanh between them, orthogonally initialised."""

    def __init__(self, sizes: tuple[int, ...], last_gain: float, rngs: nnx.Rngs) -> None:
        slopes = [2**0.5] * (len(sizes) - 2) + [last_gain]
        self.layers = nnx.List(
            nnx.Linear(before, after, kernel_init=nnx.initializers.orthogonal(slope), rngs=rngs)
            for before, after, slope in zip(sizes, sizes[1:], slopes, strict=False)
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """The last layer's output, without tanh."""
        for layer in self.layers[:-1]:
            x = jnp.tanh(layer(x))
        return self.layers[-1](x)


class Network(nnx.Module):
    """Actor, critic, and a standard deviation for each channel that is the same everywhere."""

    def __init__(self, observation_size: int, channels: tuple[int, ...], settings: Settings, rngs: nnx.Rngs) -> None:
        self.channels = channels
        self.actor = Perceptron((observation_size, *settings.hidden, len(channels)), 0.01, rngs)
        self.critic = Perceptron((observation_size, *settings.hidden, 1), 1.0, rngs)
        self.log_std = nnx.Param(jnp.full(len(channels), np.log(settings.initial_std), jnp.float32))

    def mean(self, observations: jax.Array) -> jax.Array:
        """The mean action, float32[..., C]."""
        return squashed(self.actor(observations), gains(self.channels), jnp.tanh)

    def value(self, observations: jax.Array) -> jax.Array:
        """The discounted sum of rewards that is expected, float32[...]."""
        return self.critic(observations)[..., 0]

    def log_probability(self, mean: jax.Array, actions: jax.Array) -> jax.Array:
        """Of actions [..., C] under the Gaussian around `mean`, float32[...]."""
        z = (actions - mean) * jnp.exp(-self.log_std[...])
        return -0.5 * (z**2).sum(-1) - self.log_std[...].sum()


class Agent(NamedTuple):
    """What learns."""

    params: Any
    optimizer_state: Any


class Rollout(NamedTuple):
    """T ticks of N environments; the action is the one that was meant, before the action noise.

    Attributes:
        observations: float32[T, N, O], before the tick.
        following: float32[T, N, O], after it; where an episode ended its last one, not the next one's first.
        actions: float32[T, N, C].
        rewards: float32[T, N].
        terminated: float32[T, N], 1 where the task ended: nothing follows.
        ended: float32[T, N], 1 where the episode ended, by the time limit too: what follows is another's.
        success: bool[T, N].
    """

    observations: np.ndarray
    following: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    success: np.ndarray


class Batch(NamedTuple):
    """What the losses need of M ticks: observations normalised, each other a number per tick (actions: C)."""

    observations: jax.Array
    actions: jax.Array
    log_probabilities: jax.Array
    advantages: jax.Array
    returns: jax.Array
    following: jax.Array


def advantages(values: jax.Array, following: jax.Array, rollout: Rollout, settings: Settings) -> jax.Array:
    """Generalised advantage estimates, float32[T, N].

    A time limit is no end of the task: the value of the last observation is counted there (`following`), and only a
    termination is worth nothing afterwards.
    """
    rewards, terminated, ended = map(jnp.asarray, (rollout.rewards, rollout.terminated, rollout.ended))
    errors = rewards + settings.discount * (1 - terminated) * following - values
    keep = settings.discount * settings.trace * (1 - ended)

    def back(later: jax.Array, tick: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        now = tick[0] + tick[1] * later
        return now, now

    return jax.lax.scan(back, jnp.zeros_like(errors[0]), (errors, keep), reverse=True)[1]


def actor_loss(
    network: Network, batch: Batch, key: jax.Array, progress: jax.Array, settings: Settings
) -> tuple[jax.Array, dict]:
    """The clipped surrogate objective, less the entropy bonus, and the price of changing the action at every tick.

    The first fades with progress, the second grows: who has to be smooth from the start finds nothing. The price is the
    temporal part of CAPS (Mysore et al. 2021, "Regularizing action policies for smooth control", arXiv 2012.06644).
    """
    mean = network.mean(batch.observations)
    if settings.rpo:
        mean += jax.random.uniform(key, mean.shape, minval=-settings.rpo, maxval=settings.rpo)
    change = network.log_probability(mean, batch.actions) - batch.log_probabilities
    ratio = jnp.exp(change)
    advantage = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
    clipped = jnp.clip(ratio, 1 - settings.clip, 1 + settings.clip)
    surrogate = jnp.minimum(ratio * advantage, clipped * advantage).mean()
    info = {"kl": (ratio - 1 - change).mean(), "clipped": (jnp.abs(ratio - 1) > settings.clip).mean()}
    change_of_mean = jnp.square(network.mean(batch.following) - network.mean(batch.observations)).sum(-1).mean()
    bonus = settings.entropy * (1 - progress) * network.log_std[...].sum()
    return -surrogate - bonus + settings.smoothness * progress * change_of_mean, {**info, "change": change_of_mean}


def critic_loss(network: Network, batch: Batch) -> jax.Array:
    """Mean squared error against the returns of the rollout."""
    return 0.5 * jnp.square(network.value(batch.observations) - batch.returns).mean()


def total_loss(
    params: Any, graph: Any, batch: Batch, key: jax.Array, progress: jax.Array, settings: Settings
) -> tuple[jax.Array, dict]:
    """Both losses, and what is to be known about them."""
    network = nnx.merge(graph, params)
    actor, info = actor_loss(network, batch, key, progress, settings)
    critic = critic_loss(network, batch)
    return actor + settings.value_weight * critic, {**info, "actor_loss": actor, "critic_loss": critic}


def make_optimizer(settings: Settings) -> optax.GradientTransformation:
    """Adam on clipped gradients; the learning rate falls linearly, to its last value with the last update."""
    count = settings.updates * settings.epochs * settings.minibatches
    rate = optax.linear_schedule(settings.learning_rate, settings.last_learning_rate, count)
    return optax.chain(optax.clip_by_global_norm(settings.max_gradient_norm), optax.adam(rate, eps=1e-5))


def make_batch(network: Network, rollout: Rollout, mean: jax.Array, scale: jax.Array, settings: Settings) -> Batch:
    """The rollout's ticks in one row, T * N of them, judged by the network that acted."""
    seen, following = (
        jnp.clip((x - mean) / scale, -FARTHEST, FARTHEST) for x in (rollout.observations, rollout.following)
    )
    values = network.value(seen)
    gain = advantages(values, network.value(following), rollout, settings)
    actions = jnp.asarray(rollout.actions)
    parts = (seen, actions, network.log_probability(network.mean(seen), actions), gain, gain + values, following)
    return Batch(*(part.reshape(-1, *part.shape[2:]) for part in parts))


@partial(jax.jit, static_argnames=("graph", "settings"))
def update(
    agent: Agent,
    rollout: Rollout,
    normal: tuple[jax.Array, jax.Array],
    order: jax.Array,
    key: jax.Array,
    progress: jax.Array,
    *,
    graph: Any,
    settings: Settings,
) -> tuple[Agent, dict[str, jax.Array]]:
    """Learn from a rollout.

    Args:
        agent: as it acted in the rollout.
        rollout: what it did.
        normal: mean and scale of the observations then.
        order: int[epochs * minibatches, size], which ticks make up each minibatch.
        key: for the shifts of robust policy optimisation.
        progress: how much of the training is done, from 0 to 1.
        graph: of the network, from `nnx.split`.
        settings: hyper-parameters.

    Returns:
        the agent afterwards, and the means of what is to be known about the losses.
    """
    batch = make_batch(nnx.merge(graph, agent.params), rollout, *normal, settings)
    optimizer = make_optimizer(settings)

    def descend(agent: Agent, part: tuple[jax.Array, jax.Array]) -> tuple[Agent, dict[str, jax.Array]]:
        rows = jax.tree.map(lambda column: column[part[0]], batch)
        gradients, info = jax.grad(total_loss, has_aux=True)(agent.params, graph, rows, part[1], progress, settings)
        changes, optimizer_state = optimizer.update(gradients, agent.optimizer_state, agent.params)
        return Agent(optax.apply_updates(agent.params, changes), optimizer_state), info

    agent, infos = jax.lax.scan(descend, agent, (order, jax.random.split(key, len(order))))
    return agent, jax.tree.map(jnp.mean, infos)
