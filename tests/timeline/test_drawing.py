"""Timelines against cycles worked out by hand, read back from the picture."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.errors import ArgumentError
from chunkenv.timeline import Timeline, draw_timeline, plan_timeline
from chunkenv.timeline.palette import CHUNKS, hex_of
from tests.timeline.reading import bars, each, executed, lanes, numbers, parse


def draw(*arguments, **options):
    return parse(draw_timeline(plan_timeline(*arguments, **options)))


WORKED = {
    # H, s, delay, ticks; what acts in each tick.
    "one": ((8, 4, 2, 12), {}, "0@0 1@0 2@0 3@0 4@0 5@0 2@1 3@1 4@1 5@1 2@2 3@2"),
    "two": ((8, 2, 4, 10), {"max_in_flight": 2}, "0@0 1@0 2@0 3@0 4@0 5@0 4@1 5@1 4@2 5@2"),
    "two, too slow": ((8, 3, 6, 12), {"max_in_flight": 2}, "0@0 1@0 2@0 3@0 4@0 5@0 6@0 7@0 x 6@1 7@1 x"),
    "streaming": ((8, 4, [[1, 1, 1, 1, 3, 3, 3, 3]], 10), {}, "0@0 1@0 2@0 3@0 4@0 1@1 2@1 3@1 4@1 1@2"),
    "whole": ((8, 4, 3, 10), {}, "0@0 1@0 2@0 3@0 4@0 5@0 6@0 3@1 4@1 5@1"),
    "synchronous": ((8, 4, 2, 10), {"overlap": False}, "0@0 1@0 2@0 3@0 x x 0@1 1@1 2@1 3@1"),
    "charged": ((4, 2, 1, 5), {"cold_start": "charged"}, "x 1@0 2@0 1@1 2@1"),
    "in turn": ((8, 4, [0, 6, 1], 14), {}, "0@0 1@0 2@0 3@0 4@0 5@0 6@0 7@0 x x 6@1 1@2 2@2 3@2"),
}


@pytest.mark.parametrize(("arguments", "options", "rows"), WORKED.values(), ids=WORKED)
def test_what_acts_in_each_tick(arguments, options, rows):
    assert executed(draw(*arguments, **options)) == rows


def test_the_lane_of_a_chunk():
    """Chunk 1 is requested at tick 4 and there at tick 6: rows 0 and 1 are late, 2 to 5 act, 6 and 7 are not used."""
    title, lane = lanes(draw(8, 4, 2, 20))[1]
    assert title == "chunk 1: requested at tick 4, there from tick 6 on; rows 2 to 5 act"
    assert numbers(lane, "on") == [2, 3, 4, 5]
    assert numbers(lane, "small") == [6, 7]
    assert len(each(lane, "path", "missing")) == 2
    assert bars(lane) == [(4.0, 2.0, "1")]
    assert {cell.get("fill") for cell in each(lane, "rect", "acted")} == {hex_of(CHUNKS[1])}


def test_two_inferences_in_flight_have_bars_at_the_same_time():
    first, second = (bars(lane) for _, lane in lanes(draw(8, 2, 4, 12, max_in_flight=2))[1:3])
    assert first == [(2.0, 4.0, "1")]
    assert second == [(4.0, 4.0, "1")]


def test_rows_that_stream_say_when_they_come():
    _, lane = lanes(draw(8, 4, [[1, 1, 1, 1, 3, 3, 3, 3]], 20))[1]
    assert bars(lane) == [(4.0, 1.0, "1"), (5.0, 2.0, "0.35")]
    assert [found.text for found in each(lane, "text", "note")] == ["0–3"]
    assert next(found.text for found in each(lane, "text", "small")) == "4–7"
    assert len(each(lane, "path", "missing")) == 1


def test_rows_that_stream_on_the_real_clock_are_faint_while_they_come():
    planned = plan_timeline(8, 4, [[1, 1, 1, 1, 3, 3, 3, 3]], 20)
    timed = [inference._replace(seconds=0.05) for inference in planned.inferences]
    timeline = dataclasses.replace(planned, inferences=timed, control_dt=0.02)
    root = parse(draw_timeline(timeline))
    assert bars(lanes(root)[1][1]) == [(4.0, 1.0, "1"), (5.0, 2.0, "0.35")]
    assert "rows still to come" in {found.text for found in each(root, "text")}


def test_rows_that_never_come_are_late_for_good():
    _, lane = lanes(draw(4, 4, [[0, 0, 1]], 8, cold_start="charged"))[0]
    assert numbers(lane, "on") == [0, 1, 2]
    assert len(each(lane, "path", "missing")) == 1


def test_the_first_rows_of_the_real_clock():
    """A tick lasts 20 ms. Ticks 4 and 5 begin 2 and 5 ms late. The inference of tick 4 takes 30 ms: tick 6 sees it."""
    planned = plan_timeline(8, 4, 2, 8)
    timed = [
        inference._replace(seconds=seconds) for inference, seconds in zip(planned.inferences, (None, 0.03), strict=True)
    ]
    timeline = dataclasses.replace(planned, inferences=timed, control_dt=0.02, late={4: 0.002, 5: 0.005})
    root = parse(draw_timeline(timeline))
    _, lane = lanes(root)[1]
    assert bars(lane) == [(4.0, pytest.approx(1.6), "1"), (pytest.approx(5.6), pytest.approx(0.4), "0.35")]
    late = each(root, "rect", "behind")[1]
    assert (float(late.get("x")) - 84, float(late.get("width"))) == (5 * 26, pytest.approx(26 / 4))
    assert {"+2", "+5"} <= {found.text for found in each(root, "text", "behind")}
    assert {"0", "0.1"} <= {found.text for found in each(root, "text", "small")}
    assert timeline.summary.endswith("no underrun, 2 late ticks (ticks 4, 5).")


def test_without_seconds_there_is_no_axis_of_them():
    assert "seconds" not in {found.text for found in each(draw(8, 4, 2, 8), "text")}


def test_long_runs_go_on_below():
    root = draw(8, 4, 2, 61)
    assert [found.text for found in each(root, "text")].count("executed") == 3
    assert len(executed(root).split()) == 61
    assert float(root.get("width")) == 84 + 26 * 30 + 14


def test_a_stretch_of_ticks_says_of_how_many():
    timeline = plan_timeline(8, 4, 2, 400)
    root = parse(draw_timeline(timeline, first=10, stop=20))
    assert executed(root) == "2@2 3@2 4@2 5@2 2@3 3@3 4@3 5@3 2@4 3@4"
    assert "ticks 10 to 19 of 400" in {found.text for found in each(root, "text")}
    assert "ticks 0 to 299 of 400" in {found.text for found in each(parse(draw_timeline(timeline)), "text")}
    assert len(executed(parse(draw_timeline(timeline, stop=400))).split()) == 400


def test_the_legend_has_what_occurs():
    def meanings(root):
        return {group.findtext("{*}text[last()]") for group in each(root, "g") if group.get("transform")}

    plain = {"request", "row that acts", "row that is not used"}
    assert meanings(draw(8, 4, 0, 12)) == plain
    late = plain | {"inference in flight", "row that is late for its tick"}
    assert meanings(draw(8, 4, 2, 12)) == late
    assert meanings(draw(8, 4, 6, 24)) == late - {"row that is not used"} | {"no row: underrun"}
    assert meanings(draw(8, 4, [[0, 1, 2, 3, 4, 5, 6, 8]], 12)) >= {"rows still to come"}


def test_it_can_be_read_out():
    root = parse(draw_timeline(plan_timeline(8, 4, 6, 12), title="Slow <&> late"))
    summary = "Ticks 0 to 11: 3 chunks of 8 rows, 1 inference in flight at most, 2 underruns (ticks 8, 9)."
    assert root.findtext("{*}title") == "Slow <&> late"
    assert root.findtext("{*}desc") == summary
    assert root.get("aria-label") == f"Slow <&> late. {summary}"
    assert root.get("role") == "img"


def test_a_notebook_shows_the_picture():
    timeline = plan_timeline(8, 4, 2, 12)
    assert timeline._repr_svg_() == draw_timeline(timeline)


def test_dark_pages_have_colours_of_their_own():
    style = each(draw(8, 4, 2, 12), "style")[0].text
    assert "prefers-color-scheme: dark" in style
    assert all(line.startswith((".chunkenv-timeline", "@media", "  --")) for line in style.strip().splitlines())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.lists(st.integers(0, 8), min_size=1, max_size=4),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from(["free", "charged"]),
    st.integers(1, 3),
)
def test_any_schedule_is_drawn_whole(horizon, executed_rows, delays, ticks, overlap, cold_start, in_flight):
    timeline = plan_timeline(
        horizon,
        min(executed_rows, horizon),
        delays,
        ticks,
        overlap=overlap,
        cold_start=cold_start,
        max_in_flight=in_flight if overlap else 1,
    )
    root = parse(draw_timeline(timeline))
    shown = " ".join("x" if chunk < 0 else f"{row}@{chunk}" for chunk, row in timeline.acted)
    assert executed(root) == shown
    acted = [row for _, lane in lanes(root) for row in numbers(lane, "on")]
    assert sorted(acted) == sorted(row for _, row in timeline.acted if row >= 0)
    width, height = float(root.get("width")), float(root.get("height"))
    for cell in each(root, "rect"):
        assert float(cell.get("x", 0)) + float(cell.get("width")) <= width
        assert float(cell.get("y", 0)) + float(cell.get("height")) <= height


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"first": 12}, r"first=12 is too large; give an int of at most 11\."),
        ({"first": 4, "stop": 4}, r"stop=4 is too small; give an int of at least 5\."),
        ({"stop": 13}, r"stop=13 is too large; give an int of at most 12\."),
        ({"first": 1.5}, r"first=1.5 is not a whole number"),
    ],
)
def test_ticks_that_are_not_there(options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        draw_timeline(plan_timeline(8, 4, 2, 12), **options)


def test_nothing_cannot_be_drawn():
    with pytest.raises(ArgumentError, match="no ticks, so there is nothing to draw: give the infos"):
        draw_timeline(Timeline(8, [], []))
