"""ogbench's own environment, untouched, and what a test must know about it to read its state."""

from functools import cache

import numpy as np

from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.ogbench_imports import CubeEnv, PuzzleEnv, SceneEnv, mujoco
from chunkenv.manipulation.scene.state import read_state

CLASSES = {"cube": CubeEnv, "puzzle": PuzzleEnv, "scene": SceneEnv}
TIMINGS = {"next": "post", "current": "pre"}


def open_ogbench(name, task, timing="next"):
    """The environment that ogbench registers for a single task (a goal-conditioned one with task None)."""
    env = _make(name)
    env._success_timing, env._reward_task_id, env._permute_blocks = TIMINGS[timing], task, task is None
    return env


@cache
def _make(name):
    family = FAMILY[name]
    env = CLASSES[family.scene](family.variant)
    env.family, env.rescue = family, (0, 0)
    return env


def state_of(env, layout):
    """ogbench's state in our layout."""
    env.pad_body = env.model.body("ur5e/robotiq/right_pad").id
    return read_state(env, layout)


def touching(env):
    """Whether the gripper touches something: a contact of one of its bodies with one that is not the robot's."""
    model, data = env.model, env.data
    robot = np.array([model.body(body).name.startswith("ur5e/") for body in model.geom_bodyid])
    return bool((robot[data.contact.geom].sum(1) == 1).any())


def step_physics(env):
    """Positions and poses that belong together, after qpos was written."""
    mujoco.mj_forward(env.model, env.data)
