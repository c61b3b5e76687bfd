"""A flow over future states: from noise to one of the states to come, given a state, a chunk and an intention.

As in intention-conditioned flow occupancy models (Zheng et al. 2025, arXiv 2506.08902): a plain MLP, Euler steps, and
points that stay within the data. States are normalised; flow time runs from 0, noise, to 1, data.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.mlp import Array, Layers

STD_FLOOR = 0.05  # of observations: what hardly varies is not blown up


class StateScales(NamedTuple):
    """What the observations of the data are like, float32[O] each.

    Attributes:
        mean: of observations.
        std: their standard deviation, at least .05.
        lowest: the smallest, normalised.
        highest: the largest, normalised.
    """

    mean: Array
    std: Array
    lowest: Array
    highest: Array

    @classmethod
    def unknown(cls, size: int) -> StateScales:
        """Of O numbers before any are seen: nothing is changed, and nothing is bounded."""
        one = np.ones(size, np.float32)
        return cls(0 * one, one, -np.inf * one, np.inf * one)

    @classmethod
    def of(cls, observations: np.ndarray) -> StateScales:
        """Of observations [N, O]."""
        mean = observations.mean(axis=0, dtype=np.float64).astype(np.float32)
        std = np.maximum(observations.std(axis=0, dtype=np.float64), STD_FLOOR).astype(np.float32)
        return cls(mean, std, (observations.min(axis=0) - mean) / std, (observations.max(axis=0) - mean) / std)

    def normalised(self, observations: Array) -> jax.Array:
        """Observations [..., O] as the networks of the future see them."""
        return (jnp.asarray(observations) - self.mean) / self.std

    def restored(self, states: jax.Array) -> jax.Array:
        """Normalised states as observations."""
        return states * self.std + self.mean


class Asked(NamedTuple):
    """What futures are asked of.

    Attributes:
        states: float32[..., O], normalised.
        rows: float32[..., R * A], of the chunk that begins there.
        latents: float32[..., Z], the intention.
    """

    states: jax.Array
    rows: jax.Array
    latents: jax.Array


def initial_occupancy(key: jax.Array, state: int, rows: int, latent: int, hidden: tuple[int, ...]) -> Layers:
    """Weights to begin with: of states of so many numbers, flat chunks of so many, and so many of an intention."""
    return mlp.initial(key, (2 * state + rows + latent + 1, *hidden, state))


def occupancy_velocity(layers: Layers, points: jax.Array, time: jax.Array, asked: Asked) -> jax.Array:
    """The derivative of points [..., O] by flow time [..., 1]; what is asked broadcasts to them."""
    return mlp.apply(layers, *asked, points, time)


def sample_futures(layers: Layers, noise: jax.Array, asked: Asked, steps: int, scales: StateScales) -> jax.Array:
    """Future states from noise.

    Args:
        layers: of the flow.
        noise: [B, N, O], for N futures of each.
        asked: of B.
        steps: Euler steps.
        scales: whose range no point leaves.

    Returns:
        float32[B, N, O], normalised.
    """

    def block(points: jax.Array, *parts: jax.Array) -> jax.Array:
        fixed = mlp.fix_inputs(layers, *(each[:, None] for each in parts))

        def move(step: jax.Array, points: jax.Array) -> jax.Array:
            velocity = mlp.apply(fixed, points, jnp.full((1, 1, 1), step / steps))
            return (points + velocity / steps).clip(scales.lowest, scales.highest)

        return jax.lax.fori_loop(0, steps, move, points)

    return mlp.in_blocks(block, noise.shape[1], noise, *asked)


def passed_errors(layers: Layers, asked: Asked, passed: jax.Array, time: jax.Array, noise: jax.Array) -> jax.Array:
    """Errors [B] of the velocity towards states [B, O] that were passed, at times [B, 1] of paths from noise [B, O]."""
    found = occupancy_velocity(layers, noise + time * (passed - noise), time, asked)
    return ((found - (passed - noise)) ** 2).mean(axis=-1)


def future_errors(
    layers: Layers,
    target: Layers,
    asked: Asked,
    after: Asked,
    ended: jax.Array,
    time: jax.Array,
    noise: jax.Array,
    steps: int,
    scales: StateScales,
) -> jax.Array:
    """Errors [B] of the velocity towards the futures of what comes after, by the target's flow and from the same noise.

    Where the task ended [B] the future is known: it is the state that it ended in.
    """
    over = ended[:, None] > 0
    drawn = sample_futures(target, noise[:, None], after, steps, scales)[:, 0]
    futures = jnp.where(over, after.states, drawn)
    points = noise + time * (futures - noise)
    wanted = jnp.where(over, futures - noise, occupancy_velocity(target, points, time, after))
    return ((occupancy_velocity(layers, points, time, asked) - wanted) ** 2).mean(axis=-1)
