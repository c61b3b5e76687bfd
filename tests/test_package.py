"""What `import chunkenv` promises."""

import json
import subprocess
import sys
from importlib.metadata import version

import gymnasium as gym
import pytest

import chunkenv
from chunkenv.kinetix import LEVELS

HEAVY = ("numba", "jax", "torch", "mujoco", "scipy", "matplotlib", "pyarrow", "pygame", "typer", "stable_baselines3")


def in_a_fresh_interpreter(code):
    return json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)


def test_import_loads_nothing_heavy():
    loaded = in_a_fresh_interpreter("import chunkenv, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert not set(HEAVY) & set(loaded)


def test_import_registers_the_twelve_tasks():
    assert len(LEVELS) == 12
    for level in LEVELS:
        assert gym.spec(f"chunkenv/kinetix-{level}-v0").max_episode_steps == 256


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(gym.error.NameNotFound, match="kinetix-catapult"):
        gym.make("chunkenv/kinetix-catapullt-v0")


def test_every_public_name_is_there_and_documented():
    for name in chunkenv.__all__:
        assert getattr(chunkenv, name).__doc__, name


def test_the_version_is_the_installed_one():
    assert version("chunkenv") == chunkenv.__version__
