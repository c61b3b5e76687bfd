"""ogbench's scripted primitives, driven by facts and a sub-goal instead of by ogbench's own environment.

`ogbench.manipspace.oracles` (Park et al., arXiv 2410.20092) has two styles for each kind of sub-goal: 'markov', a
feedback law in phases, and 'plan', which tracks a noisy trajectory through keyframes. Both draw from numpy's global
generator; here all that they draw comes from a generator that is given.
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from chunkenv.manipulation.families import CONTROL_DT, FAMILY
from chunkenv.manipulation.oracles.subgoal import Facts, SubGoal, distance
from chunkenv.utils.checks import one_of
from chunkenv.utils.extras import missing_extra

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no screen, where nothing is shown
        from ogbench.manipspace.oracles.markov.button_markov import ButtonMarkovOracle
        from ogbench.manipspace.oracles.markov.cube_markov import CubeMarkovOracle
        from ogbench.manipspace.oracles.markov.drawer_markov import DrawerMarkovOracle
        from ogbench.manipspace.oracles.markov.window_markov import WindowMarkovOracle
        from ogbench.manipspace.oracles.plan.button_plan import ButtonPlanOracle
        from ogbench.manipspace.oracles.plan.cube_plan import CubePlanOracle
        from ogbench.manipspace.oracles.plan.drawer_plan import DrawerPlanOracle
        from ogbench.manipspace.oracles.plan.plan_oracle import PlanOracle
        from ogbench.manipspace.oracles.plan.window_plan import WindowPlanOracle
except ImportError as error:
    raise missing_extra(f"{error.name} is", "manipulation") from error

STYLES = ("markov", "plan")
SLIDE_AXIS = {"drawer": np.array([0.0, -1.0, 0.0]), "window": np.array([1.0, 0.0, 0.0])}
"""The way the handle goes when the slide's position grows."""
ACTION_SCALE = np.array([0.05, 0.05, 0.05, 0.3, 1.0])
"""What an action of 1 means: m, radians, share of the gripper's way (ogbench's manipspace_env)."""
TURNING_HEIGHT = 0.16
"""A cube is turned when the gripper is above this, in m: below, the hand would hit what stands beside it."""
WOUND_UP = 5.0
"""Beyond this the wrist is not turned, in radians: moving sideways may need the rest up to 2 pi."""
SLIGHT = 0.3
"""Turns smaller than this, in radians, are always made."""
NEARING = 6.0
"""How much ogbench's gain of 5 is raised near a cube, so that most of the rest of the way is made in a tick."""
GRIPPED = 0.1
"""From this contact on, what is between the fingers is held."""
BETWEEN = 0.035
"""A cube whose centre is nearer to the effector than this, in m, is between the fingers."""
HOVERING = 0.1
"""How far above a cube, or above its target, the gripper turns, in m."""
ASKEW = 0.99
"""More than this turns a gripper that is a third of a radian off, or more."""
OPEN_ENOUGH = 0.3
"""Fingers that are closed more than this do not go around a cube."""
AT_REST = 0.02
"""Fingers that close less than this in a tick have closed."""
TARGET = "privileged/target_block_pos"
ALIGNED = 0.04
"""Within this, in m, ogbench's primitive lets a cube down on its target."""
REACH = {
    "cube": np.array([[0.25, -0.35, 0.20], [0.60, 0.35, 0.35]]),
    "scene": np.array([[0.25, -0.20, 0.20], [0.60, 0.20, 0.35]]),
    "puzzle": np.array([[0.25, -0.20, 0.20], [0.60, 0.20, 0.25]]),
}
"""From where ogbench draws the place that the arm goes to after a sub-goal, by the kind of scene."""


class Scripts:
    """One primitive of ogbench for each kind of sub-goal, of which one is at work at a time.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        style: 'markov' or 'plan'.

    Raises:
        ArgumentError: for an unknown style.
    """

    def __init__(self, family: str, style: str) -> None:
        one_of("style", style, STYLES)
        scene = FAMILY[family].scene
        self._scripts = _make_scripts(_Stage(REACH[scene]), style, closed=scene == "puzzle")
        self._script: Any = None
        self._tick = 0

    @property
    def done(self) -> bool:
        """Whether the primitive at work has ended, by arriving at its last pose or by giving up."""
        return self._script.done

    def begin(self, subgoal: SubGoal, facts: Facts, rng: np.random.Generator) -> None:
        """Start on a sub-goal; all that its primitive draws comes from `rng`."""
        self._subgoal, self._script, self._tick = subgoal, self._scripts[subgoal.kind], 0
        with _global_draws_from(rng):
            self._script.reset(None, self._info(facts))

    def __copy__(self) -> Scripts:
        """The same primitives in the same phase, which go their own way from here."""
        twin = object.__new__(Scripts)
        twin.__dict__.update(self.__dict__)
        twin._scripts = {kind: copy.copy(script) for kind, script in self._scripts.items()}
        twin._script = None if self._script is None else twin._scripts[self._subgoal.kind]
        return twin

    def action(self, facts: Facts) -> np.ndarray:
        """The primitive's action for what is now, float[5] in [-1, 1]."""
        action = self._script.select_action(None, self._info(facts))
        self._tick += 1
        return action

    def _info(self, facts: Facts) -> dict[str, Any]:
        """What ogbench's environment would tell its oracle."""
        self._script.wrist = float(facts["joint_positions"][5])
        info = {
            "proprio/effector_pos": facts["effector_position"],
            "proprio/effector_yaw": [float(facts["effector_yaw"])],
            "proprio/gripper_opening": [float(facts["gripper_opening"])],
            "proprio/gripper_contact": float(facts["gripper_contact"]),
            "time": [self._tick * CONTROL_DT],
        }
        return info | _OF_KIND[self._subgoal.kind](facts, self._subgoal)


class _Stage:
    """What the scripts ask of an environment."""

    _control_timestep = CONTROL_DT

    def __init__(self, reach: np.ndarray) -> None:
        self.unwrapped = self
        self._arm_sampling_bounds = reach

    def normalize_action(self, action: np.ndarray) -> np.ndarray:
        return np.clip(action / ACTION_SCALE, -1, 1)


class _MarkovTurns:
    """Turns the wrist the way that its limit leaves it, where ogbench takes the shorter one."""

    wrist = 0.0

    def shortest_yaw(self, eff_yaw: float, obj_yaw: float, n: int = 2) -> float:
        return reachable_yaw(eff_yaw, obj_yaw, self.wrist)


class _PlanTurns(PlanOracle):
    """As `_MarkovTurns`, for poses."""

    wrist = 0.0

    def shortest_yaw(self, eff_yaw: float, obj_yaw: float, translation: np.ndarray, n: int = 2) -> Any:
        return super().shortest_yaw(eff_yaw, reachable_yaw(eff_yaw, obj_yaw, self.wrist), translation, n=1)


class _CubeMarkov(_MarkovTurns, CubeMarkovOracle):
    _opening = 0.0

    def shape_diff(self, diff: np.ndarray) -> np.ndarray:
        """As fast as ogbench's far away, in proportion near: its full speed everywhere knocks stacks over."""
        length = np.linalg.norm(diff)
        return diff * max(1.0, min(NEARING, self._min_norm / max(length, 1e-6)))

    def select_action(self, ob: Any, info: dict[str, Any]) -> np.ndarray:
        """As ogbench's, but for three things.

        The gripper turns before it sinks between cubes, lifts when its fingers are at rest and not when one touches
        something, and rises from a cube that it has lost.
        """
        action = super().select_action(ob, info)
        opening, before = info["proprio/gripper_opening"][0], self._opening
        is_opening, self._opening = action[4] < 0, opening
        aim = info[f"privileged/block_{info['privileged/target_block']}_pos" if is_opening else TARGET]
        if info["proprio/effector_pos"][2] < aim[2] + HOVERING:
            if is_opening and opening > OPEN_ENOUGH:
                action[:3] = 0.0, 0.0, 1.0
            elif not is_opening and action[2] > 0 and opening > before + AT_REST:
                action[:3] = 0.0
            elif abs(action[3]) > ASKEW:
                action[2] = max(action[2], 0.0)
        return action


class _DrawerMarkov(_MarkovTurns, DrawerMarkovOracle):
    pass


class _WindowMarkov(_MarkovTurns, WindowMarkovOracle):
    pass


class _CubePlan(_PlanTurns, CubePlanOracle):
    pass


class _DrawerPlan(_PlanTurns, DrawerPlanOracle):
    pass


class _WindowPlan(_PlanTurns, WindowPlanOracle):
    pass


def reachable_yaw(yaw: float, wanted: float, wrist: float) -> float:
    """The gripper's nearest angle that looks like `wanted`, half a turn being none, and that the wrist can reach.

    The yaw is known modulo a turn, but the wrist winds up: turning by an angle takes it back by the same angle.

    Args:
        yaw: of the gripper now, in radians.
        wanted: modulo pi.
        wrist: the angle of the arm's last joint, which goes from -2 pi to 2 pi.

    >>> round(reachable_yaw(0.0, 2.0, wrist=0.0), 2), round(reachable_yaw(0.0, 2.0, wrist=5.0), 2)
    (-1.14, 2.0)
    """
    nearest = (wanted - yaw + np.pi / 2) % np.pi - np.pi / 2
    turns = (nearest, nearest - np.pi if nearest > 0 else nearest + np.pi)
    possible = [turn for turn in turns if abs(wrist - turn) <= WOUND_UP or abs(turn) < SLIGHT]
    return yaw + (possible or turns)[0]


def _make_scripts(stage: _Stage, style: str, closed: bool) -> dict[str, Any]:
    if style == "markov":
        return {
            "cube": _CubeMarkov(env=stage),
            "button": ButtonMarkovOracle(env=stage, gripper_always_closed=closed),
            "drawer": _DrawerMarkov(env=stage),
            "window": _WindowMarkov(env=stage),
        }
    return {
        "cube": _CubePlan(env=stage),
        "button": ButtonPlanOracle(env=stage, gripper_always_closed=closed),
        "drawer": _DrawerPlan(env=stage),
        "window": _WindowPlan(env=stage),
    }


@contextlib.contextmanager
def _global_draws_from(rng: np.random.Generator) -> Iterator[None]:
    """Ogbench draws from numpy's global generator: it gets a seed of ours, and is left as it was found."""
    found = np.random.get_state()  # noqa: NPY002
    np.random.seed(rng.integers(2**32))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(found)  # noqa: NPY002


def _about_cube(facts: Facts, subgoal: SubGoal) -> dict[str, Any]:
    cube, target = subgoal.index, np.asarray(subgoal.target)
    here, yaw = facts["cube_positions"][cube], float(facts["cube_yaws"][cube]) + subgoal.grasp
    held = facts["effector_position"] - here if _is_held(facts, cube) else 0.0  # how far off its middle it is held
    is_low = facts["effector_position"][2] < TURNING_HEIGHT and distance(here[:2], target[:2]) > ALIGNED
    return {
        "privileged/target_block": cube,
        f"privileged/block_{cube}_pos": here + held,
        f"privileged/block_{cube}_yaw": [yaw],
        TARGET: target + held,
        "privileged/target_block_yaw": [yaw if is_low else subgoal.release],
    }


def _is_held(facts: Facts, cube: int) -> bool:
    off = distance(facts["effector_position"], facts["cube_positions"][cube])
    return facts["gripper_contact"] > GRIPPED and off < BETWEEN


def _about_button(facts: Facts, subgoal: SubGoal) -> dict[str, Any]:
    button = subgoal.index
    return {
        "privileged/target_button": button,
        "privileged/target_button_top_pos": facts["button_tops"][button],
        "privileged/target_button_state": int(subgoal.target[0]),
        f"privileged/button_{button}_state": int(facts["button_states"][button]),
    }


def _about_slide(facts: Facts, subgoal: SubGoal) -> dict[str, Any]:
    name = subgoal.kind
    handle, way = facts[f"{name}_handle"], subgoal.target[0] - float(facts[f"{name}_position"])
    return {
        f"privileged/{name}_handle_pos": handle,
        f"privileged/{name}_handle_yaw": [float(facts[f"{name}_handle_yaw"])],
        f"privileged/target_{name}_handle_pos": handle + way * SLIDE_AXIS[name],
    }


_OF_KIND = {"cube": _about_cube, "button": _about_button, "drawer": _about_slide, "window": _about_slide}
