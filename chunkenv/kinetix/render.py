"""Pictures of Kinetix: a state and the action that led to it as one frame.

The view and the colours of roles and channels are those of kinetix-env 3.0.2 (MIT, Copyright (c) 2024 Michael
Matthews: see THIRD_PARTY_NOTICES.md). pygame is imported with the first frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chunkenv.kinetix.engine.layout import N_FIXATED, N_MOTOR_CHANNELS
from chunkenv.kinetix.level import Body, Joint, Level, Thruster
from chunkenv.utils.rendering import import_pygame

Colour = tuple[int, int, int]
Palette = dict[str, Colour]

VIEW = 5.0  # m, from the lower left corner at (0, 0)
FINENESS = 3  # frames are drawn this much larger and averaged: smooth edges

BACKGROUND: Colour = (255, 255, 255)
EDGE: Colour = (0, 0, 0)
ROLES: Palette = {"none": (160, 160, 160), "green": (0, 204, 0), "blue": (0, 102, 204), "red": (255, 102, 102)}
FIXED_ROLES: Palette = {"none": (80, 80, 80), "green": (0, 102, 0), "blue": (0, 51, 102), "red": (127, 51, 51)}
CHANNELS: tuple[Colour, ...] = ((255, 255, 0), (255, 0, 255), (0, 255, 255), (255, 153, 51))
PASSIVE: Colour = (255, 255, 255)
LIMITS: Colour = (120, 120, 120)
FLAME: tuple[Colour, Colour] = ((255, 120, 20), (255, 225, 90))

EDGE_WIDTH, LINE_WIDTH = 0.018, 0.01  # m, as all that follow
JOINT_SIZE, LIMIT_RADIUS, MOTOR_RADIUS = 0.036, 0.105, 0.075
MOTOR_SWEEP = 0.75 * np.pi  # rad of a motor's arrow at full power


def frame(level: Level, state: np.ndarray, action: np.ndarray, size: int) -> np.ndarray:
    """A picture of one state: the same arguments give the same pixels.

    Bodies have the colours of their roles, darker where they never move. Joints and thrusters have the colour of their
    channel, joints without a motor are white, fixed ones square. Grey arcs show how far a joint's second body may
    swing, arrows which way a motor turns it and how hard, flames how hard a thruster pushes.

    Args:
        level: the scene.
        state: its state, one `STATE` record.
        action: float[6], what the motors and thrusters are doing: zeros for nothing.
        size: width and height in pixels.

    Returns:
        uint8[size, size, 3].

    Raises:
        MissingExtraError: pygame is not installed.
    """
    canvas = Canvas(size)
    places = {body.slot: Place(state["bodies"][body.slot]) for body in level.bodies}
    for body in level.bodies:
        if not 0 < body.slot < N_FIXATED:  # walls and ceiling are just outside the view
            _draw_body(canvas, body, places[body.slot])
    for joint in level.joints:
        _draw_joint(canvas, joint, places, float(np.clip(action[joint.channel], -1, 1)))
    for thruster in level.thrusters:
        throttle = float(np.clip(action[N_MOTOR_CHANNELS + thruster.channel], 0, 1))
        _draw_thruster(canvas, thruster, places[thruster.body], throttle)
    return canvas.pixels()


class Place:
    """Where a body is: maps points of its own frame to the world."""

    def __init__(self, body: np.void) -> None:
        self.position = np.array((body["pos"]["x"], body["pos"]["y"]))
        self.angle = float(body["angle"])

    def of(self, points: Any) -> np.ndarray:
        """World positions [..., 2] of points [..., 2] of the body."""
        return self.position + np.asarray(points) @ _turn(self.angle).T


def _turn(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((c, -s), (s, c)))


def _heading(angle: float | np.ndarray) -> np.ndarray:
    return np.stack((np.cos(angle), np.sin(angle)), -1)


class Canvas:
    """A white square of `VIEW` metres, drawn on in metres, y upwards."""

    def __init__(self, size: int) -> None:
        self._pygame = import_pygame()
        self._size = size
        self._scale = size * FINENESS / VIEW
        self._surface = self._pygame.Surface((size * FINENESS, size * FINENESS), depth=24)
        self._surface.fill(BACKGROUND)

    def polygon(self, corners: np.ndarray, colour: Colour) -> None:
        """Fill a polygon, [n, 2]."""
        pixels = np.round((corners * (1, -1) + (0, VIEW)) * self._scale).clip(-30000, 30000)
        self._pygame.draw.polygon(self._surface, colour, pixels)

    def disc(self, centre: np.ndarray, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        # A polygon, because pygame's own circles are placed on whole pixels and wobble when they roll.
        self.polygon(centre + radius * _heading(np.linspace(0, 2 * np.pi, 72, endpoint=False)), colour)

    def line(self, start: np.ndarray, end: np.ndarray, width: float, colour: Colour) -> None:
        """Draw a straight line."""
        along = (end - start) / np.linalg.norm(end - start)
        side = np.array((-along[1], along[0])) * width / 2
        self.polygon(np.stack((start + side, end + side, end - side, start - side)), colour)

    def arc(self, centre: np.ndarray, radius: float, angles: tuple[float, float], width: float, colour: Colour) -> None:
        """Draw a part of a circle's edge, between two angles in rad."""
        way = _heading(np.linspace(*angles, 24))
        ring = np.concatenate((way * (radius + width / 2), way[::-1] * (radius - width / 2)))
        self.polygon(centre + ring, colour)

    def pixels(self) -> np.ndarray:
        """What was drawn, uint8[size, size, 3]."""
        # pygame's own smoothscale rounds down, which greys the white, and not in the same way on every processor.
        large = self._pygame.surfarray.array3d(self._surface)
        total = np.full((self._size, self._size, 3), FINENESS**2 // 2, np.uint16)
        for x, y in np.ndindex(FINENESS, FINENESS):
            total += large[x::FINENESS, y::FINENESS]
        return np.ascontiguousarray((total // FINENESS**2).astype(np.uint8).swapaxes(0, 1))


def _draw_body(canvas: Canvas, body: Body, place: Place) -> None:
    colour = ROLES[body.role] if body.inverse_mass else FIXED_ROLES[body.role]
    if body.vertices:
        corners = np.array(body.vertices)
        canvas.polygon(place.of(corners), EDGE)
        canvas.polygon(place.of(_shrunk(corners, EDGE_WIDTH)), colour)
        return
    canvas.disc(place.position, body.radius, EDGE)
    canvas.disc(place.position, body.radius - EDGE_WIDTH, colour)
    canvas.line(place.position, place.of((0, body.radius - EDGE_WIDTH / 2)), EDGE_WIDTH, EDGE)


def _shrunk(corners: np.ndarray, width: float) -> np.ndarray:
    """A convex polygon with all sides moved inwards."""
    sides = np.roll(corners, -1, axis=0) - corners
    after = sides / np.linalg.norm(sides, axis=1, keepdims=True)
    before = np.roll(after, 1, axis=0)
    bend = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    return corners + width * (after - before) / bend[:, None]


def _draw_joint(canvas: Canvas, joint: Joint, places: dict[int, Place], control: float) -> None:
    a, b = (places[slot] for slot in joint.bodies)
    centre = a.of(joint.anchors[0])
    if joint.fixed:
        square = JOINT_SIZE * np.array(((1, 1), (1, -1), (-1, -1), (-1, 1)))
        canvas.polygon(centre + square @ _turn(a.angle).T, EDGE)
        canvas.polygon(centre + 0.65 * square @ _turn(a.angle).T, PASSIVE)
        return
    colour = CHANNELS[joint.channel] if joint.motor else PASSIVE
    if joint.limits:
        _draw_limits(canvas, joint, centre, a, b)
    if joint.motor and control:
        _draw_arrow(canvas, centre, control, colour)
    canvas.disc(centre, JOINT_SIZE, EDGE)
    canvas.disc(centre, 0.65 * JOINT_SIZE, colour)


def _draw_limits(canvas: Canvas, joint: Joint, centre: np.ndarray, a: Place, b: Place) -> None:
    """The arc within which the second body may swing, and where in it that body is."""
    away = b.of((0, 0)) - centre
    if np.linalg.norm(away) < JOINT_SIZE:  # a body that turns about its own middle: its upright direction
        away = b.of((0, 1)) - b.position
    now = float(np.arctan2(away[1], away[0]))
    turned = b.angle - a.angle - joint.rotation
    low, high = (now - turned + limit for limit in joint.limits or (0.0, 0.0))
    canvas.arc(centre, LIMIT_RADIUS, (low, high), LINE_WIDTH, LIMITS)
    for angle in (low, high):
        canvas.line(centre, centre + (LIMIT_RADIUS + LINE_WIDTH) * _heading(angle), LINE_WIDTH, LIMITS)
    canvas.line(centre, centre + (LIMIT_RADIUS + LINE_WIDTH) * _heading(now), LINE_WIDTH, EDGE)


def _draw_arrow(canvas: Canvas, centre: np.ndarray, control: float, colour: Colour) -> None:
    """An arrow about a joint: counterclockwise for a positive control, as long as the control is large."""
    start = np.pi / 2 - control * MOTOR_SWEEP / 2
    end = np.pi / 2 + control * MOTOR_SWEEP / 2
    tip = end + np.sign(control) * 0.55
    head = MOTOR_RADIUS * _heading(np.array((end, tip, end)))
    for width, inner in ((2.6 * LINE_WIDTH, EDGE), (1.4 * LINE_WIDTH, colour)):
        canvas.arc(centre, MOTOR_RADIUS, (start, end), width, inner)
        spread = np.array((1 + width / MOTOR_RADIUS, 1, 1 - width / MOTOR_RADIUS))[:, None]
        canvas.polygon(centre + head * spread, inner)


def _draw_thruster(canvas: Canvas, thruster: Thruster, body: Place, throttle: float) -> None:
    centre = body.of(thruster.position)
    along = _heading(body.angle + thruster.rotation)
    frame_of = np.stack((along, (-along[1], along[0])))
    for colour, part in zip(FLAME, (1.0, 0.55), strict=True):
        flame = np.array(((-0.03, 0.045 * part), (-0.03, -0.045 * part), (-0.03 - 0.22 * throttle * part, 0)))
        canvas.polygon(centre + flame @ frame_of, colour)
    nozzle = np.array(((0.05, 0.03), (0.05, -0.03), (-0.04, -0.055), (-0.04, 0.055)))
    canvas.polygon(centre + nozzle @ frame_of, EDGE)
    canvas.polygon(centre + _shrunk(nozzle, LINE_WIDTH) @ frame_of, CHANNELS[thruster.channel])
