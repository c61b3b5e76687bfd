"""What a correction head learns from: ticks of the policy's own runs, each with the action that is right there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.agents.nets.chunk_flow import sample_chunks
from chunkenv.agents.policies.flow_sampler import FlowSampler
from chunkenv.collect.experts import Demonstrator
from chunkenv.data.dataset import Dataset
from chunkenv.utils.seeding import spawn

BATCH = 1024
"""Ticks labelled at once, always: the last bits of a chunk may depend on how many there are."""


class LabelledTicks(NamedTuple):
    """T ticks.

    Attributes:
        observations: float32[T, O].
        rows: float32[T, A], the planned actions.
        places: int64[T], which row of its chunk each is.
        labels: float32[T, A], what is right there.
        horizon: rows in a chunk, H.
    """

    observations: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    horizon: int


def label_by_expert(runs: Dataset, expert: Demonstrator) -> LabelledTicks:
    """Ticks with the action that an expert holds for best there.

    Args:
        runs: of `chunkenv.collect.collect_runs`.
        expert: of the same level.
    """
    observations = np.asarray(runs.observations)
    batches = range(0, len(runs), BATCH)
    labels = np.concatenate([expert.actions(observations[start : start + BATCH]) for start in batches])
    horizon = runs.info["execution_horizon"]
    return LabelledTicks(observations, np.asarray(runs.actions), ticks_of_episodes(runs) % horizon, labels, horizon)


def label_by_policy(runs: Dataset, policy: FlowSampler) -> LabelledTicks:
    """Ticks with the first row of a fresh chunk of the policy, which needs no expert.

    That chunk begins with the noise of the one that was executed, moved on by its rows that are over: row 0 of the
    fresh chunk has the noise of the row that it corrects, as in papadoster/jit-reflex. So a row 0 is its own label,
    and where the policy has several ways to go on, the label keeps to the one that was taken.

    Args:
        runs: of `chunkenv.collect.collect_runs`.
        policy: that played them.
    """
    observations, horizon = np.asarray(runs.observations), policy.prediction_horizon
    sample = policy.compile(sample_chunks)
    noise = _moved_noise(runs, horizon, policy.action_size)
    rows = -(-len(runs) // BATCH) * BATCH
    seen, drawn = (np.resize(each, (rows, *each.shape[1:])) for each in (observations, noise))
    batches = [slice(start, start + BATCH) for start in range(0, rows, BATCH)]
    fresh = [np.asarray(policy.to_actions(sample(seen[batch], drawn[batch])))[:, 0] for batch in batches]
    labels = np.concatenate(fresh)[: len(runs)].astype(np.float32)
    return LabelledTicks(observations, np.asarray(runs.actions), ticks_of_episodes(runs) % horizon, labels, horizon)


def ticks_of_episodes(runs: Dataset) -> np.ndarray:
    """The ticks since its episode's first, int64[T]."""
    return np.arange(len(runs)) - np.repeat(runs.episodes.start, runs.episodes.length)


def _moved_noise(runs: Dataset, horizon: int, action_size: int) -> np.ndarray:
    """The noise of each tick's chunk, drawn again from its episode's stream, from that tick's row on: [T, H, A]."""
    noise = []
    for seed, length in zip(runs.episodes.seed.tolist(), runs.episodes.length.tolist(), strict=True):
        ticks = np.arange(length)
        shape = (-(-length // horizon), horizon, action_size)
        drawn = spawn(seed, "policy").standard_normal(shape, np.float32)
        moved = (ticks[:, None] + np.arange(horizon)) % horizon
        noise.append(drawn[ticks[:, None] // horizon, moved])
    return np.concatenate(noise)
