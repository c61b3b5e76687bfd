"""Good environments of chunks pass their contract; for every check there are broken ones that fail it."""

import math
import threading
import unittest
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

from chunkenv import ChunkedExecution, FlattenChunk, Request
from chunkenv.latency import LogNormal
from chunkenv.testing import ChunkContract, CountingEnv
from tests.testing.failing import cases, checks_of, contract_with, expect_failure
from tests.worlds import ACTIONS, Recorder

UNEVEN = LogNormal(median=0.08, sigma=0.8)


def counting(*args, **options):
    return ChunkedExecution(CountingEnv(terminate_at=50), *args, **options)


def made(name, *args, **options):
    return ChunkedExecution(gym.make(name), *args, **options)


class Homemade(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """A chunk wrapper as somebody else might write it: a constant delay, the robot goes on with the previous chunk."""

    discount = 0.9

    def __init__(self, env=None, prediction_horizon=6, execution_horizon=3, delay=2):
        env = CountingEnv(terminate_at=50) if env is None else env
        gym.utils.RecordConstructorArgs.__init__(
            self, prediction_horizon=prediction_horizon, execution_horizon=execution_horizon, delay=delay
        )
        gym.Wrapper.__init__(self, env)
        self.action_space = batch_space(env.action_space, prediction_horizon)
        self.prediction_horizon, self.execution_horizon, self.delay = prediction_horizon, execution_horizon, delay
        self.over = True

    def reset(self, *, seed=None, options=None):
        self.tick, self.left, self.over = 0, np.zeros((0, *self.env.action_space.shape), np.float32), False
        return self.env.reset(seed=seed, options=options)

    @property
    def real_delay(self):
        return self.delay if self.tick else 0

    @property
    def request(self):
        left, delay = self.left.copy(), self.real_delay
        return Request(self.tick, left[:delay].copy(), len(left[:delay]), delay, self.execution_horizon, left)

    def read(self, chunk):
        assert chunk.shape == self.action_space.shape
        assert np.isfinite(chunk).all()
        return chunk.copy()

    def planned(self, chunk):
        return [*self.left[: self.real_delay], *chunk[self.real_delay : self.execution_horizon]]

    def summed(self, rewards):
        return sum(reward * self.discount**i for i, reward in enumerate(rewards))

    def bootstrap(self, ticks, terminated, truncated):
        return 0.0 if terminated else self.discount**ticks

    def refuse_if_over(self):
        if self.over:
            raise gym.error.ResetNeeded("call reset first.")

    def step(self, chunk):
        self.refuse_if_over()
        chunk, rewards, delay = self.read(chunk), [], self.real_delay
        discarded = len(self.left[delay:]) + delay
        for row in self.planned(chunk):
            observation, reward, terminated, truncated, info = self.env.step(row)
            rewards.append(float(reward))
            if terminated or truncated:
                break
        ticks = len(rewards)
        counts = {"ticks": ticks, "delay": delay, "underruns": 0, "discarded": discarded}
        self.tick, self.left, self.over = self.tick + ticks, chunk[ticks:], terminated or truncated
        counts["discount"] = self.bootstrap(ticks, terminated, truncated)
        return observation, self.summed(rewards), terminated, truncated, info | counts


GOOD_ENVS = {
    "counting": lambda: counting(8, 4, latency=2, info="full"),
    "counting, basic info": lambda: counting(8, 4, latency=2, discount=0.9),
    "counting, truncated": lambda: ChunkedExecution(CountingEnv(truncate_at=45), 8, 4, latency=3, discount=0.5),
    "counting, both": lambda: ChunkedExecution(CountingEnv(45, 45), 8, 4, latency=3, discount=0.9, info="full"),
    "counting, endless": lambda: ChunkedExecution(CountingEnv(), 4),
    "counting, one row": lambda: counting(1),
    "counting, random delays": lambda: counting(8, 4, latency=UNEVEN, control_dt=0.03, info="full"),
    "counting, stops": lambda: counting(4, 3, latency=UNEVEN, control_dt=0.05, underrun="stop", info="full"),
    "counting, charged": lambda: counting(8, 4, latency=2, cold_start="charged", info="full"),
    "counting, charged and stops": lambda: counting(4, 2, latency=1, cold_start="charged", underrun="stop"),
    "counting, stops between chunks": lambda: counting(4, latency=UNEVEN, control_dt=0.15, underrun="stop"),
    "counting, synchronous": lambda: counting(8, 5, latency=2, overlap=False, info="full"),
    "CartPole": lambda: made("CartPole-v1", 8, 4, latency=2, info="full", discount=0.99),
    "CartPole, random delays": lambda: made("CartPole-v1", 8, 3, UNEVEN, delay_estimate="max", observe_prefix=True),
    "CartPole, flat": lambda: FlattenChunk(made("CartPole-v1", 8, 4, latency=2)),
    "Pendulum": lambda: made("Pendulum-v1", 8, 4, latency=3, info="full", observe_prefix="flat"),
    "Pendulum, flat": lambda: FlattenChunk(made("Pendulum-v1", 8, 4, latency=2)),
    "Pendulum, synchronous": lambda: made("Pendulum-v1", 6, 4, UNEVEN, overlap=False, underrun="zero"),
    "Pendulum, last": lambda: made("Pendulum-v1", 8, 4, UNEVEN, delay_estimate="last", discount=0.9),
    "MountainCarContinuous, which returns its own state": lambda: made("MountainCarContinuous-v0", 4, latency=1),
    "homemade": Homemade,
    "homemade, Pendulum": lambda: Homemade(gym.make("Pendulum-v1")),
} | {
    f"{name} actions": lambda space=space: ChunkedExecution(Recorder(space), 6, 3, latency=2, info="full")
    for name, space in ACTIONS.items()
}


@pytest.mark.parametrize("world", GOOD_ENVS)
class TestGoodEnvironments(ChunkContract):
    @pytest.fixture(autouse=True)
    def _choose(self, world):
        self.make_env = GOOD_ENVS[world]


@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
class TestDelayBeyondTheChunk(ChunkContract):
    def make_env(self):
        return counting(3, 2, latency=5, info="full")


class Native(gym.Env):
    """An environment that plays chunks itself, so that only its info tells what was executed."""

    prediction_horizon, discount = 6, 0.9

    def __init__(self, info="full"):
        self.inside = ChunkedExecution(CountingEnv(terminate_at=50), 6, 3, latency=1, discount=0.9, info=info)
        self.observation_space, self.action_space = self.inside.observation_space, self.inside.action_space

    def reset(self, *, seed=None, options=None):
        return self.inside.reset(seed=seed, options=options)

    def step(self, action):
        return self.inside.step(action)

    @property
    def request(self):
        return self.inside.request


class TestNativeChunks(ChunkContract):
    oracle = True

    def make_env(self):
        return Native()


def test_what_cannot_be_seen_is_skipped():
    contract = contract_with(ChunkContract, make_env=lambda: Native(info="basic"))
    with pytest.raises(unittest.SkipTest, match="what was executed is unknown"):
        contract.test_ticks_are_the_control_steps_played()
    with pytest.raises(unittest.SkipTest, match="info='full'"):
        contract.test_the_account_of_every_tick_is_true()


class Altered(gym.Wrapper):
    """Tells something else than what happened inside."""

    def __init__(self, env, change):
        super().__init__(env)
        self.change = change

    def step(self, action):
        return self.change(*self.env.step(action))


def telling(**changes):
    """An environment whose info tells something else."""

    def change(observation, reward, terminated, truncated, info):
        told = {key: change(info) for key, change in changes.items()}
        return observation, reward, terminated, truncated, info | told

    return lambda: Altered(counting(8, 4, latency=6, info="full"), change)


class Asking(gym.Wrapper):
    """Asks something else."""

    def __init__(self, env, change):
        super().__init__(env)
        self.change = change

    @property
    def request(self):
        return self.change(self.env.get_wrapper_attr("request"))


def asking(change):
    return lambda: Asking(counting(8, 4, latency=2), change)


def padded(array, length=8):
    return np.concatenate([array, np.zeros((length - len(array), *array.shape[1:]), array.dtype)])


class WithoutDiscount(Homemade):
    @property
    def discount(self):
        raise AttributeError


class OddDiscount(gym.Wrapper):
    discount = 2.0


class LongerChunks(gym.Wrapper):
    def __init__(self, env):
        super().__init__(env)
        self.action_space = batch_space(env.unwrapped.action_space, 16)


def nowhere(info):
    return np.full_like(info["sources"], -1)


class KeepsTheTick(Homemade):
    def reset(self, *, seed=None, options=None):
        tick = getattr(self, "tick", 0)
        result = super().reset(seed=seed, options=options)
        self.tick = tick
        return result


class DrawsWhenAsked(Homemade):
    """The delay is drawn by whoever looks at the request."""

    def reset(self, *, seed=None, options=None):
        self.rng = np.random.default_rng(0)
        return super().reset(seed=seed, options=options)

    @property
    def request(self):
        self.delay = int(self.rng.integers(0, 4))
        return super().request


class DropsThePrefix(Homemade):
    def planned(self, chunk):
        return [*np.zeros_like(chunk[: self.real_delay]), *chunk[self.real_delay : self.execution_horizon]]


class StartsAtRowZero(Homemade):
    """The most frequent mistake: the rows whose ticks are over are played too."""

    def planned(self, chunk):
        return [*self.left[: self.real_delay], *chunk[: self.execution_horizon - self.real_delay]]


class PlaysOneMore(Homemade):
    def planned(self, chunk):
        return [*self.left[: self.real_delay], *chunk[self.real_delay : self.execution_horizon + 1]]


class RunsOn(Homemade):
    def step(self, chunk):
        self.refuse_if_over()
        results = [self.env.step(row) for row in self.planned(self.read(chunk))]
        self.left, self.tick = chunk[len(results) :].copy(), self.tick + len(results)
        terminated, truncated = (any(result[flag] for result in results) for flag in (2, 3))
        self.over = terminated or truncated
        counts = {"ticks": len(results), "delay": 0, "underruns": 0, "discarded": 0, "discount": 1.0}
        return results[-1][0], 0.0, terminated, truncated, counts


class CallsAnEndALimit(Homemade):
    def step(self, chunk):
        observation, reward, terminated, truncated, info = super().step(chunk)
        return observation, reward, False, terminated or truncated, info


class TruncationIsAnEnd(Homemade):
    """SB3 #633, CleanRL #198: the value after a limit is taken for zero."""

    def bootstrap(self, ticks, terminated, truncated):
        return 0.0 if terminated or truncated else self.discount**ticks


class EndIsNone(Homemade):
    def bootstrap(self, ticks, terminated, truncated):
        return self.discount**ticks


class UndiscountedInside(Homemade):
    """smdpfier's sum: the last discount for all."""

    def summed(self, rewards):
        return self.discount ** len(rewards) * sum(rewards)


class Unseeded(Homemade):
    def reset(self, *, seed=None, options=None):
        self.rng = np.random.default_rng()
        return super().reset(seed=seed, options=options)

    def summed(self, rewards):
        return super().summed(rewards) + float(self.rng.normal())


class KeepsTheChunk(Homemade):
    def reset(self, *, seed=None, options=None):
        left = getattr(self, "left", None)
        result = super().reset(seed=seed, options=options)
        self.left = self.left if left is None else left
        return result


class OneBuffer(gym.ObservationWrapper):
    def __init__(self, env):
        super().__init__(env)
        self.buffer = np.zeros(self.observation_space.shape, np.float32)

    def observation(self, observation):
        self.buffer[:] = observation
        return self.buffer


class OneInfo(gym.Wrapper):
    """diffusion_policy's list of rewards, which is never cleared."""

    def __init__(self, env):
        super().__init__(env)
        self.rewards = []

    def step(self, action):
        *result, info = self.env.step(action)
        self.rewards.extend(info["rewards"])
        return *result, info | {"rewards": self.rewards}


class KeepsTheCallersArray(Homemade):
    def read(self, chunk):
        return chunk


class GivesItsOwnArray(Homemade):
    @property
    def request(self):
        return super().request._replace(left_over=self.left)


class GivesItsOwnObservation(Homemade):
    """Adds up its observations, in the very array that it has returned."""

    def step(self, chunk):
        observation, *rest = super().step(chunk)
        self.sum = observation + (self.sum if self.tick > len(chunk) else 0.0)
        return self.sum, *rest


class ResetsByItself(Homemade):
    def refuse_if_over(self):
        if self.over:
            self.reset()


class RaisesAnything(Homemade):
    def refuse_if_over(self):
        assert not self.over


class FailsLate(Homemade):
    """Looks at a row when it is its turn."""

    def read(self, chunk):
        return chunk.copy()

    def planned(self, chunk):
        yield from super().planned(padded(chunk, 6))
        assert chunk.shape == self.action_space.shape
        assert np.isfinite(chunk).all()


class ReadsAnything(Homemade):
    def read(self, chunk):
        return padded(chunk, 6)


class HasALock(Homemade):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class LosesItsDelay(Homemade):
    def __reduce__(self):
        return Homemade, (None, 6, 3, 1)


class Unrecorded(gym.Wrapper):
    """No RecordConstructorArgs."""

    def __init__(self, env, note):
        super().__init__(env)


class ForgetsAnArgument(Homemade):
    def __init__(self, env, delay=2):
        super().__init__(env, delay=delay)
        self._saved_kwargs = {}


def forgotten_delay():
    return ForgetsAnArgument(gym.make("Pendulum-v1"), delay=1)


def changed(**parts):
    """An environment whose step returns something else."""

    def change(observation, reward, terminated, truncated, info):
        result = {"reward": reward, "terminated": terminated, "truncated": truncated}
        result |= {name: part(result[name]) for name, part in parts.items()}
        return observation, *result.values(), info

    return lambda: Altered(counting(8, 4, latency=2), change)


def without(key):
    def change(observation, reward, terminated, truncated, info):
        return observation, reward, terminated, truncated, {k: v for k, v in info.items() if k != key}

    return lambda: Altered(counting(8, 4, latency=2), change)


BROKEN_ENVS = {
    "test_horizon_discount_and_request_are_offered": [
        ("has no attribute 'prediction_horizon'", CountingEnv),
        ("has no attribute 'discount'", WithoutDiscount),
        ("discount is 2.0", lambda: OddDiscount(counting(8))),
        ("prediction_horizon is 8; expected 16, the rows", lambda: LongerChunks(counting(8))),
        ("without ['tick', 'prefix'", asking(tuple)),
        ("has no rng", asking(lambda request: SimpleNamespace(**request._asdict()))),
    ],
    "test_a_reset_starts_at_tick_0_with_an_empty_prefix": [
        ("has tick 3, prefix_length 0, 0 rows", KeepsTheTick),
        ("has tick 0, prefix_length 0, 3 rows", KeepsTheChunk),
    ],
    "test_the_tick_advances_by_the_ticks_played": [
        ("request.tick is 2; expected 0 + info['ticks'] = 4", asking(lambda r: r._replace(tick=r.tick // 2))),
        ("request.tick is 4; expected 0 + info['ticks'] = 5", telling(ticks=lambda info: info["ticks"] + 1)),
    ],
    "test_the_prefix_is_what_will_run_of_left_over": [
        ("prefix has 8 rows; expected 0", asking(lambda r: r._replace(prefix=padded(r.prefix)))),
        ("prefix_length is 0; expected 2", asking(lambda r: r._replace(prefix_length=0, prefix=r.prefix[:0]))),
        ("row 0 of prefix is [0.0]; expected", asking(lambda r: r._replace(prefix=np.zeros_like(r.prefix)))),
    ],
    "test_left_over_is_the_end_of_the_previous_chunk": [
        ("left_over has 8 rows; expected at most the 0", asking(lambda r: r._replace(left_over=padded(r.left_over)))),
        ("row 0 of left_over is", asking(lambda r: r._replace(left_over=r.left_over[:-1]))),
    ],
    "test_reading_the_request_changes_nothing": [("reading the request has changed", DrawsWhenAsked)],
    "test_an_oracle_knows_the_delay": [
        ("delay_estimate was 1; expected 0", asking(lambda r: r._replace(delay_estimate=r.delay_estimate + 1))),
        ("delay_estimate was 6; expected 7", telling(delay=lambda info: info["delay"] and 7)),
    ],
    "test_ticks_are_the_control_steps_played": [("is 8; expected 4", telling(ticks=lambda info: 8))],
    "test_the_rows_left_are_executed_first": [("tick 0 executed [0.0]; expected", DropsThePrefix)],
    "test_the_new_rows_run_in_their_own_ticks": [("the row of the new chunk (delay 2)", StartsAtRowZero)],
    "test_the_next_request_comes_after_the_execution_horizon": [
        ("the next request came after 4 ticks; expected 3", PlaysOneMore)
    ],
    "test_nothing_runs_past_an_end": [
        ("1 ticks ran past the end", RunsOn),
        ("terminated=False, truncated=True; expected the flags of the last tick", CallsAnEndALimit),
    ],
    "test_info_has_its_keys": [
        ("info has no ['discarded']", without("discarded")),
        ("info['delay'] is 6.0; expected a whole", telling(delay=lambda info: 6.0)),
        ("info['underruns'] is -1", telling(underruns=lambda info: -1)),
        ("info['discount'] is 2.0", telling(discount=lambda info: 2.0)),
    ],
    "test_underruns_and_executed_rows_are_the_ticks": [
        ("info['underruns'] is 0; expected 2", telling(underruns=lambda info: 0)),
        ("info['underruns'] is 4; expected 2", telling(underruns=lambda info: 2 * info["underruns"])),
    ],
    "test_every_row_is_executed_discarded_or_left": [
        ("4 executed, 5 discarded, 4 left", telling(discarded=lambda info: 5)),
        ("4 executed, 1 discarded, 4 left", telling(discarded=lambda info: 1)),
    ],
    "test_the_discount_is_0_only_where_terminated": [
        ("is 0.0; expected 0.81", lambda: TruncationIsAnEnd(CountingEnv(truncate_at=20))),
        ("is 0.81; expected 0.0", EndIsNone),
        ("is 0.5; expected 1.0", telling(discount=lambda info: 0.5)),
    ],
    "test_the_reward_is_the_discounted_sum": [("the sum of 0.9**i * r_i", UndiscountedInside)],
    "test_flags_are_bool_and_the_reward_a_finite_float": [
        ("of float32; expected a finite float", changed(reward=np.float32)),
        ("the reward is nan", changed(reward=lambda reward: math.nan)),
        ("terminated is np.False_", changed(terminated=np.bool_)),
        ("truncated is 0 of int", changed(truncated=int)),
    ],
    "test_the_account_of_every_tick_is_true": [
        ("info['rewards'] has 16 items; expected 8", lambda: OneInfo(counting(8, info="full"))),
        ("info['rewards'][0] is", telling(rewards=lambda info: info["rewards"] * 2)),
        ("info['actions'][0] is", telling(actions=lambda info: info["actions"][::-1])),
        ("info['sources'][0] is (0, 3), which holds", telling(sources=lambda info: info["sources"][::-1])),
        ("info['sources'][0] is (100, 100); expected", telling(sources=lambda info: info["sources"] + 100)),
        ("4 ticks have no source", telling(sources=nowhere, staleness=lambda info: [-1] * info["ticks"])),
        ("info['staleness'][0] is 1; expected 0", telling(staleness=lambda info: info["staleness"] + 1)),
    ],
    "test_the_same_seed_gives_the_same_episode": [("decision[0]['reward'] is", Unseeded)],
    "test_nothing_survives_a_reset": [
        ("decision[0]['request']['left_over'] has shape (3, 1)", KeepsTheChunk),
        ("decision[0]['request']['tick'] is 9", KeepsTheTick),
    ],
    "test_nothing_returned_changes_later": [
        ("decision[0]['before'] is [32.0]; expected [0.0]", lambda: OneBuffer(counting(8, 4))),
        ("decision[0]['info']['rewards'] has", lambda: OneInfo(counting(8, info="full"))),
    ],
    "test_the_chunk_may_be_overwritten_after_the_step": [("writing into the chunk", KeepsTheCallersArray)],
    "test_the_observation_may_be_overwritten": [("writing into an observation", GivesItsOwnObservation)],
    "test_the_request_may_be_overwritten": [("writing into the request", GivesItsOwnArray)],
    "test_a_step_before_the_reset_is_refused": [
        ("a step before the first reset was played", ResetsByItself),
        ("before the first reset raised AssertionError", RaisesAnything),
    ],
    "test_a_step_after_the_end_is_refused": [
        ("a step after the end of an episode was played", ResetsByItself),
        ("after the end of an episode raised AssertionError", RaisesAnything),
    ],
    "test_a_chunk_of_the_wrong_shape_is_refused": [
        ("was executed; expected an error", ReadsAnything),
        ("a chunk that was refused has moved something", FailsLate),
    ],
    "test_a_chunk_with_nan_or_out_of_range_is_refused": [
        ("nan", ReadsAnything),
        ("a chunk that was refused has moved something", FailsLate),
    ],
    "test_it_pickles": [
        ("cannot be pickled", HasALock),
        ("the unpickled environment plays another", LosesItsDelay),
    ],
    "test_it_rebuilds_from_its_spec": [
        ("cannot be rebuilt", lambda: Unrecorded(made("Pendulum-v1", 8), note=1)),
        ("gym.make(env.spec) plays another episode", forgotten_delay),
    ],
    "test_its_spec_goes_through_json": [
        ("cannot be rebuilt", lambda: Homemade(gym.make("Pendulum-v1"), delay=np.int64(1))),
        ("out of its spec's JSON plays another episode", forgotten_delay),
    ],
}


@pytest.mark.parametrize(("check", "words", "make"), cases(BROKEN_ENVS))
def test_a_broken_environment_fails(check, words, make):
    expect_failure(ChunkContract, check, words, make_env=make)


def test_every_check_has_something_that_fails_it():
    assert checks_of(ChunkContract) == set(BROKEN_ENVS)
