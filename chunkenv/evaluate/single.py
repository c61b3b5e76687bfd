"""The one evaluation loop: an environment, a policy and a seed give one row per episode.

Everything that reports a number calls it, so that two numbers differ by environment or policy, never by the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import SupportsFloat

import gymnasium as gym

from chunkenv.errors import ActionError, ArgumentError
from chunkenv.evaluate.asking import Asker, check_policy, reset_policy
from chunkenv.evaluate.row import Row
from chunkenv.evaluate.tally import Tally
from chunkenv.request import Policy
from chunkenv.utils.checks import whole_number
from chunkenv.utils.seeding import spawn
from chunkenv.utils.types import Action, AnyEnv, Info, Observation


def evaluate(
    make_env: Callable[[], AnyEnv], policy: Policy, episodes: int, seed: int, *, decisions: list[Row] | None = None
) -> list[Row]:
    """Play whole episodes and return one row for each.

    Episode i is the same world (start, latency, noise) for any policy, delay and number of episodes,
    because its seed depends on `(seed, i)` only: rows of two policies with the same seed are paired.

    Args:
        make_env: makes the environment: a `ChunkedExecution`, perhaps wrapped further, whose episodes end.
        policy: has `infer(observation, request) -> chunk`, and `reset()` if it remembers anything. Where
            `request.horizons` lets it choose when to be asked again, it may return `(chunk, horizon)`; where
            `request.delays` lets it choose how long to think, it has `budget(observation, request)`, which is asked
            first and returns one of them.
        episodes: how many episodes, at least 1.
        seed: at least 0.
        decisions: a list to which a row of every decision is added, with the columns `episode` and `DECISION` of
            `row.py`; its `seconds` are wall time, and the only column in which two runs differ (all may, where the
            latency is `chunkenv.latency.Measured`). None keeps none.

    Returns:
        Rows with the columns `EPISODE` of `row.py` (`seed`, `ticks`, `return`, `success`, `underruns`, `decisions`) and
        `first_success`. `return` sums the rewards that `ChunkedExecution` gets, tick by tick: no discount and no
        wrapper outside counts. `success` is whether any tick's info reported it, as `success` or `is_success`, and
        None if none says (None and NaN say nothing); `first_success` is the number of ticks played by then, 1 for the
        first tick, None without success. An environment with info='actions' or 'full' adds the columns of `SMOOTHNESS`,
        and `charged_latency` (None if control_dt is unknown); a policy with a `cost`, its `denoiser_evaluations`.

    Raises:
        ArgumentError: an invalid argument, or an environment that does not chunk.
        ActionError: the policy returned a chunk that cannot be executed.

    >>> from chunkenv.wrappers import ChunkedExecution
    >>> class Left:
    ...     def infer(self, observation, request):
    ...         return [0] * 8
    >>> rows = evaluate(lambda: ChunkedExecution(gym.make("CartPole-v1"), 8, 4, latency=2), Left(), episodes=2, seed=0)
    >>> [row["ticks"] for row in rows], rows[0]["success"]
    ([9, 9], None)

    The time of each inference, and what became of it:

    >>> decisions = []
    >>> rows = evaluate(
    ...     lambda: ChunkedExecution(gym.make("CartPole-v1"), 8, 4, latency=2), Left(), 1, seed=0, decisions=decisions
    ... )
    >>> [(row["tick"], row["delay"], row["ticks"]) for row in decisions]
    [(0, 0, 4), (4, 2, 4), (8, 2, 1)]
    """
    check_policy(policy)
    count = whole_number("episodes", episodes, at_least=1)
    seed = whole_number("seed", seed, at_least=0)
    env = _make(make_env)
    try:
        check_env(env)
        return [play_episode(env, policy, episode_seed(seed, each), each, decisions) for each in range(count)]
    finally:
        env.close()


def episode_seed(seed: int, episode: int) -> int:
    """The seed of one episode of an evaluation, in [0, 2**31): small enough for every environment's generator.

    >>> episode_seed(0, 3) == episode_seed(0, 3)
    True
    >>> episode_seed(0, 3) == episode_seed(0, 4)
    False
    """
    return int(spawn(seed, "episode", depth=episode).integers(2**31))


def play_episode(env: AnyEnv, policy: Policy, seed: int, episode: int = 0, decisions: list[Row] | None = None) -> Row:
    """Play one episode with the given seed of its own; the row has the keys of `evaluate`.

    Args:
        env: executes chunks.
        policy: as `evaluate` has it.
        seed: the episode's.
        episode: its number, which the rows of its decisions have.
        decisions: where these are added; None keeps none.
    """
    asker, rng = Asker(env, policy), spawn(seed, "policy")
    reset_policy(policy)
    observation, info = env.reset(seed=seed)
    tally, ended = Tally(seed, env, policy, episode), False
    while not ended:
        action, request, seconds = asker.ask(observation, rng)
        observation, _, terminated, truncated, info = _step(env, policy, action)
        tally.add(env.get_wrapper_attr("undiscounted_reward"), info)
        if decisions is not None:
            horizon = info["horizon"] if request.horizons else request.execution_horizon
            decisions.append(tally.decision(info, int(horizon), seconds))
        ended = terminated or truncated
    return tally.row()


def check_env(env: AnyEnv) -> None:
    """Refuse what executes no chunks.

    Raises:
        ArgumentError: if neither `env` nor what it wraps is a `ChunkedExecution`.
    """
    if not env.has_wrapper_attr("prediction_horizon"):
        raise ArgumentError(f"{env} executes no chunks; make_env must return a ChunkedExecution (it may be wrapped).")


def _make(make_env: object) -> AnyEnv:
    if isinstance(make_env, gym.Env) or not callable(make_env):
        raise ArgumentError(
            f"make_env={make_env} is not a function that makes an environment; give lambda: ... instead."
        )
    env = make_env()
    if not isinstance(env, gym.Env):
        raise ArgumentError(f"make_env returned {env!r}, which is not a Gymnasium environment.")
    return env


def _step(env: AnyEnv, policy: Policy, action: Action) -> tuple[Observation, SupportsFloat, bool, bool, Info]:
    try:
        return env.step(action)
    except ActionError as error:
        name = type(policy).__name__
        raise ActionError(f"{name}.infer returned a chunk that cannot be executed: {error}") from error
