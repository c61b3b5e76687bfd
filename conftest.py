"""Doctests are collected from every module: not from those whose extra is not installed here."""

import importlib.util

NEEDS = {
    "kinetix": ["chunkenv/kinetix/backends/jax_simulator.py", "chunkenv/kinetix/backends/jax_scene.py"],
    "Box2D": ["chunkenv/kinetix/backends/box2d_env.py", "chunkenv/kinetix/backends/box2d_world.py"],
}

collect_ignore = [path for module, paths in NEEDS.items() if not importlib.util.find_spec(module) for path in paths]
# Every assignment has a template and tests, of the same names; tests/course/ runs them.
collect_ignore_glob = ["chunkenv/course/assignments/*", "course_solutions/*"]
