import importlib
import sys
from types import ModuleType

import pytest

from chunkenv.utils import moved

NEEDS = {
    "chunkenv.agents": ("jax",),
    "chunkenv.kinetix": ("numba",),
    "chunkenv.kinetix.box2d": ("Box2D",),
    "chunkenv.kinetix.jax": ("jax", "flax", "jax2d", "kinetix"),
    "chunkenv.vector.kinetix": ("numba",),
    "chunkenv.vector.manipulation": ("ogbench", "mujoco", "numba"),
    "chunkenv.manipulation": ("ogbench", "mujoco", "numba"),
}


@pytest.mark.parametrize("old", moved.MOVED)
def test_each_old_name_is_the_module_itself(old):
    for place, modules in NEEDS.items():
        if old.startswith(place):
            for module in modules:
                pytest.importorskip(module)
    parent, _, name = old.rpartition(".")
    public = vars(importlib.import_module(parent)).get(name)
    assert importlib.import_module(old) is importlib.import_module(moved.MOVED[old])
    if public is not None and not isinstance(public, ModuleType):
        assert vars(sys.modules[parent])[name] is public, f"importing {old} hides the public {name}"


def test_an_unknown_module_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"chunkenv\.nowhere"):
        importlib.import_module("chunkenv.nowhere")


def test_the_finder_is_installed_once():
    moved.install()
    assert sum(isinstance(finder, moved.MovedModules) for finder in sys.meta_path) == 1
