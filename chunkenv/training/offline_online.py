"""Trainings of the Q-chunking family: offline on a dataset, then online in an environment that executes chunks, late.

It lies above `chunkenv.agents`, which know nothing of environments: here chunks are asked for and executed, and what
really ran is remembered tick by tick.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import jax
import numpy as np
from gymnasium import spaces

from chunkenv.agents import registry as q_agents
from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.common.saving import arrays_of, facts_of, restored
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.data import Dataset
from chunkenv.data.replay_buffer import ReplayBuffer, draw
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import episode_seed, evaluate
from chunkenv.training.metrics import Journal, Metrics
from chunkenv.utils.checks import whole_number
from chunkenv.wrappers import ChunkedExecution

KIND = "chunkenv Q-chunking training"
AGENT, UNFINISHED = "agent.safetensors", "resume.safetensors"
ROUND = 100  # updates between two reports
MEASURED = 256  # windows that checksums of the data are taken from


@dataclass(frozen=True)
class Plan:
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
        ArgumentError: for a number that cannot be meant.
    """

    id: str
    arguments: dict[str, Any] = field(default_factory=dict)
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
        whole_number("capacity", self.capacity, at_least=2)
        if not self.offline_steps + self.online_steps:
            raise ArgumentError("offline_steps=0 and online_steps=0 leave nothing to be done; give one of them.")


class Training:
    """The training of one agent: it depends on plan, settings, data and seed, and on nothing else.

    It can be stopped, or killed, at any time: one that went on from its last file is the same, to the bit, as one that
    never stopped, because files are written between episodes, and all randomness follows from the seed and counts.

    Args:
        plan: what to do.
        name: of the agent, one of `chunkenv.agents.registry.RECIPES`.
        settings: of the agent.
        data: for the offline phase, and for half or more of what is learned from online; None for neither.
        seed: of everything, at least 0.

    Attributes:
        agent: as it is now.
        steps: updates offline and ticks online that were made.

    Raises:
        ArgumentError: an environment, data or a seed that cannot be meant.
    """

    def __init__(self, plan: Plan, name: str, settings: Any, data: Dataset | None, seed: int) -> None:
        self.plan, self._name = plan, name
        self._seed = whole_number("seed", seed, at_least=0)
        self._recipe = q_agents.RECIPES[name]
        if plan.offline_steps and data is None:
            raise ArgumentError(f"offline_steps={plan.offline_steps} needs data; give some, or offline_steps=0.")
        if plan.offline_steps and self._recipe.online_only:
            raise ArgumentError(f"{name} has no offline phase; give offline_steps=0: it learns from data as it plays.")
        self._env = self.make_env(settings)
        space, actions = _vector(self._env.env, "observation_space"), _vector(self._env.env, "action_space")
        self.agent = q_agents.create(name, seed, space.shape[0], actions.shape[0], settings)
        self._offline = None if data is None else remembered(data, self._env)
        self._online = ReplayBuffer(plan.capacity, space.shape[0], actions.shape[0])
        self.updates, self.ticks, self.played, self.seconds = 0, 0, 0, 0.0

    @property
    def steps(self) -> int:
        """Updates offline and ticks online that were made."""
        return min(self.updates, self.plan.offline_steps) + self.ticks

    @property
    def done(self) -> bool:
        """Whether all steps were made."""
        return self.updates >= self.plan.offline_steps and self.ticks >= self.plan.online_steps

    def make_env(self, settings: Any) -> ChunkedExecution:
        """The environment, which takes actions from -1 to 1 in chunks, as late as the agent's settings say."""
        env = gym.make(self.plan.id, **self.plan.arguments)
        _vector(env, "observation_space")
        horizons = settings.horizons
        return ChunkedExecution(
            with_unit_actions(env),
            horizons.prediction_horizon,
            self.plan.execution_horizon or horizons.chunk,
            horizons.delay,
            info="full",
        )

    def advance(self) -> Metrics:
        """Up to 100 updates offline, or an episode online; what is to be known of it."""
        began = time.perf_counter()
        told = self._learn_offline() if self.updates < self.plan.offline_steps else self._play_episode()
        self.seconds += time.perf_counter() - began
        return {"steps": self.steps, **told, "seconds": self.seconds}

    def evaluate(self) -> Metrics:
        """Play whole episodes without learning: mean return, share of successes (where reported), mean length."""
        settings = self.agent.settings
        rows = evaluate(
            lambda: self.make_env(settings), ChunkPolicy(self.agent), self.plan.episodes, 2 * self._seed + 1
        )
        found = {"return": _mean(rows, "return"), "length": _mean(rows, "ticks")}
        return found if rows[0]["success"] is None else {"solve_rate": _mean(rows, "success"), **found}

    def save(self, path: Path) -> None:
        """Write everything that is needed to go on, whole or not at all."""
        agent = {f"agent{name}": array for name, array in arrays_of(self.agent).items()}
        replay = {f"replay/{name}": array for name, array in self._online.arrays().items()}
        facts = {
            "identity": self._identity(),
            "counts": [self.updates, self.ticks, self.played],
            "seconds": self.seconds,
        }
        checkpoints.write(path, KIND, agent | replay, facts)

    def load(self, path: Path) -> None:
        """Go on from a file that `save` wrote.

        Raises:
            ArgumentError: it belongs to a training with other settings, another plan, seed or other data.
        """
        arrays, facts = checkpoints.read(path, KIND)
        mine = self._identity()
        if different := [name for name, value in mine.items() if facts["identity"].get(name) != value]:
            raise ArgumentError(
                f"{path} belongs to a training with another {', '.join(different)}; give the same, or another folder."
            )
        self.agent = restored(self.agent, _under(arrays, "agent"))
        self._online.restore(_under(arrays, "replay/"))
        self.updates, self.ticks, self.played = facts["counts"]
        self.seconds = facts["seconds"]

    def _learn_offline(self) -> Metrics:
        count = min(ROUND, self.plan.offline_steps - self.updates)
        return self._learn(count, [self._offline] if self._offline is not None else [])

    def _learn(self, count: int, replays: list[ReplayBuffer]) -> Metrics:
        """Make so many updates; the mean of what they tell."""
        settings, told = self.agent.settings, []
        for _ in range(count):
            rng = np.random.default_rng([self._seed, 0, self.updates])
            batch = draw(replays, rng, settings.batch, settings.horizons, settings.even)
            self.agent, info = self.agent.update(batch)
            self.updates += 1
            told.append(info)
        return (
            {} if not told else {key: float(np.mean([info[key] for info in jax.device_get(told)])) for key in told[0]}
        )

    def _play_episode(self) -> Metrics:
        env, told, total, ended, info = self._env, {}, 0.0, False, {}
        observation, _ = env.reset(seed=episode_seed(2 * self._seed, self.played))
        replays = [replay for replay in (self._offline, self._online) if replay is not None]
        while not ended:
            before = observation
            observation, _, terminated, truncated, info = env.step(self._chunk(observation))
            self._remember(before, info, terminated, truncated)
            total += float(np.sum(info["rewards"]))
            ended = terminated or truncated
            if self.ticks > self.plan.warm_up:
                told = self._learn(info["ticks"] * self.plan.updates_per_tick, replays)
        self.played += 1
        success = {"episode_success": float(info["success"])} if "success" in info else {}
        return {**told, "episode_return": total, **success}

    def _chunk(self, observation: Any) -> np.ndarray:
        rng = np.random.default_rng([self._seed, 1, self.ticks])
        if self._recipe.online_only and self.ticks < self.plan.warm_up:
            return rng.uniform(-1, 1, self._env.action_space.shape or ()).astype(np.float32)
        return ChunkPolicy(self.agent).infer(observation, self._env.request._replace(rng=rng))

    def _remember(self, before: Any, info: dict[str, Any], terminated: bool, truncated: bool) -> None:
        """Add what really ran, tick by tick."""
        seen, count = [before, *info["observations"]], info["ticks"]
        for tick in range(count):
            last = tick == count - 1
            action, reward = np.clip(info["actions"][tick], -1, 1), float(info["rewards"][tick])
            self._online.add(seen[tick], action, reward, seen[tick + 1], terminated and last, truncated and last)
        self.ticks += count

    def _identity(self) -> dict[str, Any]:
        """What two trainings must share for one to go on from the other's file."""
        data = None if self._offline is None else _checksum(self._offline, self.agent.settings)
        record = {
            "plan": asdict(self.plan),
            **facts_of(self.agent),
            "name": self._name,
            "seed": self._seed,
            "data": data,
        }
        return json.loads(json.dumps(record))


def resume_or_begin(plan: Plan, name: str, settings: Any, data: Dataset | None, seed: int, folder: Path) -> Training:
    """A new training, or the one that was interrupted in this folder.

    Raises:
        ArgumentError: an argument cannot be meant, or the folder holds another training.
    """
    training = Training(plan, name, settings, data, seed)
    if (folder / UNFINISHED).exists():
        training.load(folder / UNFINISHED)
    return training


def train(training: Training, folder: Path) -> Iterator[Metrics]:
    """Train to the end; yields what is to be known after each round, with "return" where it was evaluated.

    After each evaluation, and at the end, the folder gets a line of `metrics.jsonl`, `agent.safetensors`, and what is
    needed to go on.
    """
    journal = Journal(folder, training.steps)
    every = training.plan.evaluate_every
    while not training.done:
        before = training.steps // every
        metrics = training.advance()
        if training.done or training.steps // every > before:
            metrics |= training.evaluate()
            journal.write(metrics)
            training.agent.save(folder / AGENT)
            training.save(folder / UNFINISHED)
        yield metrics


def with_unit_actions(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """The environment with actions from -1 to 1, as agents give them.

    Raises:
        ArgumentError: its actions are no vectors with bounds.
    """
    box = _vector(env, "action_space")
    if np.all(box.low == -1) and np.all(box.high == 1):
        return env
    return gym.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))


def remembered(data: Dataset, env: gym.Env[Any, Any]) -> ReplayBuffer:
    """A dataset as a replay, with actions from -1 to 1.

    Raises:
        ArgumentError: its observations or actions are not the environment's.
    """
    base = env.unwrapped
    box, space = _vector(base, "action_space"), _vector(base, "observation_space")
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


def _vector(env: Any, name: str) -> spaces.Box:
    space = getattr(env, name)
    bounded = name == "observation_space" or (isinstance(space, spaces.Box) and space.is_bounded())
    if not (isinstance(space, spaces.Box) and len(space.shape) == 1 and bounded):
        raise ArgumentError(
            f"{env} has the {name} {space}; these agents need a Box of one axis (actions: with bounds)."
        )
    return space


def _checksum(replay: ReplayBuffer, settings: Any) -> list[float]:
    """What tells one dataset from another, without reading all of it."""
    batch = replay.sample(np.random.default_rng(0), MEASURED, settings.horizons)
    return [float(len(replay)), *(float(np.sum(column, dtype=np.float64)) for column in batch[:4])]


def _under(arrays: dict[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(place): array for name, array in arrays.items() if name.startswith(place)}


def _mean(rows: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([float(row[name]) for row in rows]))
