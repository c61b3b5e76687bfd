"""The goal-conditioned environment of one family of manipulation tasks."""

from __future__ import annotations

import string
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from chunkenv.errors import ArgumentError
from chunkenv.manipulation.env import ManipulationEnv, clip_features, feature_space
from chunkenv.manipulation.scene.goals import agreement, desired_objects, objects_of
from chunkenv.manipulation.scene.privileged_state import read_facts
from chunkenv.manipulation.scene.state_pictures import View
from chunkenv.manipulation.words.grammar import MOST_LETTERS, WORDINGS, parse_instruction, say_goal
from chunkenv.manipulation.words.word_goals import open_goals
from chunkenv.manipulation.words.worded_scenes import asked_scene, draw_worded_scene
from chunkenv.registration import TASKS
from chunkenv.utils.checks import one_of

GOALS = ("objects", "features", "instruction")
DRAWN_GOALS = ("tasks", "train", "held-out")

LETTERS = string.ascii_letters + string.digits + " .,"
"""Of which instructions consist."""


class GoalManipulationEnv(ManipulationEnv):
    """A family of tasks whose goal is part of the observation: with each reset, that of one of the five tasks.

    `gymnasium.make("chunkenv/manip-<family>-v0")` adds the time limit. All is as in `ManipulationEnv` but the
    observation, a dict of "observation", the features; "achieved_goal" and "desired_goal", as `goal` says: the form
    that hindsight experience replay wants. As in ogbench, cubes that differ only in colour change roles at random.

    Args:
        family: one of `chunkenv.manipulation.FAMILIES`.
        goal: what a goal is: "objects", what is wanted of everything in the scene: 3 numbers a cube, its position; 1
            a button, its state; 1 each for drawer and window (scaled as in the features: ogbench's oracle
            representation); "features", ogbench's usual goals, the features of a scene in order; or "instruction", a
            sentence: the observation is a dict of what is observed and of "instruction", and the info of `reset` has
            the sentence, too.
        reward: as `ManipulationEnv` has it.
        timing: as `ManipulationEnv` has it.
        observation: as `ManipulationEnv` has it; with "pixels" the dict has "pixels" in place of "observation", with
            "pixels+robot" "robot", too. The goals stay numbers, and "achieved_goal" says where the objects are.
        render_mode: this and the others: as `ManipulationEnv` has it.
        render_size: width and height of a rendered frame.
        camera: whose frames are observed.
        image_size: width and height of an observed frame.
        geometry: of an observed frame.
        wordings: with instructions, "train" or "held-out": which wordings are drawn.
        goals: with instructions, what an episode is about: "tasks", the five; or starts and goals drawn at random,
            "train", without held-out combinations of colour and place or of button and state, or "held-out", with
            at least one.

    Attributes:
        instruction: the present one; empty without instructions.

    Raises:
        ArgumentError: an unknown family or option.
        MissingExtraError: ogbench is not installed.

    >>> env = GoalManipulationEnv("cube-double")
    >>> observation, info = env.reset(seed=0, options={"task": 5})
    >>> {name: array.shape for name, array in observation.items()}
    {'observation': (37,), 'achieved_goal': (6,), 'desired_goal': (6,)}
    """

    def __init__(
        self,
        family: str,
        goal: str = "objects",
        *,
        reward: str = "count",
        timing: str = "next",
        observation: str = "features",
        render_mode: str | None = None,
        render_size: int = 480,
        camera: str = View().camera,
        image_size: int = View().size,
        geometry: str = View().geometry,
        wordings: str = "train",
        goals: str = "tasks",
    ) -> None:
        self._goal = one_of("goal", goal, GOALS)
        self._wordings = WORDINGS[one_of("wordings", wordings, tuple(WORDINGS))]
        self._drawn = one_of("goals", goals, DRAWN_GOALS)
        self.instruction = ""
        if goal != "instruction" and (wordings, goals) != ("train", "tasks"):
            raise ArgumentError(
                f"wordings={wordings!r} and goals={goals!r} are about instructions; give goal='instruction', or leave "
                "them out."
            )
        super().__init__(family, 1, reward, timing, observation, render_mode, render_size, camera, image_size, geometry)
        self._tasks = TASKS

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: of everything random.
            options: as `ManipulationEnv.reset` has them; or with instructions `{"instruction": "Open the drawer."}`,
                for an episode with that goal and a start drawn at random.

        Raises:
            ArgumentError: there is no such task, or the sentence is outside the grammar.
        """
        if self._goal != "instruction":
            self._refuse_words(options)
            return super().reset(seed=seed, options=options)
        asked = self._read_words(options)
        if asked is None and (self._drawn == "tasks" or options):
            super().reset(seed=seed, options=options)
        else:
            gymnasium.Env.reset(self, seed=seed)
            self._begin_in_words(asked)
        self.instruction = asked or self._say(np.random.Generator(_bits(self.np_random).jumped(3)))
        observation, info = self._begun()
        return observation, {**info, "instruction": self.instruction}

    def set_state(self, state: np.ndarray) -> None:
        """As `ManipulationEnv.set_state`; the instruction then says what is not in place in that state."""
        super().set_state(state)
        if self._goal == "instruction":
            self.instruction = self._say(None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        wordless = {"instruction": "", "_wordings": WORDINGS["train"], "_drawn": DRAWN_GOALS[0]}  # for pickles of 0.1
        super().__setstate__({**wordless, **state})

    def _refuse_words(self, options: dict[str, Any] | None) -> None:
        if options and "instruction" in options:
            raise ArgumentError(
                f"options={options!r} ask for a goal in words, but this environment has goal={self._goal!r}; make it "
                "with goal='instruction'."
            )

    def _read_words(self, options: dict[str, Any] | None) -> str | None:
        """The sentence that the options ask for, or None."""
        if not options or "instruction" not in options:
            return None
        if len(options) > 1:
            raise ArgumentError(f"options={options!r} ask for two goals; give the instruction alone.")
        parse_instruction(self.world.family.name, options["instruction"])
        return options["instruction"]

    def _begin_in_words(self, asked: str | None) -> None:
        family, rng = self.world.family, self.np_random
        if asked is None:
            scene = draw_worded_scene(family, self._drawn, rng)
        else:
            scene = asked_scene(family, parse_instruction(family.name, asked), rng)
        self.world.begin(rng, 1, False, scene)

    def _say(self, rng: np.random.Generator | None) -> str:
        """The goal of the present state as a sentence, in a wording that is drawn, or in the first."""
        wording = self._wordings[0] if rng is None else int(rng.choice(self._wordings))
        return say_goal(self.world.family.name, open_goals(read_facts(self.world)), wording)

    def compute_reward(self, achieved_goal: np.ndarray, desired_goal: np.ndarray, info: Any) -> Any:
        """The reward for a goal in place of the desired one (hindsight experience replay).

        Args:
            achieved_goal: [..., goal], one or many.
            desired_goal: the same shape.
            info: not used.

        Returns:
            A float, or float64[...].
        """
        goals = [np.asarray(goal) for goal in (achieved_goal, desired_goal)]
        if self._goal == "features":
            goals = [objects_of(self.world.family, goal) for goal in goals]
        rewards = self._compute_reward(agreement(self.world.family, *goals))
        return float(rewards) if np.ndim(rewards) == 0 else rewards

    def achieved_goals(self, observations: np.ndarray) -> np.ndarray:
        """What features have achieved, as a goal of this environment: [..., features] -> float32[..., goal]."""
        features = np.asarray(observations)
        return clip_features(objects_of(self.world.family, features) if self._goal == "objects" else features)

    def _observation_space(self) -> spaces.Space[Any]:
        if self._kind == "state":
            return super()._observation_space()
        if self._goal == "instruction":
            return spaces.Dict({**self._seen_spaces(), "instruction": spaces.Text(MOST_LETTERS, charset=LETTERS)})
        family = self.world.family
        goal = feature_space(family.features if self._goal == "features" else family.objects)
        return spaces.Dict({**self._seen_spaces(), "achieved_goal": goal, "desired_goal": goal})

    def _observe(self) -> Any:
        if self._kind == "state":
            return super()._observe()
        features = self.world.compute_observation()
        if self._goal == "instruction":
            return {**self._see(features), "instruction": self.instruction}
        if self._goal == "features":
            achieved, desired = features, self.world._cur_goal_ob
        else:
            achieved, desired = objects_of(self.world.family, features), desired_objects(self.world)
        goals = {"achieved_goal": clip_features(achieved), "desired_goal": clip_features(desired)}
        return {**self._see(features), **goals}


def _bits(generator: np.random.Generator) -> Any:
    """What a generator draws bits from; it can jump far ahead, so that nothing else changes."""
    return generator.bit_generator
