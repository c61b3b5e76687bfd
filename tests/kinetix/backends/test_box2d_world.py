"""Box2D's worlds on scenes small enough to work out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from chunkenv.kinetix.engine.build import build_level, build_state
from chunkenv.kinetix.level import parse_level
from tests.kinetix.engine.test_kernels import DT, THRUSTER, G, ball, box, floor, joint

pytest.importorskip("Box2D")
from chunkenv.kinetix.backends.box2d_world import Box2DWorld

FRAMES_PER_TICK = 2


class Scene:
    """A scene from TOML in a world of its own, played tick by tick."""

    def __init__(self, *parts):
        scene = parse_level("scene", "".join(parts))
        level = SimpleNamespace(scene=scene, records=build_level(scene), observe=lambda state, observation: None)
        self.world, self.state = Box2DWorld(level), build_state(scene)

    def play(self, ticks, **channels):
        action = np.zeros(6, np.float32)
        for channel, value in channels.items():
            action[int(channel[1:])] = value
        rewards = []
        for _ in range(ticks):
            rewards.append(self.world.step(self.state, None, action, None).reward)
            if rewards[-1]:
                break
        return rewards

    def push(self, slot, **motion):
        """Give a body a velocity."""
        for name, value in motion.items():
            setattr(self.world._bodies[slot], name, value)

    def body(self, slot):
        return self.state["bodies"][0, slot]


def test_free_fall():
    scene = Scene(box(4, 1, 4))
    scene.play(10)
    frames = 10 * FRAMES_PER_TICK
    assert scene.body(4)["vel"]["y"] == pytest.approx(-G * DT * frames, rel=1e-5)
    assert scene.body(4)["pos"]["y"] == pytest.approx(4 - G * DT**2 * frames * (frames + 1) / 2, rel=1e-5)
    assert scene.body(4)["pos"]["x"] == 1
    assert scene.state["ticks"] == 10


def test_what_is_far_or_fast_is_clipped():
    scene = Scene(box(4, 1, 4))
    scene.push(4, angularVelocity=90.0, linearVelocity=(119.0, 0.0))
    scene.play(1)
    assert scene.body(4)["vel"]["x"] == 100
    assert scene.body(4)["w"] == 50
    scene.play(300)
    assert scene.body(4)["pos"].item() == (15, -15)
    assert scene.body(4)["vel"]["y"] >= -100


def test_a_box_rests_on_the_floor():
    scene = Scene(floor(), box(4, 2, 0.5))
    scene.play(200)
    assert scene.body(4)["pos"]["y"] == pytest.approx(0.5, abs=0.02)
    assert abs(scene.body(4)["vel"]["y"]) < 0.01
    assert scene.body(0)["pos"]["y"] == np.float32(-4.8)


def test_friction_slows_down_what_slides():
    """The friction of a pair is the hypotenuse of .4 each."""
    scene = Scene(floor(), box(4, 1, 0.5))
    scene.play(10)
    scene.push(4, linearVelocity=(3.0, 0.0))
    scene.play(5)
    lost = 0.4 * np.sqrt(2) * G * 5 * FRAMES_PER_TICK * DT
    assert scene.body(4)["vel"]["x"] == pytest.approx(3 - lost, rel=0.05)


def test_a_ball_bounces_by_the_smaller_restitution():
    scene = Scene(floor(), ball(12, 2, 1, bounce=1.0))
    heights = []
    for _ in range(60):
        scene.play(1)
        heights.append(float(scene.body(12)["pos"]["y"]))
    assert max(heights[30:]) == pytest.approx(0.5, abs=0.02)


def test_balls_that_both_bounce():
    scene = Scene(ball(12, 2, 3.0, bounce=1.0, mass=0, inertia=0), ball(13, 2, 3.4, bounce=1.0))
    scene.push(13, linearVelocity=(0.0, -4.0))
    scene.play(4)
    assert scene.body(13)["vel"]["y"] > 2


@pytest.mark.parametrize(("drive", "expected"), [(1.0, 6.0), (-0.5, -3.0), (5.0, 6.0), (0.0, 0.0)])
def test_a_motor_reaches_its_speed(drive, expected):
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2, 3), joint(4, 12, rest="motor = true"))
    scene.play(60, c0=drive)
    assert scene.body(12)["w"] == pytest.approx(expected, abs=0.02)
    assert scene.body(12)["pos"]["x"] == pytest.approx(2, abs=1e-3)


def test_a_motor_without_a_command_lets_go():
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2, 3), joint(4, 12, rest="motor = true"))
    scene.play(30, c0=1.0)
    scene.play(10, c0=0.0)
    assert scene.body(12)["w"] == pytest.approx(6, abs=0.02)


@pytest.mark.parametrize("drive", [1.0, -1.0])
def test_a_limit_stops_a_motor(drive):
    rest = "motor = true\nlimits = [-0.5, 0.5]"
    scene = Scene(box(4, 2, 3, mass=0, inertia=0), ball(12, 2, 3), joint(4, 12, rest=rest))
    scene.play(60, c0=drive)
    assert scene.body(12)["angle"] == pytest.approx(drive * 0.5, abs=0.05)


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
    assert scene.body(4)["vel"]["y"] == pytest.approx(FRAMES_PER_TICK * DT * (expected - G), rel=1e-4)
    assert scene.body(4)["angle"] == 0


def test_jointed_bodies_pass_through_one_another():
    """Also those that a third body connects."""
    parts = (box(4, 2, 3, mass=0, inertia=0), box(5, 2.05, 3), box(6, 2.1, 3), joint(4, 5, x=-0.05))
    scene = Scene(*parts, joint(5, 6, x=-0.05, slot=1))
    scene.play(1)
    assert not any(contact.touching for contact in scene.world._world.contacts)
    apart = Scene(*parts)
    apart.play(1)
    assert any(contact.touching for contact in apart.world._world.contacts)


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
    assert bool(scene.state["ended"][0]) == bool(reward)


def test_what_is_apart_does_not_touch():
    """By a hundredth of the skin that Box2D gives its polygons."""
    scene = Scene(box(4, 2, 3, role="green"), box(5, 2.2002, 3, role="blue"))
    assert scene.play(1) == [0]


def test_jointed_bodies_touch_all_the_same():
    scene = Scene(box(4, 2, 3, role="green"), box(5, 2.1, 3, role="blue"), joint(4, 5, x=-0.1))
    assert scene.play(1) == [1]


@pytest.mark.parametrize("blue", [4, 12])
def test_red_wins(blue):
    parts = {
        4: (box(4, 2, 3, role="blue"), box(5, 2.15, 3, role="green"), box(6, 2.3, 3, role="red")),
        12: (box(5, 2.15, 3, role="green"), box(6, 2.3, 3, role="red"), ball(12, 2, 3, role="blue")),
    }[blue]
    assert Scene(*parts).play(1) == [-1]


def test_a_fall_onto_the_goal_is_a_touch():
    """What a continuous collision would hold apart."""
    scene = Scene(floor(role="blue"), ball(12, 2, 3, role="green"))
    assert scene.play(60)[-1] == 1


def test_the_distance_is_that_of_the_centres():
    scene = Scene(box(4, 1, 3, mass=0, inertia=0, role="green"), box(5, 2.5, 1, mass=0, inertia=0, role="blue"))
    scene.play(1)
    assert scene.state["distance"][0] == pytest.approx(2.5)
