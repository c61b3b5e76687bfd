"""The planner: what it may touch, what it remembers, what the prefix changes, and that it solves levels."""

import copy

import gymnasium as gym
import numpy as np
import pytest

from chunkenv import ActionNoise, ChunkedExecution, Request, evaluate
from chunkenv.agents.sampling_planner import (
    DEFAULT_SETTINGS,
    FAILURE,
    LEVEL_SETTINGS,
    SUCCESS,
    Planner,
    PlannerSettings,
    cost,
    planner_settings,
)
from chunkenv.bench.analysis import pooled
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.level_simulator import Rollout
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.testing import PolicyContract

H, S = 8, 4
QUICK = PlannerSettings(samples=24, rounds=2, horizon=12, finalists=2, noise_draws=2)


def make_env(level, delay, noise=0.1, **options):
    world = gym.make(f"chunkenv/kinetix-{level}-v0", observation="state")
    return ChunkedExecution(ActionNoise(world, noise), H, S, latency=delay, **options)


def request(tick=0, prefix=(), delay=0, seed=0):
    rows = np.asarray(prefix, np.float32).reshape(-1, 6)
    return Request(tick, rows, len(rows), delay, S, rows, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def state():
    """A state of the swimmer in full motion, where a plan made elsewhere is a bad one."""
    simulator = Simulator("mjc_swimmer")
    drive = np.random.default_rng(3).uniform(-1, 1, (1, 20, 6)).astype(np.float32)
    return simulator.rollout(simulator.initial_state(), drive).states[0]


def play(policy, delay, decisions, level="mjc_swimmer", **options):
    """The chunks of an episode's first decisions, with the requests that they answered."""
    env, rng = make_env(level, delay, **options), np.random.default_rng(5)
    observation, _ = env.reset(seed=1)
    policy.reset()
    chunks, requests = [], []
    for _ in range(decisions):
        requests.append(env.request)
        chunks.append(policy.infer(observation, env.request._replace(rng=rng)))
        observation, *_ = env.step(chunks[-1])
    return chunks, requests


# ---- what the prefix changes


def test_without_delay_prefix_aware_and_naive_are_the_same_to_the_bit():
    aware, _ = play(Planner("mjc_swimmer", H, True, QUICK), delay=0, decisions=6)
    naive, _ = play(Planner("mjc_swimmer", H, False, QUICK), delay=0, decisions=6)
    np.testing.assert_array_equal(aware, naive)


def test_with_delay_they_differ():
    aware, _ = play(Planner("mjc_swimmer", H, True, QUICK), delay=3, decisions=2)
    naive, _ = play(Planner("mjc_swimmer", H, False, QUICK), delay=3, decisions=2)
    assert (aware[1] != naive[1]).any()


@pytest.mark.parametrize("delay", [1, 2, 3, 4])
def test_the_first_rows_of_a_prefix_aware_chunk_are_the_prefix(delay):
    chunks, requests = play(Planner("mjc_swimmer", H, True, QUICK), delay, decisions=4)
    for chunk, asked in zip(chunks[1:], requests[1:], strict=True):
        assert asked.prefix_length == delay
        np.testing.assert_array_equal(chunk[:delay], asked.prefix)


def test_the_plan_begins_in_the_state_that_the_prefix_leads_to(state):
    """A prefix-aware plan is the plan that is made without delay in the state after the prefix."""
    prefix = np.random.default_rng(4).uniform(-1, 1, (3, 6)).astype(np.float32)
    settings = PlannerSettings(samples=24, rounds=2, horizon=12, finalists=1, noise_draws=1)
    later = Simulator("mjc_swimmer").rollout(state, prefix[None]).states[0]
    aware = Planner("mjc_swimmer", H, True, settings).infer(state, request(0, prefix, delay=3))
    there = Planner("mjc_swimmer", H, True, settings).infer(later, request())
    here = Planner("mjc_swimmer", H, True, settings).infer(state, request())
    np.testing.assert_array_equal(aware[3:], there[:-3])
    assert (there != here).any()


def test_a_naive_planner_does_not_look_at_the_prefix(state):
    prefix = np.ones((3, 6))
    with_prefix = Planner("mjc_swimmer", H, False, QUICK).infer(state, request(0, prefix, delay=3))
    without = Planner("mjc_swimmer", H, False, QUICK).infer(state, request())
    np.testing.assert_array_equal(with_prefix, without)


def test_where_the_prefix_is_shorter_than_the_delay_its_last_row_is_held(state):
    prefix = np.linspace(-0.9, 0.9, 12).reshape(2, 6).astype(np.float32)
    chunk = Planner("mjc_swimmer", H, True, QUICK).infer(state, request(0, prefix, delay=5))
    np.testing.assert_array_equal(chunk[:2], prefix)
    np.testing.assert_array_equal(chunk[2:5], np.tile(prefix[1], (3, 1)))


def test_where_nothing_is_left_of_the_last_chunk_its_last_row_is_held(state):
    planner = Planner("mjc_swimmer", H, True, QUICK)
    first = planner.infer(state, request(0))
    np.testing.assert_array_equal(planner.infer(state, request(H, delay=2))[:2], np.tile(first[-1], (2, 1)))


def test_before_the_first_chunk_nothing_is_done(state):
    chunk = Planner("mjc_swimmer", H, True, QUICK).infer(state, request(0, delay=2))
    np.testing.assert_array_equal(chunk[:2], np.zeros((2, 6)))


@pytest.mark.parametrize("delay", [H, H + 3])
def test_a_delay_of_a_whole_chunk_leaves_nothing_to_plan(state, delay):
    prefix = np.full((4, 6), 0.5)
    chunk = Planner("mjc_swimmer", H, True, QUICK).infer(state, request(0, prefix, delay=delay))
    np.testing.assert_array_equal(chunk, np.full((H, 6), 0.5, np.float32))


# ---- what it remembers


@pytest.mark.parametrize(("aware", "delay"), [(False, 0), (True, 0), (False, 3), (True, 3)])
def test_the_last_plan_goes_on_at_its_own_ticks(state, aware, delay):
    planner = Planner("mjc_swimmer", H, aware, QUICK)
    prefix = np.zeros((delay, 6))
    planner.infer(state, request(4, prefix, delay))
    plan, begin = planner._plan.copy(), 4 + (delay if aware else 0)
    moved = planner._last_plan_from(begin + 3)
    np.testing.assert_array_equal(moved[:-3], plan[3:])
    np.testing.assert_array_equal(moved[-3:], np.tile(plan[-1], (3, 1)))


def test_reset_forgets_the_last_episode(state):
    planner = Planner("mjc_swimmer", H, True, QUICK)
    first = planner.infer(state, request(0, delay=2))
    warm = planner.infer(state, request(H, delay=2))
    planner.reset()
    np.testing.assert_array_equal(planner.infer(state, request(0, delay=2)), first)
    assert (warm != first).any()


def test_the_random_stream_alone_decides(state):
    def chunk(seed):
        return Planner("mjc_swimmer", H, True, QUICK).infer(state, request(seed=seed))

    np.testing.assert_array_equal(chunk(1), chunk(1))
    assert (chunk(1) != chunk(2)).any()


def test_numpys_global_stream_is_left_alone(state):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    Planner("mjc_swimmer", H, True, QUICK).infer(state, request())
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_plan_that_nothing_beats_goes_on(state):
    """Where all other candidates are worse, the rows that were not executed come again."""
    searched = Planner("mjc_swimmer", H, True, PlannerSettings(200, 1, 12, finalists=1))
    plan = searched.infer(state, request())
    lazy = Planner("mjc_swimmer", H, True, PlannerSettings(6, 1, 12, finalists=1))
    assert (lazy.infer(state, request()) != plan).any()
    lazy._plan, lazy._plan_tick = searched._plan, 0
    np.testing.assert_array_equal(lazy.infer(state, request()), plan)


# ---- what it may not touch


def test_the_environment_is_left_as_it_is():
    env = make_env("mjc_swimmer", delay=2)
    env.reset(seed=1)
    observation, *_ = env.step(np.zeros((H, 6), np.float32))
    engine, noise = env.unwrapped.get_state(), copy.deepcopy(env.env._rng.bit_generator.state)
    world = copy.deepcopy(env.np_random.bit_generator.state)
    seen = observation.copy()
    Planner("mjc_swimmer", H, True, QUICK).infer(observation, env.request._replace(rng=np.random.default_rng(0)))
    np.testing.assert_array_equal(env.unwrapped.get_state(), engine)
    np.testing.assert_array_equal(observation, seen)
    assert env.env._rng.bit_generator.state == noise
    assert env.np_random.bit_generator.state == world


def test_an_episode_with_a_planner_meets_the_world_that_a_plain_replay_of_its_chunks_meets():
    chunks, _ = play(Planner("mjc_swimmer", H, True, QUICK), delay=2, decisions=5)
    env = make_env("mjc_swimmer", delay=2)
    env.reset(seed=1)
    replayed = [env.step(chunk)[0] for chunk in chunks][-1]
    again = make_env("mjc_swimmer", delay=2)
    observation, _ = again.reset(seed=1)
    planner, rng = Planner("mjc_swimmer", H, True, QUICK), np.random.default_rng(5)
    for _ in chunks:
        observation, *_ = again.step(planner.infer(observation, again.request._replace(rng=rng)))
    np.testing.assert_array_equal(observation, replayed)


# ---- chunks and costs


@pytest.mark.parametrize("horizon", [1, 8, 20])
def test_a_chunk_is_what_the_environment_takes(state, horizon):
    """Also where the prediction horizon is longer than the planning horizon."""
    chunk = Planner("mjc_swimmer", horizon, True, QUICK).infer(state, request())
    assert chunk.shape == (horizon, 6)
    assert chunk.dtype == np.float32
    assert (abs(chunk) <= 1).all()


def test_a_state_in_which_the_episode_is_over_is_no_trouble():
    simulator = Simulator("hard_lunar_lander")
    state, drop = simulator.initial_state(), np.random.default_rng(0).uniform(-1, 1, (64, 256, 6))
    result = simulator.rollout(state, drop.astype(np.float32))
    over = result.states[result.ends < 256][0]
    chunk = Planner("hard_lunar_lander", H, True, QUICK).infer(over, request(4, np.ones((2, 6)), delay=2))
    assert np.isfinite(chunk).all()


def rollouts(rewards, distances, ends):
    empty = np.zeros((len(ends), 0), np.uint8)
    return Rollout(np.array(rewards), np.array(ends), np.array(distances), empty, None)


def test_costs_by_hand():
    result = rollouts(
        rewards=[[0, 0, 0], [0, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 0]],
        distances=[[3, 1, 2], [3, 2, 1], [3, 1, 1], [3, 1, 1], [1, 1, 1]],
        ends=[3, 3, 1, 1, 0],
    )
    approach, arrive, near = (cost(result, aim) for aim in ("approach", "arrive", "stay near"))
    assert approach[:3].tolist() == [1 + 2, 1 + 1, 1 + 1 + FAILURE]
    assert arrive[:3].tolist() == [2, 1, 1 + FAILURE]
    assert near[:2].tolist() == [2, 2]
    for costs in (approach, arrive, near):
        assert costs[4] == SUCCESS
        assert SUCCESS < costs[3] < 0


def test_simulated_ticks_are_counted(state):
    planner = Planner("mjc_swimmer", H, True, QUICK)
    planner.infer(state, request())
    assert planner.ticks_simulated == 2 * 24 * 12 + 2 * 2 * 12


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("catapullt",), "did you mean 'catapult'"),
        ((None,), "None"),
        (("catapult", 0), "prediction_horizon=0 is too small"),
        (("catapult", 8.5), "prediction_horizon=8.5 is not a whole number"),
        (("catapult", 8, "yes"), "prefix_aware='yes' is not True or False"),
        (("catapult", 8, True, {"samples": 8}), "give PlannerSettings(...) or None"),
        (("catapult", 8, True, "catapult"), "settings='catapult'"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(arguments, words):
    with pytest.raises(ArgumentError) as caught:
        Planner(*arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (np.zeros(679, np.float32), "make the environment with observation='state'"),
        ({"observation": np.zeros(3), "prefix": np.zeros((8, 6))}, "make the environment with observation='state'"),
        (None, "not None"),
        (np.zeros(12, np.uint8), "uint8[12]"),
        (Simulator("catapult").initial_state(), "not a state of level 'mjc_swimmer'"),
    ],
)
def test_what_is_no_state_of_the_level_is_refused_and_nothing_is_remembered_of_it(state, observation, words):
    planner = Planner("mjc_swimmer", H, True, QUICK)
    with pytest.raises(ArgumentError) as caught:
        planner.infer(observation, request())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    fresh = Planner("mjc_swimmer", H, True, QUICK)
    np.testing.assert_array_equal(planner.infer(state, request()), fresh.infer(state, request()))


@pytest.mark.parametrize("rng", [None, 0, np.random])
def test_a_request_without_a_random_stream_is_refused(state, rng):
    with pytest.raises(ArgumentError, match=r"_replace\(rng="):
        Planner("mjc_swimmer", H, True, QUICK).infer(state, request()._replace(rng=rng))


# ---- what it is for


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_can_be_planned_for(level):
    env = make_env(level, delay=1)
    observation, _ = env.reset(seed=0)
    chunk = Planner(level).infer(observation, env.request._replace(rng=np.random.default_rng(0)))
    assert chunk in env.action_space


@pytest.mark.parametrize("aware", [True, False])
def test_it_solves_an_easy_level(aware):
    rows = evaluate(lambda: make_env("grasp_easy", 0), Planner("grasp_easy", H, aware), episodes=2, seed=0)
    assert [row["success"] for row in rows] == [True, True]


def test_doing_nothing_does_not_solve_it():
    class Idle:
        def infer(self, observation, request):
            return np.zeros((H, 6), np.float32)

    rows = evaluate(lambda: make_env("grasp_easy", 0), Idle(), episodes=2, seed=0)
    assert [row["success"] for row in rows] == [False, False]


def solved(delay, aware, episodes=10):
    """Successes, one row of episodes for each level."""
    rows = [evaluate(lambda: make_env(level, delay), Planner(level, H, aware), episodes, seed=0) for level in LEVELS]  # noqa: B023
    return np.array([[row["success"] for row in level] for level in rows], float)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_without_delay_it_solves_most_episodes_of_all_levels():
    rates = solved(0, True)
    assert rates.mean() >= 0.85
    assert rates.mean(axis=1).min() >= 0.4


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("delay", [3, 4])
def test_knowing_the_prefix_helps_at_long_delays(delay):
    gain = pooled(solved(delay, True) - solved(delay, False))
    assert gain.estimate >= 0.1
    assert gain.low > 0


@pytest.mark.parametrize("prefix_aware", [True, False])
class TestPlannerContract(PolicyContract):
    @pytest.fixture(autouse=True)
    def _method(self, prefix_aware):
        self.prefix_aware = prefix_aware

    def make_policy(self):
        return Planner("mjc_swimmer", prefix_aware=self.prefix_aware, settings=QUICK)

    def make_env(self):
        return make_env("mjc_swimmer", delay=2)


def test_every_level_has_settings_of_its_own_and_no_other_name_does():
    assert set(LEVEL_SETTINGS) == set(LEVELS)


def test_a_level_without_settings_gets_the_default():
    assert planner_settings("a_level_of_tomorrow") is DEFAULT_SETTINGS
    assert planner_settings("trampoline") is LEVEL_SETTINGS["trampoline"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("samples", 5, "samples=5 is too small; give an int of at least 6"),
        ("samples", 2.5, "samples=2.5 is not a whole number"),
        ("rounds", 0, "rounds=0 is too small"),
        ("rounds", True, "rounds=True is not a whole number"),
        ("horizon", -1, "horizon=-1 is too small"),
        ("horizon", "48", "horizon='48' is not a whole number"),
        ("holds", (), "holds=() is not a tuple of ticks"),
        ("holds", 4, "holds=4 is not a tuple of ticks"),
        ("holds", (4, 0), "each of holds=0 is too small"),
        ("finalists", 0, "finalists=0 is too small"),
        ("noise_draws", 0, "noise_draws=0 is too small"),
        ("aim", "aproach", "did you mean 'approach'"),
        ("aim", None, "aim=None is unknown"),
        ("spread", -0.1, "spread=-0.1 is not a finite number of at least 0"),
        ("spread", float("nan"), "spread=nan is not a finite number"),
        ("action_noise", float("inf"), "action_noise=inf is not a finite number"),
        ("action_noise", "0.1", "action_noise='0.1' is not a finite number"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(field, value, words):
    with pytest.raises(ArgumentError) as caught:
        PlannerSettings(**{field: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
