"""Doctests are collected from every module: not from those whose extra is not installed here."""

import importlib.util

NEEDS = {
    "kinetix": ["chunkenv/kinetix/jax_backend.py", "chunkenv/kinetix/jax_scene.py"],
    "Box2D": ["chunkenv/kinetix/box2d_env.py", "chunkenv/kinetix/box2d_world.py"],
}

collect_ignore = [path for module, paths in NEEDS.items() if not importlib.util.find_spec(module) for path in paths]
