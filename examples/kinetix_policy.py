"""Your own policy in the study of the package: the mean of a few chunks of the package's flow policy.

    python examples/kinetix_policy.py
    chunkenv bench rtc --tasks cartpole_thrust --policy examples/kinetix_policy.py:make_policy --out results/mine

A policy gets compact observations, float32[N, 7 n], and returns chunks, float32[N, 8, 6]. With `infer` for one request
alone it is asked N times. Needs `pip install "chunkenv[agents]"`.
"""

import numpy as np

from chunkenv.agents import load_pretrained
from chunkenv.bench.studies import play_policy

SAMPLES = 4


class MeanChunk:
    """Draws some chunks and returns their mean; nothing is kept between requests."""

    def __init__(self, policy):
        self.policy = policy

    def infer_batch(self, observations, request):
        """The mean chunks; each call draws on from `request.rng`."""
        return np.mean([self.policy.infer_batch(observations, request) for _ in range(SAMPLES)], axis=0)


def make_policy(level):
    """What the study calls with the name of a level: load your network here."""
    return MeanChunk(load_pretrained(level))


def solved(level, policy):
    """The share of 16 episodes that is solved, with a delay of two ticks."""
    rows = play_policy(level, policy, range(16), seed=0, execution_horizon=2, latency=2)
    return np.mean([row["success"] for row in rows])


if __name__ == "__main__":
    level = "cartpole_thrust"
    for name, policy in {"one sample": load_pretrained(level), "mean chunk": make_policy(level)}.items():
        print(f"{name}  solved {solved(level, policy):.0%}")
