import json
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from chunkenv.bench.studies.remote_study import (
    RemoteTask,
    Server,
    Setup,
    latency_of,
    make_env,
    make_policy,
    remote_study,
)
from chunkenv.errors import ArgumentError
from chunkenv.latency import Trace
from chunkenv.remote import PolicyServer

PENDULUM = RemoteTask("Pendulum-v1", {"g": 9.0})
TRACES = {1: (0.06, 0.11), 2: (0.16, 0.21)}


class Zero:
    def infer(self, observation, request):
        return np.zeros((8, 1), np.float32)


def setup(uri="ws://127.0.0.1:8000", task=PENDULUM, key=None):
    space = spaces.Box(-2.0, 2.0, (8, 1))
    server = Server(uri, key, {"dialect": "openpi", "timeout": 5.0, "hosts": ()})
    return Setup(task, server, space, 8, 0.05, TRACES)


def test_cells_are_every_horizon_with_every_recording_and_constant_delays_with_one_in_flight():
    study = remote_study(setup(), horizons=[4, 2], delays=[0, 3], episodes=2)
    ways = [(cell.in_flight, cell.latency, cell.execution_horizon) for cell in study.cells]
    measured = [(count, "as measured", horizon) for count in (1, 2) for horizon in (4, 2)]
    assert ways == measured + [(1, f"{delay} ticks", horizon) for delay in (0, 3) for horizon in (4, 2)]
    assert study.cost(study.cells[1]) == 2 * study.cost(study.cells[0])
    assert str(study.cells[0]) == "Pendulum-v1, 1 in flight, latency as measured, execution horizon 4"


def test_an_environment_replays_what_was_measured_with_so_many_in_flight():
    one, _, two, *_, constant = remote_study(setup(), horizons=[4, 2], delays=[3], episodes=2).cells
    assert latency_of(setup(), one) == Trace(TRACES[1])
    assert latency_of(setup(), two) == Trace(TRACES[2])
    assert latency_of(setup(), constant) == 3
    env = make_env(setup(), two)
    assert (env.prediction_horizon, env.execution_horizon, env.max_in_flight) == (8, 4, 2)
    assert (env.control_dt, env.delay_estimate) == (0.05, "max")
    assert env.unwrapped.g == 9.0


def test_the_study_goes_to_workers_and_its_key_stays_here(monkeypatch):
    monkeypatch.setenv("THE_KEY", "geheim")
    study = remote_study(setup(key="THE_KEY"), horizons=[4])
    assert b"geheim" not in pickle.dumps(study)
    assert "geheim" not in json.dumps(study.settings)
    assert pickle.loads(pickle.dumps(study)).cells == study.cells


def test_a_policy_checks_its_chunks_against_the_task():
    with PolicyServer(Zero(), port=0) as server:
        cell = remote_study(setup(server.uri), horizons=[4]).cells[0]
        env, policy = make_env(setup(server.uri), cell), make_policy(setup(server.uri), cell)
        observation, _ = env.reset(seed=0)
        assert env.action_space.contains(policy.infer(observation, env.request))
        policy.close()


def test_a_task_is_a_name_an_id_an_id_with_its_module_or_a_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "task_of_mine.py").write_text(
        "import gymnasium as gym\ndef make():\n    return gym.make('CartPole-v1')\n"
    )
    names = ("Pendulum-v1", "gymnasium:Pendulum-v1", f"{tmp_path / 'task_of_mine.py'}:make")
    found = [RemoteTask(name, {}).make() for name in names]
    assert [env.spec.id for env in found] == ["Pendulum-v1", "Pendulum-v1", "CartPole-v1"]
    assert all(isinstance(env, gym.Env) for env in found)
    with pytest.raises(ArgumentError, match="There is no environment 'Pendulumm-v1'"):
        RemoteTask("Pendulumm-v1", {}).make()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"horizons": [9]}, "execution_horizon=9 is too large"),
        ({"horizons": [0]}, "execution_horizon=0 is too small"),
        ({"horizons": [4, 4]}, "names a cell twice"),
        ({"horizons": [4], "delays": [-1]}, "delay=-1 is too small"),
    ],
)
def test_mistakes_are_one_sentence(arguments, says):
    with pytest.raises(ArgumentError, match=says):
        remote_study(setup(), **arguments)
