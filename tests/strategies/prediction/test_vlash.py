"""What VLASH's policy sees: the robot as it will be, and the rest as it is."""

import numpy as np
import pytest

from chunkenv.errors import ArgumentError
from chunkenv.kinetix import EngineModel, robot_features
from chunkenv.strategies import VLASH, PredictedState
from tests.strategies.linear_world import LinearModel
from tests.strategies.policies import Gaussian, requests


class Seeing(Gaussian):
    """Keeps what it was shown."""

    def infer_batch(self, observations, request):
        self.seen, self.request = observations, request
        return super().infer_batch(observations, request)


def test_only_the_robot_is_rolled_forward():
    policy = Seeing(action_size=2)
    request = requests(np.full((2, 8, 2), 2.0), [5, 5], delay=[1, 0])
    VLASH(policy, LinearModel(), [False, True]).infer_batch(np.array([[1.0, 3.0], [5.0, 6.0]]), request)
    np.testing.assert_allclose(policy.seen, [[1.0, 0.9 * 3.0 + 2.0], [5.0, 6.0]])
    assert policy.request.delay_estimate.tolist() == [0, 0]


def test_if_all_is_robot_it_is_predicted_state():
    request = requests(np.random.default_rng(0).normal(size=(3, 8, 2)), [5, 3, 0], delay=2)
    one, other = Gaussian(action_size=2), Gaussian(action_size=2)
    expected = PredictedState(one, LinearModel()).infer_batch(np.ones((3, 2)), request)
    request = request._replace(rng=requests(request.left_over, [5, 3, 0]).rng)
    np.testing.assert_array_equal(
        VLASH(other, LinearModel(), [True, True]).infer_batch(np.ones((3, 2)), request), expected
    )


def test_in_the_engine_the_green_body_stays_where_it_is():
    model, policy = EngineModel("mjc_swimmer"), Seeing(action_size=6)
    state = model.simulator.initial_state()[None]
    request = requests(np.ones((1, 8, 6)), [8], delay=4)
    robot = robot_features("mjc_swimmer")
    VLASH(policy, model, robot).infer_batch(state, request)
    ahead = model.predict(state, request.prefix, request.prefix_length)
    present = model.predict(state, request.prefix, np.array([0]))
    np.testing.assert_array_equal(policy.seen[0, robot], ahead[0, robot])
    np.testing.assert_array_equal(policy.seen[0, ~robot], present[0, ~robot])
    assert (ahead[0, ~robot] != present[0, ~robot]).any()


@pytest.mark.parametrize(
    ("robot", "words"),
    [([0, 1], "does not say what belongs to the robot; give a bool for each number"), (True, "give a bool for each")],
)
def test_what_is_no_list_of_bools_is_refused(robot, words):
    with pytest.raises(ArgumentError, match=words):
        VLASH(Gaussian(), LinearModel(), robot)


def test_a_list_of_another_size_is_refused():
    with pytest.raises(ArgumentError, match=r"robot has 3 numbers, but observations have shape \(2,\)"):
        VLASH(Gaussian(), LinearModel(), [True] * 3).infer_batch(np.ones((1, 2)), requests(np.ones((1, 8, 1)), [1]))


def test_what_cannot_predict_is_refused():
    with pytest.raises(ArgumentError, match="VLASH was given model=None, which cannot predict"):
        VLASH(Gaussian(), None, [True])
