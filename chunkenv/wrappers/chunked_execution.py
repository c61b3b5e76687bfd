"""Any environment as a chunked-action MDP with delayed, asynchronous execution."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from chunkenv.clock import Cycle, bootstrap_discount, discounted_sum
from chunkenv.errors import EnvironmentFault, reset_needed
from chunkenv.request import Chunk, Request
from chunkenv.utils.checks import expect_env
from chunkenv.utils.infos import FIRST_SUCCESS
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import Checked, cut, has_nan, padding, split
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Info, Observation, StepResult
from chunkenv.wrappers.depth import depth_of
from chunkenv.wrappers.options import ChunkOptions, ChunkParts, with_arguments_of
from chunkenv.wrappers.tick_player import Play, describe_nan_observation, describe_nan_rewards, play_rows
from chunkenv.wrappers.underrun import fill_underruns


class ChunkedExecution(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Plays chunks of actions, late, as a robot with a slow policy would: one step is one decision.

    `step(chunk)` plays one cycle (see `chunkenv.clock`): the rows left of the previous chunk while the inference is
    under way, then the new chunk's rows from the delay on, until the next request. It is a semi-MDP: the reward is
    sum of discount**i * r_i over the ticks played, and `info` has

        ticks       control steps played, n
        discount    what the next value is multiplied by: discount**n, 0.0 once terminated
        delay       ticks that this decision's inference really took (an episode may end before it arrives)
        underruns   ticks without a row (underrun='stop': 1 where that is what truncated the episode)
        discarded   rows that were thrown away: late on arrival, or replaced before their tick

    and where the info of a tick reported success, as `success` or `is_success`

        first_success   ticks played by then: 1 is the decision's first

    and with `info='actions'`, per tick: `rewards` [n], `actions` (list of n), `sources` int [n, 2] (age of the chunk
    and row; -1, -1 for an underrun) and `staleness` int [n] (ticks since the observation behind the action; -1 for an
    underrun); `info='full'` adds `observations` (list of n). The rest of `info` is the wrapped environment's, of the
    last tick.

    An episode that ends inside a cycle ends the decision there; `terminated` and `truncated` keep their meaning.
    With prediction_horizon = execution_horizon = 1 and latency 0 it is the wrapped environment, bit for bit. The
    environment gets a copy of every action: what it does to it changes nothing here.

    Around another `ChunkedExecution` a tick is one of its decisions: `ticks`, `delay` and `discount` count decisions,
    whose rewards have the inner discount inside. Leave the inner discount at 1.0, or compute with the inner `discount`.

    Args:
        env: any Gymnasium environment with actions of Box, Discrete, MultiDiscrete, MultiBinary, Dict or Tuple.
        options: as arguments of their own, in order or by name, what `chunkenv.wrappers.ChunkOptions` lists:
            prediction_horizon, execution_horizon, latency; by name overlap, underrun, cold_start, discount,
            observe_prefix, delay_estimate, info, first_action, control_dt.

    Raises:
        ArgumentError: for an invalid argument, with what would be right.

    >>> import numpy as np
    >>> env = ChunkedExecution(gym.make("CartPole-v1"), prediction_horizon=8, execution_horizon=4, latency=2)
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step(np.array([0, 1, 0, 1, 0, 1, 0, 1]))
    >>> reward, info["ticks"], env.unwrapped.spec.id
    (4.0, 4, 'CartPole-v1')
    >>> env.request.tick, env.request.prefix, env.request.delay_estimate
    (4, array([0, 1]), 2)
    """

    _tick_rewards: Sequence[float] = ()
    """Of the last decision."""

    @with_arguments_of(ChunkOptions)
    def __init__(self, env: AnyEnv, options: ChunkOptions) -> None:
        expect_env(env, "ChunkedExecution")
        parts = ChunkParts(options, env, env.action_space, env.observation_space)
        gym.utils.RecordConstructorArgs.__init__(self, **parts.plain)
        gym.Wrapper.__init__(self, env)
        self._clock, self._delays, self._estimate = parts.clock, parts.delays, parts.estimate
        self._discount, self._account, self._full = parts.discount, parts.account, parts.full
        self._underrun, self._observe = parts.underrun, parts.observe
        self._read_chunk = Checked(parts.chunks, "chunk")
        self.action_space = parts.chunks
        self._world_space = env.observation_space
        if self._observe:
            self.observation_space = self._observe.space
        self._stream = Stream("latency", depth_of(type(self), env))
        self._chunk, self._rows = padding(parts.chunks), []
        self._cycle: Cycle | None = None
        parts.warn_of_underruns(stacklevel=3)

    @property
    def prediction_horizon(self) -> int:
        """Rows in a chunk, H."""
        return self._clock.prediction_horizon

    @property
    def execution_horizon(self) -> int:
        """Ticks between two requests, s."""
        return self._clock.execution_horizon

    @property
    def discount(self) -> float:
        """The discount of one tick."""
        return self._discount

    @property
    def control_dt(self) -> float | None:
        """Seconds per tick, None if unknown."""
        return self._delays.control_dt

    @property
    def delay_estimate(self) -> str:
        """What a request expects its inference to take: 'oracle', 'last', 'max' or 'max:n'."""
        return self._estimate.kind

    @property
    def chunk_space(self) -> AnySpace:
        """The space of chunks, whatever wrappers outside make of it."""
        return self._read_chunk.space

    @property
    def undiscounted_reward(self) -> float:
        """The sum of the rewards of the last decision's ticks, without discount; 0.0 before the first decision."""
        return discounted_sum(self._tick_rewards, 1.0)

    @property
    def request(self) -> Request:
        """The inference that the next `step` answers.

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
        """
        cycle = self._open_cycle("read the request")
        estimate = 0 if self._clock.next_is_free else self._estimate.predict(cycle.delay)
        left = self._clock.left
        left_over = cut(self.action_space, self._chunk, slice(left.start, left.stop))
        length = len(self._clock.prefix(estimate))
        prefix = cut(self.action_space, left_over, slice(0, length))
        return Request(self._clock.tick, prefix, length, estimate, self.execution_horizon, left_over)

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode; a seed also starts the latency's own random stream."""
        self._cycle = None
        observation, info = self.env.reset(seed=seed, options=options)
        self._clock.reset()
        self._delays.reset(self._stream.begin(seed))
        self._estimate.reset()
        self._last_action = None
        self._await_chunk()
        return self._show(observation), info

    def step(self, action: Chunk) -> StepResult:
        """Play the cycle of the current request with its chunk.

        Args:
            action: the chunk, a member of `action_space` (rows may exceed a Box's bounds: the environment clips).

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
            ActionError: for a chunk of the wrong shape or dtype, NaN, infinity, or out of a discrete range. Nothing
                has moved then: the next valid chunk is played as if nothing had happened.
            EnvironmentFault: if the wrapped environment returns a reward that is not a number, or NaN in
                the observation of the next request.
        """
        cycle = self._open_cycle("step")
        rows = split(self._read_chunk.space, chunk := self._read_chunk(action))
        waiting = self._underrun.action(self._last_action) if cycle.underruns else None
        planned = fill_underruns(cycle, self._underrun.kind, self._rows, rows, waiting)
        self._cycle = None  # an environment that raises inside a chunk leaves an episode that cannot go on
        play = play_rows(self.env, planned, self._last_observation, self._clock.tick, self._full)
        self._tick_rewards = play.rewards
        reward = discounted_sum(play.rewards, self._discount)
        if reward != reward:
            raise EnvironmentFault(describe_nan_rewards(self.env, play.rewards, self._clock.tick))
        if play.rewards and has_nan(self._world_space, play.observation):
            raise EnvironmentFault(describe_nan_observation(self.env, self._clock.tick + len(play.rewards)))
        stopped = len(planned) < cycle.ticks and not (play.terminated or play.truncated)
        ended = play.terminated or play.truncated or stopped
        info = self._summary(cycle, play, ended, stopped)
        if self._account:
            info |= self._details(cycle, play, planned)
        self._advance(cycle, chunk, rows, planned, play)
        observation = self._show(play.observation)
        if ended:
            self._cycle = None
        return observation, reward, play.terminated, play.truncated or stopped, info

    def _open_cycle(self, act: str) -> Cycle:
        if self._cycle is None:
            raise reset_needed(act)
        return self._cycle

    def _await_chunk(self) -> None:
        """Make the request of this tick; what its inference takes is settled from here on."""
        self._cycle = self._clock.cycle(0 if self._clock.next_is_free else self._delays.next())

    def _summary(self, cycle: Cycle, play: Play, ended: bool, stopped: bool) -> Info:
        played = len(play.rewards)
        summary: Info = {
            **play.info,
            "ticks": played,
            "discount": bootstrap_discount(self._discount, played, play.terminated),
            "delay": cycle.delay,
            "underruns": cycle.underruns_within(played) + stopped,
            "discarded": cycle.discarded(played, ended),
        }
        if play.first_success:
            summary[FIRST_SUCCESS] = play.first_success
        return summary

    def _details(self, cycle: Cycle, play: Play, planned: list[Action]) -> Info:
        played = len(play.rewards)
        details: Info = {
            "rewards": np.array(play.rewards, np.float64),
            "actions": copy.deepcopy(planned[:played]),
            "sources": np.array(cycle.sources(played), np.int64).reshape(played, 2),
            "staleness": np.array(cycle.staleness(played), np.int64),
        }
        return details | ({"observations": play.seen} if self._full else {})

    def _advance(self, cycle: Cycle, chunk: Chunk, rows: list[Action], planned: list[Action], play: Play) -> None:
        """Make the next request; after a truncation too, because its observation is bootstrapped from."""
        if play.terminated:
            self._clock.reset()
            self._cycle = self._clock.cycle(0)
            return
        played = len(play.rewards)
        if not self._clock.next_is_free:
            self._estimate.learn(cycle.delay)
        if cycle.arrived_by(played):
            self._chunk, self._rows = chunk, rows
        if played:
            self._last_action = planned[played - 1]
        self._clock.advance(cycle, played)
        self._await_chunk()

    def _show(self, observation: Observation) -> Observation:
        """The observation as the agent gets it."""
        # A stop before any tick returns it again; by then its owner may have written into what was returned before.
        self._last_observation = copy.deepcopy(observation) if self._underrun.stops else None
        return self._observe(observation, self.request) if self._observe else observation
