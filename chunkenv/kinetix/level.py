"""Levels as plain data: what one TOML file of `levels/` says, checked.

The files describe the twelve dynamic tasks of Physical-Intelligence/real-time-chunking-kinetix (MIT, see their
headers).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chunkenv.kinetix.engine.layout import COMPACT_FEATURES, N_MOTOR_CHANNELS
from chunkenv.registration import LEVELS, unknown_task

ROLES = ("none", "green", "blue", "red")
"""What a body is in the task: green must touch blue and must not touch red."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Body:
    """A polygon (slots 0 to 11; `vertices` clockwise, in its own frame) or a circle (slots 12 to 15; `radius`).

    Position in m, rotation in rad, masses inverse in 1/kg and 1/(kg m^2); an inverse mass of 0 is a body that never
    moves.
    """

    slot: int
    position: Point
    inverse_mass: float
    inverse_inertia: float
    vertices: tuple[Point, ...] = ()
    radius: float = 0.0
    rotation: float = 0.0
    friction: float = 1.0
    restitution: float = 0.0
    density: float = 1.0
    role: str = "none"


@dataclass(frozen=True)
class Joint:
    """A joint between two bodies (slots): revolute, with or without limits (rad) and motor, or fixed."""

    slot: int
    bodies: tuple[int, int]
    anchors: tuple[Point, Point]
    channel: int
    rotation: float = 0.0
    limits: Point | None = None
    fixed: bool = False
    motor: bool = False
    motor_speed: float = 1.0
    motor_power: float = 1.0


@dataclass(frozen=True)
class Thruster:
    """A thruster on a body (slot), at a point and a direction (rad) of that body's frame."""

    slot: int
    body: int
    position: Point
    rotation: float
    power: float
    channel: int


@dataclass(frozen=True)
class Level:
    """A scene: its active bodies, joints and thrusters, each in the order of their slots."""

    name: str
    bodies: tuple[Body, ...]
    joints: tuple[Joint, ...]
    thrusters: tuple[Thruster, ...]


def load_level(name: str) -> Level:
    """Read one of the twelve levels.

    Args:
        name: one of `chunkenv.kinetix.LEVELS`.

    Raises:
        ArgumentError: the name is not one of them.

    >>> level = load_level("catapult")
    >>> len(level.bodies), level.joints[0].bodies
    (10, (4, 12))
    """
    if name not in LEVELS:
        raise unknown_task(name, "Kinetix level")
    text = files("chunkenv.kinetix").joinpath("levels", f"{name}.toml").read_text(encoding="utf-8")
    return parse_level(name, text)


def parse_level(name: str, text: str) -> Level:
    """A level from the text of its TOML file."""
    tables = tomllib.loads(text)
    bodies = [Body(**_freeze(table)) for kind in ("polygon", "circle") for table in tables.get(kind, [])]
    joints = [Joint(**_freeze(table)) for table in tables.get("joint", [])]
    thrusters = [Thruster(**_freeze(table)) for table in tables.get("thruster", [])]
    return Level(name, tuple(bodies), tuple(joints), tuple(thrusters))


def used_channels(name: str) -> tuple[int, ...]:
    """The channels of the action that drive anything in a level; the others do nothing, nor do motors of fixed joints.

    >>> used_channels("catapult"), used_channels("chain_lander")
    ((0,), (4, 5))
    """
    level = load_level(name)
    motors = {joint.channel for joint in level.joints if joint.motor and not joint.fixed}
    return tuple(sorted(motors | {N_MOTOR_CHANNELS + thruster.channel for thruster in level.thrusters}))


def robot_features(name: str) -> NDArray[np.bool_]:
    """Which numbers of a level's compact observation belong to the robot, bool[7 n].

    The robot is the bodies that move and have no role: neither green, blue nor red.

    >>> robot_features("cartpole_thrust").tolist() == [True] * 7 + [False] * 7  # the cart, and the green pole
    True
    """
    moving = [body for body in load_level(name).bodies if body.inverse_mass]
    return np.repeat([body.role == "none" for body in moving], COMPACT_FEATURES)


def _freeze(table: dict[str, Any]) -> dict[str, Any]:
    """The table with its lists as tuples."""
    return {key: _to_tuple(value) for key, value in table.items()}


def _to_tuple(value: Any) -> Any:
    return tuple(map(_to_tuple, value)) if isinstance(value, list) else value
