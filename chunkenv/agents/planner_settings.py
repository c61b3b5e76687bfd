"""How hard the planner thinks, per level: data, found by trial on the twelve Kinetix levels."""

from __future__ import annotations

from dataclasses import dataclass

from chunkenv.errors import ArgumentError
from chunkenv.registration import ACTION_NOISE
from chunkenv.utils.checks import one_of, real_number, whole_number

AIMS = ("approach", "arrive", "stay near")


@dataclass(frozen=True)
class PlannerSettings:
    """What `Planner` may spend on a decision, and on what.

    Attributes:
        samples: candidate plans in a round, N; the first six are not drawn (see `planner`).
        rounds: sampling rounds, K; from the second on they search around the best plans of the rounds before.
        horizon: ticks that a plan looks ahead, T. The one that matters most: too short does not see the goal, too long
            does not see it for the noise.
        holds: for how many ticks an action is held; each sample draws one of these.
        finalists: how many of the best plans are simulated again under action noise.
        noise_draws: under how many draws of it each of them is.
        aim: what a plan that touches nothing is judged by: "approach", the smallest plus the final distance of green
            and blue; "arrive", the final one; "stay near", the mean.
        spread: standard deviation of the samples around the mean plan, in units of the action.
        action_noise: standard deviation of the noise that the finalists are tried under, in units of the action.

    Raises:
        ArgumentError: for a value that cannot be meant.

    >>> PlannerSettings(samples=64, horizon=96).rounds
    2
    """

    samples: int = 24
    rounds: int = 2
    horizon: int = 48
    holds: tuple[int, ...] = (4, 4, 8, 8, 16)
    finalists: int = 4
    noise_draws: int = 6
    aim: str = "approach"
    spread: float = 0.6
    action_noise: float = ACTION_NOISE

    def __post_init__(self) -> None:
        whole_number("samples", self.samples, at_least=6)
        for name in ("rounds", "horizon", "finalists", "noise_draws"):
            whole_number(name, getattr(self, name), at_least=1)
        if not isinstance(self.holds, tuple) or not self.holds:
            raise ArgumentError(f"holds={self.holds!r} is not a tuple of ticks; give for example (4, 8).")
        for hold in self.holds:
            whole_number("each of holds", hold, at_least=1)
        one_of("aim", self.aim, AIMS)
        for name in ("spread", "action_noise"):
            real_number(name, getattr(self, name), at_least=0.0)


DEFAULT = PlannerSettings()
"""For a level that nobody has tried yet; it serves the twelve as well."""

SETTINGS = {
    "grasp_easy": PlannerSettings(16, 2, 48, finalists=4, noise_draws=6),
    "catapult": PlannerSettings(64, 1, 64, finalists=6, noise_draws=10),
    "cartpole_thrust": PlannerSettings(24, 2, 40, (4,), finalists=3, noise_draws=4, aim="stay near"),
    "hard_lunar_lander": PlannerSettings(24, 2, 48, finalists=4, noise_draws=6),
    "mjc_half_cheetah": PlannerSettings(24, 2, 32, (4,), finalists=6, noise_draws=6, aim="arrive"),
    "mjc_swimmer": PlannerSettings(24, 2, 20, (4,), finalists=6, noise_draws=6),
    "mjc_walker": PlannerSettings(24, 2, 32, (4,), finalists=6, noise_draws=6, aim="arrive"),
    "h17_unicycle": PlannerSettings(16, 2, 48, finalists=3, noise_draws=4),
    "chain_lander": PlannerSettings(16, 2, 48, finalists=3, noise_draws=4),
    "catcher_v3": PlannerSettings(64, 2, 32, finalists=8, noise_draws=8, aim="arrive", spread=0.8),
    "trampoline": PlannerSettings(32, 1, 96, (8,), finalists=3, noise_draws=4),
    "car_launch": PlannerSettings(24, 2, 40, (8,), finalists=4, noise_draws=6),
}
"""The levels' own. Those that noise hurts most (swimmer, walker, cheetah, catcher) try their plans under more of it."""


def settings_for(level: str) -> PlannerSettings:
    """The settings of a level, or `DEFAULT` where it has none of its own."""
    return SETTINGS.get(level, DEFAULT)
