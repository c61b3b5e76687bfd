"""Training goal-conditioned agents on data alone, with goals in hindsight, and playing them for the task's goals."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import jax
import numpy as np
from gymnasium import spaces

from chunkenv.agents import registry
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.optim import renew_bases
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.data import Dataset, split_episodes
from chunkenv.data.chosen_episodes import choose_episodes
from chunkenv.data.hindsight import GoalForm
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import evaluate
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.training.offline_online import AGENT, with_unit_actions
from chunkenv.training.value_gate import rank_correlation
from chunkenv.utils.checks import real_number, whole_number
from chunkenv.utils.types import AnyEnv
from chunkenv.wrappers import ChunkedExecution

ROUND = 100  # updates between two reports
CHECKSUM_WINDOWS = 256  # that tell one dataset from another
PARTS = ("observation", "desired_goal")


@dataclass(frozen=True)
class GoalTrainingConfig:
    """What a training is, but for its agent, its data and its seed.

    Attributes:
        id: of the environment, whose observation is a dict with "observation" and "desired_goal".
        arguments: for `gymnasium.make`.
        updates: on the data.
        execution_horizon: ticks between two requests; all that an inference decides if None.
        evaluate_every: updates.
        episodes: of an evaluation.
        validation: share of the data's episodes that nothing is learned from: values are tested there.

    Raises:
        ArgumentError: for an invalid number.
    """

    id: str
    arguments: Facts = field(default_factory=dict)
    updates: int = 20_000
    execution_horizon: int | None = None
    evaluate_every: int = 5000
    episodes: int = 20
    validation: float = 0.05

    def __post_init__(self) -> None:
        for name in ("updates", "evaluate_every", "episodes"):
            whole_number(name, getattr(self, name), at_least=1)
        if self.execution_horizon is not None:
            whole_number("execution_horizon", self.execution_horizon, at_least=1)
        real_number("validation", self.validation, at_least=0.0, at_most=1.0)


class GoalTraining(Training):
    """The training of one agent: it depends on configuration, settings, data and seed, and on nothing else.

    Args:
        config: what to do.
        name: of the agent, one of `RECIPES` that has `goal_windows`.
        settings: of the agent; their `goal_size` is the environment's.
        data: episodes of the environment's "observation" alone.
        seed: of everything, at least 0.

    Attributes:
        agent: as it is now.
        seconds: of advancing, without evaluations.
        spearman: of the last evaluation: see `rank_correlation`; None without values.

    Raises:
        ArgumentError: an invalid environment, dataset or seed.
    """

    kind = "chunkenv goal-conditioned training"

    def __init__(self, config: GoalTrainingConfig, name: str, settings: Any, data: Dataset, seed: int) -> None:
        self.config, self._name, self._seed = config, name, whole_number("seed", seed, at_least=0)
        self.total_steps, self.report_every, self.evaluate_every = config.updates, ROUND, config.evaluate_every
        env = gym.make(config.id, **config.arguments)
        observation, goal = _sizes(env)
        box: Any = with_unit_actions(env).unwrapped.action_space
        self._form = goal_form(env, observation, goal)
        _check_sizes(data, observation, box.shape[0])
        settings = replace(settings, goal_size=goal)
        self.agent: Any = registry.create(name, seed, observation + goal, box.shape[0], settings)
        learned, held_out = split_episodes(data, config.validation)
        taken = choose_episodes(data, learned)
        self._windows = self.agent.goal_windows(replace(taken, actions=to_unit(taken.actions, box)), self._form)
        self._held_out = choose_episodes(data, held_out)
        self._agree = partial(agree, env.unwrapped)
        self.updates, self.seconds, self.spearman = 0, 0.0, None

    @property
    def steps(self) -> int:
        """Updates that were made."""
        return self.updates

    @property
    def identity(self) -> Facts:
        """Configuration, agent, seed, and checksums of the data."""
        batch = self._windows.sample(np.random.default_rng(0), CHECKSUM_WINDOWS)
        sums = [float(np.sum(column, dtype=np.float64)) for column in batch]
        about = {"name": self._name, "seed": self._seed, "data": [float(len(self._windows)), *sums]}
        return {"plan": asdict(self.config), **self.agent.facts(), **about}

    def make_env(self) -> ChunkedExecution:
        """The environment, which takes actions from -1 to 1 in chunks, as late as the agent's settings say."""
        horizons = self.agent.settings.horizons
        env = with_unit_actions(gym.make(self.config.id, **self.config.arguments))
        horizon = self.config.execution_horizon or horizons.chunk
        return ChunkedExecution(env, horizons.prediction_horizon, horizon, horizons.delay)

    def advance(self) -> Metrics:
        """Make up to 100 updates."""
        start, metrics = time.perf_counter(), []
        for _ in range(min(ROUND, self.total_steps - self.updates)):
            rng = np.random.default_rng([self._seed, 0, self.updates])
            self.agent, info = self.agent.update(self._windows.sample(rng, self.agent.settings.batch))
            self.updates += 1
            metrics.append(info)
        self.agent = renew_bases(self.agent)
        metrics = jax.device_get(metrics)
        self.seconds += time.perf_counter() - start
        means = {key: float(np.mean([each[key] for each in metrics])) for key in metrics[0]}
        return {"steps": self.updates, **means, "seconds": self.seconds}

    def evaluate(self) -> Metrics:
        """Play whole episodes; and how well values, if there are any, rank goals by the ticks to them."""
        rows = evaluate(self.make_env, ChunkPolicy(self.agent), self.config.episodes, 2 * self._seed + 1)
        metrics = {name: float(np.mean([row[key] for row in rows])) for name, key in MEASURED.items()}
        solved = [row["success"] for row in rows if row["success"] is not None]
        if solved:
            metrics["solve_rate"] = float(np.mean(solved))
        acting = self.agent.acting()
        if hasattr(acting, "goal_values") and getattr(acting.settings, "values", True):
            self.spearman = rank_correlation(
                lambda seen: np.asarray(acting.goal_values(seen)), self._held_out, self._form, self._agree
            )
            metrics["spearman"] = self.spearman
        return metrics

    def state(self) -> tuple[Arrays, Facts]:
        """The agent, and the counts that random numbers follow from."""
        agent = {f"agent{name}": array for name, array in self.agent.arrays().items()}
        return agent, {"updates": self.updates, "seconds": self.seconds, "spearman": self.spearman}

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        named = {name.removeprefix("agent"): array for name, array in arrays.items()}
        self.agent = self.agent.restore(named, self.agent.facts())
        self.updates, self.seconds, self.spearman = facts["updates"], facts["seconds"], facts["spearman"]

    def write_results(self, folder: Path) -> None:
        """Write `agent.safetensors`."""
        self.agent.save(folder / AGENT)


MEASURED = {"return": "return", "length": "ticks"}


def goal_form(env: AnyEnv, observation: int, goal: int) -> GoalForm:
    """What makes goals of observations: the environment's own `achieved_goals`, or None where they are the same.

    Raises:
        ArgumentError: it is not known.
    """
    made = getattr(env.unwrapped, "achieved_goals", None)
    if made is None and observation != goal:
        raise ArgumentError(
            f"{env} has observations of {observation} numbers and goals of {goal}, and does not say how they hang "
            "together; give it a method achieved_goals(observations) that returns goals [B, G]."
        )
    return made


def agree(env: Any, achieved: np.ndarray, desired: np.ndarray) -> np.ndarray:
    """Which goals hold, bool[T]: those that are rewarded as a goal that is achieved to the last digit."""
    return env.compute_reward(achieved, desired, {}) >= env.compute_reward(desired, desired, {})


def to_unit(actions: np.ndarray, space: spaces.Box) -> np.ndarray:
    """Actions of a space, as numbers from -1 to 1."""
    unit = 2 * (actions - space.low) / (space.high - space.low) - 1
    return unit.clip(-1, 1).astype(np.float32)


def _sizes(env: AnyEnv) -> tuple[int, int]:
    """Numbers in an observation, and in a goal."""
    space = env.observation_space
    parts = [space[name] for name in PARTS] if isinstance(space, spaces.Dict) and {*PARTS} <= {*space} else []
    sizes = [part.shape[0] for part in parts if isinstance(part, spaces.Box) and len(part.shape) == 1]
    if len(sizes) < len(PARTS):
        raise ArgumentError(
            f"{env} has the observation_space {space}; this agent needs a Dict of vectors with 'observation' and "
            "'desired_goal', such as chunkenv/manip-cube-double-v0 has."
        )
    return sizes[0], sizes[1]


def _check_sizes(data: Dataset, observation: int, actions: int) -> None:
    found = (data.observations.shape[1], data.actions.shape[1])
    if found != (observation, actions):
        raise ArgumentError(
            f"The data have observations of {found[0]} numbers and actions of {found[1]}, the environment of "
            f"{observation} and {actions}; give data of this environment."
        )
