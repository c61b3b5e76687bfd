"""The task of assignment 5: its physics are those of the template, with gusts."""

import runpy

import numpy as np
import pytest

from chunkenv.course import count_solved, find_assignment, late_cartpole
from chunkenv.course.windy_cartpole import EPISODE, WindyCartPole
from chunkenv.latency import Constant


def test_without_gusts_the_template_knows_the_next_state(monkeypatch):
    monkeypatch.setattr(WindyCartPole, "GUST_CHANCE", 0.0)
    next_state = runpy.run_path(str(find_assignment("5").template))["next_state"]
    env = WindyCartPole()
    state, _ = env.reset(seed=0)
    for push in (10.0, -3.5, 0.0, 7.25):
        expected = next_state(tuple(state.tolist()), push)
        state = env.step(np.array([push], np.float32))[0]
        assert state == pytest.approx(expected, abs=1e-6)


def test_a_push_is_at_most_10_newtons():
    ends = []
    for push in (10.0, 99.0):
        env = WindyCartPole()
        env.reset(seed=0)
        ends.append(env.step(np.array([push], np.float32))[0])
    assert (ends[0] == ends[1]).all()


def test_gusts_come_in_a_tenth_of_the_ticks_and_with_the_seed(monkeypatch):
    def turns(chance: float) -> np.ndarray:
        monkeypatch.setattr(WindyCartPole, "GUST_CHANCE", chance)
        env, found = WindyCartPole(), []
        for seed in range(60):
            env.reset(seed=seed)
            found += [env.step(np.zeros(1, np.float32))[0][3] for _ in range(5)]
        return np.array(found).reshape(60, 5)

    still, windy = turns(0.0), turns(0.1)
    first = (windy - still)[:, 0]
    assert 0.02 < np.mean(first != 0) < 0.25
    assert (turns(0.1) == windy).all()


class Upright:
    """Holds what balances the pole now."""

    def infer(self, observation, request):
        x, speed, angle, turning = observation.tolist()
        return [[min(max(x + 2 * speed + 40 * angle + 10 * turning, -10.0), 10.0)]] * 16


class Nothing:
    def infer(self, observation, request):
        return [[0.0]] * 16


def test_what_stands_to_the_end_is_solved():
    models = {"none": Constant(0.0)}
    assert count_solved(Nothing(), models, episodes=3, seed=0) == {"none": (0, 3)}
    (solved, of) = count_solved(Upright(), models, episodes=6, seed=0)["none"]
    assert (solved > 2, of) == (True, 6)


def test_chunks_are_late_and_the_last_delay_is_told():
    env = late_cartpole(Constant(0.05))
    env.reset(seed=0)
    delays = [env.step(np.zeros((16, 1), np.float32))[-1]["delay"] for _ in range(2)]
    assert delays == [0, 3]
    assert env.get_wrapper_attr("request").delay_estimate == 3
    assert EPISODE == 200
