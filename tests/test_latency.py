import copy
import json
import math
import pickle
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chunkenv import latency
from chunkenv.clock import ticks
from chunkenv.errors import ArgumentError, ResetNeededError
from chunkenv.latency import (
    Bursty,
    Constant,
    Delays,
    Gamma,
    LatencyModel,
    LogNormal,
    Sum,
    Trace,
    Uniform,
    checked_draw,
    control_dt_of,
    from_spec,
)


@dataclass(frozen=True)
class Drawn(LatencyModel):
    """A user's model: whatever it is told to draw."""

    value: object

    def draw(self, rng, state):
        return self.value, state


@dataclass(frozen=True)
class Doubled(LatencyModel):
    """A user's model with another model inside, and one that counts."""

    inner: LatencyModel
    labels: tuple = ()

    def begin(self, rng):
        return 0, self.inner.begin(rng)

    def draw(self, rng, state):
        count, inner = state
        seconds, inner = self.inner.draw(rng, inner)
        return 2.0 * seconds, (count + 1, inner)


class Undescribed(LatencyModel):
    """A user's model that is no dataclass."""

    def draw(self, rng, state):
        return 0.25, state


NOT_A_MODEL = object()

MODELS = [
    Constant(0.05),
    Uniform(0.01, 0.2),
    LogNormal(0.08, 0.3),
    Gamma(mean=0.1, cv=0.5),
    Bursty(Constant(0.02), Gamma(0.3, 0.2), enter=0.1, leave=0.4),
    Trace([0.02, 0.05, 0.03], mode="replay"),
    Trace([0.02, 0.05, 0.03], mode="resample"),
    Constant(0.02) + LogNormal(0.08, 0.3) + Trace([0.0, 0.1]),
    Doubled(Uniform(0.0, 0.1)),
]
named = pytest.mark.parametrize("model", MODELS, ids=[type(m).__name__ + str(i) for i, m in enumerate(MODELS)])


def draws(model, count, seed=0):
    rng = np.random.default_rng(seed)
    state, drawn = model.begin(rng), []
    for _ in range(count):
        seconds, state = model.draw(rng, state)
        drawn.append(seconds)
    return np.array(drawn)


# ---------------------------------------------------------------- against scipy


CONTINUOUS = [
    (Uniform(0.01, 0.2), stats.uniform(0.01, 0.19)),
    (LogNormal(0.08, 0.3), stats.lognorm(s=0.3, scale=0.08)),
    (LogNormal(0.5, 1.5), stats.lognorm(s=1.5, scale=0.5)),
    (Gamma(0.1, 0.5), stats.gamma(a=4.0, scale=0.025)),
    (Gamma(0.1, 2.0), stats.gamma(a=0.25, scale=0.4)),
    (Gamma(0.1, 0.01), stats.gamma(a=1e4, scale=1e-5)),
    (Gamma(0.1, 0.0001), stats.gamma(a=1e8, scale=1e-9)),
]


@pytest.mark.parametrize(("model", "known"), CONTINUOUS)
def test_distribution_is_that_of_scipy(model, known):
    for seed in (1, 2, 3):
        assert stats.kstest(draws(model, 4000, seed), known.cdf).pvalue > 0.01
    assert model.mean() == pytest.approx(known.mean(), rel=1e-12)
    for q in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert model.quantile(q) == pytest.approx(known.ppf(q), rel=1e-7)
    assert (model.quantile(0.0), model.quantile(1.0)) == pytest.approx((known.ppf(0.0), known.ppf(1.0)))


def test_the_ks_test_can_fail():
    assert stats.kstest(draws(Gamma(0.1, 0.5), 4000), stats.gamma(a=5.0, scale=0.02).cdf).pvalue < 0.01


@pytest.mark.parametrize("model", [LogNormal(0.08, 0.0), Gamma(0.08, 0.0), Uniform(0.08, 0.08), Constant(0.08)])
def test_no_spread_is_a_constant(model):
    assert draws(model, 10) == pytest.approx([0.08] * 10, abs=1e-15)
    assert [model.quantile(q) for q in (0.0, 0.5, 1.0)] == pytest.approx([0.08] * 3)
    assert model.mean() == pytest.approx(0.08)


def test_sum_adds_means_and_shifts_quantiles_by_constants():
    model = Constant(0.02) + LogNormal(0.08, 0.3) + Constant(0.03)
    known = stats.lognorm(s=0.3, scale=0.08, loc=0.05)
    assert model.mean() == pytest.approx(known.mean())
    assert model.quantile(0.9) == pytest.approx(known.ppf(0.9))
    assert stats.kstest(draws(model, 4000), known.cdf).pvalue > 0.01


def test_sum_of_two_that_vary_has_no_quantile():
    with pytest.raises(NotImplementedError, match="no closed form"):
        (Uniform(0.0, 1.0) + Uniform(0.0, 1.0)).quantile(0.5)


# ---------------------------------------------------------------- bursty


def test_bursty_spends_the_stationary_share_congested_from_the_first_draw():
    model = Bursty(Constant(0.0), Constant(1.0), enter=0.1, leave=0.4)
    firsts = [draws(model, 1, seed)[0] for seed in range(4000)]
    assert stats.binomtest(int(sum(firsts)), 4000, 0.2).pvalue > 0.01
    assert draws(model, 40000).mean() == pytest.approx(0.2, abs=0.01)
    assert model.mean() == pytest.approx(0.2)


def test_bursty_changes_state_with_its_probabilities():
    drawn = draws(Bursty(Constant(0.0), Constant(1.0), enter=0.1, leave=0.4), 40000)
    before, after = drawn[:-1], drawn[1:]
    assert after[before == 0].mean() == pytest.approx(0.1, abs=0.01)
    assert 1 - after[before == 1].mean() == pytest.approx(0.4, abs=0.02)


def test_bursty_certain_to_change_alternates():
    drawn = list(draws(Bursty(Constant(0.0), Constant(1.0), enter=1.0, leave=1.0), 6))
    assert drawn in ([0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0])


def test_bursty_that_never_enters_is_calm():
    assert set(draws(Bursty(Constant(0.0), Constant(1.0), enter=0.0, leave=0.5), 100)) == {0.0}


def test_bursty_keeps_the_state_of_both_models():
    model = Bursty(Trace([1.0, 2.0]), Trace([10.0, 20.0]), enter=0.5, leave=0.5)
    drawn = draws(model, 200)
    calm, congested = drawn[drawn < 5], drawn[drawn > 5]
    assert (calm[:-1] != calm[1:]).all()
    assert (congested[:-1] != congested[1:]).all()


# ---------------------------------------------------------------- traces


def test_replay_goes_on_from_a_seeded_offset_and_round_the_end():
    recorded = [0.0, 1.0, 2.0, 3.0, 4.0]
    starts = set()
    for seed in range(30):
        drawn = draws(Trace(recorded), 12, seed)
        assert list(np.diff(drawn) % 5) == [1.0] * 11
        starts.add(drawn[0])
    assert starts == set(recorded)
    assert draws(Trace(recorded), 12, 7).tolist() == draws(Trace(recorded), 12, 7).tolist()


def test_resample_keeps_the_distribution():
    drawn = draws(Trace([0.0, 1.0, 1.0, 2.0], mode="resample"), 4000)
    counts = [int((drawn == value).sum()) for value in (0.0, 1.0, 2.0)]
    assert stats.chisquare(counts, [1000, 2000, 1000]).pvalue > 0.01


def test_trace_knows_its_mean_and_quantiles():
    model = Trace([4.0, 1.0, 2.0, 3.0])
    assert model.mean() == 2.5
    assert [model.quantile(q) for q in (0.0, 0.25, 0.26, 0.5, 1.0)] == [1.0, 1.0, 2.0, 2.0, 4.0]


@pytest.mark.parametrize("text", ["0.1\n0.25\n", "0.1\r\n0.25", "\n  0.1 \n\n2.5e-1\n", "\ufeff0.1\n0.25\n"])
def test_trace_file_holds_one_number_a_line(tmp_path, text):
    path = tmp_path / "trace.csv"
    path.write_bytes(text.encode())
    model = Trace(path, mode="resample")
    assert model.seconds == (0.1, 0.25)
    assert model.spec() == {"model": "trace", "recording": str(path), "mode": "resample"}
    assert from_spec(model.spec()) == model


def test_trace_of_an_array_in_float32_falls_on_ticks():
    model = Trace(np.array([0.1, 0.3], np.float32))
    assert [ticks(seconds, 0.1) for seconds in model.seconds] == [1, 3]


# ---------------------------------------------------------------- specs, text, copies


@named
def test_spec_goes_through_json_both_ways(model):
    again = from_spec(json.loads(json.dumps(model.spec())))
    assert draws(again, 20).tolist() == draws(model, 20).tolist()
    assert again.spec() == model.spec()


@pytest.mark.parametrize("model", MODELS[:-1], ids=map(repr, MODELS[:-1]))
def test_repr_can_be_pasted_back(model):
    assert eval(repr(model), vars(latency)) == model
    assert from_spec(model.spec()) == model
    assert hash(from_spec(model.spec())) == hash(model)


@named
def test_draws_repeat_for_a_seed_and_do_not_touch_the_model(model):
    first = draws(model, 20, seed=5)
    assert draws(model, 20, seed=5).tolist() == first.tolist()
    assert draws(pickle.loads(pickle.dumps(model)), 20, seed=5).tolist() == first.tolist()
    assert draws(copy.deepcopy(model), 20, seed=5).tolist() == first.tolist()


@named
def test_state_can_be_kept_and_gone_back_to(model):
    rng = np.random.default_rng(0)
    _, state = model.draw(rng, model.begin(rng))
    kept_rng, kept = copy.deepcopy(rng), pickle.loads(pickle.dumps(state))
    ahead = [model.draw(rng, state)[0] for _ in range(3)]
    assert [model.draw(kept_rng, kept)[0] for _ in range(3)] == ahead


def test_models_cannot_be_changed():
    for model in MODELS[:-1]:
        with pytest.raises(AttributeError):
            model.seconds = 1.0


def test_sums_are_flat():
    a, b, c = Constant(0.1), Uniform(0.0, 0.1), Gamma(0.1, 0.5)
    assert (a + b) + c == a + (b + c) == Sum((a, b, c)) == Sum([Sum([a, b]), c])
    assert repr(a + b) == "Constant(seconds=0.1) + Uniform(low=0.0, high=0.1)"


def test_models_may_be_given_as_specs_inside_others():
    assert Bursty({"model": "constant", "seconds": 0}, Constant(1), 0.5, 0.5).calm == Constant(0.0)


def test_spec_names_a_user_class_by_its_module():
    model = Doubled(Constant(0.1), labels=("a",))
    assert model.spec() == {
        "model": f"{__name__}:Doubled",
        "inner": {"model": "constant", "seconds": 0.1},
        "labels": ["a"],
    }
    assert isinstance(from_spec(model.spec()), Doubled)


def test_a_subclass_of_ours_is_not_taken_for_ours():
    assert from_spec(Slower(0.1, 0.5).spec()) == Slower(0.1, 0.5)


class Slower(Gamma):
    """A user's subclass of a model of ours."""


def test_model_without_a_spec_says_so():
    with pytest.raises(ArgumentError, match="Undescribed has no spec: make it a dataclass"):
        Undescribed().spec()


def test_model_in_a_function_has_no_spec():
    @dataclass(frozen=True)
    class Local(LatencyModel):
        pass

    with pytest.raises(ArgumentError, match="defined in a function"):
        Local().spec()


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match=r"has no draw\(rng, state\)"):
        LatencyModel().draw(np.random.default_rng(0), None)
    with pytest.raises(NotImplementedError, match="does not say its mean"):
        Undescribed().mean()
    with pytest.raises(NotImplementedError, match="does not say its quantiles"):
        Undescribed().quantile(0.5)


# ---------------------------------------------------------------- delays


def delays_of(latency_, control_dt, count, seed=0):
    delays = Delays(latency_, control_dt)
    delays.reset(np.random.default_rng(seed))
    return [delays.next() for _ in range(count)]


def test_delays_in_ticks():
    assert delays_of(3, None, 4) == [3] * 4
    assert delays_of(np.int64(3), None, 1) == [3]
    assert delays_of(Constant(0.1), 0.05, 4) == [2] * 4
    assert delays_of(Constant(0.3), 0.1, 1) == [3]
    assert delays_of(Constant(0.101), 0.05, 1) == [3]
    assert delays_of({"model": "constant", "seconds": 0.0}, 0.05, 1) == [0]
    assert delays_of(Uniform(0.0, 0.2), 0.05, 50) == [ticks(s, 0.05) for s in draws(Uniform(0.0, 0.2), 50)]


@pytest.mark.parametrize(
    ("given_latency", "plain", "constant", "typical"),
    [
        (0, 0, 0, 0),
        (7, 7, 7, 7),
        (Constant(0.1), {"model": "constant", "seconds": 0.1}, 2, 2),
        (Constant(0.1) + Constant(0.01), None, 3, 3),
        (Uniform(0.0, 0.22), {"model": "uniform", "low": 0.0, "high": 0.22}, None, 3),
        ({"model": "uniform", "low": 0, "high": 0.2}, {"model": "uniform", "low": 0.0, "high": 0.2}, None, 2),
        (Undescribed(), None, None, 5),
    ],
)
def test_what_delays_know(given_latency, plain, constant, typical):
    delays = Delays(given_latency, 0.05)
    assert (delays.constant, delays.typical) == (constant, typical)
    if plain is not None:
        assert delays.plain == plain
        json.dumps(delays.plain)


def test_a_model_without_a_spec_is_recorded_as_it_is():
    model = Undescribed()
    assert Delays(model, 0.05).plain is model


def test_a_constant_never_draws():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    for given_latency in (3, Constant(0.1), Constant(0.1) + Constant(0.2)):
        delays = Delays(given_latency, 0.05)
        delays.reset(rng)
        delays.next()
    assert rng.bit_generator.state == before


def test_delays_go_on_alike_after_a_copy():
    delays = Delays(Doubled(Trace([0.1, 0.2, 0.3])) + LogNormal(0.1, 0.5), 0.05)
    delays.reset(np.random.default_rng(0))
    delays.next()
    copies = [copy.deepcopy(delays), pickle.loads(pickle.dumps(delays))]
    ahead = [delays.next() for _ in range(20)]
    assert [[other.next() for _ in range(20)] for other in copies] == [ahead, ahead]


def test_reset_forgets_the_state_of_the_last_episode():
    delays = Delays(Trace([0.0, 1.0, 2.0, 3.0]), 1.0)
    delays.reset(np.random.default_rng(3))
    first = [delays.next() for _ in range(3)]
    delays.reset(np.random.default_rng(3))
    assert [delays.next() for _ in range(3)] == first


def test_drawing_before_the_first_reset_is_an_error():
    with pytest.raises(ResetNeededError, match=r"call reset\(rng\) first"):
        Delays(Uniform(0.0, 0.1), 0.05).next()


@given(st.floats(0.0, 100.0), st.sampled_from([0.01, 0.02, 0.05, 1 / 30, 0.1]))
def test_no_latency_arrives_early_nor_a_tick_late(seconds, control_dt):
    (delay,) = delays_of(Constant(seconds), control_dt, 1)
    assert (delay - 1) * control_dt - 1e-6 * seconds < seconds <= delay * control_dt * (1 + 2e-6) + 1e-6 * control_dt


@pytest.mark.parametrize(
    ("frames", "dt"), [(50, 0.02), (30, 1 / 30), (None, None), (0, None), ("x", None), (True, None)]
)
def test_control_dt_comes_from_the_frame_rate(frames, dt):
    env = gym.Env()
    env.metadata = {"render_fps": frames}
    assert control_dt_of(env) == dt
    assert control_dt_of(env, 0.5) == 0.5


def test_control_dt_of_an_environment_that_says_nothing():
    env = gym.Env()
    env.metadata = {}
    assert control_dt_of(env) is None
    with pytest.raises(ArgumentError, match=r"LogNormal\(median=0.1, sigma=0.5\) is in seconds.*give control_dt"):
        Delays(LogNormal(0.1, 0.5), control_dt_of(env))


# ---------------------------------------------------------------- bad input


NAN, INF = math.nan, math.inf
CALM, BUSY = Constant(0.0), Constant(1.0)

BAD_ARGUMENTS = [
    (lambda: Constant(-0.1), "seconds=-0.1 is not a finite number of at least 0"),
    (lambda: Constant(NAN), "seconds=nan"),
    (lambda: Constant(INF), "seconds=inf"),
    (lambda: Constant(-INF), "seconds=-inf"),
    (lambda: Constant(True), "seconds=True"),
    (lambda: Constant("0.1"), "seconds='0.1'"),
    (lambda: Constant(None), "seconds=None"),
    (lambda: Constant([0.1, 0.2]), r"seconds=\[0.1, 0.2\]"),
    (lambda: Constant(1j), "seconds=1j"),
    (lambda: Constant(10**400), "is not a finite number"),
    (lambda: Uniform(-0.1, 0.2), "low=-0.1"),
    (lambda: Uniform(0.1, NAN), "high=nan"),
    (lambda: Uniform(0.0, INF), "high=inf"),
    (lambda: Uniform(0.3, 0.2), "low=0.3 is more than high=0.2; swap them"),
    (lambda: Uniform(False, 1.0), "low=False"),
    (lambda: LogNormal(0.0, 0.3), "median=0.0 is not above 0"),
    (lambda: LogNormal(-1.0, 0.3), "median=-1.0"),
    (lambda: LogNormal(NAN, 0.3), "median=nan"),
    (lambda: LogNormal(0.1, -0.3), "sigma=-0.3 is not a finite number from 0 to 10"),
    (lambda: LogNormal(0.1, 11), "sigma=11"),
    (lambda: LogNormal(0.1, INF), "sigma=inf"),
    (lambda: LogNormal(0.1, "wide"), "sigma='wide'"),
    (lambda: Gamma(0.0, 0.5), "mean=0.0 is not above 0"),
    (lambda: Gamma(NAN, 0.5), "mean=nan"),
    (lambda: Gamma("slow", 0.5), "mean='slow'"),
    (lambda: Gamma(0.1, -0.5), "cv=-0.5 is not a finite number from 0 to 100"),
    (lambda: Gamma(0.1, 1e-5), "cv=1e-05 is too little"),
    (lambda: Gamma(0.1, 101.0), "cv=101.0"),
    (lambda: Gamma(0.1, NAN), "cv=nan"),
    (lambda: Bursty(CALM, BUSY, -0.1, 0.5), "enter=-0.1 is not a finite number from 0 to 1"),
    (lambda: Bursty(CALM, BUSY, 1.1, 0.5), "enter=1.1"),
    (lambda: Bursty(CALM, BUSY, 0.1, NAN), "leave=nan"),
    (lambda: Bursty(CALM, BUSY, 0.1, "often"), "leave='often'"),
    (lambda: Bursty(CALM, BUSY, 0.0, 0.0), "never change the state"),
    (lambda: Bursty(0.02, BUSY, 0.1, 0.5), r"calm=0.02 is not a latency model; write Constant\(0.02\)"),
    (lambda: Bursty(CALM, "busy", 0.1, 0.5), "congested='busy' is not a latency model"),
    (lambda: Bursty(CALM, None, 0.1, 0.5), "congested=None is not a latency model"),
    (lambda: Trace([]), r"recording=\[\] is empty"),
    (lambda: Trace(np.zeros(0)), "is empty"),
    (lambda: Trace([0.1, -0.1]), r"recording\[1\]=-0.1"),
    (lambda: Trace([0.1, NAN]), r"recording\[1\]=nan"),
    (lambda: Trace([0.1, INF]), r"recording\[1\]=inf"),
    (lambda: Trace([0.1, "fast"]), r"recording\[1\]='fast'"),
    (lambda: Trace([0.1, None]), r"recording\[1\]=None"),
    (lambda: Trace([[0.1, 0.2]]), r"recording\[0\]=\[0.1, 0.2\]"),
    (lambda: Trace(np.array([True, False])), r"recording\[0\]=True"),
    (lambda: Trace(np.array(0.1)), "is no trace"),
    (lambda: Trace(0.1), "recording=0.1 is no trace"),
    (lambda: Trace(None), "recording=None is no trace"),
    (lambda: Trace(b"0.1"), "is no trace"),
    (lambda: Trace({0.1, 0.2}), "is no trace"),
    (lambda: Trace([0.1], mode="resampled"), "mode='resampled' is unknown; did you mean 'resample'?"),
    (lambda: Trace([0.1], mode="zzz"), "choose one of 'replay', 'resample'"),
    (lambda: Trace([0.1], mode=None), "mode=None is unknown"),
    (lambda: Sum([]), r"parts=\[\] is not a list of latency models"),
    (lambda: Sum(Constant(0.1)), r"parts=Constant\(seconds=0.1\) is not a list"),
    (lambda: Sum([Constant(0.1), 0.2]), r"parts=0.2 is not a latency model; write Constant\(0.2\)"),
    (lambda: Constant(0.1) + 0.05, r"0.05 cannot be added.*write Constant\(0.05\)"),
    (lambda: Constant(0.1) + "0.05", "'0.05' cannot be added"),
    (lambda: Uniform(0.0, 1.0).quantile(1.5), "q=1.5 is not a finite number from 0 to 1"),
    (lambda: Gamma(0.1, 0.5).quantile(NAN), "q=nan"),
    (lambda: Constant(0.1).quantile(-0.1), "q=-0.1"),
    (lambda: Trace([0.1]).quantile("all"), "q='all'"),
    (lambda: (CALM + BUSY).quantile(2), "q=2"),
    (lambda: LogNormal(0.1, 0.2).quantile(None), "q=None"),
]

BAD_SPECS = [
    ({}, "is not the spec of a latency model"),
    ([], r"\[\] is not the spec"),
    ("constant", "'constant' is not the spec"),
    ({"seconds": 0.1}, "is not the spec of a latency model"),
    ({"model": "lognormall"}, "no latency model 'lognormall'; did you mean 'lognormal'?"),
    ({"model": "zzz"}, "choose one of 'constant', 'uniform'"),
    ({"model": None}, "no latency model None"),
    ({"model": ["constant"]}, "no latency model"),
    ({"model": "constant"}, r"does not fit Constant\(seconds\): missing a required argument: 'seconds'"),
    ({"model": "constant", "second": 0.1}, r"does not fit Constant\(seconds\)"),
    ({"model": "gamma", "average": 0.1, "cv": 1}, r"does not fit Gamma\(mean, cv\)"),
    ({"model": "constant", "seconds": -1}, "seconds=-1"),
    ({"model": "sum", "parts": [{"model": "nothing"}]}, "no latency model 'nothing'"),
    ({"model": "no_such_module:Model"}, "'no_such_module:Model' cannot be imported"),
    ({"model": f"{__name__}:Missing"}, "cannot be imported"),
    ({"model": ":Model"}, "cannot be imported"),
    ({"model": f"{__name__}:"}, "cannot be imported"),
    ({"model": f"{__name__}:NOT_A_MODEL"}, "is not a subclass of chunkenv.latency.LatencyModel"),
    ({"model": "math:sqrt"}, "is not a subclass of chunkenv.latency.LatencyModel"),
]

BAD_DELAYS = [
    ((0.05, 0.02), r"latency=0.05 is neither.*write Constant\(0.05\) for seconds or an int for ticks"),
    ((2.0, 0.02), r"write Constant\(2.0\) for seconds or an int for ticks"),
    ((np.float32(0.5), 0.02), "or an int for ticks"),
    ((-1, 0.02), "latency=-1 is too small; give an int of at least 0"),
    ((True, 0.02), "latency=True is neither"),
    (("3", 0.02), "latency='3' is neither.*give an int for ticks"),
    ((None, 0.02), "latency=None is neither"),
    (([1, 2], 0.02), r"latency=\[1, 2\] is neither"),
    ((Constant, 0.02), "is neither a number of ticks nor a model"),
    ((NAN, 0.02), "latency=nan is neither"),
    (({"model": "constnt", "seconds": 1}, 0.02), "did you mean 'constant'?"),
    ((Constant(0.1), None), r"latency=Constant\(seconds=0.1\) is in seconds.*give control_dt"),
    ((Constant(0.1), 0.0), "control_dt=0.0 is not above 0"),
    ((3, -0.02), "control_dt=-0.02"),
    ((3, NAN), "control_dt=nan"),
    ((3, INF), "control_dt=inf"),
    ((3, "fast"), "control_dt='fast'"),
    ((3, True), "control_dt=True"),
    ((Constant(1e300), 1e-300), r"1e\+300 s cannot be counted in ticks of 1e-300 s"),
]

BAD_DRAWS = [-0.1, NAN, INF, -INF, None, "0.1", True, [0.1], 1j]

BAD_FILES = [
    (b"", "is empty"),
    (b"\n\n  \n", "is empty"),
    (b"latency\n0.1\n", "holds 'latency' in line 1"),
    (b"0.1\n\n0.2s\n", "holds '0.2s' in line 3"),
    (b"0.1\nnan\n", "holds 'nan' in line 2"),
    (b"0.1\ninf\n", "holds 'inf' in line 2"),
    (b"0.1\n-0.2\n", "holds '-0.2' in line 2"),
    (b"0.1,0.2\n", "holds '0.1,0.2' in line 1"),
    (b"0.1;0.2\n", "each line must be one number of seconds"),
    (b"\xff\xfe\x00\x01", "cannot be read as text"),
]


@pytest.mark.parametrize(("mistake", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(mistake, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        mistake()


@pytest.mark.parametrize(("spec", "sentence"), BAD_SPECS)
def test_bad_spec(spec, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        from_spec(spec)


@pytest.mark.parametrize(("arguments", "sentence"), BAD_DELAYS)
def test_bad_delays(arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Delays(*arguments)


@pytest.mark.parametrize(("content", "sentence"), BAD_FILES)
def test_bad_trace_file(tmp_path, content, sentence):
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=sentence) as caught:
        Trace(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["missing.csv", ".", "zero\0byte"])
def test_trace_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ArgumentError, match="cannot be read"):
        Trace(str(tmp_path / name))


@pytest.mark.parametrize("value", BAD_DRAWS, ids=map(repr, BAD_DRAWS))
@pytest.mark.parametrize("around", [lambda m: m, lambda m: m + BUSY, lambda m: Bursty(m, m, 0.5, 0.5)])
def test_bad_draw_of_a_users_model_is_caught_at_that_draw(value, around):
    delays = Delays(around(Drawn(value)), 0.05)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match=r"Drawn\(value=.*drew a latency of .*; it must be finite seconds"):
        delays.next()


def test_draw_that_forgets_the_state_is_caught():
    class Forgetful(LatencyModel):
        def draw(self, rng, state):
            return 0.1

    with pytest.raises(ArgumentError, match=r"drew 0.1; draw\(rng, state\) must return \(seconds, state\)"):
        checked_draw(Forgetful(), np.random.default_rng(0), None)


def test_draw_too_long_to_count_is_caught():
    delays = Delays(Drawn(1e300), 1e-300)
    delays.reset(np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="cannot be counted in ticks"):
        delays.next()


def test_mean_of_a_users_model_is_checked():
    class Wrong(LatencyModel):
        def mean(self):
            return NAN

    with pytest.raises(ArgumentError, match=r"The mean of .*nan is not a finite number"):
        Delays(Wrong(), 0.05).typical
