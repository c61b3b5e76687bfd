"""What the tests of the environments share: short runs every day in three families, long ones in all when slow."""

import numpy as np
import pytest

from chunkenv.manipulation import FAMILIES

EVERY_DAY = ("cube-double", "scene", "puzzle-3x3")
"""One family of each kind of scene."""


def in_families(*lengths):
    """Parametrize a test by `family` and `ticks`: the first length every day in `EVERY_DAY`, the second in all."""
    short, long = lengths
    slow = [pytest.param(family, long, marks=pytest.mark.slow, id=f"{family}-long") for family in FAMILIES]
    return pytest.mark.parametrize(("family", "ticks"), [(family, short) for family in EVERY_DAY] + slow)


def random_actions(count, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 5)).astype(np.float32)
