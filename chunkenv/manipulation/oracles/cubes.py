"""Which cube goes where next: what is on top of what, which targets are taken, where there is room for a swap."""

from __future__ import annotations

import itertools

import numpy as np

from chunkenv.manipulation.oracles.subgoal import PLACED, Facts, SubGoal, distance

EDGE = 0.04
OVER = 0.04
"""Two cubes whose centres are nearer than this, seen from above, may lie on each other."""
ROOM = 0.058
"""What a cube needs around its target, seen from above: half of it, half of a turned neighbour, and some more."""
SPACE = 0.1
"""What a cube wants around it where it is put aside, so that the gripper finds room."""
TABLE = np.stack(np.meshgrid(np.linspace(0.3, 0.55, 11), np.linspace(-0.3, 0.3, 25)), axis=-1).reshape(-1, 2)
"""Where a cube may be put aside, [n, 2]: all of it well within the gripper's reach."""
ENOUGH = 0.055
"""Room for a finger beside the middle of the next cube, in m."""
EASY = 2.5
"""The wrist is wound up beyond this, in radians."""
FINGER = 0.055
"""How far the fingers of the open gripper are from the middle of what they grasp."""


def next_cube(facts: Facts, avoid: int | None = None) -> SubGoal | None:
    """The next cube to move: to its target if that can be, else aside, because it is in another one's way.

    Args:
        facts: of a scene with cubes.
        avoid: a cube that could not be got hold of, and is left for later if another one can go.

    Returns:
        The sub-goal; None if every cube is where it should be, or none can be moved.
    """
    table = Arrangement(facts["cube_positions"], facts["cube_targets"])
    ready = [cube for cube in table.missing if table.is_free(cube) and table.is_ready(cube)]
    if ready:
        cube = min(ready, key=lambda cube: (cube == avoid, _travel(table, cube, facts)))
        return plan_grasp(facts, cube, tuple(table.targets[cube].tolist()))
    obstacles = [cube for cube in table.obstacles() if table.is_free(cube)]
    if not obstacles:
        return None
    cube = min(obstacles, key=lambda cube: (cube == avoid, _travel(table, cube, facts)))
    return plan_grasp(facts, cube, table.room(cube))


def plan_grasp(facts: Facts, cube: int, target: tuple[float, ...]) -> SubGoal:
    """The sub-goal of moving a cube, held so that the fingers have most room where it is, and where it will be.

    Where there is room enough, the gripper is turned little, and so that its wrist is not wound up.
    """
    others = np.delete(facts["cube_positions"], cube, axis=0)
    here, there = facts["cube_positions"][cube], np.asarray(target)
    yaw, now = float(facts["cube_yaws"][cube]), float(facts["effector_yaw"])
    unwound = now + float(facts["joint_positions"][5])  # the angle at which the wrist is at 0
    near = nearest_turn(yaw, now)
    sides = (near, near - np.copysign(np.pi / 2, near - now))
    held = max(sides, key=lambda angle: (_clearance(here, angle, others), -_effort(angle, now, unwound)))
    angles = held + np.linspace(-np.pi / 2, np.pi / 2, 8, endpoint=False)
    release = max(angles, key=lambda angle: (_clearance(there, angle, others), -_effort(angle, held, unwound)))
    return SubGoal("cube", cube, target, float(held - yaw), float(release))


def _effort(angle: float, now: float, unwound: float) -> float:
    """What turning the gripper from `now` to `angle` costs, in radians: the turn, and twice what winds the wrist up."""
    return abs(angle - now) + 2 * max(0.0, abs(unwound - angle) - EASY)


class Arrangement:
    """The cubes on the table, and what they are in the way of.

    Args:
        positions: of the centres, float[n, 3].
        targets: of the centres, float[n, 3].

    Attributes:
        missing: the cubes that are not where they should be, or stand on one that is not.
    """

    def __init__(self, positions: np.ndarray, targets: np.ndarray) -> None:
        self.positions, self.targets = positions, targets
        self._support = {cube: self._cube_below(cube) for cube in range(len(targets))}
        self.missing = [cube for cube in range(len(targets)) if not self._is_done(cube)]

    def is_free(self, cube: int) -> bool:
        """Whether nothing lies on it."""
        return not self._on_top(cube)

    def is_ready(self, cube: int) -> bool:
        """Whether its target is free, and what it shall stand on is in place."""
        support = self._support[cube]
        return (support is None or self._is_done(support)) and not self._in_the_way(cube)

    def obstacles(self) -> list[int]:
        """The cubes that lie on a missing one, or where one belongs."""
        ways = itertools.chain.from_iterable(self._on_top(cube) + self._in_the_way(cube) for cube in self.missing)
        return list(dict.fromkeys(ways))

    def room(self, cube: int) -> tuple[float, float, float]:
        """Where to put a cube aside: the nearest spot on the table far from cubes and from targets to come."""
        others = np.delete(self.positions, cube, axis=0)[:, :2]
        taken = np.concatenate([others, self.targets[self.missing, :2]])
        space = np.linalg.norm(TABLE[:, None] - taken, axis=2).min(axis=1)
        away = np.linalg.norm(TABLE - self.positions[cube, :2], axis=1)
        best = TABLE[np.argmin(away + 100 * np.maximum(SPACE - space, 0))]
        return (float(best[0]), float(best[1]), EDGE / 2)

    def _cube_below(self, cube: int) -> int | None:
        below = self.targets[cube] - (0, 0, EDGE)
        near = [other for other, target in enumerate(self.targets) if distance(target, below) < EDGE / 2]
        return near[0] if near else None

    def _is_done(self, cube: int) -> bool:
        support = self._support[cube]
        there = distance(self.positions[cube], self.targets[cube]) <= PLACED
        return there and (support is None or self._is_done(support))

    def _on_top(self, cube: int) -> list[int]:
        x, y, z = self.positions[cube]
        return [
            other
            for other, (ox, oy, oz) in enumerate(self.positions)
            if oz > z + EDGE / 2 and (ox - x) ** 2 + (oy - y) ** 2 < OVER**2
        ]

    def _in_the_way(self, cube: int) -> list[int]:
        x, y, z = self.targets[cube]
        return [
            other
            for other, (ox, oy, oz) in enumerate(self.positions)
            if other != cube and oz > z - EDGE / 2 and (ox - x) ** 2 + (oy - y) ** 2 < ROOM**2
        ]


def _travel(table: Arrangement, cube: int, facts: Facts) -> float:
    """How far the gripper is from a cube; one that lies high up comes first, because it hides what is beside it."""
    return distance(facts["effector_position"][:2], table.positions[cube][:2]) - 10 * table.positions[cube][2]


def nearest_turn(yaw: float, reference: float, of: int = 4) -> float:
    """The angle nearest to `reference` among the `of` ones in a turn at which a thing looks as it does at `yaw`."""
    step = 2 * np.pi / of
    return yaw + step * np.round((reference - yaw) / step)


def _clearance(place: np.ndarray, yaw: float, others: np.ndarray) -> float:
    """How far the two fingers around a place are from the nearest cube as high as it, in m, up to `ENOUGH`."""
    beside = others[others[:, 2] > place[2] - EDGE / 2, :2]
    if not len(beside):
        return ENOUGH
    # The fingers close along the gripper's y axis.
    offset = FINGER * np.array([-np.sin(yaw), np.cos(yaw)])
    fingers = np.stack([place[:2] + offset, place[:2] - offset])
    return min(ENOUGH, float(np.linalg.norm(fingers[:, None] - beside, axis=2).min()))
