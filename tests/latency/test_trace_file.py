import json

import pytest

from chunkenv.errors import ArgumentError
from chunkenv.latency import RecordedTrace, TraceRow, read_trace, write_trace

ROWS = (
    TraceRow(0, 0, 0.03125, None),
    TraceRow(0, 4, 0.033, 2, 0),
    TraceRow(0, 8, None, 3, 1),
    TraceRow(2, 0, 0.0, None),
    TraceRow(2, 4, 1 / 3, 17, 2),
)
HEADER = '{"chunkenv_trace": 1, "control_dt": 0.02}'
ROW = '{"episode": 1, "request_tick": 4, "latency_s": 0.03, "delay_ticks": 2, "late": 0}'


def changed(**values):
    return json.dumps(json.loads(ROW) | values)


def test_what_is_written_is_read(tmp_path):
    write_trace(tmp_path / "a.jsonl", iter(ROWS), control_dt=1 / 30)
    assert read_trace(str(tmp_path / "a.jsonl")) == RecordedTrace(1 / 30, ROWS)


def test_a_file_is_as_the_page_shows_it(tmp_path):
    write_trace(tmp_path / "a.jsonl", ROWS[:3], control_dt=0.02)
    assert (tmp_path / "a.jsonl").read_text().splitlines() == [
        '{"chunkenv_trace": 1, "control_dt": 0.02}',
        '{"episode": 0, "request_tick": 0, "latency_s": 0.03125, "delay_ticks": null, "late": 0}',
        '{"episode": 0, "request_tick": 4, "latency_s": 0.033, "delay_ticks": 2, "late": 0}',
        '{"episode": 0, "request_tick": 8, "latency_s": null, "delay_ticks": 3, "late": 1}',
    ]


def test_other_keys_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path):
    header = HEADER.replace("}", ', "robot": "arm"}')
    (tmp_path / "a.jsonl").write_text(f"\ufeff\n{header}\r\n\n{changed(note=[1])}\n\n", encoding="utf-8")
    assert read_trace(tmp_path / "a.jsonl") == RecordedTrace(0.02, (TraceRow(1, 4, 0.03, 2, 0),))


BAD_FILES = [
    ("", "is empty; its first line"),
    ("\n \n", "is empty"),
    (HEADER, "holds no inference; record at least one"),
    ("0.1\n0.2", "in line 1: '0.1' is no JSON object"),
    (f"\n{ROW}", 'in line 2: .* is no header; expected {"chunkenv_trace": 1'),
    (HEADER.replace("1", "2", 1), "in line 1: it is of version 2, and only version 1 can be read"),
    ('{"chunkenv_trace": 1}', "in line 1: control_dt=None is not a finite number"),
    (HEADER.replace("0.02", "0"), "in line 1: control_dt=0 is not above 0"),
    (HEADER.replace("0.02", "NaN"), "in line 1: control_dt='NaN' is not a finite number"),
    (f"{HEADER}\n{ROW[:30]}", "in line 2: .* is no JSON object; remove the line"),
    (f"{HEADER}\n\n[1, 2]", "in line 3: .* is no JSON object"),
    (f"{HEADER}\n{'[' * 100_000}", "in line 2: .* is no JSON object"),
    (f"{HEADER}\n{ROW.replace('late', 'lat')}", "in line 2: .* has no 'latency_s'"),
    (f"{HEADER}\n{changed(episode=-1)}", "in line 2: episode=-1 is too small"),
    (f"{HEADER}\n{changed(episode='1')}", "in line 2: episode='1' is not a whole number"),
    (f"{HEADER}\n{changed(request_tick=None)}", "in line 2: request_tick=None is not a whole number"),
    (f"{HEADER}\n{changed(request_tick=True)}", "in line 2: request_tick=True is not a whole number"),
    (f"{HEADER}\n{changed(latency_s=-0.1)}", "in line 2: latency_s=-0.1 is not a finite number of at least 0"),
    (f"{HEADER}\n{changed(latency_s='fast')}", "in line 2: latency_s='fast'"),
    (f"{HEADER}\n{ROW.replace('0.03', 'Infinity')}", "in line 2: latency_s='Infinity'"),
    (f"{HEADER}\n{ROW.replace('0.03', '1e999')}", "in line 2: latency_s=inf"),
    (f"{HEADER}\n{changed(delay_ticks=1.5)}", "in line 2: delay_ticks=1.5 is not a whole number"),
    (f"{HEADER}\n{changed(delay_ticks=None)}", "in line 2: delay_ticks=None at request_tick=4 charges nothing"),
    (f"{HEADER}\n{changed(late=-1)}", "in line 2: late=-1 is too small"),
    (f"{HEADER}\n{ROW}\n{ROW}", "in line 3: episode=1 and request_tick=4 do not come after episode=1 and"),
    (f"{HEADER}\n{ROW}\n{changed(episode=0, request_tick=9)}", "in line 3: episode=0 and request_tick=9 do not come"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD_FILES)
def test_a_damaged_file(tmp_path, text, sentence):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(ArgumentError, match=sentence) as caught:
        read_trace(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.jsonl", ".", "zero\0byte"])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ArgumentError, match="cannot be read"):
        read_trace(str(tmp_path / name))


BAD_ROWS = [
    ([], 0.02, r"rows=\[\] is no recording; give at least one TraceRow"),
    (ROWS, 0.0, "control_dt=0.0 is not above 0"),
    ([ROWS[0], TraceRow(0, -1, 0.1, 1)], 0.02, r"rows\[1\]=\(0, -1, 0.1, 1, 0\) cannot be written: request_tick=-1"),
    ([TraceRow(0, 0, float("nan"), 1)], 0.02, r"rows\[0\]=.*latency_s=nan"),
    ([ROWS[1], ROWS[0]], 0.02, r"rows\[1\]=.*do not come after"),
]


@pytest.mark.parametrize(("rows", "control_dt", "sentence"), BAD_ROWS)
def test_rows_that_cannot_be_written(tmp_path, rows, control_dt, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        write_trace(tmp_path / "a.jsonl", rows, control_dt)
    assert not list(tmp_path.iterdir())
