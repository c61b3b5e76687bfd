import json

import pytest

from chunkenv.bench.store.latency_traces import read_traces, write_traces
from chunkenv.errors import ArgumentError


def test_traces_come_back_with_their_machine(tmp_path):
    path = tmp_path / "new" / "traces.json"
    write_traces(path, {"naive": [0.001, 0.002]})
    assert read_traces(path) == {"naive": [0.001, 0.002]}
    assert {"machine", "versions", "recorded"} <= json.loads(path.read_text()).keys()
    assert [other.name for other in path.parent.iterdir()] == ["traces.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"seconds": {"naive": []}}', '{"seconds": {"naive": [-1.0]}}', '{"seconds": {"a": 1}}']
)
def test_what_is_no_trace_is_refused(text, tmp_path):
    (tmp_path / "traces.json").write_text(text)
    with pytest.raises(ArgumentError, match=r"traces\.json (holds no latencies|cannot be read)"):
        read_traces(tmp_path / "traces.json")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ArgumentError, match="cannot be read as traces"):
        read_traces(tmp_path / "traces.json")
