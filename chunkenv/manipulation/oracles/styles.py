"""Ways of acting that data is collected in."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.oracles.imperfect import Imperfection, ImperfectOracle
from chunkenv.manipulation.oracles.oracle import Oracle
from chunkenv.manipulation.oracles.random_subgoals import random_subgoal
from chunkenv.manipulation.oracles.scripted import STYLES as PRIMITIVES
from chunkenv.manipulation.oracles.subgoal import Facts
from chunkenv.utils.checks import one_of, real_number

STYLES = ("play", "task", "noisy")
NOISE = 0.5
"""The largest standard deviation of the noise in the style 'noisy', as a share of the largest action."""


class Actor:
    """Acts in closed loop in one of the styles in which data is collected.

        play    random sub-goals, one after the other, along ogbench's plans with their correlated noise
        task    the whole task, by ogbench's feedback primitives, as fast as it goes
        noisy   random sub-goals by ogbench's feedback primitives, which recover from Gaussian noise on their actions;
                its standard deviation is drawn anew for each episode, up to `NOISE`

    'play' and 'noisy' are after the data sets of the same names of ogbench (Park et al., arXiv 2410.20092).

    Args:
        style: one of `STYLES`.
        family: one of `chunkenv.manipulation.FAMILIES`.
        rng: what everything random is drawn from.
        action_noise: the largest standard deviation of the noise; that of the style if None.
        primitives: ogbench's 'plan', trajectories with correlated noise, or 'markov', feedback; those of the style if
            None.
        imperfection: of the style 'task': how often it pauses, goes astray and gives up; not at all if None.

    Raises:
        ArgumentError: for an invalid argument.

    >>> import gymnasium as gym, numpy as np, chunkenv
    >>> env = gym.make("chunkenv/manip-cube-single-task1-v0")
    >>> _ = env.reset(seed=0)
    >>> actor = Actor("play", "cube-single", np.random.default_rng(0))
    >>> actor.act(env.unwrapped.facts()).shape
    (5,)
    """

    def __init__(
        self,
        style: str,
        family: str,
        rng: np.random.Generator,
        action_noise: float | None = None,
        primitives: str | None = None,
        imperfection: Imperfection | None = None,
    ) -> None:
        one_of("style", style, STYLES)
        default = NOISE if style == "noisy" else 0.0
        self._noise = default if action_noise is None else real_number("action_noise", action_noise, at_least=0.0)
        self._rng = rng
        oracle = _oracle(style, family, rng, primitives)
        self._oracle = oracle if imperfection is None else ImperfectOracle(oracle, _of_tasks(imperfection, style), rng)
        self.reset()

    @property
    def gave_up(self) -> bool:
        """Whether it has given up for good, which an imperfect demonstrator may."""
        return isinstance(self._oracle, ImperfectOracle) and self._oracle.over

    def reset(self) -> None:
        """Begin an episode."""
        self._oracle.reset()
        self._level = self._noise * self._rng.uniform() if self._noise else 0.0

    def act(self, facts: Facts) -> np.ndarray:
        """The action for what is now, float32[5] in [-1, 1].

        Args:
            facts: what `ManipulationEnv.facts()` says.
        """
        action = self._oracle.act(facts)
        if not self._level:
            return action
        return np.clip(action + self._rng.normal(0, self._level, action.shape), -1, 1).astype(np.float32)


def _oracle(style: str, family: str, rng: np.random.Generator, primitives: str | None) -> Oracle:
    usual = "plan" if style == "play" else "markov"
    driven = usual if primitives is None else one_of("primitives", primitives, PRIMITIVES)
    choose: Any = None if style == "task" else partial(random_subgoal, family, rng=rng)
    return Oracle(family, driven, rng, choose)


def _of_tasks(imperfection: Imperfection, style: str) -> Imperfection:
    """The imperfection, refused where nothing can fail."""
    if style != "task":
        raise ArgumentError(f"{imperfection} is for style='task', and style={style!r}; give that, or leave it out.")
    return imperfection
