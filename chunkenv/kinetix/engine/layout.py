"""The records that the engine works on: one level (constant), one state (what an episode changes), one scratch.

Slots, as in the reference: bodies 0 to 11 are polygons (0 to 3 floor, walls and ceiling), 12 to 15 circles; 6 joints,
2 thrusters. The counts are part of the physics: contacts are solved in batches of 16 that are dealt out of *all*
pairs. A state is one plain record without padding, so that its bytes are all of it. In a body, `vel`, `w` and
`inverse_mass` are adjacent: eight environments can be gathered into vector lanes straight from their states.
"""

from __future__ import annotations

import numpy as np

N_POLYGONS, N_CIRCLES, N_JOINTS, N_THRUSTERS = 12, 4, 6, 2
N_BODIES = N_POLYGONS + N_CIRCLES
N_FIXATED = 4  # floor, walls and ceiling never meet one another
N_CORNERS = 4
N_MOTOR_CHANNELS, N_THRUSTER_CHANNELS = 4, 2
N_ACTIONS = N_MOTOR_CHANNELS + N_THRUSTER_CHANNELS

N_POLYGON_PAIRS, N_CIRCLE_POLYGON_PAIRS, N_CIRCLE_PAIRS = 60, 48, 6
N_PAIRS = N_POLYGON_PAIRS + N_CIRCLE_POLYGON_PAIRS + N_CIRCLE_PAIRS
N_CONTACTS = N_PAIRS + N_POLYGON_PAIRS  # two polygons touch in up to two points
N_BATCHES = 2 * 4 + 3 + 1

GRAVITY = np.float32(-9.81)  # m/s^2
FRAME_SECONDS = 1 / 60

POLYGON_FEATURES, CIRCLE_FEATURES, JOINT_FEATURES, THRUSTER_FEATURES = 26, 18, 22 + 2 * N_BODIES, 8 + N_BODIES
N_FEATURES = (
    (N_POLYGONS - N_FIXATED + 1) * POLYGON_FEATURES
    + N_CIRCLES * CIRCLE_FEATURES
    + N_JOINTS * JOINT_FEATURES
    + N_THRUSTERS * THRUSTER_FEATURES
    + 1
)
"""Length of the symbolic observation: 679."""

COMPACT_FEATURES = 7
"""Features of a moving body that change: x, y, vx, vy, tanh(w / 10), sin, cos."""

f4, u4 = np.float32, np.uint32


def _record(*fields: tuple) -> np.dtype:
    return np.dtype(list(fields))


def _floats(names: str) -> list[tuple]:
    return [(name, f4) for name in names.split()]


def _counts(names: str) -> list[tuple]:
    return [(name, u4) for name in names.split()]


VEC = _record(*_floats("x y"))
ROT = _record(*_floats("c s"))

SHAPE = _record(
    ("vertices", VEC, (N_CORNERS,)),
    ("normals", VEC, (N_CORNERS,)),
    ("sides", VEC, (N_CORNERS,)),
    ("lengths", f4, (N_CORNERS,)),
    ("supports", f4, (N_CORNERS,)),
    ("n_corners", u4),
    *_floats("radius friction restitution"),
)
JOINT = _record(
    *_counts("a b"),
    ("anchor_a", VEC),
    ("anchor_b", VEC),
    *_floats("rotation lowest highest"),
    *_counts("fixed limited motor channel"),
    *_floats("motor_speed motor_power"),
)
THRUSTER = _record(("body", u4), ("position", VEC), *_floats("rotation power"), ("channel", u4))
PAIR = _record(*_counts("a b slot collides"), ("reward", np.int32))
LEVEL = _record(
    ("shapes", SHAPE, (N_BODIES,)),
    ("joints", JOINT, (N_JOINTS,)),
    ("thrusters", THRUSTER, (N_THRUSTERS,)),
    ("pairs", PAIR, (N_PAIRS,)),
    ("goals", PAIR, (N_PAIRS,)),
    ("moving", u4, (N_BODIES,)),
    ("feature_places", u4, (N_BODIES,)),
    *_counts("n_joints n_thrusters n_goals n_moving n_polygon_pairs n_circle_polygon_pairs n_circle_pairs"),
    ("features", f4, (N_FEATURES,)),
)

BODY = _record(("pos", VEC), ("rot", ROT), ("vel", VEC), *_floats("w inverse_mass inverse_inertia angle"))
MEMORY = _record(*_floats("normal tangent"))
JOINT_MEMORY = _record(("impulse", VEC), ("turn", f4))
STATE = _record(
    *_counts("level ticks ended"),
    ("distance", f4),
    ("bodies", BODY, (N_BODIES,)),
    ("contacts", MEMORY, (N_CONTACTS,)),
    ("joints", JOINT_MEMORY, (N_JOINTS,)),
)

PLACED = _record(("corners", VEC, (N_CORNERS,)), ("turns", ROT, (N_CORNERS,)), ("low", VEC), ("high", VEC))
CONTACT = _record(
    *_counts("a b slot rank batch point_number"),
    ("point", VEC),
    ("normal", VEC),
    ("arm_a", VEC),
    ("arm_b", VEC),
    ("push", VEC),
    *_floats("target friction along_normal along_tangent keep"),
)
JOINT_WORK = _record(
    ("arm_a", VEC),
    ("arm_b", VEC),
    *_floats("freedom share_a share_b shift axial_mass limit_bias fixed_bias turns control motor_turn"),
)
THRUSTER_WORK = _record(("thrust", f4))
SCRATCH = _record(
    ("placed", PLACED, (N_BODIES,)),
    ("local", VEC, (N_CORNERS,)),
    ("contacts", CONTACT, (N_CONTACTS,)),
    ("order", u4, (N_CONTACTS,)),
    ("batch_ends", u4, (N_BATCHES,)),
    *_counts("n_contacts n_batches"),
    ("joints", JOINT_WORK, (N_JOINTS,)),
    ("thrusters", THRUSTER_WORK, (N_THRUSTERS,)),
)

# Eight environments at once. A body more than there are stands still, weighs nothing and is nowhere: lanes that have
# no contact to solve solve one of this body with itself.
GROUP, BLOCK = 8, 64
IDLE_BODY = N_BODIES
N_ITEMS = 192  # places in which contacts are solved: at most 12 batches of 16
ITEM = np.dtype([*CONTACT.descr, *_floats("inverse_mass_a inverse_mass_b inverse_inertia_a inverse_inertia_b")])
GROUP_SCRATCH = _record(
    ("placed", PLACED, (N_BODIES,)),
    ("local", VEC, (N_CORNERS,)),
    ("joints", JOINT_WORK, (N_JOINTS,)),
    ("thrusters", THRUSTER_WORK, (N_THRUSTERS,)),
)
GROUP_STATE = _record(
    ("bodies", BODY, (N_BODIES + 1,)),  # must come first: `batch` finds bodies by their distance from the beginning
    ("joints", JOINT_MEMORY, (N_JOINTS,)),
    ("scratch", GROUP_SCRATCH),
    ("items", ITEM, (N_ITEMS,)),
)
"""One environment of a group, to be laid out eight wide."""

BATCH = _record(
    ("scratches", SCRATCH, (GROUP,)),
    ("active", u4, (BLOCK,)),
    ("rows", u4, (GROUP,)),
    ("first_contacts", u4, (GROUP,)),
    ("ranks", u4, (GROUP,)),
    ("rewards", np.int32, (GROUP,)),
    ("touched", np.int32, (GROUP,)),
    ("item_ends", u4, (N_BATCHES,)),
    *_counts("n_lanes n_item_batches prepared"),
)
"""What a group needs besides, environment by environment."""
