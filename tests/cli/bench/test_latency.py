from pathlib import Path

import pytest
from typer.testing import CliRunner

from chunkenv.bench.store.latency_traces import read_traces
from chunkenv.cli.bench import app, latency
from chunkenv.errors import ChunkenvError
from chunkenv.latency import load_recording


@pytest.fixture
def measured(tmp_path, monkeypatch):
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(latency, "record", lambda names, policies: asked.append(names) or {"naive": [0.001, 0.002]})
    return asked


def test_what_is_measured_here_is_kept(measured):
    path = Path("traces.json")
    found = latency._recordings(latency.SHAPES, None, path, "smooth")
    assert found == {"recorded": load_recording().seconds, "measured": [0.001, 0.002]}
    assert read_traces(path) == {0.4: {"naive": [0.001, 0.002]}}
    latency._recordings(latency.SHAPES, None, path, "smooth")
    assert measured == [["naive"]]


def test_nothing_is_measured_that_is_not_played(measured):
    assert latency._recordings(["bursty"], None, Path("traces.json"), "smooth") == {}
    assert not measured


def test_a_recording_of_ones_own(measured):
    Path("robot.txt").write_text("0.01\n0.03\n")
    found = latency._recordings(["recorded"], Path("robot.txt"), Path("traces.json"), "smooth")
    assert list(found["recorded"]) == [0.01, 0.03]
    assert not measured


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--latencies", "brusty"], "did you mean 'bursty'"),
        (["--mean-delays", "0"], "mean_delay=0 is too small"),
        (["--recording", "nowhere.txt", "--latencies", "recorded"], "nowhere.txt"),
        (["--quick", "--episodes", "3", "--latencies", "bursty"], "give one of the two"),
    ],
)
@pytest.mark.usefixtures("measured")
def test_what_cannot_be_meant_is_a_sentence(words, sentence):
    command = ["latency", "--tasks", "catapult", "--methods", "naive", "--policies", "smooth"]
    result = CliRunner().invoke(app, [*command, *words])
    assert isinstance(result.exception, ChunkenvError)
    assert sentence in str(result.exception)
