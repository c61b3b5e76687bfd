import json
import time

import numpy as np
import pytest

from chunkenv.bench.store.reading import open_store
from chunkenv.latency import read_trace
from chunkenv.remote import PolicyServer
from tests.cli.calling import invoke

TASK = """
import gymnasium as gym

def make_env():
    return gym.make("Pendulum-v1", max_episode_steps=24)

def balance():
    return gym.make("CartPole-v1", max_episode_steps=24)
"""
TINY = ["--inferences", "6", "--warm-up", "1", "--episodes", "2", "--horizons", "4,2"]


class Slow:
    def __init__(self, seconds=0.06, rows=8):
        self.seconds, self.rows = seconds, rows
        self.asked = 0

    def infer(self, observation, request):
        self.asked += 1
        time.sleep(self.seconds)
        return np.full((self.rows, 1), np.sign(observation[2]), np.float32)


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    path = tmp_path_factory.mktemp("task") / "own_task.py"
    path.write_text(TASK)
    return f"{path}:make_env"


@pytest.fixture(scope="module")
def finished(task, tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "remote"
    with PolicyServer(policy := Slow(), port=0) as server:
        results = [invoke("bench", "remote", server.uri, task, *TINY, "--out", out) for _ in range(2)]
    return out, policy, *results


def test_a_server_is_measured_replayed_and_compared(finished):
    out, _, result, _ = finished
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["episodes.sqlite", "trace-1.jsonl", "trace-2.jsonl"]
    for words in ("Measuring 6 inferences, 1, then 2 at a time", "Latency, as measured", "95 % interval"):
        assert words in result.output
    assert "2 at a time take" in result.output
    assert "Against 1 in flight, latency as measured, execution horizon 4" in result.output


def test_the_recordings_are_those_of_a_control_loop(finished):
    out = finished[0]
    alone, together = (read_trace(out / f"trace-{count}.jsonl") for count in (1, 2))
    assert alone.control_dt == together.control_dt == 0.05
    assert len(alone.rows) == len(together.rows) == 6
    assert all(row.latency_s >= 0.06 for row in alone.rows)
    assert [row.delay_ticks is None for row in alone.rows] == [row.request_tick == 0 for row in alone.rows]
    assert {row.episode for row in together.rows} == {0, 1}


def test_the_rows_hold_every_way_to_ask(finished):
    with open_store(finished[0] / "episodes.sqlite") as store:
        rows = store.rows()
        settings = json.dumps(store.runs()[-1]["settings"])
    ways = {(row["method"], row["latency"], row["execution_horizon"]) for row in rows}
    measured = {(f"{count} in flight", "as measured", horizon) for count in (1, 2) for horizon in (4, 2)}
    assert ways == measured | {("1 in flight", "0 ticks", horizon) for horizon in (4, 2)}
    assert len(rows) == 12
    assert all(row["mean_staleness"] is not None for row in rows)
    stale = {
        way: np.mean([row["mean_staleness"] for row in rows if row["latency"] == way])
        for way in ("0 ticks", "as measured")
    }
    assert stale["as measured"] > stale["0 ticks"]
    assert "traces" in settings


def test_the_same_command_finds_recordings_and_rows(finished):
    _, _, first, again = finished
    assert again.exit_code == 0
    assert "Measuring" not in again.output
    assert "12 of 12 episodes are there already." in again.output
    assert again.output.partition("Latency")[2] == first.output.partition("Latency")[2]


def test_a_report_is_made_of_it(finished):
    assert invoke("bench", "report", finished[0]).exit_code == 0
    assert "1 in flight" in (finished[0] / "report.md").read_text()


def test_overwrite_measures_anew(finished, task, tmp_path):
    words = ["--inferences", "2", "--warm-up", "0", "--episodes", "1", "--horizons", "4", "--in-flight", "1"]
    with PolicyServer(Slow(0.0), port=0) as server:
        for more, says in (([], "Measuring"), ([], "there already"), (["--overwrite"], "Measuring")):
            result = invoke("bench", "remote", server.uri, task, *words, "--out", tmp_path, *more)
            assert result.exit_code == 0, result.output
            assert says in result.output


BAD = {
    "an address of another machine": (["ws://robot.lab:1", "{task}"], "name it: hosts=('robot.lab',)"),
    "no such task": (["{uri}", "Pendulumm-v1"], "did you mean 'Pendulum-v1'?"),
    "another task than the server's": (["{uri}", "{balance}"], "a chunk that cannot be executed"),
    "arguments that are no JSON": (["{uri}", "{task}", "--arguments", "{{"], "is no JSON object"),
    "a list of arguments": (["{uri}", "{task}", "--arguments", "[1]"], "is no JSON object"),
    "no inference in flight": (["{uri}", "{task}", "--in-flight", "0"], "--in-flight '0' is not from 1 to 8"),
    "many in flight": (["{uri}", "{task}", "--in-flight", "9"], "--in-flight '9' is not from 1 to 8"),
    "a horizon above H": (["{uri}", "{task}", "--horizons", "9"], "execution_horizon=9 is too large"),
    "a horizon of zero": (["{uri}", "{task}", "--horizons", "0"], "execution_horizon=0 is too small"),
    "delays that are no numbers": (["{uri}", "{task}", "--delays", "few"], "--delays 'few' is no list"),
    "nothing to measure": (["{uri}", "{task}", "--inferences", "0"], "inferences=0 is too small"),
    "a dialect": (["{uri}", "{task}", "--dialect", "openpie"], "did you mean 'openpi'?"),
    "no key": (["{uri}", "{task}", "--api-key-env", "NO_SUCH_KEY"], "'NO_SUCH_KEY' holds no key"),
    "quick and episodes": (["{uri}", "{task}", "--quick", "--episodes", "3"], "give one of the two"),
    "no workers": (["{uri}", "{task}", "--workers", "0"], "workers=0 is too small"),
}


@pytest.mark.parametrize("name", BAD)
def test_mistakes_are_one_sentence(name, task, tmp_path):
    words, says = BAD[name]
    balance = task.replace("make_env", "balance")
    with PolicyServer(Slow(0.0), port=0) as server:
        words = [word.format(uri=server.uri, task=task, balance=balance) for word in words]
        short = ["--inferences", "2", "--warm-up", "0", "--in-flight", "1"]
        result = invoke("bench", "remote", *words[:2], *short, *words[2:], "--out", tmp_path)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_a_server_that_is_not_there_is_one_sentence(task, tmp_path):
    result = invoke(
        "bench", "remote", "ws://127.0.0.1:9", task, "--timeout", "0.3", "--first-timeout", "0.3", "--out", tmp_path
    )
    assert result.exit_code == 2
    assert "cannot be reached" in result.stderr
