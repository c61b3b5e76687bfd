import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chunkenv.bench.store.latency_traces import read_corrections, read_traces, write_traces
from chunkenv.bench.studies import methods
from chunkenv.cli.bench import app, charged
from chunkenv.errors import ChunkenvError
from tests.strategies.policies import Prefixed

SHORT = ["--tasks", "cartpole_thrust", "--methods", "naive,bid", "--policies", "smooth", "--episodes", "2",
         "--slowdowns", "1", "--workers", "1"]  # fmt: skip


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """What is measured in a folder of one's own, with a small policy: the methods asked for, by size."""
    asked = []

    def record(names, size, policies):
        asked.append((size, list(names)))
        return {name: [0.001 * size] for name in names}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(charged, "record", record)
    monkeypatch.setattr(charged, "record_corrections", lambda names, policies: {name: [0.0005] for name in names[:1]})
    return asked


def test_what_is_missing_is_measured_and_what_is_there_stays(measured):
    path = Path("traces.json")
    path.write_text(json.dumps({"seconds": {"naive": [0.5]}}))
    charged._measure_missing(path, [0.4, 3.0], ["naive", "rtc"], "smooth")
    assert measured == [(0.4, ["rtc"]), (3.0, ["naive", "rtc"])]
    assert read_traces(path) == {0.4: {"naive": [0.5], "rtc": [0.0004]}, 3.0: {"naive": [0.003], "rtc": [0.003]}}
    assert read_corrections(path) == {"naive": [0.0005]}
    charged._measure_missing(path, [0.4, 3.0], ["naive", "rtc"], "smooth")
    assert len(measured) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sizes", "3"], "traces.json has no latencies of networks with 3 million parameters, only with 0.4;"),
        (["--sizes", "many"], "--sizes 'many'"),
        (["--sizes", "0"], "--sizes '0' has to be numbers above 0; write, for example, 0.4,3,30."),
        (["--slowdowns", "-1"], "--slowdowns '-1'"),
        (["--sizes", "0.4", "--methods", "rtc"], "no trace of the method 'rtc' with 0.4 million parameters"),
    ],
)
@pytest.mark.usefixtures("measured")
def test_what_cannot_be_meant_is_a_sentence(words, sentence):
    write_traces(Path("traces.json"), {0.4: {"naive": [0.001]}})
    command = [
        "charged",
        "--tasks",
        "catapult",
        "--methods",
        "naive",
        "--policies",
        "smooth",
        "--traces",
        "traces.json",
    ]
    result = CliRunner().invoke(app, [*command, *words])
    assert isinstance(result.exception, ChunkenvError)
    assert sentence in str(result.exception)


def test_a_correction_has_to_fit_the_tick():
    table = charged.correction_table({"quick": [0.001] * 20, "slow": [0.05] * 20})
    assert list(table.columns[-1].cells) == ["yes", "no"]


@pytest.mark.slow
def test_a_short_run_shows_each_size(measured, monkeypatch):
    monkeypatch.setattr(methods, "flow_policy", lambda task, kind, policies="smooth": Prefixed(action_size=6))
    monkeypatch.setattr(charged, "sized_policies", lambda *given: {"plain": Prefixed(action_size=6)})
    result = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["charged", *SHORT, "--sizes", "0.4,30"])
    assert result.exception is None, result.output
    assert "Charged for 30 million parameters" in result.output
    assert "One correction, as measured" in result.output
    folder = Path("results/charged")
    assert {path.name for path in folder.glob("*.png")} == {
        "charged-0.4.png",
        "charged-30.png",
        "charged-sizes.png",
    }
    assert [size for size, _ in measured] == [0.4, 30.0]
