"""Frames: with a screen or without, over chunks, in copies; and one sentence where nothing can be drawn."""

import copy
import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

import chunkenv
from chunkenv.errors import MissingExtraError, ResetNeededError
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.utils.rendering import UNSEEN
from tests.manipulation.shared import random_actions

DRAW = """
import numpy as np
from chunkenv.manipulation.env import ManipulationEnv
env = ManipulationEnv("cube-single", 1, render_mode="rgb_array", render_size=64)
env.reset(seed=0)
print(env.render().std() > 10)
"""


def drawing(mode="rgb_array"):
    env = ManipulationEnv("scene", 2, render_mode=mode, render_size=64)
    env.reset(seed=0)
    try:
        env.render()
    except MissingExtraError as error:
        pytest.skip(str(error))
    return env


def in_another_process(**variables):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL", "PYOPENGL_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | variables
    return subprocess.run([sys.executable, "-W", "ignore", "-c", DRAW], env=environment, capture_output=True, text=True)


def test_a_frame_shows_the_world():
    env = drawing()
    frame = env.render()
    assert (frame.shape, frame.dtype) == ((64, 64, 3), np.uint8)
    assert frame.std() > 10
    np.testing.assert_array_equal(env.render(), frame)
    for action in random_actions(5):
        env.step(action)
    assert (env.render() != frame).mean() > 0.01


def test_a_pressed_button_changes_its_colour():
    env = drawing()
    frame, state = env.render(), env.get_state()
    state[env.layout.buttons] = 1 - state[env.layout.buttons]
    env.set_state(state)
    assert (env.render() != frame).mean() > 0.005


def test_copies_draw_by_themselves():
    env = drawing()
    twin = copy.deepcopy(env)
    np.testing.assert_array_equal(env.render(), twin.render())
    env.close()
    env.close()
    np.testing.assert_array_equal(env.render(), twin.render())
    twin.close()


def test_frames_of_every_tick_with_the_strip():
    drawing().close()
    world = gymnasium.make("chunkenv/manip-scene-task1-v0", render_mode="rgb_array_list", render_size=32)
    env = chunkenv.ChunkOverlay(chunkenv.ChunkedExecution(world, 8, 4, latency=2, info="full"))
    env.reset(seed=0)
    env.step(random_actions(8))
    frames = env.render()
    assert len(frames) == 5
    assert frames[0].shape[0] > 32
    env.close()


def test_a_window_shows_every_step(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", UNSEEN[0])
    env = drawing(mode="human")
    assert env.render() is None
    env.step(random_actions(1)[0])
    env.close()


def test_without_a_mode_nothing_is_drawn():
    env = ManipulationEnv("cube-single", 1)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_there_is_nothing_to_draw_before_the_first_reset():
    with pytest.raises(ResetNeededError, match=r"call reset\(\) before render\(\)"):
        ManipulationEnv("cube-single", 1, render_mode="rgb_array").render()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="EGL and OSMesa are Linux's")
@pytest.mark.parametrize("variables", [{}, {"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"}, {"MUJOCO_GL": "glfw"}])
def test_egl_then_osmesa_then_a_sentence(variables):
    result = in_another_process(**variables)
    sentence = "Pictures of this task need EGL or OSMesa, and neither works here: run `apt-get install libegl1`"
    assert result.stdout == "True\n" or sentence in result.stderr.splitlines()[-1], result.stderr
    if "MUJOCO_GL" in variables:
        assert "glfw" in result.stderr or "screen" in result.stderr
