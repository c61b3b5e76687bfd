"""The ticks of many environments as compiled code: control, physics, buttons, success, and what is observed.

What a tick does is what `World.play` does, to the last bit: the rules are those of ogbench 1.2 (Park et al., arXiv
2410.20092), the physics is MuJoCo's, called by its C functions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.manipulation.engine.c_functions import Native, call, carray, counts_at, reals_at, take_number
from chunkenv.manipulation.engine.kinematics import (
    Arm,
    Desk,
    copy_into,
    desk,
    direction,
    inverse,
    length,
    of_one,
    product,
    solve,
    wanted_direction,
    yaw,
)
from chunkenv.manipulation.engine.units import (
    ASTRAY_MARGIN,
    CENTER,
    CLOSED,
    CUBE_SCALE,
    FULL_CONTACT,
    LARGEST,
    SLIDE_SCALES,
    TOLERANCE,
)
from chunkenv.utils.compile import entry, jit

GOING, ASTRAY, OVER, UNSOUND = 0, 1, 2, 3
"""What becomes of an environment: it goes on; a cube has left the table, so that the tick waits for that to be mended;
its episode is over; MuJoCo gave its physics up."""

PRESSED = -0.02  # m, below which a button is down


class Plan(NamedTuple):
    """What the environments of one family have in common.

    Attributes:
        models: int64[1 or 4], addresses of the MjModels: with scene, one for each state of the two locks.
        substeps: steps of physics in a tick.
        low: float64[5], what an action of -1 means.
        span: float64[5], how much more an action of 1 means.
        workspace: float64[2, 3], the corners of the space that the gripper is kept in.
        attachment: float64[7], from the pinch to the end of the arm: quaternion and position.
        arm: int64[6], the arm's joints in positions and velocities.
        arm_controls: int64[6], the arm's actuators.
        gripper_control: the gripper's actuator.
        gripper: the gripper's joint in positions.
        cubes: int64[C], where the cubes' positions start.
        targets: int64[C], which mocap bodies are their targets.
        buttons: int64[2, B], the buttons in positions and in velocities.
        toggles: bool[B, B], which buttons each one changes.
        slides: int64[2, S], drawer and window in positions and in velocities.
        locks: whether the buttons choose the model.
        pinch_pos: where in a state this stands: see `StateLayout`.
        pinch_mat: see pinch_pos.
        pad_force: see pinch_pos.
        button_states: see pinch_pos.
        button_targets: see pinch_pos.
        slide_targets: see pinch_pos.
        integration: what MuJoCo calls its part of a state.
    """

    models: np.ndarray
    substeps: int
    low: np.ndarray
    span: np.ndarray
    workspace: np.ndarray
    attachment: np.ndarray
    arm: np.ndarray
    arm_controls: np.ndarray
    gripper_control: int
    gripper: int
    cubes: np.ndarray
    targets: np.ndarray
    buttons: np.ndarray
    toggles: np.ndarray
    slides: np.ndarray
    locks: bool
    pinch_pos: int
    pinch_mat: int
    pad_force: int
    button_states: int
    button_targets: int
    slide_targets: int
    integration: int


class LoadedEnv(NamedTuple):
    """One environment in an MjData that it has while it is played, and what else is its own.

    Attributes:
        data: address of the MjData.
        qpos: its positions.
        qvel: its velocities.
        ctrl: its controls.
        mocap: float64[n, 3], where the targets are.
        pinch_pos: float64[3], the point between the fingers.
        pinch_mat: float64[9], how they point.
        pad_force: float64[6], the force on a finger's pad.
        troubles: int32[5], how often positions, velocities and accelerations were unsound: 0, 2 and 4.
        state: its complete state, a row.
        before: float64[B], where the buttons were when the tick began.
    """

    data: int
    qpos: np.ndarray
    qvel: np.ndarray
    ctrl: np.ndarray
    mocap: np.ndarray
    pinch_pos: np.ndarray
    pinch_mat: np.ndarray
    pad_force: np.ndarray
    troubles: np.ndarray
    state: np.ndarray
    before: np.ndarray


class EnvBatch(NamedTuple):
    """N environments.

    Attributes:
        sizes: int64[4], of positions, velocities, controls and mocap bodies.
        states: float64[N, n], the complete state after the last tick.
        before: float64[N, B].
        unseen: bool[N], whether the state was set, and is to be observed even if no tick is played.
    """

    sizes: np.ndarray
    states: np.ndarray
    before: np.ndarray
    unseen: np.ndarray


class TickWork(NamedTuple):
    """What is to be played, and what comes of it.

    Attributes:
        actions: float32[N, T, 5].
        wanted: int64[N], how many ticks to play.
        played: int64[N], how many are played.
        status: int64[N], `GOING`, `ASTRAY` or `OVER`.
        held: int64[N, T + 1], how many things were in place before and after each tick.
        features: float32[N, n], what is observed now.
        seen: float32[N, T or 0, n], what was observed after each tick.
        kept: float64[N, T or 0, n], the states after each tick.
    """

    actions: np.ndarray
    wanted: np.ndarray
    played: np.ndarray
    status: np.ndarray
    held: np.ndarray
    features: np.ndarray
    seen: np.ndarray
    kept: np.ndarray


@entry
def play(
    c: Native,
    plan: Plan,
    envs: EnvBatch,
    where: np.ndarray,
    arm: Arm,
    counter: np.ndarray,
    ticks: TickWork,
    current: bool,
) -> None:
    """Play environments until none is left; several threads may share the work.

    Args:
        c: the functions to call.
        plan: of the family.
        envs: the environments.
        where: int64[9], addresses: of this thread's MjData, and of the arrays of `LoadedEnv` in it.
        arm: this thread's model of the arm.
        counter: int64[1], the next environment, common to all threads.
        ticks: what to play, and where to write what comes of it.
        current: whether an episode is over with the tick after success instead of with the one that leads to it.
    """
    own = desk()
    goals = len(plan.cubes) + plan.buttons.shape[1] + plan.slides.shape[1]
    while True:
        index = take_number(counter.ctypes.data)
        if index >= len(ticks.wanted):
            return
        if ticks.wanted[index] > ticks.played[index] or envs.unseen[index]:
            env = _view_env(where, envs, index)
            _load(c, plan, env)
            _play_one(c, own, plan, env, arm, index, ticks, goals, current)
            envs.unseen[index] = False


@jit
def _view_env(where: np.ndarray, envs: EnvBatch, index: int) -> LoadedEnv:
    sizes = envs.sizes
    return LoadedEnv(
        where[0],
        carray(reals_at(where[1]), sizes[0]),
        carray(reals_at(where[2]), sizes[1]),
        carray(reals_at(where[3]), sizes[2]),
        carray(reals_at(where[4]), (sizes[3], 3)),
        carray(reals_at(where[5]), 3),
        carray(reals_at(where[6]), 9),
        carray(reals_at(where[7]), 6),
        carray(counts_at(where[8]), 5),
        envs.states[index],
        envs.before[index],
    )


@jit
def _load(c: Native, plan: Plan, env: LoadedEnv) -> None:
    """Put MuJoCo's data, in which another environment was played, into the state of this one."""
    call(c.set_state, (plan.models[0], env.data, env.state.ctypes.data, np.int32(plan.integration)))
    copy_into(env.pad_force, env.state[plan.pad_force : plan.pad_force + 6])
    for k in range(len(env.troubles)):
        env.troubles[k] = 0


@jit
def _save(c: Native, plan: Plan, env: LoadedEnv) -> None:
    """Write to the state what the physics has changed, but for the pose of the gripper."""
    call(c.get_state, (plan.models[0], env.data, env.state.ctypes.data, np.int32(plan.integration)))
    copy_into(env.state[plan.pad_force :], env.pad_force)


@jit
def _play_one(
    c: Native, own: Desk, plan: Plan, env: LoadedEnv, arm: Arm, index: int, ticks: TickWork, goals: int, current: bool
) -> None:
    """Play one environment until it has played all, its episode is over, or a cube has gone astray."""
    held = ticks.held[index]
    while ticks.played[index] < ticks.wanted[index] and ticks.status[index] < OVER:
        tick = ticks.played[index]
        if ticks.status[index] == GOING:
            held[tick] = _count_reached(c, plan, env)
            _control(c, own, plan, env, arm, ticks.actions[index, tick])
            if not _step(c, plan, env):
                ticks.status[index] = UNSOUND
                return
            if plan.locks and _astray(plan, env):
                _save(c, plan, env)
                ticks.status[index] = ASTRAY
                return
        ticks.status[index] = GOING
        _settle(c, plan, env)
        held[tick + 1] = _count_reached(c, plan, env)
        ticks.played[index] = tick + 1
        if held[tick + (not current)] == goals:
            ticks.status[index] = OVER
        if len(ticks.kept[index]):
            copy_into(ticks.kept[index, tick], env.state)
        if len(ticks.seen[index]):
            _observe(c, own, plan, env, ticks.seen[index, tick])
    _observe(c, own, plan, env, ticks.features[index])


@jit
def _model(plan: Plan, env: LoadedEnv) -> int:
    """The MjModel whose drawer and window are locked as the buttons say."""
    if not plan.locks:
        return plan.models[0]
    at = plan.button_states
    return plan.models[int(env.state[at]) + 2 * int(env.state[at + 1])]


@jit
def _control(c: Native, own: Desk, plan: Plan, env: LoadedEnv, arm: Arm, action: np.ndarray) -> None:
    """Set the controls: where the joints are wanted at the end of the tick."""
    state, move = env.state, np.empty(5)
    for k in range(5):  # the action is float32, and so is this beginning
        move[k] = np.float32(0.5) * (action[k] + np.float32(1.0)) * plan.span[k] + plan.low[k]
    pose = wanted_direction(c, own, state[plan.pinch_mat : plan.pinch_mat + 9], move[3])
    position, end, angles, fixed = np.empty(3), np.empty(4), np.empty(6), plan.attachment
    shift = product(product(pose, (0.0, fixed[4], fixed[5], fixed[6])), inverse(pose))
    for axis in range(3):
        wanted = state[plan.pinch_pos + axis] + move[axis]
        reachable = min(max(wanted, plan.workspace[0, axis]), plan.workspace[1, axis])
        position[axis] = shift[1 + axis] + reachable
    end[0], end[1], end[2], end[3] = product(pose, (fixed[0], fixed[1], fixed[2], fixed[3]))
    for joint in range(len(angles)):
        angles[joint] = env.qpos[plan.arm[joint]]
    solve(c, own, arm, position, end, angles)
    for joint in range(len(angles)):
        env.ctrl[plan.arm_controls[joint]] = angles[joint]
    opening = _opening(plan, env) + move[4]
    env.ctrl[plan.gripper_control] = 255.0 * min(max(opening, 0.0), 1.0)


@jit
def _opening(plan: Plan, env: LoadedEnv) -> float:
    """How far the gripper is closed, 0 to 1."""
    return min(max(env.qpos[plan.gripper] / CLOSED, 0.0), 1.0)


@jit
def _step(c: Native, plan: Plan, env: LoadedEnv) -> bool:
    """The physics of a tick, from controls to contact forces; whether it is sound: MuJoCo begins anew where not."""
    model = _model(plan, env)
    for button in range(plan.buttons.shape[1]):
        env.before[button] = env.qpos[plan.buttons[0, button]]
    for _ in range(plan.substeps):
        call(c.step, (model, env.data))
    call(c.rne_post_constraint, (model, env.data))
    return env.troubles[0] + env.troubles[2] + env.troubles[4] == 0


@jit
def _astray(plan: Plan, env: LoadedEnv) -> bool:
    """Whether a cube has left the table, which only numerical trouble can do."""
    for cube in plan.cubes:
        for axis in range(3):
            place = env.qpos[cube + axis]
            low, high = plan.workspace[0, axis] - ASTRAY_MARGIN, plan.workspace[1, axis] + ASTRAY_MARGIN
            if place <= low or place >= high:
                return True
    return False


@jit
def _settle(c: Native, plan: Plan, env: LoadedEnv) -> None:
    """Let pressed buttons act, and complete the state.

    With buttons ogbench computes everything anew here, of which only the pose of the gripper is seen; without, the
    pose lags one step of physics behind.
    """
    if plan.buttons.shape[1]:
        _press(plan, env)
        call(c.kinematics, (plan.models[0], env.data))
    _save(c, plan, env)
    copy_into(env.state[plan.pinch_pos :], env.pinch_pos)
    copy_into(env.state[plan.pinch_mat :], env.pinch_mat)


@jit
def _press(plan: Plan, env: LoadedEnv) -> None:
    """Toggle what the buttons toggle that went down with this tick."""
    count = plan.buttons.shape[1]
    for button in range(count):
        if env.before[button] > PRESSED and env.qpos[plan.buttons[0, button]] <= PRESSED:
            for other in range(count):
                if plan.toggles[button, other]:
                    env.state[plan.button_states + other] = 1.0 - env.state[plan.button_states + other]


@jit
def _count_reached(c: Native, plan: Plan, env: LoadedEnv) -> int:
    """How many things are in their places."""
    count, state, gap = 0, env.state, np.empty(3)
    for cube in range(len(plan.cubes)):
        for axis in range(3):
            gap[axis] = env.qpos[plan.cubes[cube] + axis] - env.mocap[plan.targets[cube], axis]
        count += length(c, gap) <= TOLERANCE
    for button in range(plan.buttons.shape[1]):
        count += state[plan.button_states + button] == state[plan.button_targets + button]
    for slide in range(plan.slides.shape[1]):
        count += abs(env.qpos[plan.slides[0, slide]] - state[plan.slide_targets + slide]) <= TOLERANCE
    return count


@jit
def _observe(c: Native, own: Desk, plan: Plan, env: LoadedEnv, out: np.ndarray) -> None:
    """The features, in ogbench's order and units."""
    number = _observe_arm(c, own, plan, env, out)
    for cube in plan.cubes:
        place = env.qpos[cube : cube + 3]
        quat = env.qpos[cube + 3 : cube + 7]
        number = _put_place(out, number, place)
        for k in range(4):
            out[number + k] = quat[k]
        number = _put_angle(c, own, out, number + 4, quat[0], quat[1], quat[2], quat[3])
    for button in range(plan.buttons.shape[1]):
        pressed = env.state[plan.button_states + button]
        out[number], out[number + 1] = 1.0 - pressed, pressed
        out[number + 2] = env.qpos[plan.buttons[0, button]] * 120.0
        out[number + 3] = env.qvel[plan.buttons[1, button]]
        number += 4
    for slide in range(plan.slides.shape[1]):
        out[number] = env.qpos[plan.slides[0, slide]] * SLIDE_SCALES[slide]
        out[number + 1] = env.qvel[plan.slides[1, slide]]
        number += 2
    for k in range(len(out)):
        out[k] = min(max(out[k], np.float32(-LARGEST)), np.float32(LARGEST))


@jit
def _observe_arm(c: Native, own: Desk, plan: Plan, env: LoadedEnv, out: np.ndarray) -> int:
    """The features of arm and gripper; how many there are."""
    state = env.state
    for joint in range(6):
        out[joint], out[6 + joint] = env.qpos[plan.arm[joint]], env.qvel[plan.arm[joint]]
    number = _put_place(out, 12, state[plan.pinch_pos : plan.pinch_pos + 3])
    w, x, y, z = direction(c, own, state[plan.pinch_mat : plan.pinch_mat + 9])
    number = _put_angle(c, own, out, number, w, x, y, z)
    out[number] = _opening(plan, env) * 3.0
    force = length(c, state[plan.pad_force : plan.pad_force + 6]) / FULL_CONTACT
    out[number + 1] = min(max(force, 0.0), 1.0)
    return number + 2


@jit
def _put_place(out: np.ndarray, number: int, place: np.ndarray) -> int:
    """A place as a feature has it; the number of the next feature."""
    for axis in range(3):
        out[number + axis] = (place[axis] - CENTER[axis]) * CUBE_SCALE
    return number + 3


@jit
def _put_angle(c: Native, own: Desk, out: np.ndarray, number: int, w: float, x: float, y: float, z: float) -> int:
    """The turn of a quaternion about the vertical as features; the number of the next feature."""
    angle = yaw(c, own, w, x, y, z)
    out[number] = of_one(c.cos, own, angle)
    out[number + 1] = of_one(c.sin, own, angle)
    return number + 2
