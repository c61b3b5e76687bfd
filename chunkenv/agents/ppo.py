"""Proximal policy optimisation: the network of the experts, its losses and its update; `ppo_training` plays and trains.

The algorithm is that of Schulman et al. 2017 (arXiv 1707.06347) with generalised advantage estimation (arXiv
1506.02438) and, as an option, the random shift of the mean of robust policy optimisation (arXiv 2212.07536). As in the
experts of real-time-chunking-kinetix, noise is added to each action before the engine clips it, in training too, motors
are squashed by tanh and thrusters by the logistic function. Unlike there, the observation is compact, a single one, and
networks are small: acting is numpy's (`chunkenv.agents.policies.expert`), an update is one compiled function.

    expert(observation) + exploration + action noise -> environments -> rollout -> update -> expert ...
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from chunkenv.agents.common.optim.optimizers import check_optimizer, make_optimizer
from chunkenv.agents.policies.expert import FARTHEST, gains, squash
from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE
from chunkenv.utils.checks import one_of, real_number, whole_number

REWARDS = ("sparse", "distance", "penalty")


@dataclass(frozen=True)
class PPOSettings:
    """How a training goes; the defaults serve the easy levels.

    Raises:
        ArgumentError: a value is invalid, or minibatches do not divide the batch.

    >>> PPOSettings(steps=100_000, envs=64, rollout=16).updates
    97
    """

    steps: int = 12_000_000  # control steps of all environments together; the last update may stop a little short
    reward: str = "distance"  # to learn from: see KinetixEnv; solve rates always count the sparse success
    failure: float = 0.1  # the price of touching red; a low one helps where falling must be risked, as on a unicycle
    envs: int = 512  # environments
    rollout: int = 32  # ticks of each between two updates
    hidden: tuple[int, ...] = (64, 64)  # sizes of the hidden layers, of actor and critic alike
    discount: float = 0.99  # of a reward one tick later
    trace: float = 0.95  # lambda of generalised advantage estimation: trust in rewards over values
    clip: float = 0.2  # how far the probability of an action may move before there is no gain in it
    epochs: int = 4  # how often each tick is learned from
    minibatches: int = 8  # pieces of a rollout, a gradient step for each
    learning_rate: float = 1e-3  # of the optimizer, at the beginning
    last_learning_rate: float = 1e-4  # at the end; it falls linearly
    entropy: float = 0.01  # weight of the bonus for a large standard deviation, at the beginning; it falls to 0
    rpo: float = 0.0  # the mean is shifted by up to this in the loss: keeps exploring (real-time-chunking-kinetix: .3)
    smoothness: float = 0.5  # price of the action's change from tick to tick, at the end; it rises from 0
    value_weight: float = 0.5  # of the critic's loss
    max_gradient_norm: float = 1.0  # longer gradients are shortened
    initial_std: float = 0.6  # of exploration, in units of an action that reaches from -1 to 1
    least_std: float = 0.0  # it never falls below this, whatever the gradient says
    persistence: float = 0.8  # of exploration: correlation from tick to tick, because motors average white noise out
    action_noise: float = ACTION_NOISE  # of the environment, not the agent's: in training and evaluation
    evaluation_steps: int = 250_000  # between two evaluations and checkpoints
    evaluation_episodes: int = 256  # first episodes, all at once
    optimizer: str = "adam"  # or adamw, muon, splus; `with_optimizer` gives it learning rates, too
    averaged: bool = False  # whether checkpoints have the average of the weights; the newest explore

    def __post_init__(self) -> None:
        for name in ("steps", "envs", "rollout", "epochs", "minibatches", "evaluation_steps", "evaluation_episodes"):
            whole_number(name, getattr(self, name), at_least=1)
        for name in ("discount", "trace", "persistence"):
            real_number(name, getattr(self, name), at_least=0.0, at_most=1.0)
        for name in (
            "entropy",
            "smoothness",
            "failure",
            "rpo",
            "value_weight",
            "last_learning_rate",
            "action_noise",
            "clip",
            "least_std",
        ):
            real_number(name, getattr(self, name), at_least=0.0)
        for name in ("initial_std", "max_gradient_norm"):
            real_number(name, getattr(self, name), at_least=1e-6)
        check_optimizer(self)
        one_of("reward", self.reward, REWARDS)
        if not isinstance(self.hidden, tuple) or not self.hidden:
            raise ArgumentError(f"hidden={self.hidden!r} is not a tuple of sizes; give for example (64, 64).")
        for size in self.hidden:
            whole_number("each of hidden", size, at_least=1)
        if self.batch % self.minibatches:
            raise ArgumentError(
                f"minibatches={self.minibatches} do not divide the {self.batch} ticks of a rollout "
                f"(envs={self.envs} times rollout={self.rollout}); give numbers that fit."
            )
        if self.steps < self.batch:
            raise ArgumentError(f"steps={self.steps} are less than one rollout; give at least {self.batch}.")

    @property
    def batch(self) -> int:
        """Ticks in a rollout."""
        return self.envs * self.rollout

    @property
    def updates(self) -> int:
        """Rollouts in a training."""
        return self.steps // self.batch

    @property
    def evaluation_updates(self) -> int:
        """Rollouts between two evaluations."""
        return max(1, self.evaluation_steps // self.batch)


DEFAULT_SETTINGS = PPOSettings()
"""For a level without tuned settings."""

BOLD = PPOSettings(discount=0.995, entropy=0.02, initial_std=1.5, persistence=0.95)
"""Wide, long strokes, and a longer view: for levels that only a daring move solves."""

LEVEL_SETTINGS = {
    "catapult": PPOSettings(steps=10_000_000, discount=0.995, entropy=0.02, initial_std=1.0),
    "cartpole_thrust": PPOSettings(steps=6_000_000, persistence=0.0, initial_std=1.0, learning_rate=5e-4),
    "hard_lunar_lander": PPOSettings(steps=6_000_000),
    "mjc_half_cheetah": PPOSettings(steps=6_000_000),
    "mjc_swimmer": PPOSettings(steps=6_000_000),
    "mjc_walker": PPOSettings(steps=6_000_000),
    "h17_unicycle": replace(BOLD, steps=4_000_000),
    "chain_lander": PPOSettings(steps=4_000_000),
    "trampoline": PPOSettings(steps=8_000_000, failure=1.0, learning_rate=3e-4),
    "car_launch": BOLD,
}
"""Tuned for a level."""


EXPLORING = {"smoothness": 0.1, "least_std": 0.3}
"""What keeps an expert exploring to the end, as those of real-time-chunking-kinetix do: the demonstrators of the family
"published" of flow policies. The little price on changes of the action is ours: without it delay hurts policies that
learn from the experts more than the published ones."""

PUBLISHED_SETTINGS: dict[str, dict[str, float]] = {
    "cartpole_thrust": {"least_std": 0.1},
    "catapult": {"least_std": 0.15},
    "car_launch": {"least_std": 0.15, "smoothness": 0.5},
}
"""Where that is too much: with a spread of .3 experts solve 31 % on cartpole_thrust, 50 to 63 % on catapult (six
seeds), 43 % on car_launch (one) of the episodes in which their actions are sampled. car_launch is learned with a higher
price on changes only."""

PUBLISHED_STEPS = {
    "catapult": 6_000_000,
    "cartpole_thrust": 3_000_000,
    "hard_lunar_lander": 5_000_000,
    "mjc_half_cheetah": 6_000_000,
    "mjc_swimmer": 8_000_000,
    "mjc_walker": 3_000_000,
    "h17_unicycle": 2_500_000,
    "chain_lander": 2_000_000,
    "trampoline": 8_000_000,
}
"""What an expert of a level needs; 5 million elsewhere. To solve 65 % is not enough: an expert that has just learned to
swim needs 218 of the 256 ticks, one of 8 million steps 144, and only who has time to spare can be late."""

RECIPES = ("smooth", "published")


def ppo_settings(level: str, recipe: str = "smooth") -> PPOSettings:
    """The settings of a level, or `DEFAULT_SETTINGS` where it has none of its own.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        recipe: "smooth", for actions that change little from tick to tick and hardly vary, or "published", for experts
            that keep exploring (`EXPLORING`).

    Raises:
        ArgumentError: an unknown recipe.
    """
    settings = LEVEL_SETTINGS.get(level, DEFAULT_SETTINGS)
    if one_of("recipe", recipe, RECIPES) == "smooth":
        return settings
    exploring = EXPLORING | PUBLISHED_SETTINGS.get(level, {})
    return replace(settings, steps=PUBLISHED_STEPS.get(level, 5_000_000), **exploring)


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

    def __init__(self, observation_size: int, channels: tuple[int, ...], settings: PPOSettings, rngs: nnx.Rngs) -> None:
        self.channels = channels
        self.actor = Perceptron((observation_size, *settings.hidden, len(channels)), 0.01, rngs)
        self.critic = Perceptron((observation_size, *settings.hidden, 1), 1.0, rngs)
        self.log_std = nnx.Param(jnp.full(len(channels), np.log(settings.initial_std), jnp.float32))
        self._least_log_std = float(np.log(settings.least_std)) if settings.least_std else -np.inf

    @property
    def bounded_log_std(self) -> jax.Array:
        """The logarithm of the standard deviation, not below the least, float32[C]."""
        return jnp.maximum(self.log_std[...], self._least_log_std)

    def mean(self, observations: jax.Array) -> jax.Array:
        """The mean action, float32[..., C]."""
        return squash(self.actor(observations), gains(self.channels), jnp.tanh)

    def value(self, observations: jax.Array) -> jax.Array:
        """The discounted sum of rewards that is expected, float32[...]."""
        return self.critic(observations)[..., 0]

    def log_probability(self, mean: jax.Array, actions: jax.Array) -> jax.Array:
        """Of actions [..., C] under the Gaussian around `mean`, float32[...]."""
        log_std = self.bounded_log_std
        z = (actions - mean) * jnp.exp(-log_std)
        return -0.5 * (z**2).sum(-1) - log_std.sum()


class Agent(NamedTuple):
    """What learns."""

    params: Any
    optimizer_state: Any


class PPORollout(NamedTuple):
    """T ticks of N environments; the action is the one that was meant, before the action noise.

    Attributes:
        observations: float32[T, N, O], before the tick.
        next_observations: float32[T, N, O], after it; where an episode ended its last one, not the next one's first.
        actions: float32[T, N, C].
        rewards: float32[T, N].
        terminated: float32[T, N], 1 where the task ended: nothing follows.
        ended: float32[T, N], 1 where the episode ended, by the time limit too: what follows is another's.
        success: bool[T, N].
    """

    observations: np.ndarray
    next_observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    success: np.ndarray


class Minibatch(NamedTuple):
    """What the losses need of M ticks: observations normalised, each other a number per tick (actions: C)."""

    observations: jax.Array
    actions: jax.Array
    log_probabilities: jax.Array
    advantages: jax.Array
    returns: jax.Array
    next_observations: jax.Array


def advantages(values: jax.Array, next_values: jax.Array, rollout: PPORollout, settings: PPOSettings) -> jax.Array:
    """Generalised advantage estimates, float32[T, N].

    A time limit is no end of the task: the value of the last observation is counted there (`next_values`), and only a
    termination is worth nothing afterwards.
    """
    rewards, terminated, ended = map(jnp.asarray, (rollout.rewards, rollout.terminated, rollout.ended))
    errors = rewards + settings.discount * (1 - terminated) * next_values - values
    keep = settings.discount * settings.trace * (1 - ended)

    def back(later: jax.Array, tick: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        now = tick[0] + tick[1] * later
        return now, now

    return jax.lax.scan(back, jnp.zeros_like(errors[0]), (errors, keep), reverse=True)[1]


def actor_loss(
    network: Network, batch: Minibatch, key: jax.Array, progress: jax.Array, settings: PPOSettings
) -> tuple[jax.Array, dict]:
    """The clipped surrogate objective, less the entropy bonus, and the price of changing the action at every tick.

    The first fades with progress, the second grows: a policy that has to be smooth from the start finds nothing. The
    price is the temporal part of CAPS (Mysore et al. 2021, "Regularizing action policies for smooth control", arXiv
    2012.06644).
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
    loss = -surrogate - settings.entropy * (1 - progress) * network.bounded_log_std.sum()
    if not settings.smoothness:  # saves a third of the actor's work
        return loss, info
    change_of_mean = jnp.square(network.mean(batch.next_observations) - network.mean(batch.observations)).sum(-1).mean()
    return loss + settings.smoothness * progress * change_of_mean, {**info, "change": change_of_mean}


def critic_loss(network: Network, batch: Minibatch) -> jax.Array:
    """Mean squared error against the returns of the rollout."""
    return 0.5 * jnp.square(network.value(batch.observations) - batch.returns).mean()


def total_loss(
    params: Any, graph: Any, batch: Minibatch, key: jax.Array, progress: jax.Array, settings: PPOSettings
) -> tuple[jax.Array, dict]:
    """Both losses, and metrics."""
    network = nnx.merge(graph, params)
    actor, info = actor_loss(network, batch, key, progress, settings)
    critic = critic_loss(network, batch)
    return actor + settings.value_weight * critic, {**info, "actor_loss": actor, "critic_loss": critic}


def expert_optimizer(settings: PPOSettings) -> optax.GradientTransformation:
    """The optimizer, on clipped gradients; the learning rate falls linearly, to its last value with the last update."""
    count = settings.updates * settings.epochs * settings.minibatches
    rate = optax.linear_schedule(settings.learning_rate, settings.last_learning_rate, count)
    optimizer = make_optimizer(settings.optimizer, rate, settings.averaged, epsilon=1e-5)
    return optax.chain(optax.clip_by_global_norm(settings.max_gradient_norm), optimizer)


def make_batch(
    network: Network, rollout: PPORollout, mean: jax.Array, scale: jax.Array, settings: PPOSettings
) -> Minibatch:
    """The rollout's ticks in one row, T * N of them, judged by the network that acted."""
    seen, seen_next = (
        jnp.clip((x - mean) / scale, -FARTHEST, FARTHEST) for x in (rollout.observations, rollout.next_observations)
    )
    values = network.value(seen)
    gain = advantages(values, network.value(seen_next), rollout, settings)
    actions = jnp.asarray(rollout.actions)
    parts = (
        seen,
        actions,
        network.log_probability(network.mean(seen), actions),
        gain,
        gain + values,
        seen_next,
    )
    return Minibatch(*(part.reshape(-1, *part.shape[2:]) for part in parts))


@partial(jax.jit, static_argnames=("graph", "settings"))
def update(
    agent: Agent,
    rollout: PPORollout,
    normal: tuple[jax.Array, jax.Array],
    order: jax.Array,
    key: jax.Array,
    progress: jax.Array,
    *,
    graph: Any,
    settings: PPOSettings,
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
        the agent afterwards, and the means of the metrics.
    """
    batch = make_batch(nnx.merge(graph, agent.params), rollout, *normal, settings)
    optimizer = expert_optimizer(settings)

    def descend(agent: Agent, part: tuple[jax.Array, jax.Array]) -> tuple[Agent, dict[str, jax.Array]]:
        rows = jax.tree.map(lambda column: column[part[0]], batch)
        gradients, info = jax.grad(total_loss, has_aux=True)(agent.params, graph, rows, part[1], progress, settings)
        changes, optimizer_state = optimizer.update(gradients, agent.optimizer_state, agent.params)
        return Agent(optax.apply_updates(agent.params, changes), optimizer_state), info

    agent, infos = jax.lax.scan(descend, agent, (order, jax.random.split(key, len(order))))
    return agent, jax.tree.map(jnp.mean, infos)
