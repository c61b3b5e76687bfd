import json

import pytest

from chunkenv.bench.store.latency_traces import read_corrections, read_traces, write_traces
from chunkenv.errors import ArgumentError


def test_traces_come_back_with_their_machine(tmp_path):
    path = tmp_path / "new" / "traces.json"
    write_traces(path, {0.4: {"naive": [0.001, 0.002]}, 30.0: {"naive": [0.1]}}, {"a2c2": [0.0001]})
    assert read_traces(path) == {0.4: {"naive": [0.001, 0.002]}, 30.0: {"naive": [0.1]}}
    assert read_corrections(path) == {"a2c2": [0.0001]}
    assert {"machine", "versions", "recorded"} <= json.loads(path.read_text()).keys()
    assert [other.name for other in path.parent.iterdir()] == ["traces.json"]


def test_a_file_from_before_there_were_sizes_is_read(tmp_path):
    (tmp_path / "traces.json").write_text('{"seconds": {"naive": [0.001], "rtc": [0.003]}}')
    assert read_traces(tmp_path / "traces.json") == {0.4: {"naive": [0.001], "rtc": [0.003]}}
    assert read_corrections(tmp_path / "traces.json") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"seconds": {}}',
        '{"seconds": {"naive": []}}',
        '{"seconds": {"naive": [-1.0]}}',
        '{"seconds": {"a": 1}}',
        '{"seconds": {"0.4": {"naive": [-1.0]}}}',
        '{"seconds": {"small": {"naive": [1.0]}}}',
    ],
)
def test_what_is_no_trace_is_refused(text, tmp_path):
    (tmp_path / "traces.json").write_text(text)
    with pytest.raises(ArgumentError, match=r"traces\.json (holds no latencies|cannot be read)"):
        read_traces(tmp_path / "traces.json")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ArgumentError, match="cannot be read as traces"):
        read_traces(tmp_path / "traces.json")


def test_corrections_that_are_none_are_refused(tmp_path):
    (tmp_path / "traces.json").write_text('{"seconds": {"naive": [1.0]}, "corrections": {"a2c2": [-1.0]}}')
    with pytest.raises(ArgumentError, match="holds no latencies"):
        read_corrections(tmp_path / "traces.json")
