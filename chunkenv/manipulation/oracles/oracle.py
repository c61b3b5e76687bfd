"""The oracle of a whole task: it orders the sub-goals, drives a scripted primitive to each, and tries again."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.oracles.cubes import next_cube
from chunkenv.manipulation.oracles.lights_out import next_press
from chunkenv.manipulation.oracles.locks import next_in_scene
from chunkenv.manipulation.oracles.scripted import ACTION_SCALE, Scripts
from chunkenv.manipulation.oracles.subgoal import Facts, SubGoal, distance, reached
from chunkenv.registration import FAMILIES
from chunkenv.utils.checks import one_of

PATIENCE = {"cube": 120, "button": 60, "drawer": 75, "window": 75}
"""Ticks after which a sub-goal that is not reached is thought over."""
STILL = 0.01
"""A gripper that stays within this, in m,"""
STUCK = 25
"""for more ticks than this hangs somewhere."""
RETREAT = 12
"""Ticks of backing off."""
CENTRE = np.array([0.4, 0.0, 0.35])
"""Where it backs off to, m."""
CLEAR = {"cube": 0.16, "button": 0.15, "drawer": 0.18, "window": 0.28}
"""How high the gripper must be, in m, before it goes on from a sub-goal that is reached."""
COLUMNS = {"puzzle-3x3": 3, "puzzle-4x4": 4, "puzzle-4x5": 5, "puzzle-4x6": 6}


class Oracle:
    """Solves a whole task from the facts, tick by tick.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        style: which of ogbench's primitives it drives, 'markov' or 'plan'.
        rng: what the primitives draw from; None draws the same for every sub-goal, so that the oracle depends on
            nothing but what it has seen.
        choose: the next sub-goal for some facts; that of the task if None. Sub-goals that are no part of a task are
            played to the end, where the arm goes somewhere at random.

    Attributes:
        subgoal: what it is about; None before the first action, and when nothing is left to do.

    Raises:
        ArgumentError: for an unknown family or style.
    """

    def __init__(
        self,
        family: str,
        style: str = "markov",
        rng: np.random.Generator | None = None,
        choose: Callable[[Facts], SubGoal | None] | None = None,
    ) -> None:
        self._family = one_of("family", family, FAMILIES)
        self._choose = choose
        self._to_the_end = choose is not None
        self._scripts = Scripts(family, style)
        self._grip = 1.0 if FAMILY[family].scene == "puzzle" else -1.0  # open fingers press buttons that nobody meant
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        """Forget the last episode."""
        self.subgoal: SubGoal | None = None
        self._ticks, self._retreat = 0, 0
        self._anchor, self._still = np.zeros(3), 0
        self._failed: SubGoal | None = None

    def __copy__(self) -> Oracle:
        """An oracle that knows what this one knows, and goes its own way from here."""
        twin = object.__new__(Oracle)
        twin.__dict__.update(self.__dict__)
        twin._scripts = copy.copy(self._scripts)
        return twin

    def act(self, facts: Facts) -> np.ndarray:
        """The action for what is now, float32[5] in [-1, 1]; zeros when nothing is left to do."""
        self._watch(facts)
        if self._retreat:
            self._retreat -= 1
            return self.leave(facts)
        if self._is_over(facts):
            self._begin(self._choose(facts) if self._choose else self._next(facts), facts)
        if self.subgoal is None:
            return np.zeros(5, np.float32)
        self._ticks += 1
        return np.clip(self._scripts.action(facts), -1, 1).astype(np.float32)

    def leave(self, facts: Facts) -> np.ndarray:
        """Let go, up, and towards the middle of the table: the action for what is now, float32[5]."""
        way = (CENTRE - facts["effector_position"]) / ACTION_SCALE[:3]
        return np.array([*np.clip(way, -1, 1), 0.0, self._grip], np.float32)

    def _next(self, facts: Facts) -> SubGoal | None:
        """The task's next sub-goal, another cube than the one that has just been given up, if that can be."""
        failed, self._failed = self._failed, None
        return next_subgoal(self._family, facts, failed)

    def _watch(self, facts: Facts) -> None:
        """Give a sub-goal up that the gripper hangs in, or that takes too long: let go, back off, and think again."""
        if self.subgoal is None or self._retreat:
            return
        here = facts["effector_position"]
        if distance(here, self._anchor) > STILL:
            self._anchor, self._still = here, 0
        self._still += 1
        is_late = self._ticks >= PATIENCE[self.subgoal.kind] and not self._to_the_end
        if self._still > STUCK or is_late:
            self._failed, self.subgoal = self.subgoal, None
            self._retreat, self._still = RETREAT, 0

    def _is_over(self, facts: Facts) -> bool:
        """Whether the sub-goal is reached, or its primitive has ended."""
        goal = self.subgoal
        if goal is None or self._scripts.done:
            return True
        return not self._to_the_end and bool(facts["effector_position"][2] > CLEAR[goal.kind]) and reached(goal, facts)

    def _begin(self, subgoal: SubGoal | None, facts: Facts) -> None:
        self.subgoal, self._ticks, self._still = subgoal, 0, 0
        if subgoal is not None:
            self._scripts.begin(subgoal, facts, self._rng or np.random.default_rng(0))


def next_subgoal(family: str, facts: Facts, failed: SubGoal | None = None) -> SubGoal | None:
    """What to do next in a family's scene; None when everything is as it should be, or nothing can be done.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        facts: what `ManipulationEnv.facts()` says.
        failed: the sub-goal that has just been given up; another cube comes first, where there is one.
    """
    scene = FAMILY[family].scene
    if scene == "cube":
        return next_cube(facts, failed.index if failed else None)
    return next_in_scene(facts) if scene == "scene" else _next_button(family, facts)


def _next_button(family: str, facts: Facts) -> SubGoal | None:
    needed = (facts["button_states"] != facts["button_targets"]).astype(np.uint8).tobytes()
    away = ((facts["button_tops"] - facts["effector_position"]) ** 2).sum(axis=1)
    button = next_press(needed, COLUMNS[family], int(away.argmin()))
    return None if button is None else SubGoal("button", button, (float(1 - facts["button_states"][button]),))
