"""What action delay and observation delay refuse alike."""

import pytest
from gymnasium import spaces

from chunkenv import ActionDelay, ObservationDelay
from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Measured, Streamed, Uniform
from tests.wrappers.one_step import Script

both = pytest.mark.parametrize("wrap", [ActionDelay, ObservationDelay])

BAD_ARGUMENTS = [
    ({"latency": -1}, "latency=-1 is too small"),
    ({"latency": -3}, "latency=-3 is too small"),
    ({"latency": 0.1}, r"write Constant\(0.1\) for seconds or an int for ticks"),
    ({"latency": 0.5}, r"write Constant\(0.5\) for seconds or an int for ticks"),
    ({"latency": "2"}, "latency='2'"),
    ({"latency": "slow"}, "latency='slow'"),
    ({"latency": None}, "latency=None"),
    ({"latency": True}, "latency=True"),
    ({"latency": [1]}, r"latency=\[1\]"),
    ({"latency": {"model": "constnt", "seconds": 1.0}}, "did you mean 'constant'"),
    ({"latency": {"model": "gama", "mean": 1.0, "cv": 1.0}}, "did you mean 'gamma'"),
    ({"latency": {"mean": 1.0}}, "is not the spec of a latency model"),
    ({"latency": 1, "control_dt": 0.0}, "control_dt=0.0 is not above 0"),
    ({"latency": 1, "control_dt": -0.1}, "control_dt=-0.1"),
    ({"latency": 1, "control_dt": float("nan")}, "control_dt=nan"),
    ({"latency": 1, "control_dt": "fast"}, "control_dt='fast'"),
    ({"latency": 1, "observe": 0}, "observe=0 is too small; give an int of at least 1"),
    ({"latency": 1, "observe": -2}, "observe=-2 is too small"),
    ({"latency": 1, "observe": 1.5}, "observe=1.5 is not a whole number"),
    ({"latency": 1, "observe": 2.0}, "observe=2.0 is not a whole number"),
    ({"latency": 1, "observe": "all"}, "observe='all' is not a whole number"),
    ({"latency": 1, "observe": "yes"}, "observe='yes' is not a whole number"),
    ({"latency": 1, "observe": None}, "observe=None is not a whole number"),
    ({"latency": Measured()}, "is measured on inferences, but (Action|Observation)Delay delays no chunks"),
    ({"latency": Streamed((0.1, 0.2))}, "streams the rows of a chunk, but (Action|Observation)Delay delays no chunks"),
    ({"latency": Uniform(0.0, 1.0), "observe": True}, "observe=True needs a constant delay"),
]


@both
@pytest.mark.parametrize(("arguments", "sentence"), BAD_ARGUMENTS)
def test_bad_argument(wrap, arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        wrap(Script([0]), **arguments)


@both
def test_seconds_without_a_control_step(wrap):
    env = Script([0])
    env.metadata = {"render_modes": []}
    with pytest.raises(ArgumentError, match="give control_dt"):
        wrap(env, Constant(0.1))


@both
def test_actions_that_cannot_be_copied(wrap):
    with pytest.raises(ArgumentError, match=r"actions of Text.* cannot be checked"):
        wrap(Script([0], action_space=spaces.Text(3)), latency=1)


@pytest.mark.parametrize(
    ("wrap", "keys"),
    [
        (ActionDelay, r"\['action_age', 'sent_actions'\]"),
        (ObservationDelay, r"\['observation_age', 'recent_actions'\]"),
    ],
)
def test_observation_that_has_the_key_already(wrap, keys):
    env = wrap(Script([0]), latency=1, observe=1)
    with pytest.raises(ArgumentError, match=f"observe would overwrite .*{keys}"):
        wrap(env, latency=1, observe=1)
