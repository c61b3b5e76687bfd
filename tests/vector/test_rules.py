"""Several inferences in flight, rows that stream, choices, charges, corrections: each member is the single one."""


import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.latency import LogNormal, Measured, Streamed, Uniform
from tests.vector.comparing import MODES, outside_and_inside, play_both, play_singles
from tests.worlds import ACTIONS, Recorder

pytestmark = pytest.mark.filterwarnings(
    "ignore::chunkenv.errors.StaleChunkWarning", "ignore::chunkenv.errors.UnderrunWarning"
)


def noisy(observation, row, row_index, tick, rng):
    """A correction that depends on all that it is given."""
    seen = sum(float(np.sum(part)) for part in observation.values()) if isinstance(observation, dict) else observation
    return np.full(row.shape, 0.1 * np.sum(seen) + 0.01 * row_index + 0.001 * tick + rng.normal(0.0, 0.1))


class Together:
    """The same correction, for many at once; what it returns for members without a row is no number."""

    correct = staticmethod(noisy)

    def __init__(self):
        self.calls = []

    def correct_batch(self, observations, rows, row_index, tick, rngs):
        self.calls.append((rows.copy(), row_index.copy(), tick.copy()))
        added = np.full(rows.shape, np.nan)
        for index in np.flatnonzero(row_index >= 0):
            own = {key: part[index] for key, part in observations.items()} if isinstance(observations, dict) else None
            seen = observations[index] if own is None else own
            added[index] = noisy(seen, rows[index], int(row_index[index]), int(tick[index]), rngs[index])
        return added


def make_pair(make_many, make_one, num_envs, **chunks):
    """A `ChunkedVectorExecution`, and each of its members alone."""
    return make_many(**chunks), [ChunkedExecution(make_one(), **chunks) for _ in range(num_envs)]


def of_gymnasium(make_env, num_envs, mode):
    """Makes them with gymnasium's `SyncVectorEnv`."""
    return (
        lambda **chunks: ChunkedVectorExecution(SyncVectorEnv([make_env] * num_envs, autoreset_mode=mode), **chunks),
        make_env,
        num_envs,
    )


class Ending(Recorder):
    """Terminates, or is truncated, at ticks that differ from member to member and from episode to episode."""

    def reset(self, *, seed=None, options=None):
        result = super().reset(seed=seed, options=options)
        self.limit = int(self.np_random.integers(1, 25))
        return result

    def step(self, action):
        observation, reward, _, over, info = super().step(action)
        info["success"] = bool(self.np_random.random() < 0.2)
        if self.limit % 2:
            return observation, reward, over, False, info
        return observation, reward, False, over, info


WORLDS = {
    "CartPole": lambda: gym.make("CartPole-v1", max_episode_steps=23),
    "Pendulum": lambda: gym.make("Pendulum-v1", max_episode_steps=17),
    "echo": Ending,
    "Dict of actions": lambda: Ending(ACTIONS["dict"]),
    "Tuple of actions": lambda: Ending(ACTIONS["tuple"]),
    "matrices": lambda: Ending(ACTIONS["matrix box"]),
}
REAL = ("Pendulum", "echo", "matrices")
"""Those with actions that can be corrected."""


@st.composite
def streams(draw, rows):
    """Rows that come one by one, all of them or not, some with a random latency before."""
    ticks = draw(st.lists(st.integers(0, rows + 3), min_size=1, max_size=rows))
    model = Streamed(tuple(0.05 * tick for tick in sorted(ticks)))
    return model + draw(st.sampled_from([Uniform(0.0, 0.2), LogNormal(0.05, 0.8)])) if draw(st.booleans()) else model


@st.composite
def latencies(draw, rows):
    kind = draw(st.sampled_from(["ticks", "random", "streams", "measured"]))
    if kind == "ticks":
        return draw(st.integers(0, rows + 2))
    if kind == "random":
        return draw(st.sampled_from([Uniform(0.0, 0.3), LogNormal(0.1, 0.6)]))
    if kind == "streams":
        return draw(streams(rows))
    return draw(
        st.sampled_from([Measured(), Measured(2.0) + Uniform(0.0, 0.1)]) | streams(rows).map(Measured().__add__)
    )


@st.composite
def rules(draw, corrections=(None,), rows=8):
    """Arguments of which at least one is of the rules that came later."""
    rows = draw(st.integers(1, rows))
    most = draw(st.integers(1, 4))
    executed = draw(st.integers(1, rows))
    if most == 1 and draw(st.booleans()):
        executed = (draw(st.integers(1, executed)), executed)
    chunks = dict(prediction_horizon=rows, execution_horizon=executed, max_in_flight=most)
    if draw(st.booleans()):
        chunks["delays"] = tuple(sorted(draw(st.sets(st.integers(0, rows + 2), min_size=1, max_size=4))))
    else:
        chunks["latency"] = draw(latencies(rows))
    measured = getattr(chunks.get("latency"), "measured", False)
    if most > 1:
        period = st.integers(executed, rows + 3)
        chunks["request_period"] = draw(period if measured else st.none() | period)
    kinds = ["last", "max", "max:2"] + ["oracle"] * (not measured)
    return chunks | dict(
        overlap=most > 1 or draw(st.booleans()),
        underrun=draw(st.sampled_from(["hold", "stop"])),
        cold_start=draw(st.sampled_from(["free", "charged"])),
        discount=draw(st.sampled_from([1.0, 0.9, 0.0])),
        observe_prefix=draw(st.sampled_from([False, True, "flat"])),
        delay_estimate=draw(st.sampled_from(kinds)),
        correction=draw(st.sampled_from(corrections)),
        control_dt=0.05,
    )


def examples(count):
    """So many examples; the machine may be busy."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check_world(world, data, levels=("basic", "actions", "full"), steps=12):
    """Draw rules, and compare a batch of that world with each of its members alone."""
    corrections = (None, noisy, Together()) if world in REAL else (None,)
    chunks = data.draw(rules(corrections), "chunks")
    chunks["info"] = data.draw(st.sampled_from(levels), "info")
    num_envs, mode = data.draw(st.integers(1, 4), "num_envs"), data.draw(st.sampled_from(MODES), "mode")
    seed, first = data.draw(st.integers(0, 2**31), "seed"), WORLDS[world]().action_space.sample()
    pair = make_pair(*of_gymnasium(WORLDS[world], num_envs, mode), first_action=first, **chunks)
    play_singles(*pair, steps=steps, seed=seed)


@pytest.mark.parametrize("world", WORLDS)
@given(st.data())
@examples(20)
def test_each_is_the_single_one_to_the_bit(world, data):
    check_world(world, data)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@given(st.data())
@examples(500)
def test_each_is_the_single_one_in_many_cases(world, data):
    check_world(world, data, steps=25)


@given(rules(), st.sampled_from(MODES), st.integers(0, 2**31))
@examples(25)
def test_the_layout_is_that_of_gymnasium(chunks, mode, seed):
    """Against a `SyncVectorEnv` of `ChunkedExecution`s, which has no charges."""
    if getattr(chunks.get("latency"), "measured", False):
        chunks["latency"] = 2
    play_both(*outside_and_inside(Ending, 3, mode, **chunks), steps=12, seed=seed)
