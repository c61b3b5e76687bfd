"""Many environments of one family, played side by side: MuJoCo's data of each, and the models that all share."""

from __future__ import annotations

import copy
import os
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from chunkenv.manipulation.engine import ticks as kernels
from chunkenv.manipulation.engine.c_functions import native
from chunkenv.manipulation.engine.kinematics import Arm, Controller
from chunkenv.manipulation.engine.units import N_ACTIONS
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.ogbench_imports import mujoco
from chunkenv.manipulation.scene.privileged_state import read_facts
from chunkenv.manipulation.scene.state import INTEGRATION, StateLayout, show_state, state_layout
from chunkenv.manipulation.scene.worlds import World, open_world

LOCKED, FREE = 1e6, 2.0
"""Damping of a joint that ogbench locks by it, and of the same joint unlocked, N s/m."""

LOCKS = ("drawer_slide", "window_slide")
"""The joints that the two buttons of the scene unlock, in their order."""


class PlayedTicks(NamedTuple):
    """What N environments did.

    Attributes:
        ticks: int64[N], how many each one played: the end of its episode stops it.
        held: int64[N, T + 1], how many things were in place before each tick, and after the last.
        ended: bool[N], whether its episode is over.
        unsound: bool[N], whether MuJoCo gave its physics up: then it has to be put into another state.
        seen: float32[N, T, n], the features after each tick, or None.
        kept: float64[N, T, n], the states after each tick, or None.
    """

    ticks: np.ndarray
    held: np.ndarray
    ended: np.ndarray
    unsound: np.ndarray
    seen: np.ndarray | None
    kept: np.ndarray | None


class Engine:
    """N environments of one family.

    An environment is a state; MuJoCo's data are those of the thread that plays it, so that they stay in its cache. A
    tick is what `World.play` does, to the bit where numpy's linear algebra is that of its own wheels (else the inverse
    kinematics round differently); neither N nor the number of threads changes anything.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        num_envs: N.
        threads: at most how many threads play.

    Attributes:
        world: a scene in which single states are looked at; it plays none of the environments.
        layout: of the states.
        states: float64[N, layout.size], the present ones, which `play` and `put` write.
        features: float32[N, n], what is observed in them.
    """

    def __init__(self, family: str, num_envs: int, threads: int) -> None:
        self.world = open_world(family)
        self.layout = state_layout(self.world)
        self.states = np.zeros((num_envs, self.layout.size))
        self.features = np.zeros((num_envs, FAMILY[family].features), np.float32)
        self._threads = threads
        self._native = native()
        self._models = _models(self.world)
        self._plan = _plan(self.world, self.layout, self._models)
        self._data = [mujoco.MjData(self._models[0]) for _ in range(threads)]
        self._where = np.array([_where(self.world, data) for data in self._data], np.int64)
        self._envs = kernels.EnvBatch(
            _sizes(self._models[0]),
            self.states,
            np.zeros((num_envs, FAMILY[family].buttons)),
            np.zeros(num_envs, bool),
        )
        self._arm_data = [mujoco.MjData(self.world._ik._model) for _ in range(threads)]
        self._arms = [_arm(self.world, data) for data in self._arm_data]

    def __reduce__(self) -> Any:
        """A copy has memory of its own."""
        return _rebuild, (self.world.family.name, len(self.states), self._threads, self.states)

    def put(self, index: int, state: np.ndarray) -> None:
        """Put one environment into a state, float64[layout.size], that must be one of this family."""
        self.states[index] = state
        self._envs.unseen[index] = True

    def speed_up(self, world: World) -> None:
        """Let a scene begin its episodes faster, all else being equal: the controller compiled, nothing observed."""
        world._ik = Controller(self._native, self._arms[0])
        world.step = world.play  # of which ogbench plays a few ticks, to see the goal

    def facts(self, index: int) -> dict[str, Any]:
        """The facts of one environment, see `ManipulationEnv.facts`."""
        show_state(self.world, self.layout, self.states[index])
        return read_facts(self.world)

    def times(self) -> np.ndarray:
        """Seconds since the start of each one's episode, float64[N]."""
        return self.states[:, self.layout.physics.start]

    def observe(self) -> None:
        """Observe anew in the environments that `put` changed."""
        n = len(self.states)
        self.play(np.zeros((n, 0, N_ACTIONS), np.float32), np.zeros(n, np.int64))

    def play(
        self, actions: np.ndarray, wanted: np.ndarray, current: bool = False, seen: bool = False, kept: bool = False
    ) -> PlayedTicks:
        """Play each environment's own number of ticks.

        Args:
            actions: float32[N, T, 5], finite and in [-1, 1] where they are played.
            wanted: int64[N], from 0 to T.
            current: whether an episode is over with the tick after success instead of with the one that leads to it.
            seen: whether to return the features after each tick.
            kept: whether to return the states after each tick.
        """
        ticks = self._ticks(np.ascontiguousarray(actions, np.float32), wanted, seen, kept)
        while True:
            self._share(ticks, current)
            astray = np.flatnonzero(ticks.status == kernels.ASTRAY).tolist()
            if not astray:
                break
            for index in astray:
                self._rescue(index)
        return PlayedTicks(
            ticks.played,
            ticks.held,
            ticks.status == kernels.OVER,
            ticks.status == kernels.UNSOUND,
            ticks.seen if seen else None,
            ticks.kept if kept else None,
        )

    def _ticks(self, actions: np.ndarray, wanted: np.ndarray, seen: bool, kept: bool) -> kernels.TickWork:
        n, longest = actions.shape[:2]
        return kernels.TickWork(
            actions,
            wanted,
            np.zeros(n, np.int64),
            np.zeros(n, np.int64),
            np.zeros((n, longest + 1), np.int64),
            self.features,
            np.zeros((n, longest * seen, self.features.shape[1]), np.float32),
            np.zeros((n, longest * kept, self.states.shape[1])),
        )

    def _share(self, ticks: kernels.TickWork, current: bool) -> None:
        """Let all threads play, one of them this one."""
        counter = np.zeros(1, np.int64)

        def work(where: np.ndarray, arm: Arm) -> None:
            kernels.play(self._native, self._plan, self._envs, where, arm, counter, ticks, current)

        helpers = min(self._threads, np.count_nonzero(ticks.wanted > 0)) - 1
        running = [_pool(os.getpid()).submit(work, self._where[k], self._arms[k]) for k in range(1, helpers + 1)]
        try:
            work(self._where[0], self._arms[0])
        finally:
            wait(running)  # before anything is raised: they write where the caller will observe
        for future in running:
            future.result()

    def _rescue(self, index: int) -> None:
        """Put a cube back that has left the table, as `SceneWorld` does."""
        state, world, layout = self.states[index], self.world, self.layout
        world.rescue = tuple(state[layout.rescue].astype(int).tolist())
        cube = world.data.joint("object_joint_0")
        world._rescue(cube)
        state[layout.rescue] = world.rescue
        place, speed = (part + layout.physics.start + 1 for part in _places(world.model, ("object_joint_0",))[:, 0])
        state[place : place + 7] = cube.qpos
        state[speed + world.model.nq :][:6] = cube.qvel


def _rebuild(family: str, num_envs: int, threads: int, states: np.ndarray) -> Engine:
    engine = Engine(family, num_envs, threads)
    if states.any():
        for index, state in enumerate(states):
            engine.put(index, state)
        engine.observe()
    return engine


_revived = _rebuild  # what older pickles call it


def _models(world: World) -> list[Any]:
    """One model or, with buttons that lock joints, one for each state of the two."""
    if world.family.scene != "scene":
        return [world.model]
    models = [copy.copy(world.model) for _ in range(4)]
    for number, model in enumerate(models):
        for bit, joint in enumerate(LOCKS):
            model.joint(joint).damping[0] = FREE if number >> bit & 1 else LOCKED
    return models


def _plan(world: World, layout: StateLayout, models: list[Any]) -> kernels.Plan:
    family, model = world.family, world.model
    cubes = [f"object_joint_{cube}" for cube in range(family.cubes)]
    buttons = [f"buttonbox_joint_{button}" for button in range(family.buttons)]
    return kernels.Plan(
        models=np.array([one._address for one in models], np.int64),
        substeps=world._n_steps,
        low=world.action_low,
        span=world.action_high - world.action_low,
        workspace=world._workspace_bounds,
        attachment=world._T_pa.wxyz_xyz,
        arm=world._arm_joint_ids.astype(np.int64),
        arm_controls=world._arm_actuator_ids.astype(np.int64),
        gripper_control=int(world._gripper_actuator_ids[0]),
        gripper=int(world._gripper_opening_joint_id),
        cubes=_places(model, cubes)[0],
        targets=np.array([world._cube_target_mocap_ids[k] for k in range(family.cubes)], np.int64),
        buttons=_places(model, buttons),
        toggles=_toggles(world),
        slides=_places(model, LOCKS if family.slides else ()),
        locks=family.scene == "scene",
        pinch_pos=layout.pinch_pos.start,
        pinch_mat=layout.pinch_mat.start,
        pad_force=layout.pad_force.start,
        button_states=layout.buttons.start,
        button_targets=layout.button_targets.start,
        slide_targets=layout.slide_targets.start,
        integration=int(INTEGRATION),
    )


def _places(model: Any, joints: Any) -> np.ndarray:
    """Where joints stand in positions and in velocities, int64[2, n]."""
    places = [(model.joint(name).qposadr[0], model.joint(name).dofadr[0]) for name in joints]
    return np.array(places, np.int64).reshape(-1, 2).T.copy()


def _toggles(world: World) -> np.ndarray:
    """Which buttons a press of each one changes: in a puzzle those beside it, too."""
    count = world.family.buttons
    if world.family.scene != "puzzle":
        return np.eye(count, dtype=bool)
    rows, columns = np.divmod(np.arange(count), world._num_cols)
    return abs(rows[:, None] - rows) + abs(columns[:, None] - columns) <= 1


def _sizes(model: Any) -> np.ndarray:
    """The sizes of `kernels.EnvBatch`."""
    return np.array([model.nq, model.nv, model.nu, model.nmocap], np.int64)


def _where(world: World, data: Any) -> list[int]:
    """The addresses of `kernels.EnvBatch`."""
    pinch = world._pinch_site_id
    arrays = (data.qpos, data.qvel, data.ctrl, data.mocap_pos, data.site_xpos[pinch], data.site_xmat[pinch])
    others = (data.cfrc_ext[world.pad_body], data.warning.number[mujoco.mjtWarning.mjWARN_BADQPOS :])
    return [data._address, *(array.ctypes.data for array in (*arrays, *others))]


def _arm(world: World, data: Any) -> Arm:
    model, site = world._ik._model, int(world._ik._site_ids[0])
    parts = (data.qpos, data.site_xpos[site], data.site_xmat[site])
    return Arm._make([model._address, data._address, *(part.ctypes.data for part in parts), site])


@cache
def _pool(_process: int) -> ThreadPoolExecutor:
    """The threads of a process: one that was forked has none of its parent's, and gets its own."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="chunkenv-manipulation")
