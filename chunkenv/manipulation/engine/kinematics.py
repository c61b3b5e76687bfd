"""Where an action wants the gripper, and the joint angles that bring it there: ogbench's controller, compiled.

The controller is that of ogbench 1.2 (`ManipSpaceEnv.set_control` and `DiffIKController`; Park et al., arXiv
2410.20092): the action moves the pose of the point between the fingers, and damped least squares find the angles. Every
sum is in ogbench's order and every function is the one that ogbench calls, so that the angles are equal to the last
bit, if numpy solves linear equations by the library of its wheels; else up to rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.manipulation.engine.c_functions import Native, call, call_real, carray, reals_at
from chunkenv.utils.compile import entry, jit

JOINTS = 6
ITERATIONS = 20
CLOSE = 1e-4
"""The error of position (m) and of direction (rad) at which the search ends."""
DAMPING = 1e-12
LARGEST_TURN = np.radians(45)
TAYLOR = 1e-10
"""Below this squared angle, sine and cosine are those of a series."""

ROW_MAJOR, UPPER, NO_TRANSPOSE, TRANSPOSE = 101, 121, 111, 112
"""What CBLAS calls these."""


class Arm(NamedTuple):
    """The model of the arm alone, whose angles are searched; each thread has one of its own.

    Attributes:
        model: address of its MjModel.
        data: address of its MjData.
        angles: address of the joint angles, float64[6].
        position: address of the position of its end, float64[3].
        rotation: address of the rotation matrix of its end, float64[9].
        site: number of the site at its end.
    """

    model: int
    data: int
    angles: int
    position: int
    rotation: int
    site: int


class Desk(NamedTuple):
    """Arrays for C functions to write to; each thread has its own.

    Attributes:
        error: float64[6], of position and of direction.
        update: float64[6], by how much the angles change.
        quats: float64[3, 4].
        jacobian: float64[6, 6].
        square: float64[6, 6].
        pivots: int64[6].
        numbers: float64[3], arguments and result of a loop of numpy.
        loop: int64[3, 3]: addresses of arguments and result, their number, and the distances between them.
        sizes: int64[3], 6, 1 and what LAPACK reports.
    """

    error: np.ndarray
    update: np.ndarray
    quats: np.ndarray
    jacobian: np.ndarray
    square: np.ndarray
    pivots: np.ndarray
    numbers: np.ndarray
    loop: np.ndarray
    sizes: np.ndarray


@jit
def desk() -> Desk:
    """A new one."""
    numbers, loop = np.zeros(3), np.ones((3, 3), np.int64)
    for k in range(3):
        loop[0, k] = numbers.ctypes.data + 8 * k
        loop[2, k] = 8
    sizes = np.zeros(3, np.int64)
    sizes[0], sizes[1] = 6, 1
    square, jacobian = np.zeros((6, 6)), np.zeros((6, 6))
    pivots = np.zeros(6, np.int64)
    return Desk(np.zeros(6), np.zeros(6), np.zeros((3, 4)), jacobian, square, pivots, numbers, loop, sizes)


@jit
def copy_into(target: np.ndarray, source: np.ndarray) -> None:
    """What `target[:] = source` is, which takes seconds to compile."""
    for k in range(len(source)):
        target[k] = source[k]


@jit
def of_one(function: tuple[int, int], desk: Desk, x: float) -> float:
    """What numpy's loop of one argument makes of x."""
    desk.numbers[0] = x
    at = desk.loop.ctypes.data
    call(function[0], (at, at + 24, at + 48, function[1]))
    return desk.numbers[1]


@jit
def of_two(function: tuple[int, int], desk: Desk, x: float, y: float) -> float:
    """What numpy's loop of two arguments makes of x and y."""
    desk.numbers[0], desk.numbers[1] = x, y
    at = desk.loop.ctypes.data
    call(function[0], (at, at + 24, at + 48, function[1]))
    return desk.numbers[2]


@jit
def length(c: Native, vector: np.ndarray) -> float:
    """The Euclidean norm of a contiguous vector, as numpy.linalg.norm has it."""
    if c.dot == 0:
        return np.sqrt(_dot(vector, vector))
    return np.sqrt(call_real(c.dot, (len(vector), vector.ctypes.data, 1, vector.ctypes.data, 1)))


@jit
def _dot(one: np.ndarray, other: np.ndarray) -> float:
    total = 0.0
    for k in range(len(one)):
        total += one[k] * other[k]
    return total


@jit
def yaw(c: Native, desk: Desk, w: float, x: float, y: float, z: float) -> float:
    """The angle about the vertical of the rotation that a quaternion means, in rad."""
    squares = call_real(c.power, (y, 2.0)) + call_real(c.power, (z, 2.0))
    return of_two(c.arctan2, desk, 2 * (w * z + x * y), 1 - 2 * squares)


@jit
def about_vertical(c: Native, desk: Desk, angle: float) -> tuple[float, float, float, float]:
    """The quaternion of a turn about the vertical."""
    squared = angle * angle
    if squared < TAYLOR:
        fourth = squared * squared
        return 1.0 - squared / 8.0 + fourth / 384.0, 0.0, 0.0, (0.5 - squared / 48.0 + fourth / 3840.0) * angle
    size = np.sqrt(squared)
    return of_one(c.cos, desk, 0.5 * size), 0.0, 0.0, of_one(c.sin, desk, 0.5 * size) / size * angle


@jit
def product(p: tuple[float, ...], q: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The quaternion that turns by q, then by p."""
    w0, x0, y0, z0 = p
    w1, x1, y1, z1 = q
    return (
        -x0 * x1 - y0 * y1 - z0 * z1 + w0 * w1,
        x0 * w1 + y0 * z1 - z0 * y1 + w0 * x1,
        -x0 * z1 + y0 * w1 + z0 * x1 + w0 * y1,
        x0 * y1 - y0 * x1 + z0 * w1 + w0 * z1,
    )


@jit
def inverse(q: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The quaternion that turns back."""
    return q[0], -q[1], -q[2], -q[3]


@jit
def direction(c: Native, desk: Desk, matrix: np.ndarray) -> tuple[float, float, float, float]:
    """The quaternion of a rotation matrix, float64[9]."""
    quat = desk.quats[0]
    call(c.mat2quat, (quat.ctypes.data, matrix.ctypes.data))
    return quat[0], quat[1], quat[2], quat[3]


@jit
def wanted_direction(c: Native, desk: Desk, matrix: np.ndarray, turn: float) -> tuple[float, float, float, float]:
    """Where the gripper is to point: downwards, turned by `turn` (rad) from what it is now, `matrix`."""
    w, x, y, z = direction(c, desk, matrix)
    down = (0.0, 1.0, 0.0, 0.0)
    now = about_vertical(c, desk, yaw(c, desk, w, x, y, z))
    w, x, y, z = product(product(about_vertical(c, desk, turn), now), inverse(down))
    angle = min(max(yaw(c, desk, w, x, y, z), -np.pi), np.pi)
    return product(about_vertical(c, desk, angle), down)


@jit
def solve(c: Native, desk: Desk, arm: Arm, position: np.ndarray, quat: np.ndarray, angles: np.ndarray) -> None:
    """Change the arm's angles, float64[6], until its end is at a pose.

    Args:
        c: the functions to call.
        desk: arrays to work on.
        arm: the model that is moved.
        position: float64[3], in m.
        quat: float64[4], w first.
        angles: float64[6], from where the search starts, in rad; where it ends is written there.
    """
    now = carray(reals_at(arm.angles), JOINTS)
    copy_into(now, angles)
    for _ in range(ITERATIONS):
        call(c.kinematics, (arm.model, arm.data))
        call(c.com_pos, (arm.model, arm.data))
        _measure(c, desk, arm, position, quat)
        if length(c, desk.error[:3]) <= CLOSE and length(c, desk.error[3:]) <= CLOSE:
            break
        rows = desk.jacobian.ctypes.data
        call(c.jac_site, (arm.model, arm.data, rows, rows + 8 * 3 * JOINTS, np.int32(arm.site)))
        _least_squares(c, desk)
        for joint in range(JOINTS):
            now[joint] += desk.update[joint]
    copy_into(angles, now)


@entry
def reach(c: Native, arm: Arm, position: np.ndarray, quat: np.ndarray, angles: np.ndarray) -> None:
    """`solve` for Python to call."""
    solve(c, desk(), arm, position, quat, angles)


class Controller:
    """What ogbench's `DiffIKController` is, compiled.

    Args:
        c: the functions to call.
        arm: the model that is moved.
    """

    def __init__(self, c: Native, arm: Arm) -> None:
        self._native, self._arm = c, arm

    def solve(self, pos: np.ndarray, quat: np.ndarray, curr_qpos: np.ndarray) -> np.ndarray:
        """The arm's angles, float64[6], in rad, with which its end is at a pose; the search starts from `curr_qpos`."""
        angles = np.array(curr_qpos)
        reach(self._native, self._arm, np.ascontiguousarray(pos), np.ascontiguousarray(quat), angles)
        return angles


@jit
def _measure(c: Native, desk: Desk, arm: Arm, position: np.ndarray, quat: np.ndarray) -> None:
    """How far the arm's end is from a pose: `desk.error`."""
    reached, error = carray(reals_at(arm.position), 3), desk.error
    for axis in range(3):
        error[axis] = position[axis] - reached[axis]
    is_now, back, rest = desk.quats[0], desk.quats[1], desk.quats[2]
    call(c.mat2quat, (is_now.ctypes.data, arm.rotation))
    back[0], back[1], back[2], back[3] = is_now[0], -is_now[1], -is_now[2], -is_now[3]
    call(c.mul_quat, (rest.ctypes.data, quat.ctypes.data, back.ctypes.data))
    call(c.quat2vel, (error[3:].ctypes.data, rest.ctypes.data, 1.0))


@jit
def _least_squares(c: Native, desk: Desk) -> None:
    """By how much the angles are to change: `desk.update`, by damped least squares, at most `LARGEST_TURN` each."""
    update = desk.update
    if c.gesv == 0:
        _solve_here(desk)
    else:
        _solve_there(c, desk)
    largest = 0.0
    for joint in range(JOINTS):
        largest = max(largest, abs(update[joint]))
    if largest > LARGEST_TURN:
        scale = LARGEST_TURN / largest
        for joint in range(JOINTS):
            update[joint] *= scale


@jit
def _solve_there(c: Native, desk: Desk) -> None:
    """As numpy does it: jacobian.T @ solve(jacobian @ jacobian.T + damping, error)."""
    jacobian, square, rhs = desk.jacobian.ctypes.data, desk.square, desk.error.ctypes.data
    order, part, straight, turned = np.int32(ROW_MAJOR), np.int32(UPPER), np.int32(NO_TRANSPOSE), np.int32(TRANSPOSE)
    call(c.syrk, (order, part, straight, 6, 6, 1.0, jacobian, 6, 0.0, square.ctypes.data, 6))
    for row in range(6):
        square[row, row] += DAMPING
        for column in range(row):
            square[row, column] = square[column, row]
    sizes = desk.sizes.ctypes.data
    call(c.gesv, (sizes, sizes + 8, square.ctypes.data, sizes, desk.pivots.ctypes.data, rhs, sizes, sizes + 16))
    call(c.gemv, (order, turned, 6, 6, 1.0, jacobian, 6, rhs, 1, 0.0, desk.update.ctypes.data, 1))


@jit
def _solve_here(desk: Desk) -> None:
    """The same by Cholesky's method: up to rounding, because the order of additions is ours."""
    square, rhs, jacobian = desk.square, desk.error, desk.jacobian
    for row in range(6):
        for column in range(row + 1):
            rest = _dot(jacobian[row], jacobian[column]) + DAMPING * (row == column)
            for k in range(column):
                rest -= square[row, k] * square[column, k]
            square[row, column] = np.sqrt(rest) if row == column else rest / square[column, column]
        for k in range(row):
            rhs[row] -= square[row, k] * rhs[k]
        rhs[row] /= square[row, row]
    for row in range(5, -1, -1):
        for k in range(row + 1, 6):
            rhs[row] -= square[k, row] * rhs[k]
        rhs[row] /= square[row, row]
    for joint in range(JOINTS):
        desk.update[joint] = _dot(jacobian[:, joint], rhs)
