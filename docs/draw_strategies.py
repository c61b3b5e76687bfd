"""Draw what each strategy makes of the same chunks, for the gallery: one episode, coloured by chunk.

    python docs/draw_strategies.py

It writes docs/images/strategies.png (how one chunk goes on from the last), strategies_horizons.png (when the next one
is asked for) and strategies_goals.png (after a goal that moves). The policies are those of `drawn_policies.py`, whose
velocities are known in closed form. Needs the extra `bench`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
from drawn_policies import ROWS, Forecast, Gaussian, Pursuer, Pursuit, Still

from chunkenv import ChunkedExecution
from chunkenv.strategies import (
    BID,
    DVAC,
    PAINT,
    REMAC,
    RTC,
    VLASH,
    AdaptiveHorizon,
    BestOf,
    HardMasking,
    JacobianReflex,
    Naive,
    PredictedState,
    RandomHorizon,
    SoftTrainingTimeRTC,
    Strategy,
    Subgoals,
    TemporalEnsembling,
    TrainingTimeRTC,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt

IMAGES = Path(__file__).parent / "images"
CHUNKS = {
    "naive": Naive,
    "temporal ensembling": TemporalEnsembling,
    "BID": BID,
    "best of 32, by a critic that likes what is near 1": partial(
        BestOf, values=lambda observations, chunks: -abs(chunks - 1).mean(axis=(1, 2))
    ),
    "hard masking": HardMasking,
    "RTC": RTC,
    "PAINT": PAINT,
    "training-time RTC": TrainingTimeRTC,
    "training-time RTC with soft rows": SoftTrainingTimeRTC,
}
HORIZONS = {
    "adaptive horizon: where samples disagree": partial(AdaptiveHorizon, alpha=0.0),
    "DVAC: where denoising steps disagree": partial(DVAC, alpha=0.0),
    "random": partial(RandomHorizon, mean=4.0),
}
GOALS = {
    "naive": Naive,
    "predicted state": partial(PredictedState, model=Forecast()),
    "VLASH: the point is predicted, the goal is not": partial(VLASH, model=Forecast(), robot=[True, False, False]),
    "REMAC: the policy knows where the prefix leads": REMAC,
    "Jacobian reflex": partial(JacobianReflex, model=Forecast()),
    "sub-goals, half a unit away": lambda policy: Subgoals(policy, half_a_unit_away),
}
Make = Callable[..., Strategy]


def half_a_unit_away(observations, prefix, lengths, seeds) -> np.ndarray:
    """The observations with a sub-goal between place and goal."""
    place, goal, speed = np.transpose(observations)
    return np.stack([place, place + np.clip(goal - place, -0.5, 0.5), speed], axis=-1)


def play(policy: Strategy, world, horizon: int | tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The actions of an episode, and the number of the chunk that each came from."""
    correction = policy if isinstance(policy, JacobianReflex) else None
    env = ChunkedExecution(world, ROWS, horizon, latency=2, info="actions", correction=correction)
    observation, _ = env.reset(seed=0)
    rng, ended, decision, actions, chunks = np.random.default_rng(3), False, 0, [], []
    while not ended:
        decided = policy.infer(observation, env.request._replace(rng=rng))
        action = {"chunk": decided[0], "horizon": decided[1]} if isinstance(decided, tuple) else decided
        observation, _, _, ended, info = env.step(action)
        actions += [float(action[0]) for action in info["actions"]]
        chunks += [decision - int(age) for age, _ in info["sources"]]
        decision += 1
    return np.array(actions), np.array(chunks)


def draw_actions(axis: plt.Axes, make: Make, horizon: int | tuple[int, int] = 4) -> None:
    """The actions of a policy that draws every chunk anew."""
    actions, chunks = play(make(Gaussian()), Still(), horizon)
    axis.plot(actions, color="0.6", linewidth=1)
    draw_chunks(axis, actions, chunks)


def draw_pursuit(axis: plt.Axes, make: Make) -> None:
    """The places of a point, and its goal."""
    world = Pursuit()
    _, chunks = play(make(Pursuer()), world, 4)
    places, goals = np.transpose(world.trail)
    axis.plot(goals, color="0.75", linewidth=4)
    draw_chunks(axis, places, chunks)


def draw_chunks(axis: plt.Axes, values: np.ndarray, chunks: np.ndarray) -> None:
    """A dot for each tick, in the colour of its chunk."""
    axis.scatter(range(len(values)), values, c=chunks % 5, cmap="Dark2", vmin=0, vmax=7, s=22, zorder=2)


def draw(strategies: dict[str, Make], draw_one: Callable[[plt.Axes, Make], None], label: str) -> plt.Figure:
    """A line for each strategy, on a ground of its own."""
    size, shape = (7, 1.4 * len(strategies)), (len(strategies), 1)
    figure, axes = plt.subplots(*shape, figsize=size, sharex=True, sharey=True, layout="constrained")
    for axis, (name, make) in zip(axes, strategies.items(), strict=True):
        draw_one(axis, make)
        axis.set_title(name, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("tick")
    figure.supylabel(label)
    return figure


PICTURES = {
    "strategies": (CHUNKS, draw_actions, "action"),
    "strategies_horizons": (HORIZONS, partial(draw_actions, horizon=(2, 6)), "action"),
    "strategies_goals": (GOALS, draw_pursuit, "place, and goal"),
}


if __name__ == "__main__":
    for name, parts in PICTURES.items():
        draw(*parts).savefig(IMAGES / f"{name}.png", dpi=110)
        print(f"docs/images/{name}.png")
