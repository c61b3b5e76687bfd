"""What a pre-trained InFOM model predicts on held-out episodes, and whether it sees whose they are: see `infom.py`."""

from __future__ import annotations

import jax
import numpy as np

from chunkenv.agents import InFOM
from chunkenv.data import Dataset, ReplayBuffer, Successors

WINDOWS, FUTURES = 1024, 32
"""Held-out windows that a model is measured on, and its futures of each."""
RIDGE = 1.0
"""Of the probe."""


def measure(agent: InFOM, held_out: Dataset, replay: ReplayBuffer) -> dict[str, float]:
    """The energy score of predicted futures, and the probes of the hidden intention.

    Args:
        agent: pre-trained.
        held_out: episodes of `infom_data.py`.
        replay: the same.
    """
    rows = replay.draw_starts(np.random.default_rng(0), WINDOWS)
    batch = agent.experience(replay).sample(np.random.default_rng(0), WINDOWS, agent.settings.horizons)
    episode = np.searchsorted(np.cumsum(held_out.episodes.length + 1) - 1, rows)
    means = np.asarray(agent.intentions(batch.next_observations, batch.next_chunks)[0])
    raw = np.concatenate([batch.next_observations, batch.next_chunks.reshape(WINDOWS, -1)], axis=1)
    hidden = np.asarray(held_out.episodes.expert)[episode]
    return {
        "energy": energy_score(agent, batch, means, held_out, rows - episode, episode),
        "probe": probe(means, hidden, episode) if agent.settings.latent else np.nan,
        "raw": probe(raw, hidden, episode),
    }


def energy_score(
    agent: InFOM,
    batch: Successors[np.ndarray],
    means: np.ndarray,
    data: Dataset,
    ticks: np.ndarray,
    episode: np.ndarray,
) -> float:
    """2 E|X - y| - E|X - X'| of futures X and the real one y, a number of ticks later that is drawn as futures are.

    Windows whose drawn tick lies beyond a truncated end are left out: nobody knows what came there.
    """
    table, discount = data.episodes, agent.settings.horizons.discount
    later = ticks + np.random.default_rng(1).geometric(1 - discount, len(ticks)) - 1
    over = later >= table.start[episode] + table.length[episode]
    passed = data.observations[np.where(over, ticks, later)]
    real = np.where(over[:, None], table.final_observation[episode], passed)
    drawn = agent.future_observations(batch.observations, batch.chunks, means, jax.random.key(0), FUTURES)
    futures, real = np.asarray(agent.scales.normalised(drawn)), np.asarray(agent.scales.normalised(real))
    away = np.linalg.norm(futures - real[:, None], axis=-1).mean(axis=1)
    between = np.linalg.norm(futures[:, ::2] - futures[:, 1::2], axis=-1).mean(axis=1)
    return float((2 * away - between)[~over | table.success[episode]].mean())


def probe(features: np.ndarray, labels: np.ndarray, episode: np.ndarray) -> float:
    """The share of windows of every second episode whose label a linear function, fitted to the others, names."""
    spread = features.std(axis=0) + 1e-6
    inputs = np.concatenate([(features - features.mean(axis=0)) / spread, np.ones((len(features), 1))], axis=1)
    fitted = inputs[episode % 2 == 0]
    wanted = np.eye(labels.max() + 1)[labels[episode % 2 == 0]]
    weights = np.linalg.solve(fitted.T @ fitted + RIDGE * np.eye(fitted.shape[1]), fitted.T @ wanted)
    named = (inputs[episode % 2 == 1] @ weights).argmax(axis=1)
    return float((named == labels[episode % 2 == 1]).mean())
