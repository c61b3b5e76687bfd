"""Any environment as a chunked-action MDP with delayed, asynchronous execution."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np

from chunkenv.clock import Cycle, Delay, Schedule, bootstrap_discount, discounted_sum, first_usable
from chunkenv.errors import ArgumentError, EnvironmentFault, reset_needed
from chunkenv.latency.measured import not_measured
from chunkenv.request import Chunk, Request
from chunkenv.utils.checks import expect_env
from chunkenv.utils.infos import FIRST_SUCCESS
from chunkenv.utils.seeding import Stream
from chunkenv.utils.spaces import Checked, cut, has_nan, split
from chunkenv.utils.types import Action, AnyEnv, AnySpace, Info, Observation, StepResult
from chunkenv.wrappers.chunk_queue import ChunkQueue, FlightQueue, Queue
from chunkenv.wrappers.decision_space import DecisionSpace
from chunkenv.wrappers.depth import depth_of
from chunkenv.wrappers.options import ChunkOptions, ChunkParts, with_arguments_of
from chunkenv.wrappers.tick_player import Play, describe_nan_observation, describe_nan_rewards, play_rows

Correct: TypeAlias = Callable[[int, Observation, Action], Action]


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
    last tick. Some options add

        horizon        execution_horizon=(low, high): what the agent chose
        row_delays     a latency whose rows stream: int [H], ticks until each row is there, -1 for one that never comes
        overtaken      several in flight: chunks dropped because a newer one had arrived before
        in_flight      several in flight: inferences under way at the end
        broken_prefix  several in flight: ticks, for each inference under way, in which something else ran than its
                       prefix showed, because another chunk came sooner or later than expected
        base_actions   a correction, with info='actions': the actions without it

    An episode that ends inside a cycle ends the decision there; `terminated` and `truncated` keep their meaning.
    With prediction_horizon = execution_horizon = 1 and latency 0 it is the wrapped environment, bit for bit. The
    environment gets a copy of every action: what it does to it changes nothing here.

    Around another `ChunkedExecution` a tick is one of its decisions: `ticks`, `delay` and `discount` count decisions,
    whose rewards have the inner discount inside. Leave the inner discount at 1.0, or compute with the inner `discount`.

    Args:
        env: any Gymnasium environment with actions of Box, Discrete, MultiDiscrete, MultiBinary, Dict or Tuple.
        options: as arguments of their own, in order or by name, what `chunkenv.wrappers.ChunkOptions` lists:
            prediction_horizon, execution_horizon, latency; by name overlap, underrun, cold_start, discount,
            observe_prefix, delay_estimate, info, first_action, control_dt, max_in_flight, request_period, delays,
            correction.

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
        self._queue: Queue = parts.make_queue(env.action_space)
        self._delays, self._estimate = parts.delays, parts.estimate
        self._discount, self._account, self._full = parts.discount, parts.account, parts.full
        self._underrun, self._observe = parts.underrun, parts.observe
        self._read_chunk = Checked(parts.chunks, "chunk")
        self.action_space = parts.decisions
        self._set_rules(parts)
        self._world_space = env.observation_space
        if self._observe:
            self.observation_space = self._observe.space
        self._stream = Stream("latency", depth_of(type(self), env))
        self._cycle: Cycle | Schedule | None = None
        parts.warn_of_underruns(stacklevel=3)

    def _set_rules(self, parts: ChunkParts) -> None:
        """What most environments do not have: choices of the agent, measured latency, corrections."""
        self._flies, self._several = isinstance(self._queue, FlightQueue), parts.several
        self._settles_late = parts.settles_late
        self._decisions = parts.decisions if isinstance(parts.decisions, DecisionSpace) else None
        self._read_action = Checked(parts.decisions, "action") if self._decisions else None
        self._correction = parts.correction
        self._corrections = Stream("correction", depth_of(type(self), self.env))
        self._delay: Delay = 0  # of the present request
        self._charged: Delay | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles of earlier versions knew one inference at a time only."""
        if "_queue" not in state:
            last = state.pop("_chunk"), state.pop("_rows")
            state["_queue"] = ChunkQueue(state.pop("_clock"), state["_read_chunk"].space, *last)
            state |= {
                "_flies": False,
                "_several": False,
                "_settles_late": False,
                "_decisions": None,
                "_correction": None,
            }
        self.__dict__.update(state)

    @property
    def prediction_horizon(self) -> int:
        """Rows in a chunk, H."""
        return self._queue.clock.prediction_horizon

    @property
    def execution_horizon(self) -> int:
        """Ticks between two requests, s."""
        return self._queue.clock.execution_horizon

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
        """What a request expects its inference to take, as `ChunkOptions` says."""
        return self._estimate.kind

    @property
    def chunk_space(self) -> AnySpace:
        """The space of chunks, whatever wrappers outside make of it."""
        return self._read_chunk.space

    @property
    def max_in_flight(self) -> int:
        """Inferences under way at a time, k."""
        return self._queue.clock.max_in_flight

    @property
    def latency_is_measured(self) -> bool:
        """Whether `charge` has to be called before each step."""
        return self._delays.measured

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
        return self._request_for(0 if self._queue.clock.next_is_free else self._estimate.predict(cycle.delay))

    def request_after(self, delay: int) -> Request:
        """The request for an inference that will take `delay` ticks, where the agent chooses them.

        Raises:
            ResetNeededError: before the first reset, and after the end of an episode.
        """
        self._open_cycle("read the request")
        return self._request_for(0 if self._queue.clock.next_is_free else delay)

    def _request_for(self, estimate: int) -> Request:
        clock, left_over = self._queue.clock, self._queue.left_over()
        length = len(clock.prefix(estimate))
        return Request(
            clock.tick,
            cut(self._read_chunk.space, left_over, slice(0, length)),
            length,
            estimate,
            clock.execution_horizon,
            left_over,
            pending=self._queue.pending(),
            horizons=clock.horizons,
            delays=self._decisions.delays if self._decisions else None,
        )

    def charge(self, seconds: float) -> None:
        """With `latency=Measured()`: tell what the inference took whose chunk the next `step` plays.

        Args:
            seconds: wall time, at least 0.

        Raises:
            ArgumentError: the latency is not measured, or it is no time.
            ResetNeededError: before the first reset, and after the end of an episode.
        """
        self._open_cycle("charge an inference")
        if not self._delays.measured:
            raise not_measured(seconds, self._delays.plain)
        self._charged = self._delays.charged(seconds)

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode; a seed also starts the latency's own random stream."""
        self._cycle = None
        observation, info = self.env.reset(seed=seed, options=options)
        self._queue.reset()
        self._delays.reset(self._stream.begin(seed))
        self._estimate.reset()
        self._last_action, self._charged = None, None
        if self._correction:
            self._correction_rng = self._corrections.begin(seed)
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
        if self._settles_late:
            cycle, chunk = self._settle(action)
        else:
            chunk = self._read_chunk(action)
        rows = split(self._read_chunk.space, chunk)
        waiting = self._underrun.action(self._last_action) if cycle.underruns else None
        planned = self._queue.fill(cycle, rows, self._underrun.kind, waiting)
        tick, executed = self._queue.clock.tick, planned
        correct = self._begin_correcting(cycle, executed := []) if self._correction else None
        self._cycle = None  # an environment that raises inside a chunk leaves an episode that cannot go on
        play = play_rows(self.env, planned, self._last_observation, tick, self._full, correct)
        self._tick_rewards = play.rewards
        reward = discounted_sum(play.rewards, self._discount)
        if reward != reward:
            raise EnvironmentFault(describe_nan_rewards(self.env, play.rewards, tick))
        if play.rewards and has_nan(self._world_space, play.observation):
            raise EnvironmentFault(describe_nan_observation(self.env, tick + len(play.rewards)))
        stopped = len(planned) < cycle.ticks and not (play.terminated or play.truncated)
        ended = play.terminated or play.truncated or stopped
        info = self._summary(cycle, play, ended, stopped)
        if self._account:
            info |= self._details(cycle, play, planned, executed)
        self._advance(cycle, chunk, rows, executed, play)
        observation = self._show(play.observation)
        if ended:
            self._cycle = None
        return observation, reward, play.terminated, play.truncated or stopped, info

    def _settle(self, action: Action) -> tuple[Cycle | Schedule, Chunk]:
        """The cycle as the agent's choices, or the time that its inference took, make it; and the chunk."""
        delay, horizon = self._delay, None
        if self._decisions and self._read_action:
            chunk, horizon, chosen = self._decisions.read(self._read_action(action))
            delay = delay if chosen is None else int(chosen)
        else:
            chunk = self._read_chunk(action)
        if self._delays.measured:
            delay = self._take_charge()
        self._horizon = None if horizon is None else int(horizon)
        return self._plan(delay, self._horizon), chunk

    def _take_charge(self) -> Delay:
        """The delay that was charged for this decision; the next one needs a charge of its own."""
        charged, self._charged = self._charged, None
        if charged is None and not self._queue.clock.next_is_free:
            raise ArgumentError(
                f"latency={self._delays.plain!r} charges what an inference took, but nobody has said that: call "
                "charge(seconds) before step, as chunkenv.evaluate does."
            )
        return charged or 0

    def _plan(self, delay: Delay, horizon: int | None = None) -> Cycle | Schedule:
        if not self._flies:
            return self._queue.plan(delay, horizon)
        return self._queue.plan(delay, horizon, self._estimate.predict(first_usable(delay)))

    def _begin_correcting(self, cycle: Cycle | Schedule, executed: list[Action]) -> Correct:
        assert self._correction is not None
        holds, tick = self._underrun.kind == "hold", self._queue.clock.tick
        return self._correction.begin(cycle.sources(), tick, holds, self._correction_rng, executed)

    def _open_cycle(self, act: str) -> Cycle | Schedule:
        if self._cycle is None:
            raise reset_needed(act)
        return self._cycle

    def _await_chunk(self) -> None:
        """Make the request of this tick; what its inference takes is settled from here on."""
        queue, delay = self._queue, 0
        if not queue.clock.next_is_free:
            delay = self._expected_delay() if self._settles_late else self._delays.next()
        self._delay, self._cycle = delay, self._plan(delay) if self._flies else queue.clock.cycle(delay)

    def _expected_delay(self) -> Delay:
        """What the next inference takes, where the agent or its time will say that with the chunk."""
        if self._decisions and self._decisions.delays is not None:
            return self._decisions.delays[-1]
        return self._estimate.predict(0) if self._delays.measured else self._delays.next()

    def _summary(self, cycle: Cycle | Schedule, play: Play, ended: bool, stopped: bool) -> Info:
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
        if self._settles_late and self._horizon is not None:
            summary["horizon"] = self._horizon
        if self._flies:
            summary |= self._summary_of_flights(cycle, played)
        return summary

    def _summary_of_flights(self, schedule: Any, played: int) -> Info:
        summary: Info = {}
        if self._delays.streams:
            summary["row_delays"] = np.array(schedule.delays_of_rows(self.prediction_horizon), np.int64)
        if self._several:
            count = schedule.counts[played]
            summary |= {
                "overtaken": count.overtaken,
                "in_flight": count.in_flight,
                "broken_prefix": count.broken_prefix,
            }
        return summary

    def _details(self, cycle: Cycle | Schedule, play: Play, planned: list[Action], executed: list[Action]) -> Info:
        played = len(play.rewards)
        details: Info = {
            "rewards": np.array(play.rewards, np.float64),
            "actions": copy.deepcopy(executed[:played]),
            "sources": np.array(cycle.sources(played), np.int64).reshape(played, 2),
            "staleness": np.array(cycle.staleness(played), np.int64),
        }
        if self._correction:
            details["base_actions"] = copy.deepcopy(planned[:played])
        return details | ({"observations": play.seen} if self._full else {})

    def _advance(
        self, cycle: Cycle | Schedule, chunk: Chunk, rows: list[Action], executed: list[Action], play: Play
    ) -> None:
        """Make the next request; after a truncation too, because its observation is bootstrapped from."""
        if play.terminated:
            self._queue.reset()
            self._cycle = self._queue.plan(0)
            return
        played = len(play.rewards)
        for delay in self._queue.advance(cycle, played, chunk, rows):
            self._estimate.learn(delay)
        if played:
            self._last_action = executed[played - 1]
        self._await_chunk()

    def _show(self, observation: Observation) -> Observation:
        """The observation as the agent gets it."""
        # A stop before any tick returns it again; by then its owner may have written into what was returned before.
        kept = self._underrun.stops or self._correction
        self._last_observation = copy.deepcopy(observation) if kept else None
        return self._observe(observation, self.request) if self._observe else observation
