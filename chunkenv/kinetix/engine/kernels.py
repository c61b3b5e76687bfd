"""The physics of a Kinetix frame in numba, from gravity to integration, and the loops that play ticks of it.

A port, in our own words, of the engine jax2d 1.0.1 (https://github.com/MichaelTMatthews/Jax2D) as kinetix-env 3.0.2
uses it (https://github.com/FLAIROx/Kinetix), both Copyright (c) 2024 Michael Matthews under the MIT License, which is
in THIRD_PARTY_NOTICES.md. The solver: sequential impulses with warm starting, joints one after the other, contacts in
batches of 16 that are solved side by side (Jacobi) inside a batch.

What is promised is each single transition: from the same state and action, positions within 1e-5 m, observations within
1e-4, every reward and end (tests/kinetix/test_parity.py). Long runs are chaotic, and part from the reference as the
reference parts from itself after a change of one unit in the last place.

How to read it: records (`body`, `contact`, `joint`) are references into the state, the level or the scratch; `Vec2`
and `Motion` are values. A helper copies out (`vec`, `motion`), computes, and stores once. Everything is float32: a
bare literal would silently become float64, so constants have names. With NUMBA_DISABLE_JIT=1 the same source runs in
plain Python.

Most functions serve one environment and eight at once (`lanes`, `batch`): a number may be a float or lanes. Where lanes
may go different ways there is `select` instead of `if`; an `if` is about what all share, the level.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

from chunkenv.kinetix.engine import layout
from chunkenv.kinetix.engine.layout import FRAME_SECONDS, GRAVITY, N_FEATURES
from chunkenv.kinetix.engine.simd import (
    absolute,
    arc_tangent,
    cosine,
    everywhere,
    hyperbolic_tangent,
    like,
    root,
    select,
    sine,
)
from chunkenv.utils.compile import entry, jit

F = np.float32
U = np.uint64

ZERO, ONE, TEN = F(0), F(1), F(10)
PI = F(math.pi)
FAR = F(99999)

DT = F(FRAME_SECONDS)
FRAMES = 2  # physics frames in a control step
ITERATIONS = 10
GRAVITY_STEP = F(GRAVITY * DT)
SLOP = F(0.01)
CONTACT_BIAS = F(F(-0.2) / DT)
FACE_PREFERENCE = F(0.01)
BASE_FRICTION = F(0.4)
JOINT_BIAS, JOINT_SHIFT, JOINT_STIFFNESS = F(2.0), F(0.7), F(0.6)
FIXED_BIAS, LIMIT_BIAS = F(2.0), F(5.0)
MOTOR_SPEED, MOTOR_POWER, MOTOR_DECAY, LIMIT_ZONE = F(6.0), F(900.0), F(0.1), F(0.1)
THRUSTER_POWER = F(10.0)
MAX_POSITION, MAX_VELOCITY, MAX_SPIN = F(15.0), F(100.0), F(50.0)
STILL = F(1e-30)  # below this squared speed a slip has no direction
APART = F(1e-3)  # boxes further apart than this cannot touch, whatever the rounding

N_POLYGON_PAIRS, N_CIRCLE_POLYGON_PAIRS = U(layout.N_POLYGON_PAIRS), U(layout.N_CIRCLE_POLYGON_PAIRS)
N_CIRCLE_PAIRS = U(layout.N_CIRCLE_PAIRS)
# The reference pads its lists of pairs to whole batches with index -1, which writes zero over the last pair's impulses.
FORGETFUL_SLOTS = (U(118), U(119), U(173))
N_CORNERS = U(layout.N_CORNERS)

NEVER = np.int64(-1)  # the end of a chunk whose episode was over before
PLAYED, OVER, BAD_ACTION = 0, 1, 2  # what `step` reports

Vec2 = namedtuple("Vec2", "x y")
Rotation = namedtuple("Rotation", "c s")
Motion = namedtuple("Motion", "x y w")  # linear and angular velocity of a body
Axis = namedtuple("Axis", "separation face")  # a face, by its number as a float
Corners = namedtuple("Corners", "first second")  # the deepest behind a face, and the next
Nearest = namedtuple("Nearest", "point distance inside")  # of an outline to a point; whether it lies inside
Manifold = namedtuple("Manifold", "points normal depth first second")  # 0 to 2 points; the normal is that of a
Tick = namedtuple("Tick", "status reward distance last_distance ticks ended")


# --- values ---------------------------------------------------------------------------------------------------------


@jit
def vec(record):
    """The vector of a record, as a value."""
    return Vec2(record.x, record.y)


@jit
def store(record, v):
    """Write a vector into a record."""
    record.x = v.x
    record.y = v.y


@jit
def add(u, v):
    """Sum of two vectors."""
    return Vec2(u.x + v.x, u.y + v.y)


@jit
def sub(u, v):
    """Difference of two vectors."""
    return Vec2(u.x - v.x, u.y - v.y)


@jit
def scale(k, v):
    """The vector, k times as long."""
    return Vec2(k * v.x, k * v.y)


@jit
def dot(u, v):
    """Inner product."""
    return u.x * v.x + u.y * v.y


@jit
def cross(u, v):
    """Outer product: positive where v lies to the left of u."""
    return u.x * v.y - u.y * v.x


@jit
def right(v):
    """The vector turned by a right angle clockwise."""
    return Vec2(v.y, -v.x)


@jit
def length(v):
    """Euclidean length."""
    return root(v.x * v.x + v.y * v.y)


@jit
def rotate(rot, v):
    """From the frame of a body into the world."""
    return Vec2(rot.c * v.x - rot.s * v.y, rot.s * v.x + rot.c * v.y)


@jit
def rotate_back(rot, v):
    """From the world into the frame of a body."""
    return Vec2(rot.c * v.x + rot.s * v.y, rot.c * v.y - rot.s * v.x)


@jit
def rotation(angle):
    """Cosine and sine of an angle."""
    return Rotation(cosine(angle), sine(angle))


@jit
def smaller(a, b):
    """The minimum."""
    return select(a < b, a, b)


@jit
def larger(a, b):
    """The maximum."""
    return select(a > b, a, b)


@jit
def clamp(x, low, high):
    """The nearest value in [low, high]; NaN stays NaN."""
    return select(x < low, low, select(x > high, high, x))


@jit
def sign(x):
    """-1, 0 or 1."""
    return select(x > ZERO, ONE, select(x < ZERO, -ONE, ZERO))


@jit
def nonzero(x):
    """The value, or 1 where it is 0: a safe divisor."""
    return select(x != ZERO, x, ONE)


# --- bodies ---------------------------------------------------------------------------------------------------------


@jit
def motion(body):
    """A body's motion, as a value."""
    return Motion(body.vel.x, body.vel.y, body.w)


@jit
def set_motion(body, m):
    """Write a motion into a body."""
    body.vel.x = m.x
    body.vel.y = m.y
    body.w = m.w


@jit
def add_impulse(m, body, arm, impulse):
    """The motion after an impulse at the end of an arm."""
    return Motion(
        m.x + body.inverse_mass * impulse.x,
        m.y + body.inverse_mass * impulse.y,
        m.w + body.inverse_inertia * cross(arm, impulse),
    )


@jit
def subtract_impulse(m, body, arm, impulse):
    """The motion after the opposite of an impulse at the end of an arm."""
    return Motion(
        m.x - body.inverse_mass * impulse.x,
        m.y - body.inverse_mass * impulse.y,
        m.w - body.inverse_inertia * cross(arm, impulse),
    )


@jit
def at_point(m, arm):
    """The velocity of the point at the end of an arm."""
    return Vec2(m.x - m.w * arm.y, m.y + m.w * arm.x)


@jit
def apply_gravity(level, state):
    """Speed up what moves by one frame of free fall."""
    for k in range(U(level.n_moving)):
        state.bodies[level.moving[k]].vel.y += GRAVITY_STEP


# --- where the shapes are -------------------------------------------------------------------------------------------


@jit
def face_turn(start, end):
    """The rotation into the frame of a face, whose first axis points inwards and whose second runs along it."""
    along = sub(start, end)
    return rotation(PI + arc_tangent(along.x, along.y))


@jit
def place_polygon(shape, body, placed):
    """Corners and bounding box in the world; of a body that never moves also how its faces are turned."""
    far = like(FAR, body.rot.c)
    low, high = Vec2(far, far), Vec2(-far, -far)
    for k in range(N_CORNERS):
        corner = add(rotate(body.rot, shape.vertices[k]), body.pos)
        store(placed.corners[k], corner)
        low = Vec2(smaller(low.x, corner.x), smaller(low.y, corner.y))
        high = Vec2(larger(high.x, corner.x), larger(high.y, corner.y))
    store(placed.low, low)
    store(placed.high, high)
    if everywhere(body.inverse_mass == ZERO):
        for k in range(U(shape.n_corners)):
            next_corner = k + U(1) if k + U(1) < U(shape.n_corners) else U(0)
            turn = face_turn(vec(placed.corners[k]), vec(placed.corners[next_corner]))
            placed.turns[k].c = turn.c
            placed.turns[k].s = turn.s


@jit
def place_circle(shape, body, placed):
    """Bounding box in the world."""
    reach = Vec2(shape.radius, shape.radius)
    store(placed.low, sub(body.pos, reach))
    store(placed.high, add(body.pos, reach))


@jit
def place(level, state, scratch, body_index):
    """Corners and bounding box of any body."""
    shape = level.shapes[body_index]
    if shape.n_corners > 0:
        place_polygon(shape, state.bodies[body_index], scratch.placed[body_index])
    else:
        place_circle(shape, state.bodies[body_index], scratch.placed[body_index])


@jit
def place_moving(level, state, scratch):
    """Corners and bounding boxes of the bodies that move; the others keep theirs."""
    for k in range(U(level.n_moving)):
        place(level, state, scratch, level.moving[k])


@jit
def near(a, b):
    """Whether two bounding boxes overlap or almost do."""
    return (
        (a.low.x - b.high.x < APART)
        & (b.low.x - a.high.x < APART)
        & (a.low.y - b.high.y < APART)
        & (b.low.y - a.high.y < APART)
    )


# --- where the shapes touch -----------------------------------------------------------------------------------------


@jit
def apart():
    """The manifold of two shapes that do not touch."""
    zero = Vec2(ZERO, ZERO)
    return Manifold(0, zero, ZERO, zero, zero)


@jit
def touching():
    """The manifold of two shapes of which it only matters that they touch."""
    zero = Vec2(ZERO, ZERO)
    return Manifold(1, zero, ZERO, zero, zero)


@jit
def least_penetration(a_shape, a, b_placed, local):
    """The face of `a` that `b` penetrates least (separating axis test); some face that parts them, if there is one."""
    for k in range(N_CORNERS):  # a triangle's first corner and face come twice: always four is faster
        store(local[k], rotate_back(a.rot, sub(b_placed.corners[k], a.pos)))
    best, face, number = like(-FAR, a.rot.c), like(ZERO, a.rot.c), ZERO
    for k in range(N_CORNERS):
        normal = vec(a_shape.normals[k])
        deepest = like(FAR, best)
        for j in range(N_CORNERS):
            deepest = smaller(dot(normal, local[j]), deepest)
        separation = deepest - a_shape.supports[k]
        face = select(separation > best, number, face)
        best = larger(separation, best)
        if everywhere(best >= ZERO):
            break
        number += ONE
    return Axis(best, face)


@jit
def deepest_corners(normal, body, n_corners, placed):
    """The two corners of the other polygon that lie deepest behind a face, whose normal is in the frame of `body`."""
    deepest, deeper = FAR, FAR
    first, second = U(0), U(0)
    for k in range(n_corners):
        depth = dot(normal, rotate_back(body.rot, sub(placed.corners[k], body.pos)))
        if depth < deepest:
            deeper, second = deepest, first
            deepest, first = depth, k
        elif depth < deeper:
            deeper, second = depth, k
    return Corners(first, second)


@jit
def in_face_frame(turn, length, point):
    """A corner of the other polygon in the frame of a face, clipped to its ends: x is the depth, y runs along it."""
    p = rotate(turn, point)
    return Vec2(p.x, clamp(p.y, ZERO, length))


@jit
def clip_to_face(start, end, turn, one, other, normal, depth):
    """The corners `one` and `other` against the face from `start` to `end`: the deeper first, the other if inside."""
    face_length = length(sub(start, end))
    p = in_face_frame(turn, face_length, sub(one, start))
    q = in_face_frame(turn, face_length, sub(other, start))
    points = 2 if smaller(p.x, q.x) > ZERO else 1
    p_world = add(rotate_back(turn, p), start)
    q_world = add(rotate_back(turn, q), start)
    if q.x > p.x:
        return Manifold(points, normal, depth, q_world, p_world)
    return Manifold(points, normal, depth, p_world, q_world)


@jit
def face_manifold(shape, body, placed, face, other_shape, other_placed, depth, flip):
    """The contact points of a face of `body` with the corners of the other polygon that lie deepest behind it."""
    next_corner = face + U(1) if face + U(1) < U(shape.n_corners) else U(0)
    corners = deepest_corners(vec(shape.normals[face]), body, U(other_shape.n_corners), other_placed)
    normal = rotate(body.rot, shape.normals[face])
    start, end = vec(placed.corners[face]), vec(placed.corners[next_corner])
    known = body.inverse_mass == ZERO
    turn = Rotation(placed.turns[face].c, placed.turns[face].s) if known else face_turn(start, end)
    return clip_to_face(
        start,
        end,
        turn,
        vec(other_placed.corners[corners.first]),
        vec(other_placed.corners[corners.second]),
        Vec2(-normal.x, -normal.y) if flip else normal,
        depth,
    )


@jit
def polygon_manifold(a_shape, a, a_placed, b_shape, b, b_placed, a_axis, b_axis):
    """The manifold of two polygons that touch, from their axes of least penetration."""
    depth = -larger(a_axis.separation, b_axis.separation)
    if a_axis.separation + FACE_PREFERENCE < b_axis.separation:
        return face_manifold(b_shape, b, b_placed, U(b_axis.face), a_shape, a_placed, depth, True)
    return face_manifold(a_shape, a, a_placed, U(a_axis.face), b_shape, b_placed, depth, False)


@jit
def polygons_touch(a_shape, a, a_placed, b_shape, b, b_placed, local, collides):
    """The manifold of two polygons, of which only the touch matters where they do not collide."""
    a_axis = least_penetration(a_shape, a, b_placed, local)
    if a_axis.separation >= ZERO:
        return apart()
    b_axis = least_penetration(b_shape, b, a_placed, local)
    if b_axis.separation >= ZERO:
        return apart()
    if not collides:
        return touching()
    return polygon_manifold(a_shape, a, a_placed, b_shape, b, b_placed, a_axis, b_axis)


@jit
def nearest_on_outline(shape, centre):
    """The point of a polygon's outline that is nearest to a point, both in the polygon's frame."""
    distance = like(FAR, centre.x)
    nearest, inside = Vec2(distance, distance), distance > ZERO
    n = U(shape.n_corners)
    for k in range(n):
        start, side = vec(shape.vertices[k]), vec(shape.sides[k])
        next_corner = shape.vertices[k + U(1) if k + U(1) < n else U(0)]
        past = clamp(dot(side, sub(centre, start)), ZERO, shape.lengths[k])
        point = add(start, scale(past, side))
        gap = length(sub(point, centre))
        inside = inside & (cross(sub(start, centre), sub(next_corner, centre)) < ZERO)
        nearest = Vec2(select(gap < distance, point.x, nearest.x), select(gap < distance, point.y, nearest.y))
        distance = smaller(gap, distance)
    return Nearest(nearest, distance, inside)


@jit
def nearest_to_circle(circle, p_shape, polygon):
    """The point of a polygon's outline that is nearest to a circle's centre."""
    return nearest_on_outline(p_shape, rotate_back(polygon.rot, sub(circle.pos, polygon.pos)))


@jit
def in_reach(c_shape, nearest):
    """Whether a circle touches the polygon whose nearest point this is."""
    return nearest.inside | (nearest.distance <= c_shape.radius)


@jit
def circle_polygon_touch(c_shape, circle, p_shape, polygon):
    """The manifold of a circle and a polygon: one point, the nearest of the outline to the centre."""
    nearest = nearest_to_circle(circle, p_shape, polygon)
    if not in_reach(c_shape, nearest):
        return apart()
    centre = rotate_back(polygon.rot, sub(circle.pos, polygon.pos))
    out = rotate(polygon.rot, sub(centre, nearest.point))
    size = nonzero(length(out))
    normal = scale(ONE / size if nearest.inside else -ONE / size, out)
    depth = c_shape.radius if nearest.inside else c_shape.radius - nearest.distance
    point = add(rotate(polygon.rot, nearest.point), polygon.pos)
    return Manifold(1, normal, depth, point, point)


@jit
def circles_touch(a_shape, a, b_shape, b):
    """The manifold of two circles."""
    way = sub(b.pos, a.pos)
    distance = length(way)
    reach = a_shape.radius + b_shape.radius
    if distance >= reach:
        return apart()
    size = nonzero(distance)
    normal = Vec2(way.x / size, way.y / size)
    point = add(a.pos, scale(a_shape.radius, normal))
    return Manifold(1, normal, reach - distance, point, point)


# --- contacts -------------------------------------------------------------------------------------------------------


@jit
def add_contact(level, state, remembered, scratch, pair, manifold, point, number, rank):
    """Take a contact point into the list of this frame, with what the last frame left for its slot."""
    a, b = state.bodies[pair.a], state.bodies[pair.b]
    a_shape, b_shape = level.shapes[pair.a], level.shapes[pair.b]
    contact = scratch.contacts[scratch.n_contacts]
    scratch.n_contacts += 1
    slot = U(pair.slot) + number
    contact.a, contact.b, contact.slot, contact.rank, contact.point_number = pair.a, pair.b, slot, rank, number
    store(contact.point, point)
    store(contact.normal, manifold.normal)
    store(contact.arm_a, sub(point, a.pos))
    store(contact.arm_b, sub(point, b.pos))
    contact.keep = ONE
    for forgetful in FORGETFUL_SLOTS:
        if slot == forgetful:
            contact.keep = ZERO
    memory = remembered[slot]
    contact.along_normal = memory.normal
    contact.along_tangent = memory.tangent
    contact.target = contact_target(contact, a, b, manifold.depth, smaller(a_shape.restitution, b_shape.restitution))
    one, other = a_shape.friction * BASE_FRICTION, b_shape.friction * BASE_FRICTION
    contact.friction = math.sqrt(one * one + other * other)


@jit
def add_contacts(level, state, remembered, scratch, pair, manifold, rank):
    """Take the points of a manifold into the list; `rank` counts the pairs of their kind that touch."""
    add_contact(level, state, remembered, scratch, pair, manifold, manifold.first, U(0), rank)
    if manifold.points == 2:
        add_contact(level, state, remembered, scratch, pair, manifold, manifold.second, U(1), rank)


@jit
def contact_target(contact, a, b, depth, bounce):
    """The speed of parting that the solver aims at: out of the penetration, and back by the restitution."""
    slip = sub(at_point(motion(b), contact.arm_b), at_point(motion(a), contact.arm_a))
    bias = CONTACT_BIAS * smaller(ZERO, SLOP - depth)
    return bias - dot(slip, contact.normal) * bounce


@jit
def stronger(reward, other):
    """Red wins over green, anything over nothing."""
    return other if other != 0 and reward >= 0 else reward


@jit
def pair_manifold(level, state, scratch, pair):
    """The manifold of any pair; a circle comes after polygons in a pair of circles, before in a mixed one."""
    a, b = state.bodies[pair.a], state.bodies[pair.b]
    a_shape, b_shape = level.shapes[pair.a], level.shapes[pair.b]
    a_placed, b_placed = scratch.placed[pair.a], scratch.placed[pair.b]
    if not near(a_placed, b_placed):
        return apart()
    if a_shape.n_corners > 0:
        return polygons_touch(a_shape, a, a_placed, b_shape, b, b_placed, scratch.local, pair.collides != 0)
    if b_shape.n_corners > 0:
        return circle_polygon_touch(a_shape, a, b_shape, b)
    return circles_touch(a_shape, a, b_shape, b)


@jit
def touch_pairs(level, state, scratch, first, n_pairs, n_slots, n_batches):
    """Find the contacts of one kind of pairs (all of whose slots are `n_slots`); the reward of those that touch."""
    reward, n_touching = 0, U(0)
    first_contact = U(scratch.n_contacts)
    for k in range(first, first + n_pairs):
        pair = level.pairs[k]
        manifold = pair_manifold(level, state, scratch, pair)
        if manifold.points == 0:
            continue
        reward = stronger(reward, pair.reward)
        if pair.collides:
            add_contacts(level, state, state.contacts, scratch, pair, manifold, n_touching)
        n_touching += U(1)
    deal(scratch, first_contact, n_slots - n_touching, n_batches)
    return reward


@jit
def deal(scratch, first_contact, n_apart, n_batches):
    """Order the contacts by batch, first points before second ones; batches without a contact are left out.

    Pairs are dealt out like cards, those that touch last: hence it matters how many there are that do not.
    """
    end = first_contact
    n_contacts = U(scratch.n_contacts)
    if first_contact == n_contacts:
        return
    for k in range(first_contact, n_contacts):
        scratch.contacts[k].batch = (n_apart + U(scratch.contacts[k].rank)) % n_batches
    for point in range(U(2)):
        for batch in range(n_batches):
            start = end
            for k in range(first_contact, n_contacts):
                contact = scratch.contacts[k]
                if contact.point_number == point and contact.batch == batch:
                    scratch.order[end] = k
                    end += U(1)
            if end > start:
                scratch.batch_ends[scratch.n_batches] = end
                scratch.n_batches += 1


@jit
def touch(level, state, scratch):
    """All contacts of this frame; 1 where green touches blue, -1 where it touches red."""
    place_moving(level, state, scratch)
    scratch.n_contacts = 0
    scratch.n_batches = 0
    n_polygon, n_mixed, n_circle = U(level.n_polygon_pairs), U(level.n_circle_polygon_pairs), U(level.n_circle_pairs)
    polygon = touch_pairs(level, state, scratch, U(0), n_polygon, N_POLYGON_PAIRS, U(4))
    mixed = touch_pairs(level, state, scratch, n_polygon, n_mixed, N_CIRCLE_POLYGON_PAIRS, U(3))
    circle = touch_pairs(level, state, scratch, n_polygon + n_mixed, n_circle, N_CIRCLE_PAIRS, U(1))
    return stronger(stronger(polygon, mixed), circle)


@jit
def effective_mass(a, b, ra, rb, way):
    """The mass that an impulse meets which parts two bodies at the ends of their arms."""
    lever_a, lever_b = cross(ra, way), cross(rb, way)
    freedom = a.inverse_mass + b.inverse_mass
    freedom += a.inverse_inertia * (lever_a * lever_a) + b.inverse_inertia * (lever_b * lever_b)
    return ONE / nonzero(freedom)


@jit
def contact_impulse(contact, a, b):
    """The impulse of one contact in one iteration: first along the normal, then the friction that it allows."""
    n, t = vec(contact.normal), right(contact.normal)
    ra, rb = sub(contact.point, a.pos), sub(contact.point, b.pos)
    va, vb = motion(a), motion(b)
    mass_n, mass_t = effective_mass(a, b, ra, rb, n), effective_mass(a, b, ra, rb, t)

    slip = sub(at_point(vb, rb), at_point(va, ra))
    total = larger(contact.along_normal + (contact.target - dot(slip, n)) * mass_n, ZERO)
    press = scale(total - contact.along_normal, n)
    contact.along_normal = total
    va, vb = subtract_impulse(va, a, ra, press), add_impulse(vb, b, rb, press)

    slip = sub(at_point(vb, rb), at_point(va, ra))
    limit = contact.friction * total
    total = clamp(contact.along_tangent - dot(slip, t) * mass_t, -limit, limit)
    rub = scale(total - contact.along_tangent, t)
    contact.along_tangent = total

    store(contact.arm_a, ra)
    store(contact.arm_b, rb)
    store(contact.push, add(press, rub))


@jit
def apply_contact(contact, a, b):
    """Add the impulse of a contact to the motions of its bodies."""
    set_motion(a, subtract_impulse(motion(a), a, contact.arm_a, contact.push))
    set_motion(b, add_impulse(motion(b), b, contact.arm_b, contact.push))
    contact.along_normal *= contact.keep
    contact.along_tangent *= contact.keep


@jit
def solve_batch(state, scratch, start, end):
    """The contacts of a batch all see the same motions; then their impulses are added."""
    for k in range(start, end):
        contact = scratch.contacts[scratch.order[k]]
        contact_impulse(contact, state.bodies[contact.a], state.bodies[contact.b])
    for k in range(start, end):
        contact = scratch.contacts[scratch.order[k]]
        apply_contact(contact, state.bodies[contact.a], state.bodies[contact.b])


@jit
def warm_contacts(state, scratch):
    """Start from the last frame's contact impulses."""
    for k in range(U(scratch.n_contacts)):
        contact = scratch.contacts[k]
        a, b = state.bodies[contact.a], state.bodies[contact.b]
        n, t = vec(contact.normal), right(contact.normal)
        impulse = add(scale(contact.along_normal, n), scale(contact.along_tangent, t))
        set_motion(a, subtract_impulse(motion(a), a, contact.arm_a, impulse))
        set_motion(b, add_impulse(motion(b), b, contact.arm_b, impulse))


@jit
def remember_contacts(state, scratch):
    """Keep this frame's impulses, by slot, for the warm start of the next; contacts that parted are forgotten."""
    for memory in state.contacts:
        memory.normal = ZERO
        memory.tangent = ZERO
    for k in range(U(scratch.n_contacts)):
        contact = scratch.contacts[k]
        memory = state.contacts[contact.slot]
        memory.normal = contact.along_normal
        memory.tangent = contact.along_tangent


# --- joints, motors, thrusters --------------------------------------------------------------------------------------


@jit
def prepare_joint(joint, work, a, b):
    """What stays the same through a frame's iterations: arms, shares by mass (all for a fixed body) and rotations."""
    store(work.arm_a, rotate(a.rot, joint.anchor_a))
    store(work.arm_b, rotate(b.rot, joint.anchor_b))
    work.freedom = nonzero(a.inverse_mass + b.inverse_mass)
    work.share_a = b.inverse_mass / work.freedom
    work.share_b = a.inverse_mass / work.freedom
    work.shift = JOINT_SHIFT / work.freedom
    work.axial_mass = ONE / nonzero(a.inverse_inertia + b.inverse_inertia)
    turned = b.angle - a.angle - joint.rotation
    allowed = smaller(larger(turned, joint.lowest), joint.highest)
    work.limit_bias = (turned - allowed) * LIMIT_BIAS
    work.fixed_bias = turned * FIXED_BIAS
    work.turns = ONE
    if not joint.fixed:
        work.turns = select(allowed != turned, ONE, ZERO) if joint.limited else like(ZERO, turned)


@jit
def motor_turn(joint, a, b, control):
    """The angular impulse of a motor: towards its speed, softened where it drives into a limit."""
    mass = ONE / nonzero(a.inverse_inertia + b.inverse_inertia)
    power = MOTOR_POWER * joint.motor_power * DT * mass
    excess = b.w - a.w - joint.motor_speed * control * MOTOR_SPEED
    turned = b.angle - a.angle - joint.rotation
    beyond = turned - smaller(larger(turned, joint.lowest + LIMIT_ZONE), joint.highest - LIMIT_ZONE)
    if joint.limited:
        softness = larger(ZERO, ONE - absolute(beyond) / LIMIT_ZONE)
        power *= select((beyond != ZERO) & (sign(beyond) == sign(control)), softness, ONE)
    return power * hyperbolic_tangent(excess * MOTOR_DECAY)


@jit
def run_motors(level, state, scratch):
    """All motors see the same motions; then their impulses are added."""
    for k in range(U(level.n_joints)):
        joint = level.joints[k]
        work = scratch.joints[k]
        work.motor_turn = ZERO
        if joint.motor:
            turn = motor_turn(joint, state.bodies[joint.a], state.bodies[joint.b], work.control)
            work.motor_turn = select(work.control != ZERO, turn, ZERO)
    for k in range(U(level.n_joints)):
        joint = level.joints[k]
        a, b = state.bodies[joint.a], state.bodies[joint.b]
        turn = scratch.joints[k].motor_turn
        a.w += turn * a.inverse_inertia
        b.w -= turn * b.inverse_inertia


@jit
def run_thrusters(level, state, scratch):
    """Push where the thrusters are."""
    for k in range(U(level.n_thrusters)):
        thruster = level.thrusters[k]
        body = state.bodies[thruster.body]
        force = thruster.power * THRUSTER_POWER * scratch.thrusters[k].thrust * DT
        heading = rotation(thruster.rotation + body.angle)
        impulse = scale(force, Vec2(heading.c, heading.s))
        set_motion(body, add_impulse(motion(body), body, rotate(body.rot, thruster.position), impulse))


@jit
def warm_joints(level, state, scratch):
    """Prepare the joints and start from the last frame's impulses."""
    for k in range(U(level.n_joints)):
        joint, work, memory = level.joints[k], scratch.joints[k], state.joints[k]
        a, b = state.bodies[joint.a], state.bodies[joint.b]
        prepare_joint(joint, work, a, b)
        set_motion(a, add_impulse(motion(a), a, work.arm_a, memory.impulse))
        set_motion(b, subtract_impulse(motion(b), b, work.arm_b, memory.impulse))
        a.w += memory.turn * a.inverse_inertia
        b.w -= memory.turn * b.inverse_inertia


@jit
def joint_impulse(work, a, b, slip, gap):
    """The impulse that stops the slip of the two anchors and draws them together."""
    lever_a, lever_b = cross(work.arm_a, slip), cross(work.arm_b, slip)
    speed_squared = dot(slip, slip)
    speed_squared = select(speed_squared < STILL, ONE, speed_squared)
    levers = lever_a * lever_a * a.inverse_inertia + lever_b * lever_b * b.inverse_inertia
    share = JOINT_STIFFNESS * speed_squared / (work.freedom * speed_squared + levers)
    return Vec2((slip.x + JOINT_BIAS * gap.x) * share, (slip.y + JOINT_BIAS * gap.y) * share)


@jit
def joint_turn(joint, work, va, vb):
    """The angular impulse of a fixed joint, or of a revolute one beyond its limit."""
    spin = vb.w - va.w
    if joint.fixed:
        return (spin + work.fixed_bias) * work.axial_mass
    beyond = (work.turns != ZERO) & (sign(spin) == sign(work.limit_bias))
    return select(beyond, (spin + work.limit_bias) * work.axial_mass, ZERO)


@jit
def solve_joint(joint, work, memory, a, b):
    """One iteration of one joint: stop its slip and its turning, and shift the bodies together."""
    point_a, point_b = add(a.pos, work.arm_a), add(b.pos, work.arm_b)
    gap = sub(point_b, point_a)
    meeting = add(scale(work.share_a, point_a), scale(work.share_b, point_b))
    va, vb = motion(a), motion(b)
    slip = sub(at_point(vb, sub(meeting, b.pos)), at_point(va, sub(meeting, a.pos)))
    impulse = joint_impulse(work, a, b, slip, gap)
    va, vb = add_impulse(va, a, work.arm_a, impulse), subtract_impulse(vb, b, work.arm_b, impulse)
    turn = joint_turn(joint, work, va, vb)
    set_motion(a, Motion(va.x, va.y, va.w + turn * a.inverse_inertia))
    set_motion(b, Motion(vb.x, vb.y, vb.w - turn * b.inverse_inertia))

    shift = scale(work.shift, gap)
    store(a.pos, add(a.pos, scale(a.inverse_mass, shift)))
    store(b.pos, sub(b.pos, scale(b.inverse_mass, shift)))
    store(memory.impulse, add(memory.impulse, impulse))
    memory.turn = memory.turn + turn if joint.fixed else like(ZERO, turn)


# --- a frame --------------------------------------------------------------------------------------------------------


@jit
def solve(level, state, scratch):
    """The iterations: all joints, then the contacts batch by batch."""
    for _ in range(ITERATIONS):
        for k in range(U(level.n_joints)):
            joint = level.joints[k]
            solve_joint(joint, scratch.joints[k], state.joints[k], state.bodies[joint.a], state.bodies[joint.b])
        start = U(0)
        for batch in range(U(scratch.n_batches)):
            end = U(scratch.batch_ends[batch])
            solve_batch(state, scratch, start, end)
            start = end


@jit
def integrate_body(body):
    """Move by the new velocities, and clip what is far or fast."""
    body.pos.x = clamp(body.pos.x + body.vel.x * DT, -MAX_POSITION, MAX_POSITION)
    body.pos.y = clamp(body.pos.y + body.vel.y * DT, -MAX_POSITION, MAX_POSITION)
    body.angle += body.w * DT
    body.rot.c = cosine(body.angle)
    body.rot.s = sine(body.angle)
    body.vel.x = clamp(body.vel.x, -MAX_VELOCITY, MAX_VELOCITY)
    body.vel.y = clamp(body.vel.y, -MAX_VELOCITY, MAX_VELOCITY)
    body.w = clamp(body.w, -MAX_SPIN, MAX_SPIN)


@jit
def frame(level, state, scratch):
    """One frame of 1/60 s; 1 where green touches blue at its start, -1 where green touches red."""
    apply_gravity(level, state)
    reward = touch(level, state, scratch)
    run_motors(level, state, scratch)
    run_thrusters(level, state, scratch)
    warm_contacts(state, scratch)
    warm_joints(level, state, scratch)
    solve(level, state, scratch)
    remember_contacts(state, scratch)
    for k in range(U(level.n_moving)):
        integrate_body(state.bodies[level.moving[k]])
    return reward


# --- a tick ---------------------------------------------------------------------------------------------------------


@jit
def set_controls(level, scratch, action):
    """Give each motor and thruster its channel of the action, clipped to what it can do."""
    for k in range(U(level.n_joints)):
        scratch.joints[k].control = clamp(action[level.joints[k].channel], -ONE, ONE)
    for k in range(U(level.n_thrusters)):
        scratch.thrusters[k].thrust = clamp(action[level.thrusters[k].channel], ZERO, ONE)


@jit
def goal_distance(level, state):
    """The distance between the centres of green and blue, summed over all such pairs, in m."""
    total = like(ZERO, state.bodies[0].w)
    for k in range(U(level.n_goals)):
        goal = level.goals[k]
        total += length(sub(state.bodies[goal.a].pos, state.bodies[goal.b].pos))
    return total


@jit
def keep_distance(state, distance):
    """Remember the distance, unless a body is nowhere: the last one stands, so that no reward is NaN."""
    if distance - distance == ZERO:
        state.distance = distance


@jit
def finite(level, state):
    """Whether every body is somewhere."""
    total = like(ZERO, state.bodies[0].w)
    for k in range(U(level.n_moving)):
        body = state.bodies[level.moving[k]]
        total += body.pos.x + body.pos.y + body.vel.x + body.vel.y + body.w + body.angle
    return total - total == ZERO  # NaN - NaN and infinity - infinity are NaN


@jit
def tick(level, state, scratch, action):
    """One control step of `FRAMES` frames; the first frame with a touch decides its reward and its distance."""
    set_controls(level, scratch, action)
    reward = 0
    for _ in range(FRAMES):
        touched = frame(level, state, scratch)
        if reward == 0:
            reward = touched
            keep_distance(state, goal_distance(level, state))
    state.ticks += 1
    state.ended = 1 if reward != 0 or not finite(level, state) else 0
    return reward


# --- observations ---------------------------------------------------------------------------------------------------


@jit
def feature(x):
    """A value as the observation has it: clipped to [-10, 10], 0 for NaN."""
    return ZERO if math.isnan(x) else clamp(x, -TEN, TEN)


@jit
def observe_symbolic(level, state, out):
    """All 679 features: the level's constants, and the seven of each moving body that change."""
    for k in range(U(N_FEATURES)):
        out[k] = level.features[k]
    for k in range(U(level.n_moving)):
        body = state.bodies[level.moving[k]]
        place = U(level.feature_places[k])
        out[place] = feature(body.pos.x)
        out[place + U(1)] = feature(body.pos.y)
        out[place + U(2)] = feature(body.vel.x)
        out[place + U(3)] = feature(body.vel.y)
        out[place + U(7)] = feature(math.tanh(body.w / TEN))
        out[place + U(12)] = feature(body.rot.s)
        out[place + U(13)] = feature(body.rot.c)


@jit
def observe_compact(level, state, out):
    """x, y, vx, vy, tanh(w / 10), sin, cos of each moving body, as in the symbolic observation."""
    for k in range(U(level.n_moving)):
        body = state.bodies[level.moving[k]]
        place = k * U(7)
        out[place] = feature(body.pos.x)
        out[place + U(1)] = feature(body.pos.y)
        out[place + U(2)] = feature(body.vel.x)
        out[place + U(3)] = feature(body.vel.y)
        out[place + U(4)] = feature(math.tanh(body.w / TEN))
        out[place + U(5)] = feature(body.rot.s)
        out[place + U(6)] = feature(body.rot.c)


@jit
def observe_into(level, state, out):
    """Fill an observation of either kind; its length says which (none: nothing is written)."""
    if out.size == N_FEATURES:
        observe_symbolic(level, state, out)
    elif out.size > 0:
        observe_compact(level, state, out)


# --- what Python calls ----------------------------------------------------------------------------------------------


@entry
def place_all(levels, states, scratches):
    """Place every body once; a frame then places only the moving ones."""
    for k in range(U(levels[0].shapes.size)):
        place(levels[0], states[0], scratches[0], k)


@entry
def observe(levels, states, observation):
    """Write the observation of a state."""
    observe_into(levels[0], states[0], observation)


@jit
def all_finite(action):
    """Whether an action has neither NaN nor infinity."""
    total = ZERO
    for x in action:
        total += x - x  # 0, but NaN for NaN and infinity
    return total == ZERO


@entry
def step(levels, states, scratches, action, observation):
    """Play one tick and observe it, or leave the state as it is and say why not."""
    state = states[0]
    if state.ended:
        return Tick(OVER, 0, ZERO, ZERO, state.ticks, True)
    if not all_finite(action):
        return Tick(BAD_ACTION, 0, ZERO, ZERO, state.ticks, False)
    last_distance = state.distance
    reward = tick(levels[0], state, scratches[0], action)
    observe_into(levels[0], state, observation)
    return Tick(PLAYED, reward, state.distance, last_distance, state.ticks, state.ended != 0)
