"""One level in Box2D: a different simulator, to see whether what was learnt in one survives in another.

Taken over from the level: shapes, masses, joints with their limits, which bodies may collide, friction, restitution
and gravity, and the laws of its motors and thrusters. Box2D's own are contact detection, the solver of contacts and
joints, and warm starting.

The laws of motors and thrusters are those of jax2d 1.0.1 (MIT, Copyright (c) 2024 Michael Matthews: see
THIRD_PARTY_NOTICES.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import Box2D
import numpy as np

from chunkenv.kinetix.engine import kernels
from chunkenv.kinetix.engine.build import joined_groups
from chunkenv.kinetix.engine.kernels import PLAYED, Tick
from chunkenv.kinetix.engine.layout import FRAME_SECONDS, GRAVITY, N_MOTOR_CHANNELS
from chunkenv.kinetix.engine.level_simulator import LevelSimulator, refuse_tick
from chunkenv.kinetix.level import Body, Joint, Thruster

DT = FRAME_SECONDS
ITERATIONS = kernels.ITERATIONS
BASE_FRICTION = float(kernels.BASE_FRICTION)
MOTOR_SPEED, MOTOR_POWER = float(kernels.MOTOR_SPEED), float(kernels.MOTOR_POWER)
MOTOR_DECAY, LIMIT_ZONE = float(kernels.MOTOR_DECAY), float(kernels.LIMIT_ZONE)
THRUSTER_POWER = float(kernels.THRUSTER_POWER)
MAX_POSITION, MAX_VELOCITY, MAX_SPIN = (
    float(most) for most in (kernels.MAX_POSITION, kernels.MAX_VELOCITY, kernels.MAX_SPIN)
)


class Box2DWorld:
    """A Box2D world with one level in its first state. It cannot go back: each episode needs a new one.

    Args:
        simulator: the level; it makes the observations.
    """

    def __init__(self, simulator: LevelSimulator) -> None:
        self._simulator = simulator
        self._level = simulator.scene
        self._mixing = _Mixing()  # Box2D keeps no reference of its own
        self._world = Box2D.b2World(gravity=(0, float(GRAVITY)), doSleep=False, contactListener=self._mixing)
        # Shapes are held apart that a continuous collision stops: green would never touch blue.
        self._world.continuousPhysics = False
        groups = joined_groups(self._level)
        self._bodies = {body.slot: self._add_body(body, groups[body.slot]) for body in self._level.bodies}
        for joint in self._level.joints:
            self._add_joint(joint)
        pairs = simulator.records["pairs"][0]
        self._pairs = [(int(p["a"]), int(p["b"]), int(p["reward"])) for p in pairs[pairs["reward"] != 0]]

    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> Tick:
        """As `LevelSimulator.step`; only what the state shows is taken over into it."""
        refusal = refuse_tick(state, action)
        if refusal:
            return refusal
        record, last_distance = state[0], float(state["distance"][0])
        reward = 0
        for _ in range(kernels.FRAMES):
            touched = self._touch()
            self._frame(action)
            if not reward:
                reward = touched
                record["distance"] = self._goal_distance()
        self._write(record)
        record["ticks"] += 1
        record["ended"] = ended = bool(reward) or not self._finite()
        self._simulator.observe(state, observation)
        return Tick(PLAYED, reward, float(record["distance"]), last_distance, int(record["ticks"]), ended)

    def _add_body(self, body: Body, group: int) -> Box2D.b2Body:
        place = {"position": body.position, "angle": body.rotation}
        moves = body.inverse_mass > 0
        made = self._world.CreateDynamicBody(**place) if moves else self._world.CreateStaticBody(**place)
        # Bodies of the same negative group never collide.
        surface = {"friction": body.friction, "restitution": body.restitution}
        made.CreateFixture(shape=_shape(body), density=0, groupIndex=-1 - group, **surface)
        if moves:
            inertia = 1 / body.inverse_inertia if body.inverse_inertia else 0.0
            made.massData = Box2D.b2MassData(mass=1 / body.inverse_mass, center=(0, 0), I=inertia)
        return made

    def _add_joint(self, joint: Joint) -> None:
        a, b = (self._bodies[slot] for slot in joint.bodies)
        anchors = {"localAnchorA": joint.anchors[0], "localAnchorB": joint.anchors[1]}
        ends = {"bodyA": a, "bodyB": b, "referenceAngle": joint.rotation, **anchors}
        if joint.fixed:
            self._world.CreateWeldJoint(**ends)
            return
        low, high = joint.limits or (0.0, 0.0)
        limited = joint.limits is not None
        self._world.CreateRevoluteJoint(**ends, enableLimit=limited, lowerAngle=low, upperAngle=high)

    def _frame(self, action: np.ndarray) -> None:
        """One physics frame of 1/60 s."""
        self._run_motors(action)
        for thruster in self._level.thrusters:
            self._push(thruster, float(action[N_MOTOR_CHANNELS + thruster.channel]))
        self._world.Step(DT, ITERATIONS, ITERATIONS)
        for body in self._moving():
            _clip(body)

    def _moving(self) -> Iterator[Box2D.b2Body]:
        return (self._bodies[body.slot] for body in self._level.bodies if body.inverse_mass)

    def _run_motors(self, action: np.ndarray) -> None:
        """All motors see the same motions; then their impulses are added."""
        motors = [joint for joint in self._level.joints if joint.motor and not joint.fixed]
        turns = [self._motor_turn(joint, min(max(float(action[joint.channel]), -1.0), 1.0)) for joint in motors]
        for joint, turn in zip(motors, turns, strict=True):
            a, b = (self._bodies[slot] for slot in joint.bodies)
            a.ApplyAngularImpulse(turn, True)
            b.ApplyAngularImpulse(-turn, True)

    def _motor_turn(self, joint: Joint, control: float) -> float:
        """The angular impulse of a motor on the first body: the law of `kernels.motor_turn`."""
        a, b = (self._bodies[slot] for slot in joint.bodies)
        freedom = _inverse(a.inertia) + _inverse(b.inertia)
        if not (control and freedom):
            return 0.0
        power = MOTOR_POWER * joint.motor_power * DT / freedom
        excess = b.angularVelocity - a.angularVelocity - joint.motor_speed * control * MOTOR_SPEED
        return power * _softening(joint, b.angle - a.angle - joint.rotation, control) * math.tanh(excess * MOTOR_DECAY)

    def _push(self, thruster: Thruster, control: float) -> None:
        body = self._bodies[thruster.body]
        angle = thruster.rotation + body.angle
        force = thruster.power * THRUSTER_POWER * min(max(control, 0.0), 1.0)
        where = body.GetWorldPoint(thruster.position)
        body.ApplyForce((force * math.cos(angle), force * math.sin(angle)), where, True)

    def _touch(self) -> int:
        """1 where green touches blue, -1 where it touches red, which wins; whether they collide does not matter."""
        touched = {reward for a, b, reward in self._pairs if _overlap(self._bodies[a], self._bodies[b])}
        return min(touched, default=0)

    def _goal_distance(self) -> float:
        """The distance between the centres of green and blue, summed over all such pairs, in m."""
        goals = [(self._bodies[a], self._bodies[b]) for a, b, reward in self._pairs if reward > 0]
        return sum((a.position - b.position).length for a, b in goals)

    def _finite(self) -> bool:
        return all(math.isfinite(x) for body in self._moving() for x in (*body.position, body.angle))

    def _write(self, record: np.void) -> None:
        """Show in the state where the bodies are."""
        for slot, body in self._bodies.items():
            shown = record["bodies"][slot]
            if not shown["inverse_mass"]:
                continue
            shown["pos"], shown["vel"] = tuple(body.position), tuple(body.linearVelocity)
            shown["angle"], shown["w"] = body.angle, body.angularVelocity
            shown["rot"] = (math.cos(body.angle), math.sin(body.angle))


class _Mixing(Box2D.b2ContactListener):
    """Friction and restitution of a pair as the reference mixes them."""

    def PreSolve(self, contact: Box2D.b2Contact, old_manifold: Box2D.b2Manifold) -> None:
        """Set them before every solve of a contact: Box2D calls this by its name."""
        a, b = contact.fixtureA, contact.fixtureB
        contact.friction = BASE_FRICTION * math.hypot(a.friction, b.friction)
        contact.restitution = min(a.restitution, b.restitution)


@cache
def _shape(body: Body) -> Box2D.b2Shape:
    # Box2D copies it into every fixture; the Python binding would leak a new one with each.
    if not body.vertices:
        return Box2D.b2CircleShape(radius=body.radius)
    shape = Box2D.b2PolygonShape(vertices=list(body.vertices))
    shape.radius = 0  # without Box2D's skin, a touch is where the shapes are
    return shape


def _overlap(a: Box2D.b2Body, b: Box2D.b2Body) -> bool:
    return Box2D.b2TestOverlap(a.fixtures[0].shape, 0, b.fixtures[0].shape, 0, a.transform, b.transform)


def _inverse(inertia: float) -> float:
    return 1 / inertia if inertia else 0.0


def _softening(joint: Joint, turned: float, control: float) -> float:
    """How much of a motor's power is left where it drives into the last tenth of a radian before a limit."""
    if joint.limits is None:
        return 1.0
    low, high = joint.limits
    beyond = turned - min(max(turned, low + LIMIT_ZONE), high - LIMIT_ZONE)
    return max(0.0, 1 - abs(beyond) / LIMIT_ZONE) if beyond * control > 0 else 1.0


def _clip(body: Box2D.b2Body) -> None:
    """Bring back what is far or fast, as the reference does."""
    x, y = body.position
    near = (min(max(x, -MAX_POSITION), MAX_POSITION), min(max(y, -MAX_POSITION), MAX_POSITION))
    if near != (x, y):
        body.position = near
    vx, vy = body.linearVelocity
    slow = (min(max(vx, -MAX_VELOCITY), MAX_VELOCITY), min(max(vy, -MAX_VELOCITY), MAX_VELOCITY))
    if slow != (vx, vy):
        body.linearVelocity = slow
    body.angularVelocity = min(max(body.angularVelocity, -MAX_SPIN), MAX_SPIN)
