"""The constants that the kernels work on, for all levels and for scenes that the twelve do not have."""

import numpy as np
import pytest

from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine import layout
from chunkenv.kinetix.engine.build import (
    build_level,
    build_state,
    feature_place,
    joined_groups,
    symbolic_features,
)
from chunkenv.kinetix.level import Body, Joint, Level, load_level, parse_level

TRIANGLE = """
[[polygon]]
slot = 0
position = [0, 0]
vertices = [[-1, 0], [0, 1], [1, 0]]
inverse_mass = 0
inverse_inertia = 0
"""


def dots(n, **fields):
    return tuple(Body(slot, (0, 0), 1, 1, radius=1, **fields) for slot in range(12, 12 + n))


def joint(slot, a, b):
    return Joint(slot, (a, b), ((0, 0), (0, 0)), 0)


def test_sizes_are_the_references():
    assert layout.N_FEATURES == 679
    assert layout.N_PAIRS == 60 + 48 + 6
    assert layout.N_CONTACTS == 174
    assert feature_place(0) == 0
    assert feature_place(4) == 26
    assert feature_place(12) == 9 * 26


def test_a_state_has_no_padding():
    """Otherwise equal states could differ in bytes."""

    def used(dtype):
        if dtype.subdtype:
            base, shape = dtype.subdtype
            return used(base) * int(np.prod(shape))
        if dtype.names:
            return sum(used(dtype[name]) for name in dtype.names)
        return dtype.itemsize

    assert used(layout.STATE) == layout.STATE.itemsize


def test_a_body_keeps_what_lanes_gather_together():
    offsets = [layout.BODY.fields[name][1] for name in ("vel", "w", "inverse_mass")]
    assert offsets == [offsets[0], offsets[0] + 8, offsets[0] + 12]


@pytest.mark.parametrize("name", LEVELS)
def test_pairs_of_a_level(name):
    level = load_level(name)
    (record,) = build_level(level)
    pairs = record["pairs"][: record["n_polygon_pairs"] + record["n_circle_polygon_pairs"] + record["n_circle_pairs"]]
    polygons = sum(body.slot < 12 for body in level.bodies)
    circles = len(level.bodies) - polygons
    assert record["n_polygon_pairs"] == polygons * (polygons - 1) / 2 - 6
    assert record["n_circle_polygon_pairs"] == polygons * circles
    assert record["n_circle_pairs"] == circles * (circles - 1) / 2
    assert (np.diff(pairs["slot"].astype(int)) > 0).all()
    assert record["n_goals"] == 1


def test_the_last_slots():
    bodies = tuple(Body(slot, (0, 0), 1, 1, vertices=((0, 1), (1, 0), (0, 0))) for slot in range(12))
    (record,) = build_level(Level("full", bodies + dots(4), (), ()))
    assert record["pairs"][59]["slot"] == 118
    assert tuple(record["pairs"][59])[:2] == (10, 11)
    assert record["pairs"][113]["slot"] == 173
    assert tuple(record["pairs"][113])[:2] == (14, 15)


def test_groups_are_transitive():
    level = Level("chain", dots(4), (joint(0, 12, 13), joint(1, 14, 13)), ())
    groups = joined_groups(level)
    assert groups[12] == groups[13] == groups[14] != groups[15]


def test_a_joint_between_fixed_bodies_does_not_act():
    bodies = tuple(Body(slot, (0, 0), 0, 0, radius=1) for slot in (12, 13))
    (record,) = build_level(Level("fixed", bodies, (joint(0, 12, 13),), ()))
    assert record["n_joints"] == 0


def test_a_triangle():
    level = parse_level("triangle", TRIANGLE)
    features = symbolic_features(level)
    assert features[17:25].tolist() == [-1, 0, 0, 1, 1, 0, -1, -1]
    assert features[25] == 1
    (record,) = build_level(level)
    normals = record["shapes"][0]["normals"]
    np.testing.assert_allclose(normals["x"][:3], [-np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-6)
    np.testing.assert_allclose(normals["y"][:3], [np.sqrt(0.5), np.sqrt(0.5), -1], atol=1e-6)
    for field in ("vertices", "normals", "sides", "lengths", "supports"):
        assert record["shapes"][0][field][3] == record["shapes"][0][field][0], field


def test_states_start_the_same():
    level = load_level("catapult")
    assert build_state(level).tobytes() == build_state(level).tobytes()
    assert build_state(level)["level"] != build_state(load_level("trampoline"))["level"]
