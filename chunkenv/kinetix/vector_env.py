"""Many environments of one Kinetix level, played in one call into the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from chunkenv.errors import ArgumentError, ResetNeededError, brief, reset_needed
from chunkenv.kinetix.engine.layout import N_ACTIONS, STATE
from chunkenv.kinetix.env import KinetixEnv
from chunkenv.kinetix.noise import ActionNoises
from chunkenv.kinetix.render import frame
from chunkenv.kinetix.rewards import REWARDS, Ticks, distance_reward, penalty_reward, sparse_reward
from chunkenv.kinetix.tallies import allow, tally
from chunkenv.registration import TIME_LIMIT
from chunkenv.utils.autoreset import Autoreset, read_start, read_time_limit
from chunkenv.utils.batching import BatchReader, Infos, Playback, read_play
from chunkenv.utils.checks import one_of, real_number, whole_number
from chunkenv.utils.processes import usable_cores

_sparse, _distance, _penalty = sparse_reward, distance_reward, penalty_reward  # what older pickles call them


class KinetixVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N environments of one of the twelve dynamic Kinetix tasks; environment i is `KinetixEnv`, to the bit.

    A step is one control step of each, with the time limit inside: the limit counts the ticks of the state, so that it
    travels with `get_states`. `play` steps each environment several times in one call. What comes out depends neither
    on N nor on `threads`. `gymnasium.make_vec("chunkenv/kinetix-<level>-v0", num_envs=N)` makes one.

    info: `success`, bool[N], whether green touched blue with this step.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        num_envs: N.
        observation: as `KinetixEnv` has it.
        reward: as `KinetixEnv` has it.
        threads: at most how many threads step the environments; as many as the process has cores, if None.
        autoreset_mode: gymnasium's AutoresetMode, or the value of one.
        render_mode: None, or "rgb_array", with which `render` returns a frame of each environment.
        render_size: width and height of a frame in pixels, 16 to 2048.
        max_episode_steps: control steps after which an episode is truncated; -1 for none.
        backend: as `KinetixEnv` has it; with "jax", the last bits may depend on N.
        action_noise: standard deviation of Gaussian noise, in units of the action, that is added to every action before
            it is clipped: that of `chunkenv.ActionNoise` around each environment, to the bit. RTC's protocol has 0.1.

    Raises:
        ArgumentError: an unknown level or option.
        MissingExtraError: the backend is not installed.

    >>> envs = KinetixVectorEnv("catapult", num_envs=3, observation="compact")
    >>> observations, infos = envs.reset(seed=0)
    >>> observations, rewards, terminated, truncated, infos = envs.step(np.zeros((3, 6), np.float32))
    >>> observations.shape, rewards, infos["success"]
    ((3, 35), array([0., 0., 0.]), array([False, False, False]))
    """

    def __init__(
        self,
        level: str,
        num_envs: int = 1,
        observation: str = "symbolic",
        reward: str = "sparse",
        threads: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        render_size: int = 500,
        max_episode_steps: int = TIME_LIMIT,
        backend: str = "numba",
        action_noise: float = 0.0,
    ) -> None:
        self.num_envs = whole_number("num_envs", num_envs, at_least=1)
        self.render_mode = None if render_mode is None else one_of("render_mode", render_mode, ("rgb_array",))
        one = KinetixEnv(level, observation, reward, render_size=render_size, backend=backend)
        self.simulator, self._render_size = one.simulator, render_size
        self._shape_reward = REWARDS[reward]
        self._kind = None if observation == "state" else observation
        self._threads = usable_cores() if threads is None else whole_number("threads", threads, at_least=1)
        self._limit = read_time_limit(max_episode_steps)
        self.single_observation_space, self.single_action_space = one.observation_space, one.action_space
        self.observation_space = batch_space(one.observation_space, self.num_envs)
        self._read_actions = BatchReader(one.action_space, self.num_envs, "action")
        self.action_space = self._read_actions.space
        self._autoreset = Autoreset(autoreset_mode, self.num_envs, one.observation_space)
        self.metadata = {**KinetixEnv.metadata, "render_modes": ["rgb_array"], "autoreset_mode": self._autoreset.mode}
        std = real_number("action_noise", action_noise, at_least=0.0)
        self._noises = ActionNoises(std, self.num_envs) if std else None
        self._states = np.tile(self.simulator.initial_state(), (self.num_envs, 1))
        self._actions = np.zeros((self.num_envs, N_ACTIONS), np.float32)
        self._begun = False
        first = self._advance(self._actions[:, None], np.zeros(self.num_envs, np.int64))  # compiles what steps need
        self._first_seen: np.ndarray = first.observations[:1].copy()

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When environments that ended are reset, as `metadata` says it too."""
        return self._autoreset.mode

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, Infos]:
        """Start episodes, always in the level's first state.

        Args:
            seed: one for all or one for each; nothing but the action noise is random.
            options: with "reset_mask", bool[N], only those environments are reset.

        Raises:
            ArgumentError: seeds or a mask that do not fit.
            ResetNeededError: the first reset leaves some out.
        """
        start = read_start(seed, options, self.num_envs)
        if not (self._begun or start.members.all()):
            raise ResetNeededError("cannot reset a part of the environments before all have begun; reset all of them.")
        super().reset(seed=start.seeds[0])
        _, infos = self.restart(start.members, start.seeds, start.options)
        return self.observe(), infos

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Infos]:
        """Play one control step of each environment, or its reset, as the autoreset mode says.

        Raises:
            ActionError: wrong shape or type, or one is not finite, with its environment's index; nothing has moved.
            ResetNeededError: there was no reset yet, or with DISABLED an episode is over.
        """
        resetting = self._autoreset.resetting()
        read = self._read_actions(actions, ignored=resetting)
        self._expect_begun()
        self._begin_again(resetting)  # before the engine observes, so that it writes their first observations
        play = self._play(np.ascontiguousarray(read)[:, None], (~resetting).astype(np.int64))
        infos = play.infos
        if self._autoreset.at_once and (ended := self._autoreset.ended.copy()).any():
            infos = self._autoreset.move_to_final(infos, play.observations, ended)
            self._begin_again(ended)
            play.observations[ended] = self._first_seen
            resetting |= ended
        infos["_success"] |= resetting
        return play.observations, play.rewards[:, 0], play.terminated, play.truncated, infos

    def play(self, actions: np.ndarray, ticks: np.ndarray, *, every_tick: bool = False) -> Playback:
        """Play several control steps of each environment, without autoreset.

        Args:
            actions: float32[N, T, 6], of which the first ticks[i] rows of each i are played.
            ticks: int64[N], from 0 to T; an episode that ends sooner stops there.
            every_tick: whether to keep the observations of all ticks: one call into the engine for each.

        Raises:
            ActionError: wrong shape or type, or an action that would be played is not finite; nothing has moved.
            ArgumentError: ticks that do not fit.
            ResetNeededError: there was no reset yet, or an episode that is over would be played.
        """
        actions, ticks = self._read_play(actions, ticks)
        self._expect_begun()
        self._autoreset.expect_under_way(ticks > 0)
        return self._play(actions, ticks, every_tick)

    def restart(
        self, members: np.ndarray, seeds: Sequence[int | None], options: dict[str, Any] | None
    ) -> tuple[np.ndarray, Infos]:
        """Start episodes in some environments (bool[N]); the observations of the others mean nothing.

        The observations are for reading only: one row in memory, which stands for all.
        """
        self._begin(members, seeds)
        fresh = np.broadcast_to(self._first_seen, (self.num_envs, self._first_seen.shape[1]))
        return fresh, {"success": np.zeros(self.num_envs, bool), "_success": members.copy()}

    def observe(self) -> np.ndarray:
        """The present observation of each environment, a new batch."""
        return self._observation(self._states)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """A frame of each environment with "rgb_array", uint8[render_size, render_size, 3].

        Raises:
            ResetNeededError: there was no reset yet.
            MissingExtraError: pygame is not installed.
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() shows nothing without a render_mode: make it with "rgb_array".')
            return None
        if not self._begun:
            raise reset_needed("render")
        pairs = zip(self._records, self._actions, strict=True)
        return tuple(frame(self.simulator.scene, record, action, self._render_size) for record, action in pairs)

    def get_states(self) -> np.ndarray:
        """The complete states of the engine, a copy, uint8[N, n]: set back, everything goes on to the bit.

        Raises:
            ResetNeededError: there was no reset yet.
        """
        if not self._begun:
            raise reset_needed("get the states")
        return self._states.copy()

    def set_states(self, states: np.ndarray) -> None:
        """Go on from states that `get_states`, or `get_state` of an environment of the same level, returned.

        Raises:
            ArgumentError: they are not N states of this level; the environments are unchanged.
        """
        if not (isinstance(states, np.ndarray) and states.shape == self._states.shape):
            raise ArgumentError(
                f"states={brief(states)} are not {self.num_envs} states: give uint8{self._states.shape}."
            )
        for state in states:
            self.simulator.check_state(state)
        self._states[:] = states
        self._actions[:] = 0
        self._autoreset.ended = (self._records["ended"] != 0) | (self._records["ticks"] >= self._limit)
        self._begun = True

    def _read_play(self, actions: np.ndarray, ticks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `play` is given, before anything moves; the engine alone would see a later tick too late."""
        return read_play(actions, ticks, self.num_envs, N_ACTIONS, np.isfinite, "finite")

    @property
    def _records(self) -> np.ndarray:
        """The states as records: the same memory, also in a copy of the environments."""
        return self._states.view(STATE)[:, 0]

    def _expect_begun(self) -> None:
        if not self._begun:
            raise reset_needed("step")

    def _begin_again(self, members: np.ndarray) -> None:
        """Put some environments (bool[N]), if there are any, into the first state; their noise goes on."""
        if members.any():
            self._begin(members, [None] * self.num_envs)

    def _begin(self, members: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Put some environments (bool[N]) into the first state."""
        self._states[members] = self.simulator.initial_state()
        if self.render_mode:
            self._actions[members] = 0
        if self._noises:
            self._noises.begin(members, seeds)
        self._autoreset.ended &= ~members
        self._begun = True

    def _observation(self, states: np.ndarray) -> np.ndarray:
        """Observations of states, which stay as they are."""
        if self._kind is None:
            return states.copy()
        idle, none = np.zeros((len(states), 1, N_ACTIONS), np.float32), np.zeros(len(states), np.int64)
        played = self.simulator.play_unchecked(states, idle, none, self._kind, self._threads)
        assert played.observations is not None
        return played.observations

    def _play(self, actions: np.ndarray, ticks: np.ndarray, every_tick: bool = False) -> Playback:
        """`play`, with arguments that were read."""
        if self._noises:
            actions = self._noises.add_to(actions)
        play = self._play_each(actions, ticks) if every_tick else self._advance(actions, ticks)
        if self._noises:
            self._noises.spend(play.ticks)
        if self.render_mode:
            self._remember(actions, play.ticks)
        self._autoreset.ended |= play.terminated | play.truncated
        return play

    def _advance(self, actions: np.ndarray, ticks: np.ndarray) -> Playback:
        """One call into the engine, up to the time limit."""
        allowance = allow(self._records, ticks, self._limit)
        played = self.simulator.play_unchecked(self._states, actions, allowance.ticks, self._kind, self._threads)
        came = tally(allowance, played.ends, played.rewards, self._limit)
        rewards = self._shape_reward(Ticks(played, allowance.distances, allowance.before))
        return Playback(
            self._states.copy() if played.observations is None else played.observations,
            np.where(came.played, rewards, 0.0),
            came.counts,
            came.terminated,
            came.truncated,
            {"success": came.success, "_success": came.moved},
            None,
        )

    def _remember(self, actions: np.ndarray, counts: np.ndarray) -> None:
        """The last actions, which a picture shows."""
        moved = np.flatnonzero(counts)
        self._actions[moved] = actions[moved, counts[moved] - 1]

    def _play_each(self, actions: np.ndarray, ticks: np.ndarray) -> Playback:
        """One call for each tick, for its observation."""
        seen: list[list[Any]] = [[] for _ in range(self.num_envs)]
        play, rewards = self._advance(np.ascontiguousarray(actions[:, :1]), np.zeros_like(ticks)), []
        for tick in range(actions.shape[1]):
            now = (tick < ticks) & ~(play.terminated | play.truncated)
            step = self._advance(np.ascontiguousarray(actions[:, tick : tick + 1]), now.astype(np.int64))
            for index in np.flatnonzero(now).tolist():
                seen[index].append(step.observations[index].copy())
            rewards.append(step.rewards)
            success = play.infos["success"] | step.infos["success"]
            played = play.ticks + step.ticks
            play = step._replace(
                ticks=played,
                terminated=play.terminated | step.terminated,
                truncated=play.truncated | step.truncated,
                infos={"success": success, "_success": played > 0},
            )
        return play._replace(rewards=np.concatenate(rewards, axis=1), seen=seen)
