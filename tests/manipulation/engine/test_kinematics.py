"""The compiled controller against ogbench's own."""

from functools import cache

import numpy as np

from chunkenv.manipulation.engine import kinematics
from chunkenv.manipulation.engine.c_functions import native
from chunkenv.manipulation.engine.engine import Engine
from chunkenv.manipulation.scene.ogbench_imports import DiffIKController

NO_LIBRARY = {"syrk": 0, "gemv": 0, "dot": 0, "gesv": 0}


@cache
def engine():
    return Engine("cube-single", 1, threads=1)


def targets(count=300):
    """Poses near and far, some out of reach, and angles to start from."""
    rng = np.random.default_rng(1)
    home = np.array([-np.pi / 2, -np.pi / 2, np.pi / 2, -np.pi / 2, -np.pi / 2, 0])
    for number in range(count):
        quat = rng.normal(size=4) if number % 3 else np.array([0, 1, rng.normal(0, 0.2), 0])
        far = 1.5 if number % 10 == 0 else 0.1
        yield rng.normal([0.4, 0, 0.3], far), quat / np.linalg.norm(quat), home + rng.normal(0, 0.3, 6)


def test_the_angles_are_ogbench_s_to_the_bit():
    ours = kinematics.Controller(native(), engine()._arms[0])
    theirs = DiffIKController(model=engine().world._ik._model, sites=["attachment_site"])
    for target in targets():
        found, expected = ours.solve(*target), theirs.solve(*target)
        if native().gesv:
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_numpy_s_library_the_angles_differ_by_rounding():
    arm = engine()._arms[0]
    ours = kinematics.Controller(native(), arm)
    others = kinematics.Controller(native()._replace(**NO_LIBRARY), arm)
    reachable = [target for number, target in enumerate(targets()) if number % 10 and number % 3 == 0]
    for target in reachable:
        np.testing.assert_allclose(others.solve(*target), ours.solve(*target), rtol=0, atol=1e-7)
