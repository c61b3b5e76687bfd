"""Many environments of one family of manipulation tasks, played in one call into compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from chunkenv.errors import ArgumentError, EnvironmentFault, ResetNeededError, brief, reset_needed
from chunkenv.manipulation.engine.engine import Engine, PlayedTicks
from chunkenv.manipulation.engine.observations import Frames, Observer
from chunkenv.manipulation.engine.units import N_ACTIONS
from chunkenv.manipulation.env import ROUNDING, SEEN, ManipulationEnv
from chunkenv.manipulation.families import CONTROL_DT, FAMILY
from chunkenv.manipulation.goal_env import GOALS, GoalManipulationEnv
from chunkenv.manipulation.scene.state import check_state
from chunkenv.manipulation.scene.state_pictures import View
from chunkenv.utils.autoreset import Autoreset, read_start, read_time_limit
from chunkenv.utils.batching import BatchReader, Infos, Playback, copy_member, object_array, read_play
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.processes import usable_cores


class ManipulationVectorEnv(VectorEnv[Any, np.ndarray, np.ndarray]):
    """N environments of one family of manipulation tasks; environment i is `ManipulationEnv`, to the bit.

    Its first states, observations, rewards, ends and info are those of `ManipulationEnv` reset with seed + i, if numpy
    solves linear equations by the library of its own wheels; with another one, controls differ by rounding. What comes
    out depends neither on N nor on `threads`. A step is one control step of each, with the time limit inside: the limit
    counts the ticks of the state, so that it travels with `get_states`. `play` steps each environment several times in
    one call. `gymnasium.make_vec("chunkenv/manip-<family>-task<k>-v0", num_envs=N)` makes one.

    A further environment takes less than 1 MB: models are shared, and hold no meshes that nothing collides with.

    info: `success`, bool[N], as `ManipulationEnv` has it.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        task: 1 to 5, or None: environment i is `GoalManipulationEnv`.
        num_envs: N.
        reward: as `ManipulationEnv` has it.
        timing: as `ManipulationEnv` has it.
        observation: as `ManipulationEnv` has it.
        goal: without a task, as `GoalManipulationEnv` has it: "objects" (if None), "features" or "instruction".
        threads: at most how many threads play the environments; as many as the process has cores, if None.
        autoreset_mode: gymnasium's AutoresetMode, or the value of one.
        render_mode: None, or "rgb_array", with which `render` returns a frame of each environment.
        render_size: width and height of a rendered frame in pixels, 16 to 2048.
        camera: this and the next two: of observed frames, as `ManipulationEnv` has it.
        image_size: width and height of an observed frame.
        geometry: of an observed frame.
        wordings: this and the next: of instructions, as `GoalManipulationEnv` has it.
        goals: what episodes with instructions are about.
        max_episode_steps: control steps after which an episode is truncated; the family's, if None; -1 for none.

    Raises:
        ArgumentError: an unknown family or option.
        MissingExtraError: ogbench or numba is not installed.

    >>> envs = ManipulationVectorEnv("cube-single", task=2, num_envs=3)
    >>> observations, infos = envs.reset(seed=0)
    >>> observations, rewards, terminated, truncated, infos = envs.step(np.zeros((3, 5), np.float32))
    >>> observations.shape, rewards, infos["success"]
    ((3, 28), array([-1., -1., -1.]), array([False, False, False]))
    """

    def __init__(
        self,
        family: str,
        task: int | None = None,
        num_envs: int = 1,
        reward: str = "count",
        timing: str = "next",
        observation: str = "features",
        goal: str | None = None,
        threads: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        render_size: int = 480,
        max_episode_steps: int | None = None,
        camera: str = View().camera,
        image_size: int = View().size,
        geometry: str = View().geometry,
        wordings: str | None = None,
        goals: str | None = None,
    ) -> None:
        self.num_envs = whole_number("num_envs", num_envs, at_least=1)
        threads = usable_cores() if threads is None else whole_number("threads", threads, at_least=1)
        self.render_mode = None if render_mode is None else one_of("render_mode", render_mode, ("rgb_array",))
        words = {name: value for name, value in (("wordings", wordings), ("goals", goals)) if value is not None}
        self._single = partial(_single, family, task, goal, **words)
        options = {"reward": reward, "timing": timing, "observation": observation, "render_size": render_size}
        one = self._single(**options, camera=camera, image_size=image_size, geometry=geometry)
        self._limit = read_time_limit(FAMILY[family].time_limit if max_episode_steps is None else max_episode_steps)
        self._engine = Engine(family, self.num_envs, threads)
        view = View(camera, image_size, geometry)
        frames = Frames(family, view, self.num_envs) if observation in SEEN else None
        self._observing = Observer(self._engine, one.observation_space, observation, goal or GOALS[0], frames)
        self._beginner = self._single(observation="state")
        self._engine.speed_up(self._beginner.world)
        self._painter: ManipulationEnv | None = None
        self._render_size = render_size
        self._in_words = goal == "instruction"
        self._current, self._sparse = timing == "current", reward == "sparse"
        self.single_observation_space, self.single_action_space = one.observation_space, one.action_space
        self.observation_space = batch_space(one.observation_space, self.num_envs)
        self._read_actions = BatchReader(one.action_space, self.num_envs, "action")
        self.action_space = self._read_actions.space
        self._autoreset = Autoreset(autoreset_mode, self.num_envs, one.observation_space)
        self.metadata = {
            **ManipulationEnv.metadata,
            "render_modes": ["rgb_array"],
            "autoreset_mode": self._autoreset.mode,
        }
        self._generators: list[np.random.Generator | None] = [None] * self.num_envs
        self._ticks = np.zeros(self.num_envs, np.int64)
        self._begun = False

    @property
    def control_dt(self) -> float:
        """Seconds of a step."""
        return CONTROL_DT

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When environments that ended are reset, as `metadata` says it too."""
        return self._autoreset.mode

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Infos]:
        """Start episodes.

        Args:
            seed: one for all (environment i gets seed + i) or one for each.
            options: those of `ManipulationEnv`, the same for all; with "reset_mask", bool[N], only those environments
                are reset.

        Raises:
            ArgumentError: seeds, a mask or a task that do not fit.
            ResetNeededError: the first reset leaves some out.
        """
        start = read_start(seed, options, self.num_envs)
        if not (self._begun or start.members.all()):
            raise ResetNeededError("cannot reset a part of the environments before all have begun; reset all of them.")
        observations, infos = self.restart(start.members, start.seeds, start.options)
        return observations, infos

    def step(self, actions: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, Infos]:
        """Play one control step of each environment, or its reset, as the autoreset mode says.

        Raises:
            ActionError: wrong shape or type, or one is not finite or not in [-1, 1], with its environment's index;
                nothing has moved.
            ResetNeededError: there was no reset yet, or with DISABLED an episode is over.
            EnvironmentFault: the physics of one became unsound.
        """
        resetting = self._autoreset.resetting()
        read = self._read_actions(actions, ignored=resetting)
        play = self.play(read[:, None], (~resetting).astype(np.int64))
        ended = play.terminated | play.truncated
        observations, infos = self._autoreset.settle(
            play.observations, ended, play.infos, resetting, lambda due: self.restart(due, [None] * self.num_envs, None)
        )
        return observations, play.rewards[:, 0], play.terminated, play.truncated, infos

    def play(self, actions: np.ndarray, ticks: np.ndarray, *, every_tick: bool = False) -> Playback:
        """Play several control steps of each environment, without autoreset.

        Args:
            actions: float32[N, T, 5], of which the first ticks[i] rows of each i are played.
            ticks: int64[N], from 0 to T; an episode that ends sooner stops there.
            every_tick: whether to keep the observations of all ticks.

        Raises:
            ActionError: wrong shape or type, or an action that would be played is not finite or not in [-1, 1]; nothing
                has moved.
            ArgumentError: ticks that do not fit.
            ResetNeededError: there was no reset yet, or an episode that is over would be played.
            EnvironmentFault: the physics of one became unsound; all have to be reset.
        """
        actions, ticks = self._read_play(actions, ticks)
        self._expect_under_way(ticks > 0)
        allowed = np.minimum(ticks, np.maximum(self._limit - self._ticks, 0))
        kinds = self._observing.needed() if every_tick else {}
        played = self._engine.play(actions, allowed, self._current, **kinds)
        self._expect_sound(played.unsound)
        self._ticks += played.ticks
        truncated = (played.ticks > 0) & (self._ticks >= self._limit)
        self._autoreset.ended |= played.ended | truncated
        return Playback(
            self.observe(),
            self._rewards(played),
            played.ticks,
            played.ended,
            truncated,
            {"success": played.ended.copy(), "_success": played.ticks > 0},
            self._collect_observations(played) if every_tick else None,
        )

    def restart(
        self, members: np.ndarray, seeds: Sequence[int | None], options: dict[str, Any] | None
    ) -> tuple[Any, Infos]:
        """Start episodes in some environments (bool[N]); the observations of the others are their present ones."""
        for index in np.flatnonzero(members).tolist():
            self._beginner._np_random = self._generators[index]
            state, _ = self._beginner.reset(seed=seeds[index], options=options)
            self._generators[index] = self._beginner.np_random
            self._engine.put(index, state)
            self._observing.instructions[index] = getattr(self._beginner, "instruction", "")
        self._engine.observe()
        self._ticks[members] = 0
        self._autoreset.ended &= ~members
        self._begun = True
        infos: Infos = {"success": np.zeros(self.num_envs, bool), "_success": members.copy()}
        if self._in_words:
            said = dict(zip(np.flatnonzero(members).tolist(), self._observing.instructions[members], strict=True))
            infos |= {"instruction": object_array(said, self.num_envs), "_instruction": members.copy()}
        return self.observe(), infos

    def observe(self) -> Any:
        """The present observation of each environment, a new batch."""
        return self._observing(self._engine.features, self._engine.states)

    def facts(self, index: int) -> dict[str, Any]:
        """What is where in one environment: what `ManipulationEnv.facts` says of the single one, to the bit.

        Args:
            index: of the environment, from 0 to N - 1.

        Raises:
            ArgumentError: there is no such environment.
            ResetNeededError: there was no reset yet.
        """
        if not self._begun:
            raise reset_needed("read facts")
        if (number := whole_number("index", index, at_least=0)) >= self.num_envs:
            raise ArgumentError(f"index={index!r}: there are {self.num_envs} environments, counted from 0.")
        return self._engine.facts(number)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A frame of each environment with "rgb_array", uint8[render_size, render_size, 3].

        Raises:
            ResetNeededError: there was no reset yet.
            MissingExtraError: there is no way to draw on this machine.
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() shows nothing without a render_mode: make it with "rgb_array".')
            return None
        if not self._begun:
            raise reset_needed("render")
        if self._painter is None:
            self._painter = self._single(render_mode="rgb_array", render_size=self._render_size)
        return tuple(_paint(self._painter, state) for state in self._engine.states)

    def get_states(self) -> np.ndarray:
        """The complete states, a copy, float64[N, n]: set back, everything goes on to the bit.

        Raises:
            ResetNeededError: there was no reset yet.
        """
        if not self._begun:
            raise reset_needed("get the states")
        return self._engine.states.copy()

    def set_states(self, states: np.ndarray) -> None:
        """Go on from states that `get_states`, or `get_state` of an environment of the same family, returned.

        Raises:
            ArgumentError: they are not N states of this family; the environments are unchanged.
        """
        if not (isinstance(states, np.ndarray) and states.shape == self._engine.states.shape):
            raise ArgumentError(
                f"states={brief(states)} are not {self.num_envs} states: give float64{self._engine.states.shape}."
            )
        checked = [check_state(self._engine.layout, state) for state in states]
        for index, state in enumerate(checked):
            self._engine.put(index, state)
            if self._in_words:
                self._beginner.set_state(state)
                self._observing.instructions[index] = getattr(self._beginner, "instruction", "")
        self._engine.observe()
        self._ticks = np.rint(self._engine.times() / CONTROL_DT).astype(np.int64)
        self._autoreset.ended = self._ticks >= self._limit
        self._begun = True

    def close_extras(self, **kwargs: Any) -> None:
        """Put the drawing tools away."""
        if self._painter is not None:
            self._painter.close()
            self._painter = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_in_words": False, **state})  # pickles of version 0.1 know no words
        self._engine.speed_up(self._beginner.world)

    def _read_play(self, actions: np.ndarray, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The arguments of `play`, checked before anything moves."""
        demand = f"{N_ACTIONS} finite numbers in [-1, 1]"
        rows, counts = read_play(actions, ticks, self.num_envs, N_ACTIONS, _within_bounds, demand)
        return np.clip(rows, -1, 1), counts

    def _expect_under_way(self, playing: np.ndarray) -> None:
        if not self._begun:
            raise reset_needed("step")
        self._autoreset.expect_under_way(playing)

    def _expect_sound(self, unsound: np.ndarray) -> None:
        if unsound.any():
            self._begun = False
            raise EnvironmentFault(
                f"MuJoCo's physics became unsound in the environments {brief(np.flatnonzero(unsound).tolist())} "
                "(positions or velocities beyond all bounds) and their episodes are lost: call reset()."
            )

    def _rewards(self, played: PlayedTicks) -> np.ndarray:
        """float64[N, T], 0 beyond the ticks played."""
        goals = self._engine.world.family.goals
        held = played.held[:, :-1] if self._current else played.held[:, 1:]
        rewards = (held == goals) - 1.0 if self._sparse else held - float(goals)
        return np.where(np.arange(held.shape[1]) < played.ticks[:, None], rewards, 0.0)

    def _collect_observations(self, played: PlayedTicks) -> list[list[Any]]:
        """The observations of all ticks, environment by environment."""
        batches = self._observing.history(played)
        each = range(self.num_envs)
        one = self.single_observation_space
        return [[copy_member(one, batches[tick], index) for tick in range(played.ticks[index])] for index in each]


def _single(family: str, task: int | None, goal: str | None, **options: Any) -> ManipulationEnv:
    """The environment of which this is a vector."""
    if task is None:
        return GoalManipulationEnv(family, goal or GOALS[0], **options)
    for name, value in {"goal": goal, **{name: options.get(name) for name in ("wordings", "goals")}}.items():
        if value is not None:
            raise ArgumentError(f"{name}={value!r} is for goal-conditioned environments only; give task=None.")
    return ManipulationEnv(family, task, **options)


def _within_bounds(rows: np.ndarray) -> np.ndarray:
    """Which numbers can be played, NaN not."""
    return np.abs(rows) <= 1 + ROUNDING


def _paint(painter: ManipulationEnv, state: np.ndarray) -> Any:
    painter.set_state(state)
    return painter.render()
