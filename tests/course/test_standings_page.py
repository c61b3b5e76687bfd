"""The leaderboard ranks what was recorded, and refuses what was not."""

import json

import pytest

from chunkenv.course import write_standings
from chunkenv.course.grading import Grader, Isolation, Test
from chunkenv.errors import ArgumentError
from tests.cli.calling import invoke


def put(folder, name, delays=None, **board):
    (folder / f"{name}.json").write_text(json.dumps({"extra_data": {"board": board, "delays": delays or {}}}))


def test_the_best_mean_is_first_and_nothing_is_run(tmp_path):
    put(tmp_path, "bob", bursty=[30, 40], uniform=[10, 40])
    put(tmp_path, "<b>ada", bursty=[20, 40], uniform=[36, 40])
    put(tmp_path, "eve")
    assert write_standings(tmp_path, tmp_path / "page.html") == 2
    page = (tmp_path / "page.html").read_text()
    assert 0 < page.index("&lt;b&gt;ada") < page.index("bob")
    assert "eve" not in page
    assert "90" in page
    write_standings(tmp_path, tmp_path / "page.html", pseudonyms=True)
    page = (tmp_path / "page.html").read_text()
    assert "ada" not in page
    assert page.index("submission 1") < page.index("submission 2")


def test_a_model_that_a_submission_failed_under_counts_0(tmp_path):
    put(tmp_path, "ada", bursty=[30, 40])
    put(tmp_path, "bob", bursty=[20, 40], uniform=[20, 40])
    write_standings(tmp_path, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.index("bob") < page.index("ada")
    assert 'data-value="0.375">38<' in page


def test_delay_profiles_are_drawn_below_the_table(tmp_path):
    put(tmp_path, "ada", {"bursty": [1, 1, 7], "uniform": []}, bursty=[30, 40], uniform=[20, 40])
    write_standings(tmp_path, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert (
        page.index("ada") < page.index("<h2>Latency models</h2>") < page.index("bursty: 1 to 7 ticks, 3.0 on average")
    )
    assert page.count("data:image/svg+xml") == 1
    write_standings(tmp_path, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == page


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"extra_data": {}}', '{"extra_data": {"board": {"m": [0, 0]}, "delays": {}}}']
)
def test_what_is_no_result_is_named(tmp_path, text):
    (tmp_path / "odd.json").write_text(text)
    result = invoke("course", "leaderboard", tmp_path, "--out", tmp_path / "page.html")
    assert result.exit_code == 2
    assert "odd.json is no result" in result.output


def test_results_without_a_line_are_refused(tmp_path):
    put(tmp_path, "eve")
    with pytest.raises(ArgumentError, match="no results with a leaderboard"):
        write_standings(tmp_path, tmp_path / "page.html")


def test_a_test_records_what_was_solved(tmp_path):
    (tmp_path / "solution.py").write_text("")
    tests = (Test("one", "1", 100, "hidden", lambda student: student.record("bursty", 3, 4, [2, 9])),)
    Grader(tests, Isolation()).grade(tmp_path).write(tmp_path / "out" / "ada.json")
    written = json.loads((tmp_path / "out" / "ada.json").read_text())
    assert written["leaderboard"] == [{"name": "bursty", "value": 0.75}]
    assert written["extra_data"]["delays"] == {"bursty": [2, 9]}
    result = invoke("course", "leaderboard", tmp_path / "out", "--out", tmp_path / "page.html")
    assert "1 submission." in result.output


def test_what_was_solved_is_at_most_what_was_played(tmp_path):
    (tmp_path / "solution.py").write_text("")
    tests = (Test("one", "1", 100, "hidden", lambda student: student.record("bursty", 5, 4)),)
    assert "solved=5 is too large" in Grader(tests, Isolation()).grade(tmp_path).judgements[0].output
