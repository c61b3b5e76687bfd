"""What `chunkenv play` plays: a task and a method, with delay, in a window or a video of every tick."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, SupportsFloat

import gymnasium as gym
import numpy as np

from chunkenv.bench.studies.delay_study import METHODS as PLANNERS
from chunkenv.errors import ArgumentError
from chunkenv.evaluate import Policy, Row, evaluate
from chunkenv.registration import ACTION_NOISE, find_task, read_id
from chunkenv.request import Request
from chunkenv.utils.checks import one_of, whole_number
from chunkenv.utils.spaces import zeros
from chunkenv.utils.types import Action, Info, Observation
from chunkenv.utils.user_files import MadeInFile
from chunkenv.wrappers import ActionNoise, ChunkedExecution, ChunkOverlay

if TYPE_CHECKING:
    from chunkenv.agents.common.learner import Learner
    from chunkenv.agents.vla import VLAModel

METHODS = (*PLANNERS, "oracle", "random", "zero")


class Screen(Protocol):
    """Where frames go: a `Window`, or a video."""

    def show(self, picture: np.ndarray) -> None:
        """Show a frame, uint8[height, width, 3]."""
        ...

    def close(self) -> None:
        """There are no more frames."""
        ...


@dataclass(frozen=True)
class PlayedScene:
    """A task, the policy that plays it, and the delay.

    Attributes:
        task: the name of a Kinetix level or of a manipulation task, or the id of any registered environment.
        method: of `METHODS`; the planners play Kinetix levels only, the oracle manipulation tasks only. None: the
            agent, if there is one; else the best one for the task, or 'random'.
        delay: of every inference, in ticks. None: what the agent learned with, or 0.
        prediction_horizon: rows in a chunk. None: the agent's, or 8.
        execution_horizon: ticks between two requests. None: all that an inference of the agent decides, or 4.
        action_noise: standard deviation per action and tick. None: that of the delay study for Kinetix levels, so that
            episodes are those of the study; 0 elsewhere, and for agents.
        size: width of a frame in pixels, our own tasks only; None is their default.
        agent: a file that `chunkenv train` wrote; its agent plays.
        max_in_flight: inferences under way at a time.
        correction: of every tick: `FILE.py:NAME`, a function without arguments that makes what corrects, as
            `ChunkedExecution` takes it.
        guidance: the weight w of an agent of CFGRL, its own if None; of a model's instruction, 1 if None.
        wordings: "train" or "held-out", of the instructions of a vision-language-action model; its own if None.
        goals: "tasks", "train" or "held-out", what its instructions are about; its own if None.
    """

    task: str
    method: str | None = None
    delay: int | None = None
    prediction_horizon: int | None = None
    execution_horizon: int | None = None
    action_noise: float | None = None
    size: int | None = None
    agent: Path | None = None
    max_in_flight: int = 1
    correction: Path | None = None
    guidance: float | None = None
    wordings: str | None = None
    goals: str | None = None

    @property
    def level(self) -> str | None:
        """The Kinetix level, if the task is one."""
        task = find_task(self.task)
        return task.level if task and task.family is None else None

    @property
    def family(self) -> str | None:
        """The family of the manipulation task, if it is one."""
        task = find_task(self.task)
        return task.family if task else None

    @cached_property
    def loaded_agent(self) -> Learner | None:
        """The agent in the file, or None.

        Raises:
            ArgumentError: there is no such file, it holds none, or one without guidance is to be guided.
        """
        if self.agent is None:
            if self.guidance is not None:
                raise ArgumentError(f"guidance={self.guidance:g} is for an agent of CFGRL; give --agent FILE, too.")
            return None
        if self.loaded_model is not None:
            return None
        from chunkenv.agents import registry  # imports jax

        agent = registry.load_agent(self.agent)
        return agent if self.guidance is None else _guide(agent, self.guidance)

    @cached_property
    def loaded_model(self) -> VLAModel | None:
        """The vision-language-action model in the file, or None if it holds another agent."""
        if self.agent is None:
            return None
        from chunkenv.agents.common.checkpoint_file import kind_of
        from chunkenv.agents.vla import vla_model

        return vla_model.load_vla(self.agent) if kind_of(self.agent) == vla_model.KIND else None

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Prediction horizon, execution horizon and delay, in ticks."""
        own = self.loaded_agent.settings.horizons if self.loaded_agent else None
        usual = (own.prediction_horizon, own.chunk, own.delay) if own else (8, 4, 0)
        if self.loaded_model:
            usual = (self.loaded_model.sizes.horizon, self.loaded_model.facts["execution_horizon"], 0)
        asked = (self.prediction_horizon, self.execution_horizon, self.delay)
        rows, horizon, delay = (one if given is None else given for given, one in zip(asked, usual, strict=True))
        return rows, horizon, delay


def play_scene(scene: PlayedScene, open_screen: Callable[[float], Screen], episodes: int, seed: int) -> list[Row]:
    """Play episodes, show every tick, and return their rows, as `chunkenv.evaluate` does.

    Args:
        scene: what is played.
        open_screen: gets the task's frames per second, and is called after all arguments are checked.
        episodes: how many.
        seed: the same seed plays the same episodes.

    Raises:
        ArgumentError: an invalid argument.
        MissingExtraError: what the task or its pictures need is not installed.
    """
    whole_number("episodes", episodes, at_least=1)
    whole_number("seed", seed, at_least=0)
    env = make_env(scene)
    policy = make_policy(scene, env)
    with contextlib.closing(open_screen(env.metadata.get("render_fps", 30))) as screen:
        return evaluate(lambda: FrameForwarder(env, screen), policy, episodes, seed)


def make_env(scene: PlayedScene) -> gym.Env:
    """The scene's task, with chunks, delay, and the overlay on its frames."""
    env = _make_task(scene)
    usual = ACTION_NOISE if scene.level and scene.agent is None else 0.0
    noise = usual if scene.action_noise is None else scene.action_noise
    env = ActionNoise(env, noise) if noise else env
    if scene.agent is not None:
        from chunkenv.training.offline_online import with_unit_actions

        env = with_unit_actions(env)
    correction = MadeInFile(scene.correction)() if scene.correction else None
    options: Info = {"max_in_flight": scene.max_in_flight, "correction": correction}
    return ChunkOverlay(ChunkedExecution(env, *scene.lengths, info="full", **options))


def make_policy(scene: PlayedScene, env: gym.Env) -> Policy:
    """The scene's agent or method."""
    if scene.loaded_agent is not None:
        return _make_agent_policy(scene, scene.loaded_agent, env)
    if scene.loaded_model is not None:
        return _make_model_policy(scene, scene.loaded_model)
    default = PLANNERS[0] if scene.level else "oracle" if scene.family else "random"
    method = one_of("method", scene.method or default, METHODS)
    if method == "random":
        return RandomChunks(env.action_space)
    if method == "zero":
        return ZeroChunks(env.action_space)
    if method == "oracle":
        return _make_oracle(scene)
    if scene.level is None:
        raise ArgumentError(
            f"method={method!r} plans with the Kinetix engine, which {scene.task} does not run on; choose 'random' or "
            "'zero', or a Kinetix level."
        )
    from chunkenv.agents.sampling_planner import Planner  # imports numba, which other environments do not need

    return Planner(scene.level, scene.lengths[0], prefix_aware=method == PLANNERS[0])


def _make_agent_policy(scene: PlayedScene, agent: Learner, env: gym.Env) -> Policy:
    _refuse_method(scene)
    from chunkenv.agents.policies.chunk_policy import ChunkPolicy

    sizes, space = agent.sizes, env.observation_space
    if (_numbers_in(space), env.unwrapped.action_space.shape) != (sizes.observation, (sizes.action,)):
        raise ArgumentError(
            f"agent={str(scene.agent)!r} has learned to act on {sizes.observation} numbers with {sizes.action}, and "
            f"{scene.task} has {space}; give the task that it was trained on."
        )
    return ChunkPolicy(agent)


def _make_model_policy(scene: PlayedScene, model: VLAModel) -> Policy:
    _refuse_method(scene)
    from chunkenv.agents.vla import vla_policy

    return vla_policy(model, 1.0 if scene.guidance is None else scene.guidance)


def _refuse_method(scene: PlayedScene) -> None:
    if scene.method is not None:
        raise ArgumentError(f"method={scene.method!r} and agent={str(scene.agent)!r} would both play; give one.")


def _numbers_in(space: gym.Space) -> int | None:
    """How many numbers an agent is shown: of a vector, or of what is seen and what is wanted; None for other spaces.

    >>> seen, goal = (gym.spaces.Box(-1, 1, (size,)) for size in (3, 2))
    >>> _numbers_in(gym.spaces.Dict(observation=seen, achieved_goal=goal, desired_goal=goal)), _numbers_in(seen)
    (5, 3)
    """
    if isinstance(space, gym.spaces.Dict) and {"observation", "desired_goal"} <= {*space}:
        return gym.spaces.flatdim(space["observation"]) + gym.spaces.flatdim(space["desired_goal"])
    return space.shape[0] if space.shape is not None and len(space.shape) == 1 else None


def _guide(agent: Learner, guidance: float) -> Learner:
    with_guidance = getattr(agent, "with_guidance", None)
    if with_guidance is None:
        raise ArgumentError(f"guidance={guidance:g} is for an agent of CFGRL, and this is {agent.name}; leave it out.")
    return with_guidance(guidance)


def _make_oracle(scene: PlayedScene) -> Policy:
    if scene.family is None:
        raise ArgumentError(
            f"method='oracle' knows manipulation tasks, and {scene.task} is none; choose 'random' or 'zero', or a "
            "task like 'scene-task1'."
        )
    from chunkenv.manipulation.oracles.oracle_policy import OraclePolicy  # imports MuJoCo

    return OraclePolicy(scene.family, scene.lengths[0])


def _make_task(scene: PlayedScene) -> gym.Env:
    seen = "state" if scene.agent is None else "compact" if scene.level else "features"
    options: Info = {"render_mode": "rgb_array_list", "observation": seen}
    options |= {} if scene.size is None else {"render_size": scene.size}
    options |= _instructed_options(scene)
    if scene.level:
        return gym.make(read_id(scene.task), **options)
    if scene.family:
        world = gym.make(read_id(scene.task), **options)
        return gym.wrappers.TransformAction(world, lambda action: np.clip(action, -1, 1), world.action_space)  # noise
    task = scene.task if ":" in scene.task else read_id(scene.task)  # "module:id" is imported by gymnasium
    if scene.size is not None:
        raise ArgumentError(f"size={scene.size} is for our own tasks; {scene.task} draws its frames in its own size.")
    try:
        return gym.make(task, render_mode="rgb_array_list")
    except (gym.error.Error, TypeError, ImportError) as error:
        raise ArgumentError(f"task={scene.task!r} cannot be made so that it draws frames: {error}") from error


def _instructed_options(scene: PlayedScene) -> Info:
    """What environments of a vision-language-action model are made with; nothing, if none plays.

    Raises:
        ArgumentError: something is asked for in words, and no model reads them.
    """
    asked = {"wordings": scene.wordings, "goals": scene.goals}
    asked = {name: value for name, value in asked.items() if value is not None}
    if scene.loaded_model is not None:
        return _arguments_of(scene, scene.loaded_model) | asked
    if asked:
        name, value = next(iter(asked.items()))
        raise ArgumentError(
            f"{name}={value!r} is about instructions, which only a model of `chunkenv train vla` is given; give its "
            "file as agent, or leave it out."
        )
    return {}


def _arguments_of(scene: PlayedScene, model: VLAModel) -> Info:
    """The arguments of the environments that a model was trained for.

    Raises:
        ArgumentError: the task is another one.
    """
    trained = model.facts["environment"]
    if read_id(scene.task) != trained["id"]:
        raise ArgumentError(
            f"agent={str(scene.agent)!r} was trained on {trained['id']}, not on {scene.task}; give that task."
        )
    return trained["arguments"]


class FrameForwarder(gym.Wrapper):
    """Shows every frame of an environment as soon as it is drawn.

    Args:
        env: with render_mode='rgb_array_list'.
        screen: where frames go.
    """

    def __init__(self, env: gym.Env, screen: Screen) -> None:
        super().__init__(env)
        self._screen = screen

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Observation, Info]:
        """Start an episode and show its first frame."""
        result = super().reset(seed=seed, options=options)
        self._show()
        return result

    def step(self, action: Action) -> tuple[Observation, SupportsFloat, bool, bool, Info]:
        """Play a decision and show its ticks."""
        result = super().step(action)
        self._show()
        return result

    def _show(self) -> None:
        for frame in self.env.render():  # pyright: ignore[reportOptionalIterable, reportGeneralTypeIssues]
            self._screen.show(frame)  # pyright: ignore[reportArgumentType]


class RandomChunks:
    """A policy of chunks drawn from their space.

    Args:
        chunks: their space.
    """

    def __init__(self, chunks: gym.Space) -> None:
        self._chunks = chunks

    def infer(self, observation: Observation, request: Request) -> Action:
        """A random chunk."""
        assert request.rng is not None  # `evaluate` gives one with every request
        self._chunks.seed(int(request.rng.integers(2**31)))
        return self._chunks.sample()


class ZeroChunks:
    """A policy that does nothing.

    Args:
        chunks: the space of its chunks.

    Raises:
        ArgumentError: it has no zero.
    """

    def __init__(self, chunks: gym.Space) -> None:
        self._chunk = zeros(chunks)
        if self._chunk is None:
            raise ArgumentError(f"method='zero' needs continuous actions with zero among them, not {chunks}.")

    def infer(self, observation: Observation, request: Request) -> Action:
        """A chunk of zeros."""
        return self._chunk
