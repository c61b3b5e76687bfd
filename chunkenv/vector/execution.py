"""Many environments as chunked-action MDPs with delayed, asynchronous execution, each in its own phase."""

from __future__ import annotations

from collections.abc import Sequence

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, iterate

from chunkenv.clock import FlightClock, discounted_sums
from chunkenv.errors import EnvironmentFault, ResetNeededError, reset_needed
from chunkenv.latency.measured import not_measured
from chunkenv.request import Chunk, VectorRequest
from chunkenv.utils.autoreset import Autoreset, read_start
from chunkenv.utils.batching import BatchReader, Infos, Playback, merge_infos, object_array
from chunkenv.utils.infos import FIRST_SUCCESS
from chunkenv.utils.spaces import has_nan, map_parts, split
from chunkenv.utils.types import Action, AnySpace, AnyVectorEnv, Info, Observation
from chunkenv.vector.chunk_store import ChunkStore
from chunkenv.vector.clocks import Clocks, Cycles, Outcome, Places, account
from chunkenv.vector.corrected_play import CorrectedPlay
from chunkenv.vector.delay_streams import VectorDelays, VectorEstimate
from chunkenv.vector.flight_clocks import FlightClocks
from chunkenv.vector.settling import Settling, read_delays
from chunkenv.vector.sync_playable import playable
from chunkenv.vector.vector_prefix import VectorPrefixObservation
from chunkenv.wrappers.chunked_execution import ChunkedExecution
from chunkenv.wrappers.decision_space import DecisionSpace
from chunkenv.wrappers.depth import depth_of
from chunkenv.wrappers.options import ChunkOptions, ChunkParts, with_arguments_of
from chunkenv.wrappers.tick_player import describe_nan_observation, describe_nan_rewards


class ChunkedVectorExecution(VectorWrapper, gym.utils.RecordConstructorArgs):
    """`chunkenv.ChunkedExecution` for many environments at once: a step is one decision of every one of them.

    Environment i is, to the bit, what `ChunkedExecution` is around that environment alone, reset with seed + i: its
    observations, rewards, flags and info. Each plays its own number of ticks: one that ends inside its cycle, or whose
    cycle is short, is not stepped on. Latency is drawn for each from a stream of its own.

    The autoreset mode is that of the wrapped vector environment (`metadata["autoreset_mode"]`), and counts decisions:
    with NEXT_STEP the decision after an end is a reset, which ignores its chunk and plays no tick (`ticks` is 0 and
    masked out); with SAME_STEP `final_obs` and `final_info` have the last observation (with its prefix) and info; with
    DISABLED the caller resets, with `options={"reset_mask": ...}`.

    info has gymnasium's layout: an array per key, and under `_key` which environments have it. The keys are those of
    `ChunkedExecution`; with `info='actions'` the values of every tick are object arrays, one array or list per
    environment, because the numbers of ticks differ. That costs time, and `info='full'` much more: its observations
    take one step of all environments for each tick.

    Where the agent chooses horizons or delays, actions are N members of a `chunkenv.wrappers.DecisionSpace`, batched.
    With `latency=Measured()` call `charge(float64[N])` before each step. A correction needs the observation of every
    tick: each tick is then a call of its own into the environments, natively played ones too. It may have the method
    `correct_batch(observations, rows, row_index, tick, rngs)` for all of them at once: see
    `chunkenv.vector.corrected_play.CorrectedPlay`.

    An environment that raises leaves none of them fit to go on: the others have played their ticks, and what came of
    them is lost; call `reset()`.

    Args:
        vector_env: a `KinetixVectorEnv` or `ManipulationVectorEnv` (N cycles in one call into the engine), or
            gymnasium's `SyncVectorEnv` (played environment by environment). Others can only be stepped whole, which is
            not exact once a member's episode ends inside the cycle; wrap their environments in `ChunkedExecution`.
        options: as arguments of their own, in order or by name: those of `ChunkedExecution`, which are listed in
            `chunkenv.wrappers.ChunkOptions`.

    Raises:
        ArgumentError: for an invalid argument, or a vector environment that can only be stepped whole.

    >>> inner = gym.make_vec("CartPole-v1", num_envs=3, vectorization_mode="sync")
    >>> envs = ChunkedVectorExecution(inner, prediction_horizon=8, execution_horizon=4, latency=2)
    >>> observations, infos = envs.reset(seed=0)
    >>> observations, rewards, terminated, truncated, infos = envs.step(np.tile([0, 1], (3, 4)))
    >>> rewards, infos["ticks"], envs.request.prefix_length
    (array([4., 4., 4.]), array([4, 4, 4]), array([2, 2, 2]))
    """

    _rewarded: tuple[np.ndarray, np.ndarray] | None = None
    """Rewards and numbers of the last decisions' ticks."""
    _settling: Settling | None = None
    _corrected: CorrectedPlay | None = None
    _horizons: np.ndarray | None = None
    """Those that the agent chose with the last decisions."""

    @with_arguments_of(ChunkOptions)
    def __init__(self, vector_env: AnyVectorEnv, options: ChunkOptions) -> None:
        self._player = playable(vector_env)
        single = vector_env.single_action_space, vector_env.single_observation_space
        parts = ChunkParts(options, vector_env, *single)
        gym.utils.RecordConstructorArgs.__init__(self, **parts.plain)
        VectorWrapper.__init__(self, vector_env)
        self._set_spaces(parts)
        self._discount, self._underrun = parts.discount, parts.underrun
        self._account, self._full = parts.account, parts.full
        self._clocks = _make_clocks(parts, self.num_envs)
        self._delays = VectorDelays(parts.delays, _depths(vector_env))
        self._estimate = VectorEstimate(parts.estimate, self.num_envs)
        self._store = ChunkStore(parts.chunks, vector_env.single_action_space, parts.underrun, self.num_envs)
        self._set_rules(parts, vector_env)
        self._autoreset = Autoreset(
            vector_env.metadata.get("autoreset_mode"), self.num_envs, self.single_observation_space
        )
        self._delay = np.zeros(self.num_envs, np.int64)
        self._cycles: Cycles | None = None
        parts.warn_of_underruns(stacklevel=3)

    def _set_rules(self, parts: ChunkParts, vector_env: AnyVectorEnv) -> None:
        """What most environments do not have: choices of the agent, measured latency, corrections."""
        if parts.settles_late:
            self._settling = Settling(parts.decisions, self._delays, self.num_envs)
        if parts.correction:
            space, holds = vector_env.observation_space, self._underrun.kind == "hold"
            self._corrected = CorrectedPlay(parts.correction, self._player, space, _depths(vector_env), holds)

    def _set_spaces(self, parts: ChunkParts) -> None:
        self._read_chunks = BatchReader(parts.chunks, self.num_envs, "chunk")
        self.single_action_space = parts.decisions
        self.action_space = batch_space(parts.decisions, self.num_envs)
        self._observe = None
        if parts.observe:
            self._observe = VectorPrefixObservation(
                parts.observe, batch_space(parts.observe.parts_space, self.num_envs)
            )
            self.single_observation_space = parts.observe.space
            self.observation_space = batch_space(parts.observe.space, self.num_envs)

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When environments that ended are reset, as `metadata` says it too."""
        return self._autoreset.mode

    @property
    def prediction_horizon(self) -> int:
        """Rows in a chunk, H."""
        return self._clocks.prediction_horizon

    @property
    def execution_horizon(self) -> int:
        """Ticks between two requests, s."""
        return self._clocks.execution_horizon

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
        """The space of one chunk, whatever is chosen with it."""
        return self.single_action_space if self._decisions is None else self._decisions["chunk"]

    @property
    def max_in_flight(self) -> int:
        """Inferences under way at a time, k."""
        return self._clocks.max_in_flight

    @property
    def latency_is_measured(self) -> bool:
        """Whether `charge` has to be called before each step."""
        return self._delays.measured

    @property
    def _decisions(self) -> DecisionSpace | None:
        return self._settling.decisions if self._settling else None

    @property
    def undiscounted_reward(self) -> np.ndarray:
        """The sums of the rewards of the last decisions' ticks, float64[N], without discount; 0.0 before the first."""
        return np.zeros(self.num_envs) if self._rewarded is None else discounted_sums(*self._rewarded, discount=1.0)

    @property
    def request(self) -> VectorRequest:
        """The inferences that the next `step` answers, one of each environment.

        Raises:
            ResetNeededError: before the first reset.
        """
        self._expect_requests("read the request")
        return self._request_for(self._expected_delays())

    def request_after(self, delays: np.ndarray) -> VectorRequest:
        """The requests for inferences that will take `delays` ticks, int64[N], where the agent chooses them.

        Raises:
            ResetNeededError: before the first reset.
            ArgumentError: delays that do not fit.
        """
        self._expect_requests("read the request")
        chosen = read_delays(delays, self.num_envs)
        return self._request_for(np.where(self._clocks.next_is_free, 0, chosen))

    def _request_for(self, estimates: np.ndarray) -> VectorRequest:
        lengths, decisions = self._clocks.left_lengths, self._decisions
        return VectorRequest(
            self._clocks.tick.copy(),
            *self._prefix_for(estimates),
            estimates,
            self.execution_horizon,
            self._clocks.rows_left(self._store, lengths),
            lengths,
            pending=self._clocks.pending(self._store),
            horizons=self._clocks.horizons,
            delays=decisions.delays if decisions else None,
        )

    def charge(self, seconds: np.ndarray) -> None:
        """With `latency=Measured()`: tell what the inferences took whose chunks the next `step` plays.

        Args:
            seconds: float64[N], wall time, at least 0; that of an environment which has ended is not looked at.

        Raises:
            ArgumentError: the latency is not measured, or the seconds do not fit.
            ResetNeededError: before the first reset.
        """
        self._expect_requests("charge inferences")
        if self._settling is None:
            raise not_measured(seconds, self._delays.plain)
        self._settling.charge(seconds, ~self._autoreset.ended)

    def _expect_requests(self, act: str) -> None:
        if self._cycles is None:
            raise reset_needed(act)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: Info | None = None
    ) -> tuple[Observation, Infos]:
        """Start episodes; seeds also start the latency's own random streams.

        Args:
            seed: s gives environment i the seed s + i; or one for each.
            options: with "reset_mask" (bool[N]) only those environments are reset; the rest goes to the environments.

        Raises:
            ArgumentError: seeds or a mask that do not fit; nothing was reset.
            ResetNeededError: a mask that leaves some out, when none of them is ready to go on.
        """
        start = read_start(seed, options, self.num_envs)
        if self._cycles is None and not start.members.all():
            raise ResetNeededError("cannot reset a part of the environments: none is under way; reset all of them.")
        self._cycles = None
        _, infos = self._restart(start.members, start.seeds, start.options)
        self._autoreset.ended &= ~start.members
        return self._show(self._player.observe()), infos

    def step(self, actions: Chunk) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Infos]:
        """Play the cycle of each environment's request with its chunk.

        Args:
            actions: N chunks, a member of `action_space` (rows may exceed a Box's bounds: the environments clip).

        Raises:
            ResetNeededError: before the first reset, or with the autoreset mode DISABLED after an end.
            ActionError: for chunks of a wrong shape or dtype, or one with NaN, infinity, or out of a discrete range,
                with the index of its environment. Nothing has moved then.
            EnvironmentFault: if an environment returns a reward that is not a number, or NaN in the observation of
                its next request, with its index.
        """
        if self._cycles is None:
            raise reset_needed("step")
        resetting = self._autoreset.resetting()
        chunks, cycles = self._settle(actions, self._cycles, resetting)
        plan = self._plan(cycles, resetting)
        planned = self._store.actions(chunks, plan.rows)
        self._cycles = None  # an environment that raises inside a chunk leaves episodes that cannot go on
        play, executed = self._play(planned, plan.ticks, cycles)
        self._rewarded = play.rewards, play.ticks
        rewards = self._rewards(play)
        self._expect_numbers(play)
        stopped = plan.stopped & ~(play.terminated | play.truncated)
        ended = play.terminated | play.truncated | stopped
        result = self._clocks.outcome(cycles, play.ticks, play.terminated, ended, self._discount)
        infos = self._infos(cycles, play, result, (planned, executed), ~resetting, stopped)
        self._store.keep(chunks, result.arrived, executed, play.ticks)
        self._advance(cycles, play, result, ~resetting)
        observations, infos = self._autoreset.settle(
            self._show(play.observations), ended, infos, resetting, self._restart
        )
        return observations, rewards, play.terminated, play.truncated | stopped, infos

    def _settle(self, actions: Chunk, cycles: Cycles, resetting: np.ndarray) -> tuple[Chunk, Cycles]:
        """The chunks, and the cycles as the agent's choices, or the time that its inferences took, make them."""
        if self._settling is None:
            return self._read_chunks(actions, ignored=resetting), cycles
        chunks, self._horizons, delays = self._settling.read(actions, resetting, self._clocks.next_is_free)
        if delays is not None:
            self._delay = delays
        return chunks, self._plan_cycles(self._horizons)

    def _plan_cycles(self, horizons: np.ndarray | None = None) -> Cycles:
        if isinstance(self._clocks, Clocks):
            return self._clocks.cycles(self._delay, horizons)
        expected = self._estimate.predict(self._clocks.usable(self._delay))
        return self._clocks.cycles(self._delay, horizons, expected)

    def _play(self, planned: Action, ticks: np.ndarray, cycles: Cycles) -> tuple[Playback, Action]:
        """What came of the planned actions, and the actions as they were executed."""
        if self._corrected is None:
            return self._player.play(planned, ticks, every_tick=self._full), planned
        return self._corrected.play(planned, ticks, cycles.row_indices(), self._clocks.tick, self._full)

    def _plan(self, cycles: Cycles, resetting: np.ndarray) -> Places:
        """Which rows run; none in an environment that is being reset."""
        plan = self._clocks.places(cycles, self._underrun.kind)
        return plan._replace(ticks=np.where(resetting, 0, plan.ticks), stopped=plan.stopped & ~resetting)

    def _rewards(self, play: Playback) -> np.ndarray:
        rewards = discounted_sums(play.rewards, play.ticks, self._discount)
        if (faulty := np.flatnonzero(np.isnan(rewards))).size:
            index = int(faulty[0])
            name = f"environment {index} of {self.env}"
            tick = int(self._clocks.tick[index])
            raise EnvironmentFault(describe_nan_rewards(name, list(play.rewards[index, : play.ticks[index]]), tick))
        return rewards

    def _expect_numbers(self, play: Playback) -> None:
        """Refuse observations with NaN."""
        if not has_nan(self.env.observation_space, play.observations):
            return
        each = enumerate(iterate(self.env.observation_space, play.observations))
        index = next(index for index, seen in each if has_nan(self.env.single_observation_space, seen))
        tick = int(self._clocks.tick[index] + play.ticks[index])
        raise EnvironmentFault(describe_nan_observation(f"environment {index} of {self.env}", tick))

    def _infos(
        self,
        cycles: Cycles,
        play: Playback,
        result: Outcome,
        actions: tuple[Action, Action],
        playing: np.ndarray,
        stopped: np.ndarray,
    ) -> Infos:
        """The environments' infos, with what the chunks add to those that play."""
        values: dict[str, np.ndarray] = {
            "ticks": play.ticks,
            "discount": result.discount,
            "delay": result.delay,
            "underruns": result.underruns + stopped,
            "discarded": result.discarded,
            **self._clocks.summary(cycles, play.ticks),
        }
        if self._horizons is not None:
            values["horizon"] = self._horizons
        blank: Infos = values if playing.all() else {key: _where(playing, value) for key, value in values.items()}
        if self._account:
            blank |= self._details(cycles, play, actions, playing)
        blank |= {f"_{key}": playing.copy() for key in blank}
        if (success := _first_success(play)).any():
            blank |= {FIRST_SUCCESS: success, f"_{FIRST_SUCCESS}": success > 0}
        return merge_infos(play.infos, blank)

    def _details(
        self, cycles: Cycles, play: Playback, actions: tuple[Action, Action], playing: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What happened in each tick, environment by environment."""
        planned, executed = actions
        members = np.flatnonzero(playing).tolist()
        counts = play.ticks.tolist()
        accounts = {i: account(cycles.plans[cycles.which[i]], counts[i]) for i in members}
        details = {
            "rewards": {i: play.rewards[i, : counts[i]].copy() for i in members},
            "actions": {i: self._split_actions(executed, i, counts[i]) for i in members},
            "sources": {i: sources.copy() for i, (sources, _) in accounts.items()},
            "staleness": {i: staleness.copy() for i, (_, staleness) in accounts.items()},
        }
        if self._corrected:
            details["base_actions"] = {i: self._split_actions(planned, i, counts[i]) for i in members}
        if play.seen is not None:
            details["observations"] = {i: play.seen[i] for i in members}
        return {key: object_array(values, self.num_envs) for key, values in details.items()}

    def _split_actions(self, actions: Action, index: int, count: int) -> list[Action]:
        chunks = self.chunk_space
        return split(chunks, map_parts(lambda _, value: value[index, :count].copy(), chunks, actions))

    def _advance(self, cycles: Cycles, play: Playback, result: Outcome, playing: np.ndarray) -> None:
        """Make the next requests; after a truncation too, because its observation is bootstrapped from."""
        over, going = playing & play.terminated, playing & ~play.terminated
        for met in self._clocks.advance(cycles, result, play.ticks, going):
            self._estimate.learn(met.delays, met.members)
        self._clocks.reset(over)
        self._store.forget(self._clocks.oldest)
        self._delay = np.where(over, 0, self._delay)
        self._await_chunks(going)

    def _restart(
        self, members: np.ndarray, seeds: Sequence[int | None] | None = None, options: Info | None = None
    ) -> tuple[Observation, Infos]:
        """Start episodes in some environments, and make their first requests."""
        seeds = [None] * self.num_envs if seeds is None else seeds
        self._cycles = None
        observations, infos = self._player.restart(members, seeds, options)
        self._clocks.reset(members)
        self._delays.reset(members, seeds)
        self._estimate.reset(members)
        self._store.reset(members)
        if self._settling:
            self._settling.reset(members)
        if self._corrected:
            self._corrected.reset(members, seeds)
        self._await_chunks(members)
        return self._show(observations), infos

    def _await_chunks(self, members: np.ndarray) -> None:
        """Make the requests of some environments; what their inferences take is settled from here on."""
        drawn = self._next_delays(members & ~self._clocks.next_is_free)
        self._delay = np.where(members, drawn, self._delay)
        self._cycles = self._plan_cycles()

    def _next_delays(self, members: np.ndarray) -> np.ndarray:
        """What the next inferences take; where the agent or their time will say that, what may be expected."""
        if self._decisions and self._decisions.delays is not None:
            return np.where(members, self._decisions.delays[-1], 0)
        if self._delays.measured:
            return np.where(members, self._estimate.predict(np.zeros_like(self._clocks.tick)), 0)
        return self._delays.next(members)

    def _expected_delays(self) -> np.ndarray:
        """What the next inferences are expected to take, int64[N] in ticks."""
        real = self._clocks.usable(self._delay)
        return np.where(self._clocks.next_is_free, 0, self._estimate.predict(real))

    def _prefix_for(self, estimates: np.ndarray) -> tuple[Chunk, np.ndarray]:
        """What runs during inferences that take so many ticks: rows, and how many they are."""
        lengths = self._clocks.prefix_lengths(estimates)
        return self._clocks.rows_left(self._store, lengths), lengths

    def _show(self, observations: Observation) -> Observation:
        """The observations as the agent gets them, of environments whose next cycles are planned."""
        if self._observe is None:
            return observations
        estimates = self._expected_delays()
        pending = self._clocks.pending(self._store)
        return self._observe(observations, *self._prefix_for(estimates), estimates, pending)


def _make_clocks(parts: ChunkParts, num_envs: int) -> Clocks | FlightClocks:
    """The clocks: the simple ones where they are enough."""
    if isinstance(parts.clock, FlightClock):
        return FlightClocks(parts.clock, num_envs, parts.delays.streams)
    return Clocks(parts.clock, num_envs)


def _where(members: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values [N, ...] of some environments (bool[N]), 0 elsewhere."""
    return np.where(members.reshape(-1, *[1] * (values.ndim - 1)), values, 0)


def _first_success(play: Playback) -> np.ndarray:
    """Ticks played when each environment first reported success, int64[N], 0 if it didn't."""
    if play.first_success is not None:
        return play.first_success
    return np.where(play.infos.get("success", False), play.ticks, 0)


def _depths(vector_env: AnyVectorEnv) -> list[int]:
    """How many times each environment is chunked already."""
    if isinstance(vector_env, SyncVectorEnv):
        return [depth_of(ChunkedExecution, env) for env in vector_env.envs]
    return [0] * vector_env.num_envs
