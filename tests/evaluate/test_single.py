import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ActionNoise, ChunkedExecution, FlattenChunk
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
        "first_success": None,
    }
    assert [type(value) for value in row.values()] == [int, int, float, bool, int, int, type(None)]


def test_success_and_its_absence():
    assert [row["success"] for row in evaluate(make_env(), Constant(1.0), 3, seed=0)] == [True] * 3
    assert [row["success"] for row in evaluate(make_env(), Constant(-1.0), 3, seed=0)] == [False] * 3
    assert [row["success"] for row in evaluate(make_env(env=Silent), Constant(1.0), 3, seed=0)] == [None] * 3


class Reporting(gym.Env):
    """Tick t reports `reports[t]`, or nothing where that is ...; the episode is as long."""

    observation_space = gym.spaces.Box(-1, 1, (1,))
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, *reports, key="success"):
        self.reports, self.key = reports, key

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.tick = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        report, self.tick = self.reports[self.tick], self.tick + 1
        info = {} if report is ... else {self.key: report}
        return np.zeros(1, np.float32), 0.5, False, self.tick == len(self.reports), info


REPORTS = {
    "at the end": ((False, False, True), True, 3),
    "in the first tick, not lasting": ((True, False, False, False, False), True, 1),
    "inside a decision, not lasting": ((False, False, True, False, False, False), True, 3),
    "twice": ((False, True, False, True), True, 2),
    "floats of Metaworld": ((0.0, 0.0, 1.0, 0.0), True, 3),
    "arrays of one number": ((np.array([False]), np.array([True]), np.array([False])), True, 2),
    "never": ((False, False, False), False, None),
    "None": ((None, None, None), None, None),
    "NaN": ((np.nan, np.float32(np.nan), np.nan), None, None),
    "not at all": ((..., ..., ...), None, None),
    "only when it is": ((..., True, ..., ...), True, 2),
    "known at the end": ((None, None, False), False, None),
    "unknown at the end": ((False, True, None), True, 2),
    "words": (("no", "no"), None, None),
    "one for each of two": ((np.array([True, False]),) * 3, None, None),
}


@pytest.mark.parametrize("key", ["success", "is_success"])
@pytest.mark.parametrize("horizon", [1, 2, 4])
@pytest.mark.parametrize("case", REPORTS)
def test_success_is_that_of_any_tick_and_unknown_is_none(case, horizon, key):
    reports, success, first = REPORTS[case]

    def make():
        return ChunkedExecution(Reporting(*reports, key=key), 4, horizon)

    (row,) = evaluate(make, Constant(), 1, seed=0)
    assert (row["success"], row["first_success"]) == (success, first)
    assert type(row["success"]) in (bool, type(None))


def test_success_of_decisions_that_are_chunked_again():
    reports = [False, False, True, False, False, False, False, False]

    def make():
        return ChunkedExecution(ChunkedExecution(Reporting(*reports), 2, 2), 2, 2)

    class Pairs(Constant):
        def infer(self, observation, request):
            return np.zeros((2, 2, 1), np.float32)

    (row,) = evaluate(make, Pairs(), 1, seed=0)
    assert (row["success"], row["first_success"], row["ticks"]) == (True, 2, 4)


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


@pytest.mark.parametrize("info", ["basic", "actions", "full"])
def test_the_return_has_no_discount_and_none_of_the_wrappers_outside(info):
    """Twelve rewards of 1, whatever the discount, and whatever an agent's own environment makes of its decisions."""
    for discount in (1.0, 0.99, 0.0):

        def make(discount=discount):
            chunked = ChunkedExecution(Reporting(*[False] * 24), 4, 3, latency=1, info=info, discount=discount)
            return gym.wrappers.TransformReward(chunked, lambda reward: 0.1 * reward)

        assert evaluate(make, Constant(), 1, seed=0)[0]["return"] == 12.0


def test_a_wrapper_inside_makes_the_rewards_of_the_world():
    def make():
        world = gym.wrappers.TransformReward(Reporting(*[False] * 24), lambda reward: 0.5 * reward)
        return ChunkedExecution(world, 4, 3, discount=0.5)

    assert evaluate(make, Constant(), 1, seed=0)[0]["return"] == 6.0


class Repeating:
    def __init__(self, *actions):
        self.chunk = np.array(actions, np.float32)

    def infer(self, observation, request):
        return self.chunk


OUTSIDE = {
    "nothing": lambda env: env,
    "rescaled": lambda env: gym.wrappers.RescaleAction(env, np.float32(-1), np.float32(1)),
    "narrower": lambda env: gym.wrappers.TransformAction(
        env, lambda chunk: chunk * 4, gym.spaces.Box(-0.5, 0.5, (4, 1), np.float32)
    ),
    "flat": FlattenChunk,
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_smoothness_is_that_of_the_chunks_whatever_is_outside(name):
    """Pendulum swings from 2 to -2 where the chunk switches: a jump of 4, not of what the agent's own bounds allow."""
    scale = {"nothing": 2.0, "rescaled": 1.0, "narrower": 0.5, "flat": 2.0}[name]
    chunk = np.repeat(np.array([1, -1], np.float32) * scale, 2)

    def make():
        env = gym.make("Pendulum-v1", max_episode_steps=12)
        return OUTSIDE[name](ChunkedExecution(env, 4, 4, info="actions"))

    (row,) = evaluate(make, Repeating(*(chunk if name == "flat" else chunk[:, None])), 1, seed=0)
    assert row["boundary_jump"] == pytest.approx(4.0)
    assert row["chunk_change"] == pytest.approx(4.0 / 3)


def test_smoothness_of_a_flattened_chunk_has_the_bounds_of_each_element():
    class Wide(Reporting):
        action_space = gym.spaces.Box(np.float32([-1, -10]), np.float32([1, 10]))

    def make():
        return FlattenChunk(ChunkedExecution(Wide(*[False] * 4), 2, 2, info="actions"))

    (row,) = evaluate(make, Repeating(0, 8, 0, -8), 1, seed=0)
    assert row["boundary_jump"] == 16.0


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
