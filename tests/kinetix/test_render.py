"""Pictures of Kinetix: where things are drawn, in which colours, and that nothing but the arguments decides."""

import copy
import pickle
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import HumanRendering

from chunkenv.errors import MissingExtraError, ResetNeededError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.env import KinetixEnv
from chunkenv.kinetix.level import load_level
from chunkenv.kinetix.render import CHANNELS, FIXED_ROLES, FLAME, ROLES, frame
from chunkenv.utils.rendering import import_pygame

pytest.importorskip("pygame")
NOTHING = np.zeros(6, np.float32)


def first(level, action=NOTHING, size=500):
    simulator = Simulator(level)
    return frame(load_level(level), simulator.initial_state().view(STATE)[0], np.asarray(action), size)


def colour_at(picture, x, y):
    pixel = len(picture) / 5
    return tuple(picture[int((5 - y) * pixel), int(x * pixel)].tolist())


@pytest.mark.parametrize("level", LEVELS)
def test_every_body_is_where_it_is_in_the_colour_of_its_role(level):
    picture = first(level)
    assert picture.shape == (500, 500, 3)
    assert picture.dtype == np.uint8
    for body in load_level(level).bodies:
        colours = ROLES if body.inverse_mass else FIXED_ROLES
        there = np.all(picture == colours[body.role], axis=-1)
        assert there.any() or body.slot in (1, 2, 3), body
    assert colour_at(picture, 4.99, 4.99) == (255, 255, 255)


def test_positions_in_metres_from_the_lower_left():
    picture = first("h17_unicycle")
    assert colour_at(picture, 2.5, 0.2) == FIXED_ROLES["red"]  # the floor, 0.4 m high
    assert colour_at(picture, 2.5, 0.45) == (255, 255, 255)
    assert colour_at(picture, 4.84, 1.71) == FIXED_ROLES["blue"]
    assert colour_at(picture, 1.24, 1.66) == ROLES["green"]
    assert colour_at(picture, 1.145, 0.705) == CHANNELS[0]  # the motor in the hub


@pytest.mark.parametrize("size", [16, 100, 501])
def test_the_size_is_that_asked_for_and_shows_the_same(size):
    small, large = first("trampoline", size=size), first("trampoline", size=1000)
    assert small.shape == (size, size, 3)
    assert abs(small.mean() - large.mean()) < 4


def test_edges_are_smooth():
    shades = np.unique(first("catapult").reshape(-1, 3), axis=0)
    assert len(shades) > 30  # nine without smoothing


def test_the_same_arguments_give_the_same_pixels():
    action = np.linspace(-1, 1, 6)
    np.testing.assert_array_equal(first("chain_lander", action), first("chain_lander", action))


def test_a_thruster_that_pushes_has_a_flame_where_it_blows():
    idle, busy = first("cartpole_thrust"), first("cartpole_thrust", [0, 0, 0, 0, 0.5, 1])
    yellow = np.argwhere(np.any(idle != busy, axis=-1))
    assert not np.all(idle == FLAME[0], axis=-1).any()
    right, left = yellow[yellow[:, 1] > 214], yellow[yellow[:, 1] < 214]
    # The right one (channel 0) pushes to the left, so it blows to the right, half as hard as the other.
    assert 262 <= right[:, 1].max() <= 273
    assert 145 <= left[:, 1].min() <= 155


def test_thrust_out_of_range_looks_as_it_works():
    np.testing.assert_array_equal(
        first("cartpole_thrust", [0, 0, 0, 0, -1, 9]), first("cartpole_thrust", [0, 0, 0, 0, 0, 1])
    )


def arrow(control):
    """Columns of what a motor's arrow adds to the picture of the wheel, from its hub."""
    changed = np.any(first("h17_unicycle", [control, 0, 0, 0, 0, 0], 1000) != first("h17_unicycle", size=1000), axis=-1)
    return np.argwhere(changed)[:, 1] - 229


def test_a_motor_has_an_arrow_the_way_it_turns_as_long_as_it_is_strong():
    left, right, weak = arrow(1.0), arrow(-1.0), arrow(0.3)
    assert abs(left.min()) > abs(left.max())  # counterclockwise: over the top to the left, where the head is
    assert abs(right.max()) > abs(right.min())
    assert len(weak) < len(left)


@pytest.mark.parametrize("channel", range(4))
def test_only_motors_show_what_they_do(channel):
    """The lander's joints are fixed and the chain's have no motor."""
    action = NOTHING.copy()
    action[channel] = 1
    for level in ("hard_lunar_lander", "chain_lander"):
        np.testing.assert_array_equal(first(level, action), first(level))


def made(level="cartpole_thrust", render_mode="rgb_array", **options):
    return gymnasium.make(f"chunkenv/kinetix-{level}-v0", render_mode=render_mode, **options)


def test_render_shows_the_state_and_the_last_action():
    env = made(render_size=200)
    env.reset()
    start = env.render()
    np.testing.assert_array_equal(start, first("cartpole_thrust", size=200))
    env.step(np.array([0, 0, 0, 0, 1, 0], np.float32))
    pushed = env.render()
    assert (start != pushed).any()
    np.testing.assert_array_equal(env.render(), pushed)
    with pytest.raises(ValueError, match="finite"):
        env.step(np.full(6, np.nan, np.float32))
    assert env.render().shape == pushed.shape
    env.reset()
    np.testing.assert_array_equal(env.render(), start)


def test_rendering_changes_nothing():
    seen, unseen = made(), made(render_mode=None)
    for env in (seen, unseen):
        env.reset()
    for action in np.random.default_rng(0).uniform(-1, 1, (20, 6)).astype(np.float32):
        np.testing.assert_array_equal(seen.step(action)[0], unseen.step(action)[0])
        seen.render()
    np.testing.assert_array_equal(seen.unwrapped.get_state(), unseen.unwrapped.get_state())


def test_a_frame_is_the_callers_own():
    env = made()
    env.reset()
    frame_before = env.render()
    kept = frame_before.copy()
    env.step(np.ones(6, np.float32))
    env.render()[:] = 0
    np.testing.assert_array_equal(frame_before, kept)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_show_the_same(copied):
    env = KinetixEnv("cartpole_thrust", render_mode="rgb_array")
    env.reset()
    env.step(np.ones(6, np.float32))
    np.testing.assert_array_equal(copied(env).render(), env.render())


def test_render_needs_a_reset_and_a_mode():
    with pytest.raises(ResetNeededError, match=r"call reset\(\) before render"):
        KinetixEnv("catapult", render_mode="rgb_array").render()
    env = KinetixEnv("catapult")
    env.reset()
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert env.render() is None


def test_a_list_of_the_frames_of_every_step():
    env = made(render_mode="rgb_array_list", render_size=32)
    env.reset()
    for _ in range(3):
        env.step(NOTHING)
    assert [picture.shape for picture in env.render()] == [(32, 32, 3)] * 4


@pytest.mark.parametrize("level", LEVELS)
def test_both_checkers_pass_with_frames(level, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # Gymnasium's tries the window, too
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    env = made(level, observation="compact", render_size=32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
        sb3.check_env(env)


@pytest.fixture
def screen(monkeypatch):
    """A display that needs no screen."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return import_pygame().display


def shown(screen):
    return import_pygame().surfarray.array3d(screen.get_surface()).swapaxes(0, 1)


def test_human_shows_every_step_by_itself(screen):
    env, other = made(render_mode="human", render_size=64), made(render_size=64)
    for each in (env, other):
        each.reset()
    np.testing.assert_array_equal(shown(screen), other.render())
    for each in (env, other):
        each.step(np.ones(6, np.float32))
    np.testing.assert_array_equal(shown(screen), other.render())
    assert env.render() is None
    copied = copy.deepcopy(env.unwrapped)
    env.close()
    env.close()
    assert not screen.get_init()
    copied.step(NOTHING)
    assert screen.get_init()
    copied.close()


def test_gymnasiums_own_window_over_frames(screen):
    env = HumanRendering(made(render_size=64))
    env.reset()
    env.step(NOTHING)
    env.close()


def test_no_window_is_opened_for_frames_and_no_pygame_before_the_first():
    code = """
import os, sys, numpy
os.environ.pop("SDL_VIDEODRIVER", None)
from chunkenv.kinetix.env import KinetixEnv
env = KinetixEnv("catapult", render_mode="rgb_array")
env.reset()
env.step(numpy.zeros(6, numpy.float32))
assert "pygame" not in sys.modules
env.render()
import pygame
assert not pygame.display.get_init()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_pygame_one_sentence(monkeypatch):
    env = made()
    env.reset()
    import_pygame.cache_clear()
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r'run `pip install "chunkenv\[render\]"`'):
        env.render()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.step(NOTHING)
