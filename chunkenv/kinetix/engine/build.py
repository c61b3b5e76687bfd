"""From a level as plain data to the engine's records: the constants of a scene, and its first state.

The order of pairs and joints is that of jax2d 1.0.1, the layout of the symbolic observation that of kinetix-env 3.0.2
(both MIT, Copyright (c) 2024 Michael Matthews: see THIRD_PARTY_NOTICES.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from chunkenv.kinetix.engine import layout
from chunkenv.kinetix.engine.layout import GRAVITY, LEVEL, N_BODIES, N_POLYGONS, STATE
from chunkenv.kinetix.level import ROLES, Body, Joint, Level, Thruster

_LEFT = (np.cos(np.float32(np.pi / 2)), np.sin(np.float32(np.pi / 2)))  # cos is -4e-8, as in the reference


def build_level(level: Level) -> np.ndarray:
    """The constants of a level as one record, `LEVEL[1]`."""
    records = np.zeros(1, LEVEL)
    record = records[0]
    for body in level.bodies:
        _set_shape(record["shapes"][body.slot], body)
    _set_joints(record, level)
    _set_thrusters(record, level)
    _set_pairs(record, level)
    _set_moving(record, level)
    record["features"] = symbolic_features(level)
    return records


def build_state(level: Level) -> np.ndarray:
    """The state in which every episode of the level starts, `STATE[1]`."""
    states = np.zeros(1, STATE)
    state = states[0]
    state["level"] = fingerprint(level.name)
    state["distance"] = -1  # none measured yet
    state["bodies"]["rot"]["c"] = 1
    for body in level.bodies:
        record = state["bodies"][body.slot]
        record["pos"] = body.position
        record["angle"] = body.rotation
        record["rot"] = (np.cos(record["angle"]), np.sin(record["angle"]))
        record["inverse_mass"], record["inverse_inertia"] = body.inverse_mass, body.inverse_inertia
    return states


def fingerprint(name: str) -> int:
    """A number that tells the states of one level from those of another."""
    return zlib.crc32(name.encode())


def _set_shape(shape: np.void, body: Body) -> None:
    shape["radius"], shape["friction"], shape["restitution"] = body.radius, body.friction, body.restitution
    shape["n_corners"] = len(body.vertices)
    if not body.vertices:
        return
    vertices = np.array(body.vertices, np.float32)
    delta = np.roll(vertices, -1, axis=0) - vertices
    length = np.sqrt(delta[:, 0] * delta[:, 0] + delta[:, 1] * delta[:, 1])
    c, s = _LEFT
    normal = np.stack([c * delta[:, 0] - s * delta[:, 1], s * delta[:, 0] + c * delta[:, 1]], 1) / length[:, None]
    for field, value in (("vertices", vertices), ("normals", normal), ("sides", delta / length[:, None])):
        shape[field]["x"], shape[field]["y"] = _four(value[:, 0]), _four(value[:, 1])
    shape["lengths"] = _four(length)
    shape["supports"] = _four(_support(normal, vertices))


def _four(values: np.ndarray) -> np.ndarray:
    """What belongs to the corners of a polygon; a triangle's first corner once more, for loops without conditions."""
    return np.resize(values, layout.N_CORNERS)


def _support(normal: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """How far the polygon reaches along each of its own normals."""
    reach = normal[:, None, 0] * vertices[None, :, 0] + normal[:, None, 1] * vertices[None, :, 1]
    return reach.max(axis=1)


def _set_joints(record: np.void, level: Level) -> None:
    masses = {body.slot: body.inverse_mass for body in level.bodies}
    acting = [joint for joint in level.joints if masses[joint.bodies[0]] or masses[joint.bodies[1]]]
    record["n_joints"] = len(acting)
    for target, joint in zip(record["joints"], acting, strict=False):
        target["a"], target["b"] = joint.bodies
        target["anchor_a"], target["anchor_b"] = joint.anchors
        target["rotation"] = joint.rotation
        target["lowest"], target["highest"] = joint.limits or (0, 0)
        target["fixed"], target["limited"] = joint.fixed, joint.limits is not None
        target["motor"] = joint.motor and not joint.fixed
        target["channel"] = joint.channel
        target["motor_speed"], target["motor_power"] = joint.motor_speed, joint.motor_power


def _set_thrusters(record: np.void, level: Level) -> None:
    record["n_thrusters"] = len(level.thrusters)
    for target, thruster in zip(record["thrusters"], level.thrusters, strict=False):
        target["body"], target["position"] = thruster.body, thruster.position
        target["rotation"], target["power"] = thruster.rotation, thruster.power
        target["channel"] = layout.N_MOTOR_CHANNELS + thruster.channel


def _set_moving(record: np.void, level: Level) -> None:
    moving = [body.slot for body in level.bodies if body.inverse_mass]
    record["n_moving"] = len(moving)
    record["moving"][: len(moving)] = moving
    record["feature_places"][: len(moving)] = [feature_place(slot) for slot in moving]


def _pairs() -> Iterator[tuple[str, int, int]]:
    """All pairs that may ever touch, in the reference's order; a circle comes before a polygon."""
    for a in range(N_POLYGONS):
        for b in range(max(a + 1, layout.N_FIXATED), N_POLYGONS):
            yield "n_polygon_pairs", a, b
    for a in range(N_POLYGONS, N_BODIES):
        for b in range(N_POLYGONS):
            yield "n_circle_polygon_pairs", a, b
    for a in range(N_POLYGONS, N_BODIES):
        for b in range(a + 1, N_BODIES):
            yield "n_circle_pairs", a, b


def _set_pairs(record: np.void, level: Level) -> None:
    bodies = {body.slot: body for body in level.bodies}
    groups = joined_groups(level)
    slot = n = n_goals = 0
    for kind, a, b in _pairs():
        if a in bodies and b in bodies:
            reward = _touch_reward(bodies[a], bodies[b])
            movable = bodies[a].inverse_mass or bodies[b].inverse_mass
            pair = (a, b, slot, bool(movable and groups[a] != groups[b]), reward)
            record["pairs"][n] = pair
            record[kind] += 1
            n += 1
            if reward > 0:
                record["goals"][n_goals] = pair
                n_goals += 1
        slot += 2 if kind == "n_polygon_pairs" else 1
    record["n_goals"] = n_goals


def _touch_reward(a: Body, b: Body) -> int:
    roles = {a.role, b.role}
    return 1 if roles == {"green", "blue"} else -1 if roles == {"green", "red"} else 0


def joined_groups(level: Level) -> dict[int, int]:
    """For every body the group of bodies that joints connect it with: they never collide with one another."""
    group = {body.slot: body.slot for body in level.bodies}
    for joint in level.joints:
        old, new = (group[slot] for slot in joint.bodies)
        group = {slot: new if label == old else label for slot, label in group.items()}
    return group


def feature_place(slot: int) -> int:
    """Where the features of a body start in the symbolic observation (walls and ceiling, slots 1 to 3, have none)."""
    if slot < N_POLYGONS:
        return max(slot - layout.N_FIXATED + 1, 0) * layout.POLYGON_FEATURES
    circles = (N_POLYGONS - layout.N_FIXATED + 1) * layout.POLYGON_FEATURES
    return circles + (slot - N_POLYGONS) * layout.CIRCLE_FEATURES


def symbolic_features(level: Level) -> np.ndarray:
    """The symbolic observation of the level's first state, float32[679], clipped to [-10, 10]."""
    features = np.zeros(layout.N_FEATURES)
    for body in level.bodies:
        if not 0 < body.slot < layout.N_FIXATED:
            _put(features, feature_place(body.slot), _body_features(body))
    joints = feature_place(N_BODIES)
    for joint in level.joints:
        _put(features, joints + joint.slot * layout.JOINT_FEATURES, _joint_features(joint))
    thrusters = joints + layout.N_JOINTS * layout.JOINT_FEATURES
    for thruster in level.thrusters:
        _put(features, thrusters + thruster.slot * layout.THRUSTER_FEATURES, _thruster_features(thruster))
    features[-1] = GRAVITY / 10
    return np.clip(features, -10, 10).astype(np.float32)


def _put(features: np.ndarray, place: int, values: list[float]) -> None:
    features[place : place + len(values)] = values


def _one_hot(index: int, n: int) -> list[float]:
    return [float(k == index) for k in range(n)]


def _body_features(body: Body) -> list[float]:
    masses = [body.inverse_mass, body.inverse_inertia, body.density]
    role = _one_hot(ROLES.index(body.role), len(ROLES))
    turn = [np.sin(body.rotation), np.cos(body.rotation)]
    base = [*body.position, 0, 0, *masses, 0, *role, *turn, body.friction, body.restitution]
    if not body.vertices:
        return [*base, body.radius, 1]
    corners = [x for vertex in body.vertices for x in vertex]
    missing = [-1] * (2 * layout.N_CORNERS - len(corners))
    return [*base, 0, *corners, *missing, len(body.vertices) == 3]


def _joint_features(joint: Joint) -> list[float]:
    a, b = joint.bodies
    base = [1, joint.fixed, *joint.anchors[1], *joint.anchors[0], np.sin(joint.rotation), np.cos(joint.rotation)]
    motor = [0] * 14 if joint.fixed else _motor_features(joint)
    return [*base, *motor, *_one_hot(b, N_BODIES), *_one_hot(a, N_BODIES)]


def _motor_features(joint: Joint) -> list[float]:
    channel = _one_hot(joint.channel, layout.N_MOTOR_CHANNELS)
    base = [joint.motor_speed, joint.motor_power, joint.motor, joint.limits is not None, *channel]
    if joint.limits is None:
        return [*base, 0, 0, 0, 0, 0, 0]
    low, high = joint.limits
    turns = [np.sin(low), np.cos(low), np.sin(high), np.cos(high)]
    return [*base, *turns, low - joint.rotation, high - joint.rotation]


def _thruster_features(thruster: Thruster) -> list[float]:
    channel = _one_hot(thruster.channel, layout.N_THRUSTER_CHANNELS)
    turn = [np.sin(thruster.rotation), np.cos(thruster.rotation)]
    return [1, *thruster.position, *channel, *turn, thruster.power, *_one_hot(thruster.body, N_BODIES)]
