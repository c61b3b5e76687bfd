"""ogbench's scenes, mended: seeded, small, and with a state that can be read and set.

The scenes, tasks, controller, observation and success are those of ogbench 1.2 (Park et al., arXiv 2410.20092; MIT),
called, not copied.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

import gymnasium
import numpy as np

from chunkenv.manipulation.engine.units import ASTRAY_MARGIN
from chunkenv.manipulation.families import FAMILY, Family
from chunkenv.manipulation.scene.models import compile_model
from chunkenv.manipulation.scene.ogbench_imports import (
    CubeEnv,
    DiffIKController,
    ManipSpaceEnv,
    PuzzleEnv,
    SceneEnv,
    mujoco,
)


class World(ManipSpaceEnv):
    """What the three kinds of scenes have in common.

    Attributes:
        family: which family's scene it is.
        pad_body: the number of the body whose contact force is observed.
        cube_addresses: where the poses of the cubes are in qpos, int[cubes, 7].
        button_addresses: where the positions of the buttons are in qpos, int[buttons].
    """

    family: Family
    pad_body: int
    cube_addresses: np.ndarray
    button_addresses: np.ndarray
    _visual = False

    def compile_model_and_data(self) -> None:
        """Compile the scene, without what is only seen unless it will be rendered."""
        self._model = compile_model(self._mjcf_model, self._visual)
        self._model.opt.timestep = self._physics_timestep
        self._data = mujoco.MjData(self._model)
        mujoco.mj_forward(self._model, self._data)
        self.post_compilation()
        self.pad_body = self._model.body("ur5e/robotiq/right_pad").id
        self.cube_addresses = self._addresses("object_joint", self.family.cubes)[:, None] + np.arange(7)
        self.button_addresses = self._addresses("buttonbox_joint", self.family.buttons)
        for cube in range(self.family.cubes):  # before a first reset too, for states that are set
            self._model.geom_rgba[self._cube_target_geom_ids_list[cube], :3] = self._cube_colors[cube, :3]

    @property
    def action_space(self) -> gymnasium.spaces.Box:
        """The space from which the ticks that settle the goal scene are drawn: seeded, unlike ogbench's."""
        return self._actions

    def begin(
        self, generator: np.random.Generator, task: int, permute: bool, scene: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Start an episode.

        Args:
            generator: what everything random is drawn from.
            task: 1 to 5.
            permute: whether the cubes change roles at random.
            scene: a start and a goal in place of the task's.
        """
        self.np_random = generator
        self._actions = gymnasium.spaces.Box(-1, 1, (5,), np.float32)
        self._actions._np_random = _apart(generator, 1)
        self._permute_blocks, self._render_goal, self._reset_next_step = permute, False, False
        self.cur_task_id, self.cur_task_info = task, self.task_infos[task - 1] if scene is None else scene
        mujoco.mj_resetData(self._model, self._data)
        mujoco.mj_forward(self._model, self._data)
        self.initialize_episode()
        self._data.time = 0.0  # settling the goal scene took time
        mujoco.mj_forward(self._model, self._data)

    def play(self, action: np.ndarray) -> None:
        """Play one tick."""
        self.set_control(action)
        self.pre_step()
        mujoco.mj_step(self._model, self._data, nstep=self._n_steps)
        mujoco.mj_rnePostConstraint(self._model, self._data)  # the force on the gripper's pad
        self.post_step()

    def pre_step(self) -> None:
        """Remember what the tick is compared with: where the buttons were."""
        self._prev_qpos, self._prev_qvel = self._data.qpos.copy(), self._data.qvel.copy()
        if self.family.buttons:
            self._prev_button_states = self._cur_button_states.copy()
        positions = self._prev_qpos[self.button_addresses]
        self._prev_ob_info = {f"privileged/button_{i}_pos": [position] for i, position in enumerate(positions)}

    def refresh(self) -> None:
        """Recompute from positions and velocities all that follows from them, and what the model shows of the state."""
        self.pre_step()
        mujoco.mj_forward(self._model, self._data)
        self.post_step()

    def successes(self) -> np.ndarray:
        """What holds now of all that the task wants: bool[family.goals], cubes, buttons, drawer, window."""
        return np.asarray(self._compute_successes(), bool)

    def _addresses(self, joint: str, count: int) -> np.ndarray:
        """Where the joints of this name and the numbers from 0 begin in qpos."""
        return np.array([self._model.joint(f"{joint}_{i}").qposadr[0] for i in range(count)], int)


class CubeWorld(World, CubeEnv):
    """Cubes on a table."""


class PuzzleWorld(World, PuzzleEnv):
    """Buttons that toggle themselves and their neighbours."""


class SceneWorld(World, SceneEnv):
    """A cube, a drawer, a window, and two buttons that lock these.

    What the buttons lock is a joint of the model, so every scene has a model of its own.

    Attributes:
        rescue: the seed of where a cube that left the table is put, drawn with the reset, and how often that happened.
    """

    rescue = (0, 0)

    def begin(
        self, generator: np.random.Generator, task: int, permute: bool, scene: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """As `World.begin`, with nothing locked that the last episode locked."""
        self.rescue = int(_apart(generator, 2).integers(2**32)), 0
        self._cur_button_states = np.zeros(self.family.buttons, int)
        self._apply_button_states()
        super().begin(generator, task, permute, scene)

    def set_slide_targets(self, drawer: float, window: float) -> None:
        """Want drawer and window at these positions, in m."""
        self._target_drawer_pos, self._target_window_pos = drawer, window
        self._model.site("drawer_handle_center_target").pos[1] = drawer
        self._model.site("window_handle_center_target").pos[0] = window

    def post_step(self) -> None:
        """What a tick leads to; a cube that physics threw off the table is put back, as in ogbench, but seeded."""
        cube = self._data.joint("object_joint_0")
        low, high = self._workspace_bounds
        if np.any(cube.qpos[:3] <= low - ASTRAY_MARGIN) or np.any(cube.qpos[:3] >= high + ASTRAY_MARGIN):
            self._rescue(cube)
        super().post_step()

    def _rescue(self, cube: Any) -> None:
        seed, count = self.rescue
        generator = np.random.default_rng([seed, count])
        self.rescue = seed, count + 1
        yaw = generator.uniform(0, 2 * np.pi)
        cube.qpos[:] = *generator.uniform(*self._object_sampling_bounds), 0.02, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)
        cube.qvel[:] = 0
        mujoco.mj_forward(self._model, self._data)

    def successes(self) -> np.ndarray:
        """As `World.successes`."""
        cubes, buttons, drawer, window = self._compute_successes()
        return np.asarray([*cubes, *buttons, drawer, window], bool)


KINDS: dict[str, type[World]] = {"cube": CubeWorld, "puzzle": PuzzleWorld, "scene": SceneWorld}


_BLUEPRINT = (
    "_mjcf_model",
    "_arm_jnts",
    "_arm_acts",
    "_gripper_jnts",
    "_gripper_acts",
    "_cube_geoms_list",
    "_cube_target_geoms_list",
    "_button_geoms_list",
)
"""What ogbench compiles a model from: 70 MB, and needed no more."""


def _apart(generator: np.random.Generator, jumps: int) -> np.random.Generator:
    """A stream that follows from the generator's state, and neither meets it nor moves it."""
    bits: Any = generator.bit_generator
    return np.random.Generator(bits.jumped(jumps))


def open_world(name: str, visual: bool = False) -> World:
    """A scene of its own; what is never written to is shared with the others of its family in this process.

    Args:
        name: one of `FAMILIES`.
        visual: whether it will be rendered.
    """
    template = _template(name, visual)
    world = copy.copy(template)
    if visual or world.family.scene == "scene":  # colours are seen; a locked drawer is a joint of the model
        world._model = copy.copy(template._model)
    world._data = mujoco.MjData(world._model)
    world._ik = DiffIKController(model=template._ik._model, sites=["attachment_site"])
    return world


@cache
def _template(name: str, visual: bool) -> World:
    family = FAMILY[name]
    world: Any = KINDS[family.scene](family.variant)
    world.family, world._visual = family, visual
    world._mjcf_model = world.build_mjcf_model()
    world.compile_model_and_data()
    for name in _BLUEPRINT:
        world.__dict__.pop(name, None)
    return world
