"""Many environments of one level: eight at a time in the lanes of vectors, by the very functions of `kernels`.

What stands here is only what eight environments cannot do as one: each has contacts of its own, in an order of its
own. Whether shapes touch is found in lanes, pair by pair; where they do, the points are worked out one environment
after the other; then contacts are laid out in items, the k-th batch of every environment side by side, and solved in
lanes again. A lane without a contact in an item solves one between a weightless body and itself. So every environment
goes through the same operations in the same order as alone, and ends with the same bits.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from chunkenv.kinetix.engine import layout
from chunkenv.kinetix.engine.kernels import (
    FRAMES,
    ITERATIONS,
    N_CIRCLE_PAIRS,
    N_CIRCLE_POLYGON_PAIRS,
    N_POLYGON_PAIRS,
    NEVER,
    ONE,
    ZERO,
    Axis,
    U,
    Vec2,
    add_contacts,
    add_impulse,
    apply_gravity,
    circle_polygon_touch,
    circles_touch,
    contact_impulse,
    deal,
    finite,
    goal_distance,
    in_reach,
    integrate_body,
    keep_distance,
    least_penetration,
    motion,
    near,
    nearest_to_circle,
    observe_into,
    place,
    place_moving,
    polygon_manifold,
    remember_contacts,
    run_motors,
    run_thrusters,
    set_controls,
    solve_joint,
    store,
    stronger,
    subtract_impulse,
    tick,
    warm_contacts,
    warm_joints,
)
from chunkenv.kinetix.engine.simd import anywhere, bits, gather, lane, scatter, viewer
from chunkenv.utils.compile import entry, jit

WIDTH = U(layout.GROUP)
BLOCK = U(layout.BLOCK)
FEW = U(2)  # so many environments are faster one by one

as_group, as_lane = viewer(layout.GROUP_STATE)

_WIDE = layout.GROUP  # in a group every float is so many wide


def _offset(name: str, part: str = "x") -> np.uint64:
    """Distance of a field from the start of its body, in floats."""
    body: Any = layout.BODY.fields
    kind, place = body[name][:2]
    return U((place + (kind.fields[part][1] if kind.fields else 0)) // 4 * _WIDE)


X, Y, VX, VY, W = _offset("pos"), _offset("pos", "y"), _offset("vel"), _offset("vel", "y"), _offset("w")
BODY_SIZE = U(layout.BODY.itemsize // 4 * _WIDE)
IDLE = U(layout.IDLE_BODY)

Body = namedtuple("Body", "pos vel w inverse_mass inverse_inertia")


# --- bodies of a group ----------------------------------------------------------------------------------------------


@jit
def body_at(memory, starts, inverse_mass, inverse_inertia):
    """A body for each lane, wherever it lies, as a value."""
    return Body(
        Vec2(gather(memory, starts, X), gather(memory, starts, Y)),
        Vec2(gather(memory, starts, VX), gather(memory, starts, VY)),
        gather(memory, starts, W),
        inverse_mass,
        inverse_inertia,
    )


@jit
def first_body(memory, item):
    """The first body of an item."""
    return body_at(memory, item.a, item.inverse_mass_a, item.inverse_inertia_a)


@jit
def second_body(memory, item):
    """The second body of an item."""
    return body_at(memory, item.b, item.inverse_mass_b, item.inverse_inertia_b)


@jit
def set_motion_at(memory, starts, m):
    """Write a motion into a body for each lane."""
    scatter(memory, starts, VX, m.x)
    scatter(memory, starts, VY, m.y)
    scatter(memory, starts, W, m.w)


@jit
def copy_body(target, source):
    """Copy all fields of a body."""
    store(target.pos, source.pos)
    store(target.vel, source.vel)
    target.rot.c = source.rot.c
    target.rot.s = source.rot.s
    target.w = source.w
    target.inverse_mass = source.inverse_mass
    target.inverse_inertia = source.inverse_inertia
    target.angle = source.angle


@jit
def copy_joint(target, source):
    """Copy what is remembered of a joint."""
    store(target.impulse, source.impulse)
    target.turn = source.turn


@jit
def load_group(level, work, memory, states):
    """Bring the environments of a group into lanes; lanes that are left over repeat the first."""
    for k in range(WIDTH):
        source, target = states[work.rows[k] if k < U(work.n_lanes) else work.rows[0]], as_lane(memory, k)
        for i in range(U(source.bodies.size)):
            copy_body(target.bodies[i], source.bodies[i])
        for i in range(U(level.n_joints)):
            copy_joint(target.joints[i], source.joints[i])


@jit
def store_group(level, work, memory, states):
    """Bring the environments of a group back to their states."""
    for k in range(U(work.n_lanes)):
        source, target = as_lane(memory, k), states[work.rows[k]]
        for i in range(U(target.bodies.size)):  # all: NaN reaches even what cannot move
            copy_body(target.bodies[i], source.bodies[i])
        for i in range(U(level.n_joints)):
            copy_joint(target.joints[i], source.joints[i])


# --- contacts of a group --------------------------------------------------------------------------------------------


@jit
def note_touch(level, work, k, pair):
    """Lane k touches: its reward, and how many pairs of this kind touched before."""
    work.touched[k] = stronger(work.touched[k], pair.reward)
    rank = U(work.ranks[k])
    work.ranks[k] += 1
    return rank


@jit
def touch_polygons(level, work, memory, states, pair, close):
    """Contacts of a pair of polygons in all lanes where they are close."""
    group = as_group(memory)
    scratch = group.scratch
    a, b = group.bodies[pair.a], group.bodies[pair.b]
    a_shape, b_shape = level.shapes[pair.a], level.shapes[pair.b]
    a_axis = least_penetration(a_shape, a, scratch.placed[pair.b], scratch.local)
    close = close & (a_axis.separation < ZERO)
    if not anywhere(close):
        return
    b_axis = least_penetration(b_shape, b, scratch.placed[pair.a], scratch.local)
    lanes = bits(close & (b_axis.separation < ZERO))
    for k in range(U(work.n_lanes)):
        if (lanes >> k) & U(1):
            rank = note_touch(level, work, k, pair)
            if pair.collides:
                one = as_lane(memory, k)
                manifold = polygon_manifold(
                    a_shape,
                    one.bodies[pair.a],
                    one.scratch.placed[pair.a],
                    b_shape,
                    one.bodies[pair.b],
                    one.scratch.placed[pair.b],
                    Axis(lane(a_axis.separation, k), lane(a_axis.face, k)),
                    Axis(lane(b_axis.separation, k), lane(b_axis.face, k)),
                )
                remembered = states[work.rows[k]].contacts
                add_contacts(level, one, remembered, work.scratches[k], pair, manifold, rank)


@jit
def touch_circle(level, work, memory, states, pair, close):
    """Contacts of a circle with a polygon or a circle in all lanes where they are close."""
    group = as_group(memory)
    a_shape, b_shape = level.shapes[pair.a], level.shapes[pair.b]
    with_polygon = b_shape.n_corners > 0
    if with_polygon:
        nearest = nearest_to_circle(group.bodies[pair.a], b_shape, group.bodies[pair.b])
        close = close & in_reach(a_shape, nearest)
    lanes = bits(close)
    for k in range(U(work.n_lanes)):
        if (lanes >> k) & U(1):
            one = as_lane(memory, k)
            a, b = one.bodies[pair.a], one.bodies[pair.b]
            if with_polygon:
                manifold = circle_polygon_touch(a_shape, a, b_shape, b)
            else:
                manifold = circles_touch(a_shape, a, b_shape, b)
            if manifold.points == 0:
                continue
            rank = note_touch(level, work, k, pair)
            if pair.collides:
                remembered = states[work.rows[k]].contacts
                add_contacts(level, one, remembered, work.scratches[k], pair, manifold, rank)


@jit
def touch_pairs_of_group(level, work, memory, states, first, n_pairs, n_slots, n_batches):
    """Find the contacts of one kind of pairs in all lanes."""
    for k in range(WIDTH):
        work.first_contacts[k] = work.scratches[k].n_contacts
        work.ranks[k] = 0
    placed = as_group(memory).scratch.placed
    for i in range(first, first + n_pairs):
        pair = level.pairs[i]
        close = near(placed[pair.a], placed[pair.b])
        if anywhere(close):
            if level.shapes[pair.a].n_corners > 0:
                touch_polygons(level, work, memory, states, pair, close)
            else:
                touch_circle(level, work, memory, states, pair, close)
    for k in range(U(work.n_lanes)):
        deal(work.scratches[k], U(work.first_contacts[k]), n_slots - U(work.ranks[k]), n_batches)


@jit
def touch_group(level, work, memory, states):
    """All contacts of this frame in all lanes, and who touched."""
    group = as_group(memory)
    place_moving(level, group, group.scratch)
    for k in range(WIDTH):
        work.scratches[k].n_contacts = 0
        work.scratches[k].n_batches = 0
        work.touched[k] = 0
    n_polygon, n_mixed, n_circle = U(level.n_polygon_pairs), U(level.n_circle_polygon_pairs), U(level.n_circle_pairs)
    touch_pairs_of_group(level, work, memory, states, U(0), n_polygon, N_POLYGON_PAIRS, U(4))
    touch_pairs_of_group(level, work, memory, states, n_polygon, n_mixed, N_CIRCLE_POLYGON_PAIRS, U(3))
    touch_pairs_of_group(level, work, memory, states, n_polygon + n_mixed, n_circle, N_CIRCLE_PAIRS, U(1))


# --- items: contacts side by side -----------------------------------------------------------------------------------


@jit
def batch_start(scratch, batch):
    """Where a batch of one environment starts in its order."""
    return U(scratch.batch_ends[batch - U(1)]) if batch > U(0) else U(0)


@jit
def batch_size(scratch, batch):
    """How many contacts the batch of one environment has."""
    if batch >= U(scratch.n_batches):
        return U(0)
    return U(scratch.batch_ends[batch]) - batch_start(scratch, batch)


@jit
def fill_item(bodies, item, contact, k):
    """Lay a contact of lane k into an item."""
    a, b = bodies[contact.a], bodies[contact.b]
    item.inverse_mass_a = a.inverse_mass
    item.inverse_mass_b = b.inverse_mass
    item.inverse_inertia_a = a.inverse_inertia
    item.inverse_inertia_b = b.inverse_inertia
    item.a = U(contact.a) * BODY_SIZE + k
    item.b = U(contact.b) * BODY_SIZE + k
    store(item.point, contact.point)
    store(item.normal, contact.normal)
    item.target = contact.target
    item.friction = contact.friction
    item.along_normal = contact.along_normal
    item.along_tangent = contact.along_tangent
    item.keep = contact.keep


@jit
def idle_item(item, k):
    """Give lane k nothing to do in an item."""
    item.a = IDLE * BODY_SIZE + k
    item.b = IDLE * BODY_SIZE + k
    item.inverse_mass_a = ZERO
    item.inverse_mass_b = ZERO
    item.inverse_inertia_a = ZERO
    item.inverse_inertia_b = ZERO
    zero = Vec2(ZERO, ZERO)
    store(item.point, zero)
    store(item.normal, zero)
    item.target = ZERO
    item.friction = ZERO
    item.along_normal = ZERO
    item.along_tangent = ZERO
    item.keep = ONE


@jit
def lay_out(work, memory):
    """Fill the items: the first batches of all lanes side by side, then the second ones, and so on."""
    n_items, n_batches = U(0), U(0)
    for k in range(WIDTH):
        n_batches = max(n_batches, U(work.scratches[k].n_batches))
    for batch in range(n_batches):
        size = U(0)
        for k in range(WIDTH):
            size = max(size, batch_size(work.scratches[k], batch))
        for k in range(WIDTH):
            scratch = work.scratches[k]
            own, start = batch_size(scratch, batch), batch_start(scratch, batch)
            one = as_lane(memory, k)
            for i in range(size):
                item = one.items[n_items + i]
                if i < own:
                    fill_item(one.bodies, item, scratch.contacts[scratch.order[start + i]], k)
                else:
                    idle_item(item, k)
        n_items += size
        work.item_ends[batch] = n_items
    work.n_item_batches = n_batches


@jit
def take_back(work, memory):
    """The impulses of the items, back to the contacts."""
    start = U(0)
    for batch in range(U(work.n_item_batches)):
        for k in range(U(work.n_lanes)):
            scratch = work.scratches[k]
            own = batch_start(scratch, batch)
            for i in range(batch_size(scratch, batch)):
                item, contact = as_lane(memory, k).items[start + i], scratch.contacts[scratch.order[own + i]]
                contact.along_normal = item.along_normal
                contact.along_tangent = item.along_tangent
        start = U(work.item_ends[batch])


@jit
def apply_item(memory, item, a, b):
    """Add the impulses of an item to the motions of its bodies."""
    set_motion_at(memory, item.a, subtract_impulse(motion(a), a, item.arm_a, item.push))
    set_motion_at(memory, item.b, add_impulse(motion(b), b, item.arm_b, item.push))
    item.along_normal *= item.keep
    item.along_tangent *= item.keep


@jit
def solve_items(memory, start, end):
    """One batch of every lane: all contacts see the same motions; then their impulses are added."""
    items = as_group(memory).items
    if end == start + U(1):  # the usual case: the bodies need not be read twice
        item = items[start]
        a, b = first_body(memory, item), second_body(memory, item)
        contact_impulse(item, a, b)
        apply_item(memory, item, a, b)
        return
    for i in range(start, end):
        contact_impulse(items[i], first_body(memory, items[i]), second_body(memory, items[i]))
    for i in range(start, end):
        apply_item(memory, items[i], first_body(memory, items[i]), second_body(memory, items[i]))


@jit
def solve_group(level, work, memory):
    """The iterations: all joints, then the contacts batch by batch."""
    group = as_group(memory)
    for _ in range(ITERATIONS):
        for k in range(U(level.n_joints)):
            joint = level.joints[k]
            solve_joint(joint, group.scratch.joints[k], group.joints[k], group.bodies[joint.a], group.bodies[joint.b])
        start = U(0)
        for batch in range(U(work.n_item_batches)):
            end = U(work.item_ends[batch])
            solve_items(memory, start, end)
            start = end


# --- a tick of a group ----------------------------------------------------------------------------------------------


@jit
def frame_of_group(level, work, memory, states):
    """One frame of 1/60 s of all lanes."""
    group = as_group(memory)
    apply_gravity(level, group)
    touch_group(level, work, memory, states)
    run_motors(level, group, group.scratch)
    run_thrusters(level, group, group.scratch)
    for k in range(U(work.n_lanes)):
        warm_contacts(as_lane(memory, k), work.scratches[k])
    warm_joints(level, group, group.scratch)
    lay_out(work, memory)
    solve_group(level, work, memory)
    take_back(work, memory)
    for k in range(U(work.n_lanes)):
        remember_contacts(states[work.rows[k]], work.scratches[k])
    for k in range(U(level.n_moving)):
        integrate_body(group.bodies[level.moving[k]])


@jit
def tick_group(level, work, memory, states):
    """One control step of all lanes; see `kernels.tick`."""
    group = as_group(memory)
    for k in range(WIDTH):
        work.rewards[k] = 0
    for _ in range(FRAMES):
        frame_of_group(level, work, memory, states)
        distance = goal_distance(level, group)
        for k in range(U(work.n_lanes)):
            if work.rewards[k] == 0:
                work.rewards[k] = work.touched[k]
                keep_distance(states[work.rows[k]], lane(distance, k))
    somewhere = bits(finite(level, group))
    for k in range(U(work.n_lanes)):
        state = states[work.rows[k]]
        state.ticks += 1
        state.ended = 1 if work.rewards[k] != 0 or not (somewhere >> k) & U(1) else 0


@jit
def play_group(level, work, memory, states, actions, t):
    """Tick t of the environments of a group."""
    load_group(level, work, memory, states)
    for k in range(U(work.n_lanes)):
        set_controls(level, as_lane(memory, k).scratch, actions[work.rows[k], t])
    for k in range(U(work.n_lanes), WIDTH):
        set_controls(level, as_lane(memory, k).scratch, actions[work.rows[0], t])
    tick_group(level, work, memory, states)
    store_group(level, work, memory, states)


@jit
def play_active(level, work, memory, states, actions, t, n_active, rewards):
    """Tick t of the environments that are still playing, in groups; a few that are left over go one by one."""
    for first in range(U(0), n_active, WIDTH):
        n_lanes = min(WIDTH, n_active - first)
        work.n_lanes = n_lanes
        for k in range(n_lanes):
            work.rows[k] = work.active[first + k]
        if n_lanes > FEW:
            play_group(level, work, memory, states, actions, t)
        else:
            for k in range(n_lanes):
                row = work.rows[k]
                work.rewards[k] = tick(level, states[row], work.scratches[0], actions[row, t])
        for k in range(n_lanes):
            rewards[work.rows[k], t] = work.rewards[k]


@jit
def prepare(level, work, memory, first):
    """Place every body once; a frame then places only the moving ones."""
    work.prepared = 1
    work.n_lanes = 1
    work.rows[0] = 0
    load_group(level, work, memory, first)
    group = as_group(memory)
    for k in range(U(level.shapes.size)):
        place(level, group, group.scratch, k)
        place(level, first[0], work.scratches[0], k)


@jit
def play_block(level, work, memory, states, actions, ticks, rewards, distances, ends, observations, start, end):
    """Play some environments to the end of their chunks, tick by tick."""
    for n in range(start, end):
        ends[n] = NEVER if states[n].ended else ticks[n]
    for t in range(U(actions.shape[1])):
        n_active = U(0)
        for n in range(start, end):
            rewards[n, t] = ZERO
            if t < U(ticks[n]) and not states[n].ended:
                work.active[n_active] = n
                n_active += U(1)
        play_active(level, work, memory, states, actions, t, n_active, rewards)
        for i in range(n_active):
            if states[work.active[i]].ended:
                ends[work.active[i]] = t
        for n in range(start, end):
            distances[n, t] = states[n].distance
            observe_into(level, states[n], observations[n, t])


@entry
def play(levels, first, works, memory, states, actions, ticks, rewards, distances, ends, observations, last):
    """Play chunk after chunk, each from its own state, which it leaves advanced; nothing moves after an end."""
    level, work = levels[0], works[0]
    if not work.prepared:
        prepare(level, work, memory, first)
    n = U(actions.shape[0])
    for start in range(U(0), n, BLOCK):
        end = min(n, start + BLOCK)
        play_block(level, work, memory, states, actions, ticks, rewards, distances, ends, observations, start, end)
        for k in range(start, end):
            observe_into(level, states[k], last[k])
