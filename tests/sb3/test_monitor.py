import json
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import A2C
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import load_results

from chunkenv.errors import ArgumentError
from chunkenv.sb3 import make_sb3_env
from tests.sb3.worlds import Line


def episodes(env, decisions, chunk=None):
    """What the monitor says of the episodes that end within some decisions of zeros."""
    env.reset()
    found = []
    for _ in range(decisions):
        chunks = np.zeros((env.num_envs, *env.action_space.shape), np.float32)
        *_, infos = env.step(chunks)
        found += [info["episode"] for info in infos if "episode" in info]
    return found


@pytest.mark.parametrize("horizon", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("terminates", [True, False])
def test_control_steps_and_undiscounted_return(horizon, terminates):
    env = make_sb3_env(partial(Line, end=5, terminates=terminates), 2, prediction_horizon=horizon, discount=0.5)
    found = episodes(env, 2 * -(-5 // horizon))
    assert [(episode["r"], episode["l"]) for episode in found] == [(31.0, 5)] * 4
    assert all(0 <= episode["t"] < 60 for episode in found)


def test_an_episode_that_an_underrun_stops_before_its_first_tick():
    """The chunk of the second decision comes one tick too late: of its 2 ticks, none has a row."""
    late = {"prediction_horizon": 2, "execution_horizon": 2, "latency": 1, "underrun": "stop"}
    (episode,) = episodes(make_sb3_env(Line, **late), 2)
    assert (episode["r"], episode["l"]) == (3.0, 2)


def test_every_episode_begins_at_zero():
    env = make_sb3_env(partial(Line, end=4), prediction_horizon=3)
    assert [episode["l"] for episode in episodes(env, 6)] == [4, 4, 4]
    env.reset()
    env.step(np.zeros((1, 6), np.float32))
    assert [episode["l"] for episode in episodes(env, 2)] == [4]


def test_evaluate_policy_reports_both():
    env = make_sb3_env("Pendulum-v1", prediction_horizon=8, latency=3)
    model = A2C("MlpPolicy", env, device="cpu")
    returns, lengths = evaluate_policy(model, env, 2, return_episode_rewards=True)
    assert lengths == [200, 200]
    assert all(-2000 < value < -100 for value in returns)


def test_the_log_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    env = make_sb3_env(Line, prediction_horizon=2, monitor_file=str(tmp_path / "log"))
    episodes(env, 6)
    env.close()
    rows = load_results(tmp_path)
    assert isinstance(rows, pandas.DataFrame)
    assert list(rows["l"]) == [5, 5]


def test_the_same_return_as_the_environment_alone():
    env = make_sb3_env("Pendulum-v1", seed=3, prediction_horizon=4)
    plain = gym.make("Pendulum-v1")
    plain.reset(seed=3)
    total = sum(plain.step(np.zeros(1, np.float32))[1] for _ in range(200))
    (episode,) = episodes(env, 50)
    assert episode["r"] == pytest.approx(total, abs=1e-6)


def rows_of(path):
    header, columns, *rows = path.read_text().splitlines()
    assert columns == "r,l,t"
    return json.loads(header[1:])["t_start"], [[float(value) for value in row.split(",")] for row in rows]


def log_episodes(folder, count, **arguments):
    env = make_sb3_env(Line, prediction_horizon=5, monitor_file=str(folder / "log"), **arguments)
    episodes(env, count)
    env.close()
    return rows_of(folder / "log.monitor.csv")


def test_a_resumed_training_appends_to_its_log(tmp_path):
    """Also after a crash inside a row; 't' goes on from the first start."""
    begun, first = log_episodes(tmp_path, 2, append=True)
    with (tmp_path / "log.monitor.csv").open("a") as file:
        file.write("31.0,5")
    again, rows = log_episodes(tmp_path, 3, append=True)
    assert again == begun
    assert rows[:2] == first
    assert [row[:2] for row in rows] == [[31.0, 5]] * 5
    assert [row[2] for row in rows] == sorted(row[2] for row in rows)


def test_a_new_training_replaces_its_log(tmp_path):
    log_episodes(tmp_path, 2)
    assert len(log_episodes(tmp_path, 3)[1]) == 3


@pytest.mark.parametrize("content", ["", "r,l,t\n1,2,3\n", '#{"t_start": 5}\nr,l,t,success\n', "#[]\nr,l,t\n"])
def test_appending_to_what_is_no_log_of_ours_is_refused(tmp_path, content):
    (tmp_path / "log.monitor.csv").write_text(content)
    with pytest.raises(ArgumentError, match=r"monitor_file='.*log.monitor.csv' was not written by this monitor"):
        log_episodes(tmp_path, 1, append=True)
    assert (tmp_path / "log.monitor.csv").read_text() == content
