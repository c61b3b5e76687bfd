import itertools
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_of_sb3

import chunkenv
from chunkenv.errors import ArgumentError
from chunkenv.manipulation import ManipulationEnv
from chunkenv.manipulation.scene.mesh_merging import merge_meshes
from chunkenv.manipulation.scene.state_pictures import CAMERAS, StatePainter, View, open_painter
from chunkenv.manipulation.scene.worlds import open_world

SCENE = "chunkenv/manip-scene-task4-v0"


@pytest.fixture(scope="module")
def env():
    made = ManipulationEnv("scene", 4, observation="pixels+robot")
    made.reset(seed=0)
    return made


def play(env, seed, ticks=4):
    """The frames of random actions."""
    rng = np.random.default_rng(seed)
    frames = [env.reset(seed=seed)[0]["pixels"]]
    for _ in range(ticks):
        frames.append(env.step(rng.uniform(-1, 1, 5).astype(np.float32))[0]["pixels"])
    return np.array(frames)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("observation", ["pixels", "pixels+robot"])
@pytest.mark.parametrize("env_id", [SCENE, "chunkenv/manip-scene-v0"])
def test_both_checkers_are_silent(env_id, observation):
    one = gym.make(env_id, observation=observation).unwrapped
    check_env(one, skip_render_check=True)
    check_env_of_sb3(one)


def test_the_same_seed_gives_the_same_frames_which_change(env):
    frames = play(env, 3)
    assert np.array_equal(frames, play(env, 3))
    assert all((before != after).any() for before, after in itertools.pairwise(frames))


def test_a_frame_depends_on_the_state_alone(env):
    seen = play(env, 5)[-1]
    other = pickle.loads(pickle.dumps(env))
    play(env, 6)
    assert np.array_equal(StatePainter("scene", View()).frame(other.get_state()), seen)
    assert not np.array_equal(open_painter("scene", View()).frame(env.get_state()), seen)


def test_the_vector_environment_sees_the_same_to_the_bit(env):
    envs = gym.make_vec(
        SCENE, num_envs=2, observation="pixels+robot", vectorization_mode="vector_entry_point", prediction_horizon=3
    )
    observations, _ = envs.reset(seed=[1, 8])
    chunks = np.random.default_rng(0).uniform(-1, 1, (2, 3, 5)).astype(np.float32)
    after, *_ = envs.step(chunks)
    first, _ = env.reset(seed=8)
    for action in chunks[1]:
        last, *_ = env.step(action)
    for name in last:
        assert np.array_equal(observations[name][1], first[name])
        assert np.array_equal(after[name][1], last[name])


def test_chunks_see_what_single_steps_see(env):
    chunked = chunkenv.ChunkedExecution(gym.make(SCENE, observation="pixels+robot"), prediction_horizon=2)
    chunked.reset(seed=2)
    actions = np.full((2, 5), 0.3, np.float32)
    seen, *_ = chunked.step(actions)
    env.reset(seed=2)
    for action in actions:
        expected, *_ = env.step(action)
    assert np.array_equal(seen["pixels"], expected["pixels"])


def test_neither_the_target_nor_success_is_seen(env):
    """A state with other targets, one of which is reached, looks the same."""
    env.reset(seed=0)
    state, target = env.get_state(), env.world.data.mocap_pos
    frame = open_painter("scene", View()).frame(state)
    env.world.data.mocap_pos[0] = env.facts()["cube_positions"][0]
    moved = env.get_state()
    moved[env.layout.slide_targets] = -0.1, 0.1
    assert env.world.successes()[0], target
    assert np.array_equal(open_painter("scene", View()).frame(moved), frame)


def test_buttons_are_seen_in_their_states(env):
    env.reset(seed=0)
    state = env.get_state()
    pressed = state.copy()
    pressed[env.layout.buttons] = 1 - state[env.layout.buttons]
    painter = open_painter("scene", View())
    assert (painter.frame(state) != painter.frame(pressed)).any()
    assert np.array_equal(painter.frame(state), StatePainter("scene", View()).frame(state))


def test_every_camera_sees_something_else(env):
    env.reset(seed=0)
    frames = [open_painter("scene", View(camera=camera)).frame(env.get_state()) for camera in CAMERAS]
    assert all(frame.std() > 10 for frame in frames)
    assert all((a != b).mean() > 0.2 for index, a in enumerate(frames) for b in frames[:index])


@pytest.mark.parametrize(("geometry", "largest"), [("fine", 1.0), ("coarse", 4.0)])
def test_merged_meshes_look_almost_like_the_whole_ones(env, geometry, largest):
    env.reset(seed=0)
    whole = open_painter("scene", View(geometry="full")).frame(env.get_state()).astype(int)
    merged = StatePainter("scene", View(geometry=geometry)).frame(env.get_state())
    assert 0 < np.abs(merged - whole).mean() < largest


def test_merging_leaves_a_fraction_of_the_triangles_in_place():
    model = open_world("cube-single", visual=True).model
    before, low = model.mesh_facenum.sum(), model.mesh_vert.min(axis=0)
    merge_meshes(model, 0.008)
    assert model.mesh_facenum.sum() < before / 10
    ends = model.mesh_faceadr + model.mesh_facenum
    used = [model.mesh_face[a:b].max() for a, b in zip(model.mesh_faceadr, ends, strict=True)]
    assert (np.array(used) < model.mesh_vertnum).all()
    assert (model.mesh_vert.min(axis=0) >= low).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"camera": "wirst"}, "camera='wirst' is unknown; did you mean 'wrist'"),
        ({"image_size": 32}, "image_size=32 is too small; give an int of at least 64"),
        ({"image_size": 512}, "image_size=512 is too large; give an int of at most 224"),
        ({"geometry": "collision"}, "geometry='collision' is unknown"),
        ({"observation": "features", "camera": "wrist"}, "observation='features' has no frame"),
    ],
    ids=["camera", "small", "large", "geometry", "no frame"],
)
def test_mistakes_are_sentences(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        ManipulationEnv("scene", 4, **{"observation": "pixels", **arguments})
