"""Training agents of the Q-chunking family: offline on a dataset, then online in an environment that executes chunks.

It lies above `chunkenv.agents`, which know nothing of environments: here chunks are requested and executed, late, and
what really ran is remembered tick by tick.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import gymnasium as gym
import jax
import numpy as np
from gymnasium import spaces

from chunkenv.agents import registry
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.learner import AgentSettings
from chunkenv.agents.common.optim import renew_bases
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.data import Dataset
from chunkenv.data.replay_buffer import Experience, ReplayBuffer, draw_batch
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Row, episode_seed, evaluate
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number
from chunkenv.utils.infos import reported_success
from chunkenv.utils.types import AnyEnv, Info
from chunkenv.wrappers import ChunkedExecution

AGENT = "agent.safetensors"
ROUND = 100  # updates between two reports
CHECKSUM_WINDOWS = 256  # that tell one dataset from another


@dataclass(frozen=True)
class TrainingConfig:
    """What a training is, but for its agent, its data and its seed.

    Attributes:
        id: of the environment, Box in and out.
        arguments: for `gymnasium.make`.
        offline_steps: updates on the data before the first tick is played.
        online_steps: ticks; a training ends with the episode that reaches them.
        updates_per_tick: while it plays.
        warm_up: ticks before the first update online; agents without an offline phase act at random meanwhile.
        execution_horizon: ticks between two requests; all that an inference decides if None.
        evaluate_every: steps, offline or online.
        episodes: of an evaluation.
        capacity: ticks played that are remembered.

    Raises:
        ArgumentError: for an invalid number.
    """

    id: str
    arguments: Facts = field(default_factory=dict)
    offline_steps: int = 100_000
    online_steps: int = 100_000
    updates_per_tick: int = 1
    warm_up: int = 0
    execution_horizon: int | None = None
    evaluate_every: int = 10_000
    episodes: int = 20
    capacity: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("offline_steps", "online_steps", "updates_per_tick", "warm_up"):
            whole_number(name, getattr(self, name), at_least=0)
        for name in ("evaluate_every", "episodes"):
            whole_number(name, getattr(self, name), at_least=1)
        if self.execution_horizon is not None:
            whole_number("execution_horizon", self.execution_horizon, at_least=1)
        whole_number("capacity", self.capacity, at_least=2)
        if not self.offline_steps + self.online_steps:
            raise ArgumentError("offline_steps=0 and online_steps=0 leave nothing to be done; give one of them.")


class OfflineOnlineTraining(Training):
    """The training of one agent: it depends on configuration, settings, data and seed, and on nothing else.

    Args:
        config: what to do.
        name: of the agent, one of `chunkenv.agents.registry.RECIPES`.
        settings: of the agent.
        data: for the offline phase, and for half or more of what is learned from online; None for neither.
        seed: of everything, at least 0.

    Attributes:
        agent: as it is now.
        seconds: of advancing, without evaluations.

    Raises:
        ArgumentError: an invalid environment, dataset or seed.
    """

    kind = "chunkenv Q-chunking training"

    def __init__(
        self, config: TrainingConfig, name: str, settings: AgentSettings, data: Dataset | None, seed: int
    ) -> None:
        self.config, self._name = config, name
        self.total_steps = config.offline_steps + config.online_steps
        self.report_every = self.evaluate_every = config.evaluate_every
        self._seed = whole_number("seed", seed, at_least=0)
        self._online_only = registry.RECIPES[name].online_only
        self._check_offline_phase(data)
        self._env = self.make_env(settings)
        space, actions = _vector_space(self._env.env, "observation_space"), _vector_space(self._env.env, "action_space")
        self.agent = registry.create(name, seed, space.shape[0], actions.shape[0], settings)
        self._offline = None if data is None else self.agent.experience(replay_dataset(data, self._env))
        self._online = ReplayBuffer(config.capacity, space.shape[0], actions.shape[0])
        self.updates, self.ticks, self.episodes, self.seconds = 0, 0, 0, 0.0

    @property
    def steps(self) -> int:
        """Updates offline and ticks online that were made."""
        return min(self.updates, self.config.offline_steps) + self.ticks

    @property
    def identity(self) -> Facts:
        """Configuration, agent, seed, and checksums of the data."""
        data = None if self._offline is None else _checksums(self._offline, self.agent.settings)
        about = {"name": self._name, "seed": self._seed, "data": data}
        return {"plan": asdict(self.config), **self.agent.facts(), **about}  # "plan": its name in files

    def make_env(self, settings: AgentSettings) -> ChunkedExecution:
        """The environment, which takes actions from -1 to 1 in chunks, as late as the agent's settings say."""
        env = gym.make(self.config.id, **self.config.arguments)
        _vector_space(env, "observation_space")
        horizons = settings.horizons
        return ChunkedExecution(
            with_unit_actions(env),
            horizons.prediction_horizon,
            self.config.execution_horizon or horizons.chunk,
            horizons.delay,
            info="full",
        )

    def advance(self) -> Metrics:
        """Make up to 100 updates offline, or play an episode online."""
        start = time.perf_counter()
        metrics = self._learn_offline() if self.updates < self.config.offline_steps else self._play_episode()
        self.seconds += time.perf_counter() - start
        return {"steps": self.steps, **metrics, "seconds": self.seconds}

    def evaluate(self) -> Metrics:
        """Play whole episodes without learning: mean return, share of successes (where reported), mean length."""
        settings = self.agent.settings
        rows = evaluate(
            lambda: self.make_env(settings), ChunkPolicy(self.agent), self.config.episodes, 2 * self._seed + 1
        )
        metrics = {"return": _mean(rows, "return"), "length": _mean(rows, "ticks")}
        known = [row for row in rows if row["success"] is not None]
        return {"solve_rate": _mean(known, "success"), **metrics} if known else metrics

    def state(self) -> tuple[Arrays, Facts]:
        """The agent, what was played, and the counts that random numbers follow from."""
        agent = {f"agent{name}": array for name, array in self.agent.arrays().items()}
        replay = {f"replay/{name}": array for name, array in self._online.arrays().items()}
        return agent | replay, {"counts": [self.updates, self.ticks, self.episodes], "seconds": self.seconds}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        self.agent = self.agent.restore(_under(arrays, "agent"), self.agent.facts())
        self._online.restore(_under(arrays, "replay/"))
        self.updates, self.ticks, self.episodes = facts["counts"]
        self.seconds = facts["seconds"]

    def write_results(self, folder: Path) -> None:
        """Write `agent.safetensors`."""
        self.agent.save(folder / AGENT)

    def _check_offline_phase(self, data: Dataset | None) -> None:
        steps = self.config.offline_steps
        if steps and data is None:
            raise ArgumentError(f"offline_steps={steps} needs data; give some, or offline_steps=0.")
        if self.config.online_steps and registry.RECIPES[self._name].offline_only:
            raise ArgumentError(
                f"online_steps={self.config.online_steps}, but {self._name} learns from data alone; give 0."
            )
        if steps and self._online_only:
            raise ArgumentError(
                f"{self._name} has no offline phase; give offline_steps=0: it learns from data as it plays."
            )

    def _learn_offline(self) -> Metrics:
        count = min(ROUND, self.config.offline_steps - self.updates)
        return self._learn(count, [self._offline] if self._offline is not None else [])

    def _learn(self, count: int, replays: Sequence[Experience]) -> Metrics:
        """Make so many updates; the means of their metrics."""
        settings, metrics = self.agent.settings, []
        for _ in range(count):
            rng = np.random.default_rng([self._seed, 0, self.updates])
            batch = draw_batch(replays, rng, settings.batch, settings.horizons, settings.symmetric_sampling)
            self.agent, info = self.agent.update(batch)
            self.updates += 1
            metrics.append(info)
        self.agent = renew_bases(self.agent)
        metrics = jax.device_get(metrics)
        return {key: float(np.mean([each[key] for each in metrics])) for key in metrics[0]} if metrics else {}

    def _play_episode(self) -> Metrics:
        env, metrics, total, ended = self._env, {}, 0.0, False
        reports: list[bool | None] = []
        observation, _ = env.reset(seed=episode_seed(2 * self._seed, self.episodes))
        replays = [replay for replay in (self._offline, self._online) if replay is not None]
        while not ended:
            before = observation
            observation, _, terminated, truncated, info = env.step(self._choose_chunk(observation))
            self._remember(before, info, terminated, truncated)
            reports.append(reported_success(info))
            total += float(np.sum(info["rewards"]))
            ended = terminated or truncated
            if self.ticks > self.config.warm_up:
                metrics = self._learn(info["ticks"] * self.config.updates_per_tick, replays)
        self.episodes += 1
        known = [report for report in reports if report is not None]
        success = {"episode_success": float(any(known))} if known else {}
        return {**metrics, "episode_return": total, **success}

    def _choose_chunk(self, observation: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng([self._seed, 1, self.ticks])
        if self._online_only and self.ticks < self.config.warm_up:
            return rng.uniform(-1, 1, self._env.action_space.shape or ()).astype(np.float32)
        return ChunkPolicy(self.agent).infer(observation, self._env.request._replace(rng=rng))

    def _remember(self, before: np.ndarray, info: Info, terminated: bool, truncated: bool) -> None:
        """Add what really ran, tick by tick."""
        observations, count = [before, *info["observations"]], info["ticks"]
        for tick in range(count):
            last = tick == count - 1
            action, reward = np.clip(info["actions"][tick], -1, 1), float(info["rewards"][tick])
            following = observations[tick + 1]
            self._online.add(observations[tick], action, reward, following, terminated and last, truncated and last)
        self.ticks += count


def with_unit_actions(env: AnyEnv) -> AnyEnv:
    """The environment with actions from -1 to 1, as agents give them.

    Raises:
        ArgumentError: its actions are no vectors with bounds.
    """
    box = _vector_space(env, "action_space")
    if np.all(box.low == -1) and np.all(box.high == 1):
        return env
    return gym.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))


def replay_dataset(data: Dataset, env: AnyEnv) -> ReplayBuffer:
    """A dataset as a replay, with actions from -1 to 1.

    Raises:
        ArgumentError: its observations or actions are not the environment's.
    """
    base = env.unwrapped
    box, space = _vector_space(base, "action_space"), _vector_space(base, "observation_space")
    for name, found, wanted in (("observations", data.observations, space), ("actions", data.actions, box)):
        if found.shape[1:] != wanted.shape:
            raise ArgumentError(
                f"The data have {name} of {found.shape[1]} numbers, the environment of {wanted.shape[0]}; "
                "give data of this environment."
            )
    unit = 2 * (np.asarray(data.actions) - box.low) / (box.high - box.low) - 1
    table = data.episodes
    return ReplayBuffer.from_episodes(
        np.asarray(data.observations),
        unit.clip(-1, 1).astype(np.float32),
        np.asarray(data.rewards),
        np.asarray(data.terminated),
        np.asarray(table.length),
        np.asarray(table.final_observation),
    )


def _vector_space(env: AnyEnv, name: str) -> spaces.Box:
    space = getattr(env, name)
    bounded = name == "observation_space" or (isinstance(space, spaces.Box) and space.is_bounded())
    if not (isinstance(space, spaces.Box) and len(space.shape) == 1 and bounded):
        raise ArgumentError(
            f"{env} has the {name} {space}; these agents need a Box of one axis (actions: with bounds)."
        )
    return space


def _checksums(replay: Experience, settings: AgentSettings) -> list[float]:
    """What tells one dataset from another, without reading all of it."""
    batch = replay.sample(np.random.default_rng(0), CHECKSUM_WINDOWS, settings.horizons)
    return [float(len(replay)), *(float(np.sum(column, dtype=np.float64)) for column in batch[:4])]


def _under(arrays: Arrays, place: str) -> Arrays:
    return {name.removeprefix(place): array for name, array in arrays.items() if name.startswith(place)}


def _mean(rows: Sequence[Row], name: str) -> float:
    return float(np.mean([float(row[name]) for row in rows]))
