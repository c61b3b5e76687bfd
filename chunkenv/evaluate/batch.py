"""The evaluation loop for policies that answer many environments at once; its rows are those of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from gymnasium.vector import AutoresetMode

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.evaluate.row import Row
from chunkenv.evaluate.single import Tally, check_policy, episode_seed, reset_policy
from chunkenv.request import BatchPolicy, Chunk
from chunkenv.utils.checks import whole_number
from chunkenv.utils.infos import FIRST_SUCCESS, SUCCESS_KEYS, split_infos
from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import Info, Observation
from chunkenv.vector import ChunkedVectorExecution

SLOTS = 64

USED = ("ticks", "delay", "underruns", "actions", "sources", "staleness", FIRST_SUCCESS, *SUCCESS_KEYS)
"""The keys of infos that rows are made of."""


def evaluate_batch(
    make_vector_env: Callable[[int], ChunkedVectorExecution],
    policy: BatchPolicy,
    episodes: int | Sequence[int],
    seed: int,
    slots: int = SLOTS,
) -> list[Row]:
    """Play whole episodes, many at a time, and return one row for each.

    Each slot of the vector environment plays one episode after the other; as all chunks are inferred in batches of the
    same size, a policy whose rows don't depend on one another gives an episode the same row among any others. Episode i
    is the one of `chunkenv.evaluate` with the same seed: the same world, latency, noise and policy's random stream.

    Args:
        make_vector_env: makes a vector environment of that many environments: a `ChunkedVectorExecution` with the
            autoreset mode DISABLED.
        policy: has `infer_batch(observations, request) -> chunks`.
        episodes: how many, at least 1; or their numbers.
        seed: at least 0.
        slots: how many environments, at least 1. It should not be larger than the number of episodes.

    Returns:
        Rows as `chunkenv.evaluate` has them, in the order of the episodes.

    Raises:
        ArgumentError: an invalid argument.
        ActionError: the policy returned chunks that cannot be executed.

    >>> import gymnasium as gym
    >>> class Still:
    ...     def infer_batch(self, observations, request):
    ...         return np.zeros((len(request.tick), 8, 6), np.float32)
    >>> arguments = dict(prediction_horizon=8, execution_horizon=4, latency=2)
    >>> def make_envs(slots):
    ...     catapult = "chunkenv/kinetix-catapult-v0"
    ...     return gym.make_vec(catapult, slots, autoreset_mode=AutoresetMode.DISABLED, **arguments)
    >>> [row["ticks"] for row in evaluate_batch(make_envs, Still(), episodes=3, seed=0, slots=2)]
    [256, 256, 256]
    """
    check_policy(
        policy,
        "infer_batch",
        "infer_batch(observations, request) that returns N chunks; "
        "a policy with infer(observation, request) is evaluated by chunkenv.evaluate.",
    )
    seed = whole_number("seed", seed, at_least=0)
    numbers = range(whole_number("episodes", episodes, at_least=1)) if isinstance(episodes, int) else episodes
    seeds = [episode_seed(seed, number) for number in numbers]
    envs = _make(make_vector_env, whole_number("slots", slots, at_least=1))
    try:
        return _Slots(envs, policy, seeds).play()
    finally:
        envs.close()


class _Slots:
    """Which slot plays which episode: `playing[i]` is its place in the list of seeds; None if slot i has none."""

    def __init__(self, envs: ChunkedVectorExecution, policy: BatchPolicy, seeds: list[int]) -> None:
        self._envs, self._policy, self._seeds = envs, policy, seeds
        self._waiting = iter(range(len(seeds)))
        self._playing: list[int | None] = [None] * envs.num_envs
        self._tallies: list[Tally | None] = [None] * envs.num_envs
        self._streams = [spawn(0, "policy")] * envs.num_envs
        self._rows: list[Row] = [{} for _ in seeds]

    def play(self) -> list[Row]:
        """All episodes."""
        reset_policy(self._policy)
        observations = self._begin(np.ones(self._envs.num_envs, bool))
        while any(number is not None for number in self._playing):
            observations = self._decide(observations)
        return self._rows

    def _decide(self, observations: Observation) -> Observation:
        request = self._envs.request._replace(rng=tuple(self._streams))
        observations, _, terminated, truncated, infos = self._step(self._policy.infer_batch(observations, request))
        ended = terminated | truncated
        used = {key: value for key, value in infos.items() if key.removeprefix("_") in USED}
        split = split_infos(used, self._envs.num_envs)
        for tally, reward, info in zip(self._tallies, self._envs.undiscounted_reward.tolist(), split, strict=True):
            if tally is not None:
                tally.add(reward, info)
        self._finish(np.flatnonzero(ended).tolist())
        return self._begin(ended) if ended.any() else observations

    def _finish(self, slots: list[int]) -> None:
        for slot in slots:
            number, tally = self._playing[slot], self._tallies[slot]
            if number is not None and tally is not None:
                self._rows[number] = tally.row()

    def _begin(self, members: np.ndarray) -> Observation:
        """Start the next episodes in some slots (bool[N]); one for which there is none left idles, with some seed."""
        seeds: list[int | None] = [None] * self._envs.num_envs
        for slot in np.flatnonzero(members).tolist():
            number = self._playing[slot] = next(self._waiting, None)
            seed = seeds[slot] = 0 if number is None else self._seeds[number]
            self._streams[slot] = spawn(seed, "policy")
            self._tallies[slot] = None if number is None else Tally(seed, self._envs, self._policy)
        return self._envs.reset(seed=seeds, options={"reset_mask": members})[0]

    def _step(self, chunks: Chunk) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        try:
            return self._envs.step(chunks)
        except ActionError as error:
            name = type(self._policy).__name__
            raise ActionError(f"{name}.infer_batch returned chunks that cannot be executed: {error}") from error


def _make(make_vector_env: object, slots: int) -> ChunkedVectorExecution:
    if not callable(make_vector_env):
        raise ArgumentError(f"make_vector_env={brief(make_vector_env)} is no function; give lambda num_envs: ...")
    envs = make_vector_env(slots)
    if not isinstance(envs, ChunkedVectorExecution) or envs.num_envs != slots:
        raise ArgumentError(f"make_vector_env({slots}) returned {envs}; return a ChunkedVectorExecution of {slots}.")
    mode = envs.metadata.get("autoreset_mode")
    if mode != AutoresetMode.DISABLED:
        raise ArgumentError(
            f"make_vector_env made one with {mode}; make it with autoreset_mode=AutoresetMode.DISABLED."
        )
    return envs
