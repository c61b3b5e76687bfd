"""`chunkenv trace`: record, show, fit."""

import json
import re
import sys

import gymnasium as gym
import numpy as np
import pytest

from chunkenv.latency import Bursty, LogNormal, TraceRow, from_spec, read_trace, write_trace
from tests.cli.calling import invoke, run
from tests.latency.shared import draws

POLICY = """
class Left:
    def infer(self, observation, request):
        return [0] * 8

def make(): return Left()
def broken(): return 1 / 0
"""


@pytest.fixture(autouse=True)
def clean_imports(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("traced_policy", None)


@pytest.fixture
def recording(tmp_path):
    """Two episodes of 60 inferences at 50 Hz, with bursts, and one that had not ended."""
    rows = []
    for episode, seconds in enumerate(
        np.split(draws(Bursty(LogNormal(0.03, 0.1), LogNormal(0.2, 0.1), 0.1, 0.2), 120), 2)
    ):
        for number, each in enumerate(seconds.tolist()):
            delay = None if number == 0 else int(np.ceil(each / 0.02))
            rows.append(TraceRow(episode, 20 * number, each, delay, late=int(number == 7)))
    rows.append(TraceRow(1, 2000, None, 3))
    write_trace(tmp_path / "robot.jsonl", rows, control_dt=0.02)
    return tmp_path / "robot.jsonl"


def test_show_counts_inferences_delays_and_late_ticks(recording):
    result = invoke("trace", "show", recording)
    assert result.exit_code == 0
    assert result.output.startswith("120 inferences in 2 episodes; slow ones come together (rank correlation 0.")
    seconds = [row.latency_s for row in read_trace(recording).rows if row.latency_s is not None]
    for share in (0.0, 0.5, 0.95, 1.0):
        assert f" {1e3 * np.quantile(seconds, share):.1f} " in result.output
    bars = re.findall(r"█* ?(\d+)$", re.search(r"(?s)\n\n(.* ms .*?)\n\n", result.output)[1], re.MULTILINE)
    assert sum(map(int, bars)) == 120
    assert re.search(r"^ +50 +2 ", result.output, re.MULTILINE)
    assert "Recorded at 50 Hz (control_dt=0.02 s): delays of 2 to" in result.output
    assert "2 ticks began late while an inference was under way; 1 inference had not ended with" in result.output


def test_show_reads_a_text_of_numbers(tmp_path):
    (tmp_path / "robot.txt").write_text("0.02\n0.05\n" * 20)
    result = invoke("trace", "show", tmp_path / "robot.txt")
    assert result.output.startswith("40 inferences in 1 episode; no sign that slow ones come together.")
    assert re.search(r"^ +50 +1 +3 +3 +1: 50.0%, 3: 50.0%", result.output, re.MULTILINE)
    assert "Recorded at" not in result.output


def test_show_of_equal_latencies(tmp_path):
    (tmp_path / "robot.txt").write_text("0.02\n" * 5)
    result = invoke("trace", "show", tmp_path / "robot.txt")
    assert "too much alike to say whether slow ones come together" in result.output
    assert re.search(r"20.0 - +20.0 ms █{40} 5$", result.output, re.MULTILINE)


def test_fit_prints_a_spec_to_paste_and_draws(recording):
    result = invoke("trace", "fit", recording)
    assert result.exit_code == 0
    assert re.search(r"^model +AIC +held out +largest gap \(ms\)", result.output, re.MULTILINE)
    assert re.search(r"^Bursty +-\d+\.\d", result.output, re.MULTILINE)
    model = from_spec(json.loads(re.search(r"^\{.*\}$", result.output, re.MULTILINE)[0]))
    assert model.calm.median == pytest.approx(0.03, rel=0.1)
    assert len(repr(model.calm.median)) <= 8
    assert "This is latency= of ChunkedExecution" in result.output
    assert recording.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_fit_writes_the_picture_where_it_is_told(recording, tmp_path):
    assert invoke("trace", "fit", recording, "--plot", tmp_path / "other.png").exit_code == 0
    assert (tmp_path / "other.png").exists()
    assert not recording.with_suffix(".png").exists()


def test_fit_says_when_nothing_fits(tmp_path):
    path = tmp_path / "robot.txt"
    path.write_text("".join(f"{value}\n" for value in [0.01, 0.02, 0.04, 0.3, 1.0] * 20))
    result = invoke("trace", "fit", path)
    assert "No model is near: the best misses a quantile by" in result.output
    replay = json.loads(re.search(r"\{\"model\": \"trace\".*\}", result.output)[0])
    assert from_spec(replay).seconds[:3] == (0.01, 0.02, 0.04)


@pytest.mark.parametrize("command", ["show", "fit"])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.1\nfast\n", "holds 'fast' in line 2; each line must be one number"),
        ('{"chunkenv_trace": 1, "control_dt": 0.02}\n{"episode": 0}\n', "is damaged in line 2"),
        ("", "is empty"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, command, text, sentence):
    (tmp_path / "robot.jsonl").write_text(text)
    result = invoke("trace", command, tmp_path / "robot.jsonl")
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_fit_needs_ten_latencies(tmp_path):
    (tmp_path / "robot.txt").write_text("0.1\n" * 9)
    result = invoke("trace", "fit", tmp_path / "robot.txt")
    assert "9 latencies are too few to fit a model to; record at least 10" in " ".join(result.stderr.split())


def test_record_writes_what_the_real_clock_met(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traced_policy.py").write_text(POLICY)
    result = run(
        *("trace", "record", "CartPole-v1", "--policy", "traced_policy.py:make", "--worker", "thread"),
        *("--episodes", "2", "--out", "robot.jsonl"),
    )
    assert result.returncode == 0, result.stderr
    assert "2 episodes, 18 ticks" in result.stdout
    trace = read_trace("robot.jsonl")
    assert trace.control_dt == 0.02
    assert [(row.episode, row.request_tick) for row in trace.rows if row.delay_ticks is None] == [(0, 0), (1, 0)]
    assert invoke("trace", "show", "robot.jsonl").output.startswith(f"{len(trace.rows)} inferences in 2 episodes")


def test_record_plays_a_method_of_ours_in_a_process(tmp_path):
    out = tmp_path / "robot.jsonl"
    result = run("trace", "record", "Pendulum-v1", "--method", "zero", "--rate", "200", "--episodes", "1", "--out", out)
    assert result.returncode == 0, result.stderr
    assert "Recorded at 200 Hz (control_dt=0.005 s)" in result.stdout
    assert read_trace(out).rows[0].request_tick == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--policy", "missing.py:make"), "'missing.py:make' is not FILE.py:NAME"),
        (("--policy", "traced_policy.py:make", "--method", "zero"), "--policy traced_policy.py:make and --method zero"),
        (("--policy", "traced_policy.py:broken"), "ZeroDivisionError: division by zero"),
        (("--policy", "traced_policy.py:nothing"), "traced_policy.py has no function 'nothing'"),
        (("--rate", "0"), "--rate 0 is not above 0; give control steps per second"),
        (("--worker", "fibre"), "worker='fibre' is unknown; choose one of 'process', 'thread'"),
        (("--episodes", "0"), "episodes=0 is too small"),
    ],
)
def test_mistakes_of_record(tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traced_policy.py").write_text(POLICY)
    worker = () if "--worker" in options else ("--worker", "thread")
    result = invoke("trace", "record", "CartPole-v1", *worker, *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "CartPole-v1.jsonl").exists()


class Timeless(gym.Env):
    observation_space = action_space = gym.spaces.Box(-1.0, 1.0, (1,))


def test_record_of_an_environment_that_says_nothing_of_its_ticks():
    gym.register("chunkenv-test/Timeless-v0", entry_point=Timeless)
    try:
        result = invoke("trace", "record", "chunkenv-test/Timeless-v0", "--method", "zero", "--worker", "thread")
    finally:
        gym.registry.pop("chunkenv-test/Timeless-v0")
    assert result.exit_code == 2
    assert "Timeless-v0 does not say how long a tick is; give --rate in control" in " ".join(result.stderr.split())
