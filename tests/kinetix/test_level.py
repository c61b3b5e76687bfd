"""The level files: complete, well-formed, and those of the real-time chunking benchmark."""

import json
from pathlib import Path

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.level import ROLES, load_level, parse_level

ORIGINALS = Path(__file__).parents[2] / ".." / "shared" / "kinetix_levels"


@pytest.fixture(params=LEVELS)
def level(request):
    return load_level(request.param)


@pytest.fixture
def original(level):
    path = ORIGINALS / f"{level.name}.json"
    if not path.exists():
        pytest.skip("the original level files are not there")
    return json.loads(path.read_text())["env_state"]


def point(table):
    return [np.float32(table[key]) for key in "01"]


def same(ours, theirs):
    np.testing.assert_array_equal(np.asarray(ours, np.float32), np.asarray(theirs, np.float32))


def test_bodies_are_the_originals(level, original):
    tables = original["polygon"] + original["circle"]
    active = [slot for slot, table in enumerate(tables) if table["active"]]
    assert [body.slot for body in level.bodies] == active
    for body in level.bodies:
        table = tables[body.slot]
        same(body.position, point(table["position"]))
        for field in ("rotation", "inverse_mass", "inverse_inertia", "friction", "restitution", "density"):
            same(getattr(body, field), table[field])
        assert body.role == ROLES[table["role"]]
        assert not table["angular_velocity"]
        assert not any(table["velocity"].values())


def test_shapes_are_the_originals(level, original):
    tables = original["polygon"] + original["circle"]
    for body in level.bodies:
        table = tables[body.slot]
        if body.slot < 12:
            assert len(body.vertices) == table["n_vertices"]
            same(body.vertices, [point(table["vertices"][str(k)]) for k in range(len(body.vertices))])
        else:
            same(body.radius, table["radius"])


def test_joints_are_the_originals(level, original):
    active = [(slot, table) for slot, table in enumerate(original["joint"]) if table["active"]]
    assert [joint.slot for joint in level.joints] == [slot for slot, _ in active]
    for joint, (_, table) in zip(level.joints, active, strict=True):
        assert joint.bodies == (table["a_index"], table["b_index"])
        same(joint.anchors, [point(table["a_relative_pos"]), point(table["b_relative_pos"])])
        same(joint.rotation, table["rotation"])
        assert (joint.fixed, joint.motor) == (table["is_fixed_joint"], table["motor_on"])
        assert (joint.limits is not None) == table["motor_has_joint_limits"]
        if joint.limits:
            same(joint.limits, [table["min_rotation"], table["max_rotation"]])
        same([joint.motor_speed, joint.motor_power], [table["motor_speed"], table["motor_power"]])
        assert joint.channel == table["motor_binding"]


def test_thrusters_are_the_originals(level, original):
    active = [(slot, table) for slot, table in enumerate(original["thruster"]) if table["active"]]
    assert [thruster.slot for thruster in level.thrusters] == [slot for slot, _ in active]
    for thruster, (_, table) in zip(level.thrusters, active, strict=True):
        assert thruster.body == table["object_index"]
        same(thruster.position, point(table["relative_position"]))
        same([thruster.rotation, thruster.power], [table["rotation"], table["power"]])
        assert thruster.channel == table["thruster_binding"]


def test_polygons_are_clockwise_and_convex(level):
    """What the separating axis test takes for granted."""
    for body in level.bodies:
        corners = np.array(body.vertices)
        if len(corners):
            side = np.roll(corners, -1, 0) - corners
            following = np.roll(side, -1, 0)
            assert (side[:, 0] * following[:, 1] - side[:, 1] * following[:, 0] < 0).all(), body


def test_one_green_and_one_blue(level):
    roles = [body.role for body in level.bodies]
    assert (roles.count("green"), roles.count("blue")) == (1, 1)


def test_joints_and_thrusters_hold_on_to_bodies(level):
    slots = {body.slot for body in level.bodies}
    assert {slot for joint in level.joints for slot in joint.bodies} <= slots
    assert {thruster.body for thruster in level.thrusters} <= slots


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("catapullt", "did you mean 'catapult'?"),
        ("walker", "did you mean 'mjc_walker'?"),
        ("zzz", "choose one of 'grasp_easy'"),
        ("", "choose one of"),
        (3, "There is no Kinetix level 3"),
        (None, "There is no Kinetix level None"),
        (["catapult"], "There is no Kinetix level"),
        ("../catapult", "There is no Kinetix level"),
    ],
)
def test_unknown_levels(name, says):
    with pytest.raises(ArgumentError) as error:
        load_level(name)
    assert says in str(error.value)


def test_defaults():
    level = parse_level(
        "box", "[[polygon]]\nslot=4\nposition=[1,2]\nvertices=[[0,1],[1,0],[0,0]]\ninverse_mass=1\ninverse_inertia=2"
    )
    (body,) = level.bodies
    assert (body.rotation, body.friction, body.restitution, body.density, body.role) == (0, 1, 0, 1, "none")
    assert body.vertices == ((0, 1), (1, 0), (0, 0))
    assert (level.joints, level.thrusters) == ((), ())
