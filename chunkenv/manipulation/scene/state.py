"""The whole state of a world as one flat vector: set back, everything goes on to the bit.

After a tick MuJoCo's positions are one substep ahead of the poses that ogbench's controller and observation read, so
these poses are part of the state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.worlds import SceneWorld, World
from chunkenv.registration import TASKS

INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
"""What MuJoCo needs to go on: time, positions, velocities, controls, mocap poses, warm start."""


class StateLayout(NamedTuple):
    """Where what stands in the state of a family, float64[size].

    Attributes:
        physics: MuJoCo's own state (`INTEGRATION`).
        pinch_pos: where controller and observation see the point between the fingers, in m.
        pinch_mat: its rotation matrix, row by row.
        pad_force: the force on the right finger's pad, MuJoCo's cfrc_ext.
        buttons: the states of the buttons, 0 or 1.
        button_targets: what they are wanted to be.
        slide_targets: where drawer and window are wanted, in m; empty without them.
        rescue: seed and number of the rescues of a cube that left the table; empty but in "scene".
        task: the number of the task.
        goal: the features of the goal scene.
    """

    physics: slice
    pinch_pos: slice
    pinch_mat: slice
    pad_force: slice
    buttons: slice
    button_targets: slice
    slide_targets: slice
    rescue: slice
    task: slice
    goal: slice

    @property
    def size(self) -> int:
        """How many numbers a state has."""
        return self.goal.stop


def state_layout(world: World) -> StateLayout:
    """The layout of the states of a world and of all others of its family."""
    family = world.family
    physics = mujoco.mj_stateSize(world.model, INTEGRATION)
    sizes = (physics, 3, 9, 6, family.buttons, family.buttons, family.slides, family.slides, 1, family.features)
    ends = np.cumsum(sizes).tolist()
    return StateLayout(*(slice(end - size, end) for end, size in zip(ends, sizes, strict=True)))


def read_state(world: World, layout: StateLayout) -> np.ndarray:
    """The state of a world after a reset or a tick, float64[layout.size]."""
    state = np.empty(layout.size)
    data, pinch = world.data, world._pinch_site_id
    mujoco.mj_getState(world.model, data, state[layout.physics], INTEGRATION)
    state[layout.pinch_pos] = data.site_xpos[pinch]
    state[layout.pinch_mat] = data.site_xmat[pinch]
    state[layout.pad_force] = data.cfrc_ext[world.pad_body]
    if world.family.buttons:
        state[layout.buttons] = world._cur_button_states
        state[layout.button_targets] = world._target_button_states
    if world.family.slides:
        state[layout.slide_targets] = world._target_drawer_pos, world._target_window_pos
        state[layout.rescue] = world.rescue
    state[layout.task] = world.cur_task_id
    state[layout.goal] = world._cur_goal_ob
    return state


def write_state(world: World, layout: StateLayout, state: np.ndarray) -> None:
    """Put a world into a state that `read_state` read from it or from another of its family."""
    data, pinch = world.data, world._pinch_site_id
    physics = np.ascontiguousarray(state[layout.physics])
    world.cur_task_id = int(state[layout.task][0])
    world.cur_task_info = world.task_infos[world.cur_task_id - 1]
    world._cur_goal_ob = state[layout.goal].copy()
    mujoco.mj_resetData(world.model, data)
    mujoco.mj_setState(world.model, data, physics, INTEGRATION)
    if world.family.buttons:
        world._cur_button_states = state[layout.buttons].astype(int)
        world._target_button_states = state[layout.button_targets].astype(int)
    if isinstance(world, SceneWorld):
        world.set_slide_targets(*state[layout.slide_targets].tolist())
    world.refresh()
    if isinstance(world, SceneWorld):
        world.rescue = tuple(state[layout.rescue].astype(int).tolist())
    mujoco.mj_setState(world.model, data, physics, INTEGRATION)  # the refreshing changed the warm start
    data.site_xpos[pinch] = state[layout.pinch_pos]
    data.site_xmat[pinch] = state[layout.pinch_mat]
    data.cfrc_ext[world.pad_body] = state[layout.pad_force]


def show_state(world: World, layout: StateLayout, state: np.ndarray) -> None:
    """Let a world show what `read_facts` tells of a state: cheaper than `write_state`, and nothing to go on from."""
    data, pinch = world.data, world._pinch_site_id
    mujoco.mj_setState(world.model, data, np.ascontiguousarray(state[layout.physics]), INTEGRATION)
    if world.family.buttons:
        world._cur_button_states = state[layout.buttons].astype(int)
        world._target_button_states = state[layout.button_targets].astype(int)
        mujoco.mj_kinematics(world.model, data)  # where buttons and handles are
    if isinstance(world, SceneWorld):
        world._target_drawer_pos, world._target_window_pos = state[layout.slide_targets].tolist()
    data.site_xpos[pinch] = state[layout.pinch_pos]
    data.site_xmat[pinch] = state[layout.pinch_mat]
    data.cfrc_ext[world.pad_body] = state[layout.pad_force]


def check_state(layout: StateLayout, state: object) -> np.ndarray:
    """A state as float64[layout.size].

    Raises:
        ArgumentError: it is none of this family's.
    """
    try:
        array = np.asarray(state, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (layout.size,) or not np.isfinite(array).all() or array[layout.task][0] not in TASKS:
        raise ArgumentError(
            f"A state is {layout.size} finite numbers as get_state() of an environment of the same family returns "
            f"them, not {brief(state)}."
        )
    return array
