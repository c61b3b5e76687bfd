"""The compiled controller against ogbench's own."""

from functools import cache

import numba
import numpy as np
import pytest

from chunkenv.manipulation import kinematics
from chunkenv.manipulation.engine import Engine
from chunkenv.manipulation.library import DiffIKController
from chunkenv.manipulation.native import native

NO_LIBRARY = {"syrk": 0, "gemv": 0, "dot": 0, "gesv": 0}
angles = np.random.default_rng(0).uniform(-np.pi, np.pi, 50)


@cache
def engine():
    return Engine("cube-single", 1, threads=1)


@numba.njit(cache=True)
def solved(c, arm, position, quat, angles):
    kinematics.solve(c, kinematics.desk(), arm, position, quat, angles)


@numba.njit(cache=True)
def turned(c, quat):
    own = kinematics.desk()
    spun = kinematics.about_vertical(c, own, kinematics.yaw(c, own, *quat))
    return kinematics.product(kinematics.inverse(spun), quat)


def targets(count=300):
    """Poses near and far, some out of reach, and angles to start from."""
    rng = np.random.default_rng(1)
    home = np.array([-np.pi / 2, -np.pi / 2, np.pi / 2, -np.pi / 2, -np.pi / 2, 0])
    for number in range(count):
        quat = rng.normal(size=4) if number % 3 else np.array([0, 1, rng.normal(0, 0.2), 0])
        far = 1.5 if number % 10 == 0 else 0.1
        yield rng.normal([0.4, 0, 0.3], far), quat / np.linalg.norm(quat), home + rng.normal(0, 0.3, 6)


def test_the_angles_are_ogbench_s_to_the_bit():
    c, arm = native(), engine()._arms[0]
    theirs = DiffIKController(model=engine().world._ik._model, sites=["attachment_site"])
    for position, quat, start in targets():
        ours = start.copy()
        solved(c, arm, position, quat, ours)
        expected = theirs.solve(pos=position, quat=quat, curr_qpos=start)
        if c.gesv:
            np.testing.assert_array_equal(ours, expected)
        else:
            np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_without_numpy_s_library_the_angles_differ_by_rounding():
    c, arm = native(), engine()._arms[0]
    reachable = [target for number, target in enumerate(targets()) if number % 10 and number % 3 == 0]
    for position, quat, start in reachable:
        ours, others = start.copy(), start.copy()
        solved(c, arm, position, quat, ours)
        solved(c._replace(**NO_LIBRARY), arm, position, quat, others)
        np.testing.assert_allclose(others, ours, rtol=0, atol=1e-7)


@pytest.mark.parametrize("angle", [0.0, 1e-6, -1e-6, *angles[:10]])
def test_quaternions_about_the_vertical(angle):
    quat = np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)
    np.testing.assert_allclose(turned(native(), quat), [1, 0, 0, 0], atol=1e-12)
