"""Hyper-parameters of the experts' training: what each means, and the levels' own, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE
from chunkenv.utils.checks import one_of, real_number, whole_number

REWARDS = ("sparse", "distance", "penalty")


@dataclass(frozen=True)
class Settings:
    """How a training goes; the defaults serve the easy levels.

    Raises:
        ArgumentError: a value cannot be meant, or minibatches do not divide the batch.

    >>> Settings(steps=100_000, envs=64, rollout=16).updates
    97
    """

    steps: int = 12_000_000  # control steps of all environments together; the last update may stop a little short
    reward: str = "distance"  # to learn from: see KinetixEnv; solve rates always count the sparse success
    failure: float = 0.1  # the price of touching red; who must dare to fall, as on a unicycle, learns with a low one
    envs: int = 512  # environments
    rollout: int = 32  # ticks of each between two updates
    hidden: tuple[int, ...] = (64, 64)  # sizes of the hidden layers, of actor and critic alike
    discount: float = 0.99  # of a reward one tick later
    trace: float = 0.95  # lambda of generalised advantage estimation: trust in rewards over values
    clip: float = 0.2  # how far the probability of an action may move before there is no gain in it
    epochs: int = 4  # how often each tick is learned from
    minibatches: int = 8  # pieces of a rollout, a gradient step for each
    learning_rate: float = 1e-3  # Adam's, at the beginning
    last_learning_rate: float = 1e-4  # at the end; it falls linearly
    entropy: float = 0.01  # weight of the bonus for a large standard deviation, at the beginning; it falls to 0
    rpo: float = 0.0  # the mean is shifted by up to this in the loss: keeps exploring (real-time-chunking-kinetix: .3)
    smoothness: float = 0.5  # price of the action's change from tick to tick, at the end; it rises from 0
    value_weight: float = 0.5  # of the critic's loss
    max_gradient_norm: float = 1.0  # longer gradients are shortened
    initial_std: float = 0.6  # of exploration, in units of an action that reaches from -1 to 1
    persistence: float = 0.8  # of exploration: correlation from tick to tick, because motors average white noise out
    action_noise: float = ACTION_NOISE  # of the environment, not the agent's: in training and evaluation
    evaluation_steps: int = 250_000  # between two evaluations and checkpoints
    evaluation_episodes: int = 256  # first episodes, all at once

    def __post_init__(self) -> None:
        for name in ("steps", "envs", "rollout", "epochs", "minibatches", "evaluation_steps", "evaluation_episodes"):
            whole_number(name, getattr(self, name), at_least=1)
        for name in ("discount", "trace", "persistence"):
            real_number(name, getattr(self, name), at_least=0.0, at_most=1.0)
        for name in (
            "entropy",
            "smoothness",
            "failure",
            "rpo",
            "value_weight",
            "learning_rate",
            "last_learning_rate",
            "action_noise",
            "clip",
        ):
            real_number(name, getattr(self, name), at_least=0.0)
        for name in ("initial_std", "max_gradient_norm"):
            real_number(name, getattr(self, name), at_least=1e-6)
        one_of("reward", self.reward, REWARDS)
        if not isinstance(self.hidden, tuple) or not self.hidden:
            raise ArgumentError(f"hidden={self.hidden!r} is not a tuple of sizes; give for example (64, 64).")
        for size in self.hidden:
            whole_number("each of hidden", size, at_least=1)
        if self.batch % self.minibatches:
            raise ArgumentError(
                f"minibatches={self.minibatches} do not divide the {self.batch} ticks of a rollout "
                f"(envs={self.envs} times rollout={self.rollout}); give numbers that fit."
            )
        if self.steps < self.batch:
            raise ArgumentError(f"steps={self.steps} are less than one rollout; give at least {self.batch}.")

    @property
    def batch(self) -> int:
        """Ticks in a rollout."""
        return self.envs * self.rollout

    @property
    def updates(self) -> int:
        """Rollouts in a training."""
        return self.steps // self.batch

    @property
    def evaluation_updates(self) -> int:
        """Rollouts between two evaluations."""
        return max(1, self.evaluation_steps // self.batch)


DEFAULT = Settings()
"""For a level that nobody has tuned."""

BOLD = Settings(discount=0.995, entropy=0.02, initial_std=1.5, persistence=0.95)
"""Wide, long strokes, and a longer view: for levels that only a daring move solves."""

SETTINGS = {
    "catapult": Settings(steps=10_000_000, discount=0.995, entropy=0.02, initial_std=1.0),
    "cartpole_thrust": Settings(steps=6_000_000, persistence=0.0, initial_std=1.0, learning_rate=5e-4),
    "hard_lunar_lander": Settings(steps=6_000_000),
    "mjc_half_cheetah": Settings(steps=6_000_000),
    "mjc_swimmer": Settings(steps=6_000_000),
    "mjc_walker": Settings(steps=6_000_000),
    "h17_unicycle": replace(BOLD, steps=4_000_000),
    "chain_lander": Settings(steps=4_000_000),
    "trampoline": Settings(steps=8_000_000, failure=1.0, learning_rate=3e-4),
    "car_launch": BOLD,
}
"""The levels' own."""


def settings_for(level: str) -> Settings:
    """The settings of a level, or `DEFAULT` where it has none of its own."""
    return SETTINGS.get(level, DEFAULT)
