"""The evaluation loop for policies that answer many environments at once; its rows are those of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from chunkenv.errors import ActionError, ArgumentError, brief
from chunkenv.evaluate.asking import Asker, TimedAnswer, check_policy, reset_policy
from chunkenv.evaluate.row import Row
from chunkenv.evaluate.single import episode_seed
from chunkenv.evaluate.tally import Tally
from chunkenv.request import BatchPolicy
from chunkenv.utils.checks import whole_number
from chunkenv.utils.infos import FIRST_SUCCESS, SUCCESS_KEYS, split_infos
from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import Action, Info, Observation
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
    *,
    decisions: list[Row] | None = None,
) -> list[Row]:
    """Play whole episodes, many at a time, and return one row for each.

    Each slot of the vector environment plays one episode after the other; as all chunks are inferred in batches of the
    same size, a policy whose rows don't depend on one another gives an episode the same row among any others. Episode i
    is the one of `chunkenv.evaluate` with the same seed: the same world, latency, noise and policy's random stream.

    Args:
        make_vector_env: makes a vector environment of that many environments: a `ChunkedVectorExecution` with the
            autoreset mode DISABLED.
        policy: has `infer_batch(observations, request) -> chunks`, or `(chunks, horizons)`, and `budget_batch` where it
            may choose how long to think, both as `chunkenv.evaluate` has them, with int[N]. If its cost differs between
            the rows of a batch, it also has `costs`: the costs of the last batch, one for each row.
        episodes: how many, at least 1; or their numbers.
        seed: at least 0.
        slots: how many environments, at least 1. It should not be larger than the number of episodes.
        decisions: as `chunkenv.evaluate` has it: a row of every decision is added, in the order of the episodes.
            `seconds` is the time of the whole batch: each of its decisions waited as long.

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
    seeds = [(number, episode_seed(seed, number)) for number in numbers]
    envs = _make(make_vector_env, whole_number("slots", slots, at_least=1))
    try:
        played = _Slots(envs, policy, seeds, keep=decisions is not None)
        rows = played.play()
    finally:
        envs.close()
    if decisions is not None:
        decisions += played.decisions
    return rows


class _Slots:
    """Which slot plays which episode: `playing[i]` is its place in the list of episodes; None if slot i has none."""

    def __init__(
        self, envs: ChunkedVectorExecution, policy: BatchPolicy, episodes: list[tuple[int, int]], keep: bool
    ) -> None:
        self._envs, self._policy, self._keep = envs, policy, keep
        self._asker = Asker(envs, policy)
        self._episodes = episodes
        self._waiting = iter(range(len(episodes)))
        self._playing: list[int | None] = [None] * envs.num_envs
        self._tallies: list[Tally | None] = [None] * envs.num_envs
        self._streams = [spawn(0, "policy")] * envs.num_envs
        self._rows: list[Row] = [{} for _ in episodes]
        self._kept: list[list[Row]] = [[] for _ in episodes]

    def play(self) -> list[Row]:
        """All episodes."""
        reset_policy(self._policy)
        observations = self._begin(np.ones(self._envs.num_envs, bool))
        while any(place is not None for place in self._playing):
            observations = self._decide(observations)
        return self._rows

    @property
    def decisions(self) -> list[Row]:
        """The rows of all decisions, episode by episode."""
        return [row for kept in self._kept for row in kept]

    def _decide(self, observations: Observation) -> Observation:
        answer = self._asker.ask(observations, tuple(self._streams), self._members_playing())
        evaluations = _evaluations(self._policy, self._envs.num_envs)
        observations, _, terminated, truncated, infos = self._step(answer.action)
        ended = terminated | truncated
        self._add(infos, evaluations, answer)
        self._finish(np.flatnonzero(ended).tolist())
        return self._begin(ended) if ended.any() else observations

    def _members_playing(self) -> NDArray[np.bool_] | None:
        """Which slots play an episode; None if all do."""
        playing = np.array([place is not None for place in self._playing])
        return None if playing.all() else playing

    def _add(self, infos: Info, evaluations: list[int | None], answer: TimedAnswer) -> None:
        """Count the decisions of all slots that play."""
        count, request = self._envs.num_envs, answer.request
        horizons = infos["horizon"].tolist() if request.horizons else [request.execution_horizon] * count
        used = {key: value for key, value in infos.items() if key.removeprefix("_") in USED}
        split = split_infos(used, count)
        rewards = self._envs.undiscounted_reward.tolist()
        counted = zip(self._playing, self._tallies, rewards, split, evaluations, horizons, strict=True)
        for place, tally, reward, info, spent, horizon in counted:
            if place is not None and tally is not None:
                tally.add(reward, info, spent)
                if self._keep:
                    self._kept[place].append(tally.decision(info, horizon, answer.seconds))

    def _finish(self, slots: list[int]) -> None:
        for slot in slots:
            place, tally = self._playing[slot], self._tallies[slot]
            if place is not None and tally is not None:
                self._rows[place] = tally.row()

    def _begin(self, members: np.ndarray) -> Observation:
        """Start the next episodes in some slots (bool[N]); one for which there is none left idles, with some seed."""
        seeds: list[int | None] = [None] * self._envs.num_envs
        for slot in np.flatnonzero(members).tolist():
            place = self._playing[slot] = next(self._waiting, None)
            number, seed = (0, 0) if place is None else self._episodes[place]
            seeds[slot], self._streams[slot] = seed, spawn(seed, "policy")
            self._tallies[slot] = None if place is None else Tally(seed, self._envs, self._policy, number)
        return self._envs.reset(seed=seeds, options={"reset_mask": members})[0]

    def _step(self, actions: Action) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        try:
            return self._envs.step(actions)
        except ActionError as error:
            name = type(self._policy).__name__
            raise ActionError(f"{name}.infer_batch returned chunks that cannot be executed: {error}") from error


def _evaluations(policy: Any, count: int) -> list[int | None]:
    """What the last batch took of the denoiser for each of its rows; None of a policy that does not say."""
    costs = getattr(policy, "costs", None)
    if costs is None:
        cost = getattr(policy, "cost", None)
        return [None if cost is None else cost.evaluations] * count
    if len(costs) != count:
        name = type(policy).__name__
        raise ArgumentError(f"{name}.costs has {len(costs)} after a batch of {count} rows; give a Cost for each row.")
    return [cost.evaluations for cost in costs]


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
