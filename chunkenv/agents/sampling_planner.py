"""A sampling planner for the Kinetix levels: needs no training, because it is given the engine as its model.

The algorithm is of the family of the cross-entropy method (Rubinstein 1999; De Boer et al. 2005) as it is used for
model-predictive control (Chua et al. 2018, arXiv 1805.12114), warm-started from decision to decision and executing the
best *sampled* plan, as predictive sampling does (Howell et al. 2022, arXiv 2212.00541):

    candidates   the last plan, shifted by the ticks that passed; doing nothing; full drive in four patterns; noise
                 around the last plan; fresh random plans. A drawn action is held over several ticks.
    rounds       the candidates are simulated; then further ones are drawn around the mean of the best so far
    final        the best are simulated again under draws of action noise, and the best on average is executed: the
                 more plans are tried, the likelier the best one is a knife edge that noise ruins
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.engine.level_simulator import Rollout
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.registration import ACTION_NOISE
from chunkenv.request import Request
from chunkenv.utils.checks import one_of, real_number, true_or_false, whole_number

SUCCESS = -100.0  # the cost of touching blue, against distances of a few metres
FAILURE = 20.0  # of touching red, added to the distances
LATER = 0.1  # a success costs this much more for each tick that it comes later
FRESH_SHARE = 0.3  # of the samples that forget the mean plan
ELITE_SHARE = 1 / 12  # of the plans, that the next mean is made of

FULL_DRIVE = np.array(
    [[1, 1, 1, 1, 1, 1], [-1, -1, -1, -1, 1, 1], [1, -1, 1, -1, 1, -1], [-1, 1, -1, 1, -1, 1]], np.float32
)
"""Four constant actions: all motors one way or the other, motors and thrusters against each other."""

N_FIXED = 2 + len(FULL_DRIVE)

AIMS = ("approach", "arrive", "stay near")


@dataclass(frozen=True)
class PlannerSettings:
    """What `Planner` may spend on a decision, and on what.

    Attributes:
        samples: candidate plans in a round, N; the first six are not drawn (see above).
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
        ArgumentError: for an invalid value.

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


DEFAULT_SETTINGS = PlannerSettings()
"""For a level without tuned settings; it serves the twelve as well."""

LEVEL_SETTINGS = {
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
"""Found by trial. Those that noise hurts most (swimmer, walker, cheetah, catcher) try their plans under more of it."""


def planner_settings(level: str) -> PlannerSettings:
    """The settings of a level, or `DEFAULT_SETTINGS` where it has none of its own."""
    return LEVEL_SETTINGS.get(level, DEFAULT_SETTINGS)


class Planner:
    """A policy that plans by simulating many chunks from the state it observes, and returns the best one.

    It is no learned policy and no fair opponent for one: it is given the state of the engine, not an observation, and
    the engine itself as its model; only the action noise is unknown to it. Make the environment with
    `observation="state"`. It is meant for asynchronous execution (`overlap=True`), where row i of a chunk belongs to
    tick i after the request.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        prediction_horizon: rows in a chunk, H.
        prefix_aware: True plays the request's prefix in the model first and plans from where the world will be when
            the chunk arrives: its first rows are the prefix, the plan begins at row `delay_estimate`. False plans from
            what it sees, as if the chunk acted at once. Without delay both are the same.
        settings: how hard it thinks; those of the level, `planner_settings(level)`, if None.

    Attributes:
        ticks_simulated: control steps simulated since the planner was made: what its decisions cost.

    Raises:
        ArgumentError: for an invalid argument.

    >>> import gymnasium as gym
    >>> from chunkenv import ChunkedExecution, evaluate
    >>> def make_env():
    ...     return ChunkedExecution(gym.make("chunkenv/kinetix-grasp_easy-v0", observation="state"), 8, 4, latency=2)
    >>> evaluate(make_env, Planner("grasp_easy"), episodes=1, seed=0)[0]["success"]
    True
    """

    def __init__(
        self,
        level: str,
        prediction_horizon: int = 8,
        prefix_aware: bool = True,
        settings: PlannerSettings | None = None,
    ) -> None:
        self.prediction_horizon = whole_number("prediction_horizon", prediction_horizon, at_least=1)
        self.prefix_aware = true_or_false("prefix_aware", prefix_aware)
        if not (settings is None or isinstance(settings, PlannerSettings)):
            raise ArgumentError(f"settings={settings!r} are no PlannerSettings; give PlannerSettings(...) or None.")
        self.simulator = Simulator(level)
        self.settings = settings or planner_settings(level)
        self.ticks_simulated = 0
        self._rows = max(self.settings.horizon, self.prediction_horizon)
        self.reset()

    def reset(self) -> None:
        """Forget the last plan: an episode begins."""
        self._plan = np.zeros((self._rows, N_ACTIONS), np.float32)
        self._plan_tick = 0
        self._last_action = np.zeros(N_ACTIONS, np.float32)

    def infer(self, observation: np.ndarray, request: Request) -> np.ndarray:
        """The chunk for a request.

        Args:
            observation: the engine's state, uint8[n].
            request: `ChunkedExecution.request`, with a random stream in `rng`.

        Returns:
            float32[H, 6], within [-1, 1] but for the prefix, which is returned as it came.

        Raises:
            ArgumentError: the observation is not a state of this level, or the request has no random stream.
        """
        state = self._checked(observation)
        rng = _checked_rng(request)
        committed = self._committed(request)
        plan = self._best_plan(state, committed, self._last_plan_from(request.tick + len(committed)), rng)
        self._plan, self._plan_tick = plan, request.tick + len(committed)
        chunk = np.concatenate([committed, plan])[: self.prediction_horizon]
        self._last_action = chunk[-1]
        return chunk

    def _checked(self, observation: object) -> np.ndarray:
        if not (isinstance(observation, np.ndarray) and observation.dtype == np.uint8):
            raise ArgumentError(
                f"The planner needs the engine's state, not {brief(observation)}; make the environment with "
                "observation='state'."
            )
        return self.simulator.check_state(observation)

    def _committed(self, request: Request) -> np.ndarray:
        """The actions that run before this chunk can act, [delay, 6]; none for a naive planner, which ignores them."""
        if not self.prefix_aware or request.delay_estimate == 0:
            return np.zeros((0, N_ACTIONS), np.float32)
        rows = np.asarray(request.prefix, np.float32)
        held = rows[-1] if len(rows) else self._last_action
        return np.concatenate([rows, np.tile(held, (request.delay_estimate - len(rows), 1))])

    def _last_plan_from(self, tick: int) -> np.ndarray:
        """The last plan from `tick` on, going on with its last action where it ends."""
        passed = tick - self._plan_tick
        rows = np.minimum(np.arange(self._rows) + passed, self._rows - 1)
        return self._plan[rows]

    def _best_plan(
        self, state: np.ndarray, committed: np.ndarray, last: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """The sampled plan that does best after the committed actions, judged under action noise."""
        start = self._simulate(state, committed[None]).states[0]
        plans = np.concatenate([self._fixed(last), self._draw(last, self.settings.samples - N_FIXED, rng)])
        costs = self._costs(start, plans)
        for _ in range(1, self.settings.rounds):
            mean = plans[_best(costs, round(ELITE_SHARE * len(plans)))].mean(axis=0)
            more = self._draw(mean, self.settings.samples, rng)
            plans, costs = np.concatenate([plans, more]), np.concatenate([costs, self._costs(start, more)])
        finalists = plans[_best(costs, self.settings.finalists)]
        return finalists[self._costs_under_noise(state, committed, finalists, rng).argmin()]

    def _fixed(self, last: np.ndarray) -> np.ndarray:
        """The candidates that are not drawn, [N_FIXED, T, 6]: the last plan, doing nothing, full drive."""
        return np.concatenate(
            [last[None], np.zeros_like(last)[None], np.repeat(FULL_DRIVE[:, None], len(last), axis=1)]
        )

    def _draw(self, mean: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Random candidates, [count, T, 6]: most of them near the mean plan, the others anywhere."""
        n_fresh = round(FRESH_SHARE * count)
        noise = self._hold(rng.standard_normal((count - n_fresh, *mean.shape)), rng)
        fresh = self._hold(rng.uniform(-1, 1, (n_fresh, *mean.shape)), rng)
        plans = np.concatenate([mean + self.settings.spread * noise, fresh])
        return plans.clip(-1, 1).astype(np.float32)

    def _hold(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """`values` [n, T, 6], each plan's held over a number of ticks of its own."""
        holds = rng.choice(self.settings.holds, len(values))
        rows = np.arange(self._rows) // holds[:, None] * holds[:, None]
        return np.take_along_axis(values, rows[:, :, None], axis=1)

    def _costs_under_noise(
        self, state: np.ndarray, committed: np.ndarray, plans: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """The mean cost of each plan under action noise: the same draws for all, on the committed actions too."""
        chunks = np.concatenate([np.tile(committed, (len(plans), 1, 1)), plans], axis=1)
        shape = (self.settings.noise_draws, *chunks.shape[1:])
        noise = self.settings.action_noise * rng.standard_normal(shape).astype(np.float32)
        noisy = (chunks[:, None] + noise).reshape(-1, *chunks.shape[1:])
        return self._costs(state, noisy).reshape(len(plans), -1).mean(axis=1)

    def _costs(self, start: np.ndarray, plans: np.ndarray) -> np.ndarray:
        return cost(self._simulate(start, plans), self.settings.aim)

    def _simulate(self, start: np.ndarray, chunks: np.ndarray) -> Rollout:
        result = self.simulator.rollout(start, chunks)
        self.ticks_simulated += int(np.minimum(result.ends + 1, chunks.shape[1]).sum())
        return result


def cost(result: Rollout, aim: str) -> np.ndarray:
    """What each rollout costs, float[N]: distances in m, a success far below them, a failure above."""
    outcome = result.rewards.sum(axis=1)
    final = result.distances[:, -1]
    if aim == "approach":
        distance = result.distances.min(axis=1) + final
    elif aim == "arrive":
        distance = final
    else:
        distance = result.distances.mean(axis=1)
    return np.where(outcome > 0, SUCCESS + LATER * result.ends, distance + FAILURE * (outcome < 0))


def _best(costs: np.ndarray, count: int) -> np.ndarray:
    """The indices of the `count` lowest costs (at least one), the lowest first."""
    return np.argsort(costs, kind="stable")[: max(count, 1)]


def _checked_rng(request: Request) -> np.random.Generator:
    if not isinstance(request.rng, np.random.Generator):
        raise ArgumentError(
            f"The request has rng={request.rng!r}, but the planner draws from it; use chunkenv.evaluate, or give it a "
            "stream: request._replace(rng=numpy.random.default_rng(0))."
        )
    return request.rng
