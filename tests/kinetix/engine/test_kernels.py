"""The physics on scenes small enough to work out by hand; the dealing of contacts against the reference's formula."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.kinetix.engine import kernels, layout
from chunkenv.kinetix.engine.build import build_level, build_state
from chunkenv.kinetix.level import parse_level

DT, G = 1 / 60, 9.81
FLOOR = """
[[polygon]]
slot = 0
position = [2.5, -4.8]
vertices = [[2.5, 5.2], [2.5, -5.2], [-2.5, -5.2], [-2.5, 5.2]]
inverse_mass = 0
inverse_inertia = 0
role = "{role}"
"""
BOX = """
[[polygon]]
slot = {slot}
position = [{x}, {y}]
vertices = [[0.1, 0.1], [0.1, -0.1], [-0.1, -0.1], [-0.1, 0.1]]
inverse_mass = {mass}
inverse_inertia = {inertia}
role = "{role}"
"""
BALL = """
[[circle]]
slot = {slot}
position = [{x}, {y}]
radius = 0.1
inverse_mass = {mass}
inverse_inertia = {inertia}
restitution = {bounce}
role = "{role}"
"""
JOINT = """
[[joint]]
slot = {slot}
bodies = [{a}, {b}]
anchors = [[0.0, 0.0], [{x}, 0.0]]
channel = 0
{rest}
"""
THRUSTER = """
[[thruster]]
slot = 0
body = 4
position = [0.0, 0.0]
rotation = 1.5707964
power = 1.0
channel = 1
"""


def floor(role="none"):
    return FLOOR.format(role=role)


def box(slot, x, y, mass=25.0, inertia=3750.0, role="none"):
    return BOX.format(slot=slot, x=x, y=y, mass=mass, inertia=inertia, role=role)


def ball(slot, x, y, mass=30.0, inertia=6000.0, bounce=0.0, role="none"):
    return BALL.format(slot=slot, x=x, y=y, mass=mass, inertia=inertia, bounce=bounce, role=role)


def joint(a, b, x=0.0, rest="", slot=0):
    return JOINT.format(a=a, b=b, x=x, rest=rest, slot=slot)


class Scene:
    """A scene from TOML, played tick by tick."""

    def __init__(self, *parts):
        level = parse_level("scene", "".join(parts))
        self.level, self.state, self.scratch = build_level(level), build_state(level), np.zeros(1, layout.SCRATCH)
        kernels.place_all(self.level, self.state, self.scratch)

    def play(self, ticks, **channels):
        action = np.zeros(6, np.float32)
        for channel, value in channels.items():
            action[int(channel[1:])] = value
        rewards = []
        for _ in range(ticks):
            rewards.append(kernels.step(self.level, self.state, self.scratch, action, np.empty(0, np.float32)).reward)
            if rewards[-1]:
                break
        return rewards

    def body(self, slot):
        return self.state["bodies"][0, slot]


def test_free_fall():
    scene = Scene(box(4, 1, 4))
    scene.play(10)
    frames = 20
    assert scene.body(4)["vel"]["y"] == pytest.approx(-G * DT * frames, rel=1e-5)
    assert scene.body(4)["pos"]["y"] == pytest.approx(4 - G * DT**2 * frames * (frames + 1) / 2, rel=1e-5)
    assert scene.body(4)["pos"]["x"] == 1


def test_what_is_far_or_fast_is_clipped():
    scene = Scene(box(4, 1, 4))
    scene.play(300)
    assert scene.body(4)["pos"]["y"] == -15
    assert scene.body(4)["vel"]["y"] >= -100


def test_a_box_rests_on_the_floor():
    scene = Scene(floor(), box(4, 2, 0.5))
    scene.play(200)
    assert scene.body(4)["pos"]["y"] == pytest.approx(0.5, abs=0.02)
    assert abs(scene.body(4)["vel"]["y"]) < 0.01
    assert abs(scene.body(4)["w"]) < 0.05
    assert scene.body(0)["pos"]["y"] == np.float32(-4.8)


def test_a_triangle_rests_on_the_floor_and_beside_a_box():
    """Its three corners are all that it has: the place of a fourth is taken by the first."""
    triangle = box(4, 2, 0.5, role="green").replace("[0.1, 0.1], ", "")
    scene = Scene(floor(), triangle, box(5, 2.6, 0.5, role="blue"))
    assert scene.play(100) == [0] * 100
    assert scene.body(4)["pos"]["y"] == pytest.approx(0.5, abs=0.02)
    assert scene.body(4)["pos"]["x"] == pytest.approx(2, abs=0.02)
    scene.state["bodies"]["pos"]["x"][0, 5] = 2.19
    assert scene.play(1) == [1]


def test_a_ball_bounces_by_its_restitution_and_the_floors():
    """The smaller of the two counts; that of the floor is 0."""
    scene = Scene(floor(), ball(12, 2, 1, bounce=1.0))
    scene.play(100)
    assert scene.body(12)["pos"]["y"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("lower", "upper"), [(12, 13), (15, 14)])
def test_balls_push_one_another(lower, upper):
    scene = Scene(*(ball(slot, 2, 3.0 if slot == lower else 3.15) for slot in sorted((lower, upper))))
    scene.play(1)
    assert scene.body(lower)["vel"]["y"] < -2 * G * DT < scene.body(upper)["vel"]["y"]


def test_a_ball_inside_a_polygon_is_pushed_out():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2.08, 3))
    scene.play(3)
    assert scene.body(12)["vel"]["x"] > 0


def test_a_wall_stops_what_flies_at_it():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), box(5, 2.5, 3))
    scene.state["bodies"]["vel"]["x"][0, 5] = -3
    scene.play(10)
    assert scene.body(5)["pos"]["x"] > 2.15


@pytest.mark.parametrize(("drive", "expected"), [(1.0, 6.0), (-0.5, -3.0), (5.0, 6.0), (0.0, 0.0)])
def test_a_motor_reaches_its_speed(drive, expected):
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2, 3), joint(4, 12, rest="motor = true"))
    scene.play(60, c0=drive)
    assert scene.body(12)["w"] == pytest.approx(expected, abs=0.02)
    assert scene.body(12)["pos"]["x"] == pytest.approx(2, abs=1e-3)


def test_a_limit_stops_a_motor():
    rest = "motor = true\nlimits = [-0.5, 0.5]"
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2, 3), joint(4, 12, rest=rest))
    scene.play(60, c0=1.0)
    assert scene.body(12)["angle"] == pytest.approx(0.5, abs=0.05)


def test_a_fixed_joint_holds_the_angle():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), box(5, 2.3, 3), joint(4, 5, x=-0.3, rest="fixed = true"))
    scene.play(120)
    assert scene.body(5)["angle"] == pytest.approx(0, abs=0.02)
    assert scene.body(5)["pos"]["x"] == pytest.approx(2.3, abs=0.02)


def test_a_pendulum_keeps_its_length():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2.5, 3), joint(4, 12, x=-0.5))
    for _ in range(60):
        scene.play(1)
        x, y = scene.body(12)["pos"].item()
        assert np.hypot(x - 2, y - 3) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("thrust", "expected"), [(1.0, 10.0 * 25), (0.5, 5.0 * 25), (3.0, 10.0 * 25), (-1.0, 0.0)])
def test_a_thruster_pushes_with_the_positive_part(thrust, expected):
    scene = Scene(box(4, 2, 3, inertia=0), THRUSTER)
    scene.play(1, c5=thrust)
    assert scene.body(4)["vel"]["y"] == pytest.approx(2 * DT * (expected - G), rel=1e-4)


def test_jointed_bodies_pass_through_one_another():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), box(5, 2.05, 3), joint(4, 5, x=-0.05))
    scene.play(5)
    assert scene.scratch["n_contacts"][0] == 0


@pytest.mark.parametrize(
    ("first", "second", "reward"),
    [
        ("green", "blue", 1),
        ("blue", "green", 1),
        ("green", "red", -1),
        ("red", "green", -1),
        ("blue", "red", 0),
        ("green", "none", 0),
        ("green", "green", 0),
    ],
)
@pytest.mark.parametrize("shapes", [(box, box, 4, 5), (box, ball, 4, 12), (ball, ball, 12, 13)])
def test_touch_rewards(first, second, reward, shapes):
    one, other, a, b = shapes
    scene = Scene(one(a, 2, 3, role=first), other(b, 2.15, 3, role=second))
    assert scene.play(1) == [reward]


def test_jointed_bodies_touch_all_the_same():
    scene = Scene(box(4, 2, 3, role="green"), box(5, 2.1, 3, role="blue"), joint(4, 5, x=-0.1))
    assert scene.play(1) == [1]


@pytest.mark.parametrize("blue", [4, 12])
def test_red_wins(blue):
    """In one frame both are touched, blue first in the order of pairs or last."""
    parts = {
        4: (box(4, 2, 3, role="blue"), box(5, 2.15, 3, role="green"), box(6, 2.3, 3, role="red")),
        12: (box(5, 2.15, 3, role="green"), box(6, 2.3, 3, role="red"), ball(12, 2, 3, role="blue")),
    }[blue]
    assert Scene(*parts).play(1) == [-1]


def test_the_first_frame_decides():
    """Blue is touched in the first frame, red only in the second."""
    scene = Scene(box(4, 2, 3, role="green"), box(5, 2.15, 3, role="blue"), ball(12, 1.75, 3, role="red"))
    scene.state["bodies"]["vel"]["x"][0, 4] = -8
    assert scene.play(1) == [1]


@numba.njit
def deal(scratches, n_apart, n_batches):
    kernels.deal(scratches[0], np.uint64(0), np.uint64(n_apart), np.uint64(n_batches))


def dealt(active, n_batches):
    """The reference: a stable sort by activity, padded with -1 to whole batches of 16, read column by column."""
    order = np.argsort(active, kind="stable")
    padded = np.concatenate([order, np.full(16 * n_batches - len(order), -1)])
    batches = padded.reshape(16, n_batches).T
    return [[k for k in batch if k >= 0 and active[k]] for batch in batches]


@settings(deadline=None, max_examples=60)
@given(
    active=st.lists(st.booleans(), min_size=60, max_size=60), second=st.lists(st.booleans(), min_size=60, max_size=60)
)
def test_contacts_are_dealt_as_in_the_reference(active, second):
    scratch = np.zeros(1, layout.SCRATCH)
    touching = np.flatnonzero(active)
    for rank, pair in enumerate(touching):
        for number in range(1 + second[pair]):
            contact = scratch["contacts"][0, scratch["n_contacts"][0]]
            contact["slot"], contact["rank"], contact["point_number"] = 2 * pair + number, rank, number
            scratch["n_contacts"] += 1
    deal(scratch, 60 - len(touching), 4)
    expected = [[2 * pair for pair in batch] for batch in dealt(active, 4)]
    expected += [[2 * pair + 1 for pair in batch if second[pair]] for batch in dealt(active, 4)]
    assert batches(scratch[0]) == [batch for batch in expected if batch]


def batches(scratch):
    ends = scratch["batch_ends"][: scratch["n_batches"]].tolist()
    order = scratch["order"][: scratch["n_contacts"]]
    slots = scratch["contacts"]["slot"][order].tolist()
    return [slots[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def test_the_last_pair_forgets():
    """Padding writes over its impulses in the reference."""
    scene = Scene(box(10, 2, 3, mass=0, inertia=0), box(11, 2, 3.15))
    scene.play(5)
    assert scene.scratch["n_contacts"][0] == 2
    assert not scene.state["contacts"]["normal"].any()
    other = Scene(box(9, 2, 3, mass=0, inertia=0), box(11, 2, 3.15))
    other.play(5)
    assert other.state["contacts"]["normal"].any()
