"""What the tests of the real clock share: scripted delays, in simulation and on a clock that is set; policies."""

import dataclasses

import gymnasium as gym
import numpy as np

from chunkenv.latency import LatencyModel
from chunkenv.realtime import ManualClock, RealtimeExecution, ScriptedWorker

DT = 1 / 32


@dataclasses.dataclass(frozen=True)
class Listed(LatencyModel):
    """Draws that are listed, in ticks: round the end, from the start in every episode."""

    ticks: tuple[int, ...]
    typical: int = 1

    def begin(self, rng):
        return 0

    def draw(self, rng, state):
        return self.ticks[state % len(self.ticks)] * DT, state + 1

    def mean(self):
        return self.typical * DT


class Numbers(gym.Env):
    """Rewards, observations and the end depend on the actions and on the seed; it echoes what it was given."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, limit=17, terminates=True):
        self.limit, self.terminates = limit, terminates
        self.ticks = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.ticks, self.x = 0, float(self.np_random.normal())
        return np.array([0.0, self.x]), {"fresh": True}

    def step(self, action):
        self.ticks += 1
        self.x = 0.9 * self.x + float(action[0]) + float(self.np_random.normal(scale=0.1))
        info = {"success": self.x > 1.0, "echo": float(action[0])}
        ended = self.terminates and bool(self.np_random.random() < 0.03)
        return np.array([float(self.ticks), self.x]), self.x, ended, self.ticks >= self.limit, info


class Random:
    """Random chunks of (rows, horizon) out of the request's stream, and a record of all requests."""

    horizons = None

    def __init__(self, horizon):
        self.rows = horizon[0]
        self.requests, self.observations = [], []

    def infer(self, observation, request):
        self.requests.append(request._replace(rng=None))
        self.observations.append(observation)
        chunk = request.rng.uniform(-1, 1, (self.rows, 1)).astype(np.float32)
        if self.horizons is None:
            return chunk
        return chunk, int(request.rng.integers(self.horizons[0], self.horizons[1] + 1))


def seconds_of(ticks):
    """What an inference takes that control sees after so many ticks."""
    return max(ticks - 0.5, 0.0) * DT


def scripted(delays, free=True):
    """A worker whose inferences take the listed delays, and its clock."""
    clock = ManualClock()

    def seconds(inference):
        number = inference.number - free  # the first one of a free start is not drawn
        return 0.3 if number < 0 else seconds_of(delays[number % len(delays)])

    return {"clock": clock, "worker": ScriptedWorker(clock, seconds)}


def make_loop(env, policy, rows, horizon, delays=(1,), **options):
    """A loop on a clock that is set."""
    timing = scripted(delays, options.get("cold_start", "free") == "free")
    return RealtimeExecution(env, policy, rows, horizon, control_dt=DT, **timing | options)


def same(one, other):
    """Whether two nested results are equal to the bit."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))
