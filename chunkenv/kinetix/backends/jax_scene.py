"""Our levels and states as those of kinetix-env 3.0.2, which the jax backend plays.

The functions on states work on one state inside a compiled function; they look at no value, so one compilation serves
all levels.
"""

# pyright: reportMissingImports=false
# (kinetix-env is seldom installed beside everything else)

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax2d.engine import calculate_collision_matrix
from kinetix.environment.env_state import EnvState, StaticEnvParams
from kinetix.environment.utils import create_empty_env

from chunkenv.kinetix.engine import layout
from chunkenv.kinetix.engine.layout import (
    BODY,
    N_BODIES,
    N_CORNERS,
    N_JOINTS,
    N_POLYGONS,
    N_THRUSTERS,
    STATE,
)
from chunkenv.kinetix.level import ROLES, Body, Joint, Level

SIZES = StaticEnvParams(
    num_polygons=N_POLYGONS,
    num_circles=layout.N_CIRCLES,
    num_joints=N_JOINTS,
    num_thrusters=N_THRUSTERS,
    num_motor_bindings=layout.N_MOTOR_CHANNELS,
    num_thruster_bindings=layout.N_THRUSTER_CHANNELS,
    frame_skip=2,
)
_WORD = 4  # bytes: every field of a state is one or several of these
_N_HEADER = 3  # level, ticks, ended: the fields that are no floats


class Scene(NamedTuple):
    """A level of the reference.

    Attributes:
        first: the state in which its episodes start.
        joints: int32[6], for each joint in our order (only those that act, without gaps) its slot in the reference's;
            then the slots that are left.
        n_joints: int32, how many act.
    """

    first: EnvState
    joints: np.ndarray
    n_joints: np.ndarray


def reference_scene(level: Level) -> Scene:
    """A level as the reference has it."""
    empty = jax.device_get(create_empty_env(SIZES))
    state = empty.replace(
        polygon=_shapes(empty.polygon, level.bodies, 0),
        circle=_shapes(empty.circle, level.bodies, N_POLYGONS),
        joint=_joints(empty.joint, level.joints),
        thruster=_thrusters(empty.thruster, level),
        polygon_shape_roles=_per_body(level, lambda body: ROLES.index(body.role), np.int32)[:N_POLYGONS],
        circle_shape_roles=_per_body(level, lambda body: ROLES.index(body.role), np.int32)[N_POLYGONS:],
        polygon_densities=_per_body(level, lambda body: body.density, np.float32)[:N_POLYGONS],
        circle_densities=_per_body(level, lambda body: body.density, np.float32)[N_POLYGONS:],
        motor_bindings=_per_slot(N_JOINTS, level.joints, "channel", np.int32),
        thruster_bindings=_per_slot(N_THRUSTERS, level.thrusters, "channel", np.int32),
    )
    state = state.replace(collision_matrix=calculate_collision_matrix(SIZES, state.joint))
    # The reference's own loader leaves Python numbers in the state: the second step would compile again.
    typed = jax.tree.map(lambda x: np.asarray(x, jnp.result_type(x)), state)
    return Scene(jax.device_put(typed), *_acting(level))


def _acting(level: Level) -> tuple[np.ndarray, np.ndarray]:
    masses = {body.slot: body.inverse_mass for body in level.bodies}
    acting = [joint.slot for joint in level.joints if any(masses[slot] for slot in joint.bodies)]
    rest = [slot for slot in range(N_JOINTS) if slot not in acting]
    return np.array(acting + rest, np.int32), np.array(len(acting), np.int32)


def _per_body(level: Level, value, dtype: type) -> np.ndarray:
    values = np.zeros(N_BODIES, dtype)
    for body in level.bodies:
        values[body.slot] = value(body)
    return values


def _per_slot(n: int, parts: tuple, field: str, dtype: type) -> np.ndarray:
    values = np.zeros(n, dtype)
    for part in parts:
        values[part.slot] = getattr(part, field)
    return values


def _shapes(empty, bodies: tuple[Body, ...], first_slot: int):
    """Polygons or circles: what starts at `first_slot`."""
    fields = {name: np.zeros_like(value) for name, value in vars(empty).items()}
    fields["collision_mode"] = empty.collision_mode
    for body in bodies:
        k = body.slot - first_slot
        if not 0 <= k < len(fields["active"]):
            continue
        for name in ("position", "rotation", "inverse_mass", "inverse_inertia", "friction", "restitution", "radius"):
            fields[name][k] = getattr(body, name)
        fields["active"][k] = True
        fields["n_vertices"][k] = len(body.vertices)
        if body.vertices:
            fields["vertices"][k] = (*body.vertices, *((0.0, 0.0),) * (N_CORNERS - len(body.vertices)))
    return empty.replace(**fields)


def _joints(empty, joints: tuple[Joint, ...]):
    fields = {name: np.zeros_like(value) for name, value in vars(empty).items()}
    for joint in joints:
        k = joint.slot
        fields["a_index"][k], fields["b_index"][k] = joint.bodies
        fields["a_relative_pos"][k], fields["b_relative_pos"][k] = joint.anchors
        fields["min_rotation"][k], fields["max_rotation"][k] = joint.limits or (0, 0)
        fields["motor_has_joint_limits"][k] = joint.limits is not None
        fields["is_fixed_joint"][k], fields["motor_on"][k] = joint.fixed, joint.motor
        for name in ("rotation", "motor_speed", "motor_power"):
            fields[name][k] = getattr(joint, name)
        fields["active"][k] = True
    return empty.replace(**fields)


def _thrusters(empty, level: Level):
    fields = {name: np.zeros_like(value) for name, value in vars(empty).items()}
    for thruster in level.thrusters:
        k = thruster.slot
        fields["object_index"][k], fields["relative_position"][k] = thruster.body, thruster.position
        fields["rotation"][k], fields["power"][k] = thruster.rotation, thruster.power
        fields["active"][k] = True
    return empty.replace(**fields)


def to_reference(scene: Scene, words: jax.Array) -> EnvState:
    """One of our states, uint32[n], as the reference's."""
    values = jax.lax.bitcast_convert_type(words, jnp.float32)
    bodies, contacts, joints = (_part(values, name) for name in ("bodies", "contacts", "joints"))
    by_slot = jnp.zeros_like(joints).at[scene.joints].set(joints)
    first = scene.first
    polygons, mixed, circles = jnp.split(contacts, _CONTACT_KINDS)
    return first.replace(
        polygon=_place_shapes(first.polygon, bodies[:N_POLYGONS]),
        circle=_place_shapes(first.circle, bodies[N_POLYGONS:]),
        joint=first.joint.replace(acc_impulse=by_slot[:, :2], acc_r_impulse=by_slot[:, 2]),
        acc_rr_manifolds=_restore_impulses(first.acc_rr_manifolds, polygons.reshape(-1, 2, 2)),
        acc_cr_manifolds=_restore_impulses(first.acc_cr_manifolds, mixed),
        acc_cc_manifolds=_restore_impulses(first.acc_cc_manifolds, circles),
    )


def from_reference(scene: Scene, state: EnvState, before: jax.Array, distance: jax.Array, ended: jax.Array):
    """The reference's state as one of ours, uint32[n], one tick after `before`."""
    values = jax.lax.bitcast_convert_type(before, jnp.float32)
    kinds = (state.acc_rr_manifolds, state.acc_cr_manifolds, state.acc_cc_manifolds)
    contacts = [jnp.stack((k.acc_impulse_normal.ravel(), k.acc_impulse_tangent.ravel()), 1) for k in kinds]
    joints = jnp.concatenate((state.joint.acc_impulse, state.joint.acc_r_impulse[:, None]), 1)[scene.joints]
    acts = jnp.arange(N_JOINTS)[:, None] < scene.n_joints
    parts = {
        "distance": jnp.where(jnp.isfinite(distance), distance, values[_place("distance")]),
        "bodies": _body_records(_part(values, "bodies"), state),
        "contacts": jnp.concatenate(contacts),
        "joints": jnp.where(acts, joints, 0),
    }
    for name, part in parts.items():
        values = values.at[_place(name)].set(part.ravel())
    after = jax.lax.bitcast_convert_type(values, jnp.uint32)
    header = jnp.stack((before[0], before[1] + 1, ended.astype(jnp.uint32)))
    return after.at[:_N_HEADER].set(header)


_CONTACT_KINDS = (2 * layout.N_POLYGON_PAIRS, 2 * layout.N_POLYGON_PAIRS + layout.N_CIRCLE_POLYGON_PAIRS)
_STATE_FIELDS: Any = STATE.fields
_COLUMNS = {name: offset // _WORD for name, (_, offset, *_) in (BODY.fields or {}).items()}


def _place(name: str) -> slice:
    """Where a field lies among the words of a state."""
    dtype, offset = _STATE_FIELDS[name][:2]
    return slice(offset // _WORD, (offset + dtype.itemsize) // _WORD)


def _part(values: jax.Array, name: str) -> jax.Array:
    """A field of a state as a table with a row for each record."""
    n = _STATE_FIELDS[name][0].shape[0]
    return values[_place(name)].reshape(n, -1)


def _place_shapes(shapes, bodies: jax.Array):
    x, v = _COLUMNS["pos"], _COLUMNS["vel"]
    return shapes.replace(
        position=bodies[:, x : x + 2],
        velocity=bodies[:, v : v + 2],
        angular_velocity=bodies[:, _COLUMNS["w"]],
        rotation=bodies[:, _COLUMNS["angle"]],
    )


def _restore_impulses(manifolds, contacts: jax.Array):
    """What warm starting reads: an impulse is 0 where there was no contact, so all may count as active."""
    return manifolds.replace(
        acc_impulse_normal=contacts[..., 0],
        acc_impulse_tangent=contacts[..., 1],
        active=jnp.ones_like(manifolds.active),
    )


def _body_records(bodies: jax.Array, state: EnvState) -> jax.Array:
    def both(field: str) -> jax.Array:
        return jnp.concatenate((getattr(state.polygon, field), getattr(state.circle, field)))

    angle = both("rotation")
    rot = jnp.stack((jnp.cos(angle), jnp.sin(angle)), 1)
    columns = {"pos": both("position"), "rot": rot, "vel": both("velocity")}
    columns |= {"w": both("angular_velocity")[:, None], "angle": angle[:, None]}
    for name, value in columns.items():
        bodies = bodies.at[:, _COLUMNS[name] : _COLUMNS[name] + value.shape[1]].set(value)
    return bodies
