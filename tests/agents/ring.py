"""A ring of places whose discounted futures are known: by a sum over ticks, for any chunk and any behaviour."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.data.windows.successors import SuccessorReplay, Successors

PLACES = 8
FAR = 400  # ticks: nothing of the discounts below is left after them


def seen(places: np.ndarray) -> np.ndarray:
    angles = 2 * np.pi * np.asarray(places) / PLACES
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def place_of(observations: np.ndarray) -> np.ndarray:
    """The nearest places of observations [..., 2]."""
    return (observations @ seen(np.arange(PLACES)).T).argmax(axis=-1)


def experience(ticks: int, forwards: float, seed: int = 0) -> ReplayBuffer:
    """One long walk; each step goes forwards with this probability, or else backwards."""
    return _walks(np.where(np.random.default_rng(seed).random((1, ticks)) < forwards, 1, -1))


def two_intentions(walks: int, ticks: int) -> ReplayBuffer:
    """Every second walk goes forwards for good, the others backwards."""
    return _walks(np.where(np.arange(walks) % 2, 1, -1)[:, None].repeat(ticks, axis=1))


def _walks(steps: np.ndarray) -> ReplayBuffer:
    """Walks by their steps [W, T], each from a place of its own."""
    walks, ticks = steps.shape
    begun = np.arange(walks)[:, None] // 2
    observations = seen(np.concatenate([begun, begun + np.cumsum(steps, axis=1)], axis=1))
    return ReplayBuffer.from_episodes(
        observations[:, :-1].reshape(-1, 2),
        steps.reshape(-1, 1).astype(np.float32),
        np.zeros(walks * ticks, np.float32),
        np.zeros(walks * ticks, bool),
        np.full(walks, ticks),
        observations[:, -1],
    )


def futures(chunk: np.ndarray, forwards: float, discount: float) -> np.ndarray:
    """The share of each place in the futures of place 0 after a chunk of steps, [PLACES]."""
    here, found, weight = np.eye(PLACES)[0], np.zeros(PLACES), 1 - discount
    for tick in range(FAR):
        found, weight = found + weight * here, weight * discount
        if tick < len(chunk):
            here = np.roll(here, int(chunk[tick]))
        else:
            here = forwards * np.roll(here, 1) + (1 - forwards) * np.roll(here, -1)
    return found


def learn(agent: Any, replay: ReplayBuffer, updates: int) -> Any:
    """The agent after so many updates without rewards, a hundred in one compiled call."""
    agent = agent.scaled_to(replay.observations)
    horizons: Horizons = agent.settings.horizons
    for round_ in range(updates // 100):
        drawn = SuccessorReplay(replay).sample(np.random.default_rng(round_), 100 * agent.settings.batch, horizons)
        agent = _pretrained(agent, Successors(*(column.reshape(100, -1, *column.shape[1:]) for column in drawn)))
    return agent


@jax.jit
def _pretrained(agent: Any, batches: Successors) -> Any:
    return jax.lax.scan(lambda agent, batch: agent.pretrain(batch), agent, jax.tree.map(jnp.asarray, batches))[0]
