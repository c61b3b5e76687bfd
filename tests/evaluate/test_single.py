import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ActionNoise, ChunkedExecution
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.evaluate import episode_seed, evaluate


class Walk(gym.Env):
    """Each tick rewards 1 and moves by the action and by noise; it ends at +-3, with success on the right."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    reports_success = True

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.ticks = self.np_random.normal(), 0
        return np.array([self.x]), {}

    def step(self, action):
        self.x += float(action[0]) + self.np_random.normal(scale=0.1)
        self.ticks += 1
        info = {"success": np.bool_(self.x >= 3)} if self.reports_success else {}
        return np.array([self.x]), 1.0, abs(self.x) >= 3, self.ticks == 20, info


class Silent(Walk):
    reports_success = False


class Constant:
    def __init__(self, value=1.0, rows=4):
        self.chunk = np.full((rows, 1), value, np.float32)

    def infer(self, observation, request):
        return self.chunk


class Random:
    """Random actions, and a record of everything that it was asked."""

    def __init__(self):
        self.requests = []

    def infer(self, observation, request):
        self.requests.append(request)
        return request.rng.uniform(-1, 1, (4, 1)).astype(np.float32)


class Forgetful(Random):
    """Goes on from a number that reset() forgets."""

    resets = 0

    def reset(self):
        self.resets += 1
        self.count = 0

    def infer(self, observation, request):
        self.count += 1
        return np.full((4, 1), self.count / 20, np.float32)


def make_env(delay=1, env=Walk, **options):
    return lambda: ChunkedExecution(env(), 4, 2, latency=delay, **options)


def test_rows_say_what_happened():
    (row,) = evaluate(make_env(), Constant(0.0), episodes=1, seed=0)
    assert row == {
        "seed": episode_seed(0, 0),
        "ticks": 20,
        "return": 20.0,
        "success": False,
        "underruns": 0,
        "decisions": 10,
    }
    assert [type(value) for value in row.values()] == [int, int, float, bool, int, int]


def test_success_and_its_absence():
    assert [row["success"] for row in evaluate(make_env(), Constant(1.0), 3, seed=0)] == [True] * 3
    assert [row["success"] for row in evaluate(make_env(), Constant(-1.0), 3, seed=0)] == [False] * 3
    assert [row["success"] for row in evaluate(make_env(env=Silent), Constant(1.0), 3, seed=0)] == [None] * 3


def test_underruns_are_counted():
    (row,) = evaluate(make_env(delay=3), Constant(0.0), episodes=1, seed=0)
    assert row["underruns"] == 11  # cycles 0-1, 2-4, 5-7, ..., 17-19: no row for tick 4, then for the last two of each
    (row,) = evaluate(make_env(delay=1, cold_start="charged"), Constant(0.0), episodes=1, seed=0)
    assert row["underruns"] == 1


def test_an_episode_depends_on_seed_and_index_alone():
    rows = evaluate(make_env(), Random(), episodes=4, seed=5)
    assert evaluate(make_env(), Random(), episodes=2, seed=5) == rows[:2]
    assert evaluate(make_env(), Random(), episodes=4, seed=6) != rows
    assert len({row["seed"] for row in rows}) == 4


def test_delay_and_policy_leave_the_seeds_alone():
    seeds = [
        [row["seed"] for row in evaluate(make_env(delay), policy, episodes=3, seed=1)]
        for delay in (0, 2)
        for policy in (Random(), Constant())
    ]
    assert seeds == [seeds[0]] * 4


def test_the_policy_has_a_stream_of_its_own_that_starts_anew_with_each_episode():
    policy = Random()
    evaluate(make_env(), policy, episodes=2, seed=0)
    firsts = [request for request in policy.requests if request.tick == 0]
    assert len(firsts) == 2
    assert firsts[0].rng is not firsts[1].rng
    again = Random()
    evaluate(make_env(), again, episodes=2, seed=0)
    for one, two in zip(policy.requests, again.requests, strict=True):
        np.testing.assert_array_equal(one.prefix, two.prefix)


def test_the_policy_is_reset_before_every_episode():
    policy = Forgetful()
    rows = evaluate(make_env(), policy, episodes=3, seed=0)
    assert policy.resets == 3
    assert evaluate(make_env(), policy, episodes=3, seed=0) == rows


def test_a_discounted_reward_needs_the_ticks_own_rewards():
    undiscounted = evaluate(make_env(info="full"), Constant(0.0), 1, seed=0)
    assert evaluate(make_env(discount=0.9, info="full"), Constant(0.0), 1, seed=0) == undiscounted
    with pytest.raises(
        ArgumentError, match=r'discount=0.9 hides the undiscounted return; .*info="actions" or info="full"'
    ):
        evaluate(make_env(discount=0.9), Constant(0.0), 1, seed=0)


def test_the_environment_may_be_wrapped_further_and_is_closed():
    closed = []

    class Watched(gym.Wrapper):
        def close(self):
            closed.append(True)
            super().close()

    def make():
        return Watched(ChunkedExecution(ActionNoise(Walk(), 0.1), 4, 2, latency=1))

    assert len(evaluate(make, Random(), 2, seed=0)) == 2
    assert closed == [True]
    with pytest.raises(ActionError):
        evaluate(make, Constant(rows=3), 2, seed=0)
    assert closed == [True, True]


BAD = {
    "an environment that does not chunk": ((Walk, Constant(), 1, 0), "executes no chunks"),
    "no environment": ((dict, Constant(), 1, 0), "returned {}, which is not a Gymnasium environment"),
    "an environment instead of its maker": ((make_env()(), Constant(), 1, 0), "is not a function that makes"),
    "no maker": ((None, Constant(), 1, 0), "make_env=None is not a function"),
    "no policy": ((make_env(), None, 1, 0), r"policy=None has no method infer\(observation, request\)"),
    "a function as policy": ((make_env(), len, 1, 0), "has no method infer"),
    "a class as policy": ((make_env(), Constant, 1, 0), r"policy=Constant is a class; give an object of it"),
    "zero episodes": ((make_env(), Constant(), 0, 0), "episodes=0 is too small"),
    "negative episodes": ((make_env(), Constant(), -2, 0), "episodes=-2 is too small"),
    "half an episode": ((make_env(), Constant(), 0.5, 0), "episodes=0.5 is not a whole number"),
    "True episodes": ((make_env(), Constant(), True, 0), "episodes=True is not a whole number"),
    "episodes as text": ((make_env(), Constant(), "3", 0), "episodes='3' is not a whole number"),
    "a negative seed": ((make_env(), Constant(), 1, -1), "seed=-1 is too small"),
    "no seed": ((make_env(), Constant(), 1, None), "seed=None is not a whole number"),
    "a fractional seed": ((make_env(), Constant(), 1, 1.5), "seed=1.5 is not a whole number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    arguments, sentence = BAD[case]
    with pytest.raises(ArgumentError, match=sentence):
        evaluate(*arguments)


@pytest.mark.parametrize(
    "chunk",
    [None, np.zeros((3, 1), np.float32), np.full((4, 1), np.nan, np.float32), "left", np.zeros(4, np.float32)],
    ids=["None", "too few rows", "NaN", "text", "flat"],
)
def test_a_bad_chunk_names_the_policy(chunk):
    policy = Constant()
    policy.chunk = chunk
    with pytest.raises(ActionError, match=r"Constant.infer returned a chunk that cannot be executed: "):
        evaluate(make_env(), policy, 1, seed=0)
