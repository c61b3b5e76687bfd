"""The overlay's strip, pixel by pixel, against cycles worked out by hand."""

import copy
import subprocess
import sys
from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.clock import ChunkClock
from chunkenv.errors import ArgumentError, EnvironmentFault, MissingExtraError
from chunkenv.latency import Streamed, Trace, Uniform
from chunkenv.timeline.palette import CHUNKS
from chunkenv.utils.rendering import import_pygame
from chunkenv.wrappers import ChunkedExecution, ChunkOverlay, FlattenChunk
from chunkenv.wrappers.frames.overlay_strip import (
    BACKGROUND,
    EMPTY,
    INK,
    MIN_WIDTH,
    MOST_BARS,
    NO_BAR,
    Tick,
    draw_strip,
    layout,
)
from chunkenv.wrappers.frames.record_ticks import read_frames
from tests.worlds import Recorder  # its module registers the world, whose frames show its tick

pytest.importorskip("pygame")

# At MIN_WIDTH = 320 pixels a column is 8 wide, the first begins at 44; the world's own frame is 4 x 4 and lies above.
LEFT, CELL, INFERENCE, ACTION, COLUMNS, FRAME = 44, 8, 4 + 15, 4 + 22, 33, 4
NAMES = {tuple(colour): f"{number}" for number, colour in enumerate(CHUNKS)} | {(0, 0, 0): "x", EMPTY: "."}


def overlaid(render_mode="rgb_array_list", limit=30, **options):
    world = gym.make("tests/Recorder-v0", render_mode=render_mode, limit=limit)
    options = {"prediction_horizon": 8, "execution_horizon": 4, "latency": 2, "info": "full"} | options
    return ChunkOverlay(ChunkedExecution(world, **options))


def play(env, decisions):
    """All frames of some decisions, the reset's first, and how many ticks they were."""
    env.reset(seed=0)
    ticks = 0
    for _ in range(decisions):
        *_, terminated, truncated, info = env.step(env.action_space.sample())
        ticks += info["ticks"]
        if terminated or truncated:
            break
    return env.render(), ticks


def lane(frame, top):
    """Colours of a lane's cells, one letter each: the chunk's colour, x an underrun, . nothing."""
    # The second row and column of a cell: inside its outline, outside the row's number.
    pixels = [tuple(frame[top + 1, LEFT + CELL * column + 1].tolist()) for column in range(COLUMNS)]
    return "".join(NAMES[pixel] for pixel in pixels).rstrip(".")


def requests(frame):
    """The columns that begin with a request's notch."""
    notch = frame[INFERENCE - 1, LEFT - 1 :: CELL]
    return [column for column, pixel in enumerate(notch[:COLUMNS].tolist()) if tuple(pixel) == INK]


CYCLES = {
    # The first chunk is free. Then rows 4 and 5 of the chunk before, while the next is inferred, and its rows 2 and 3.
    "prefix": ({"latency": 2}, "000000111122", "....11..22..", [0, 4, 8]),
    "no delay": ({"latency": 0}, "000011112222", "", [0, 4, 8]),
    # Rows 4 to 7 are left at the first request, but 6 and 7 only at those that follow.
    "late": ({"latency": 6}, "00000000xx11xxxx22xxxx", "....111111222222333333", [0, 4, 10, 16]),
    "synchronous": ({"latency": 3, "overlap": False}, "0000xxx1111xxx2222", "....111....222....", [0, 4, 11]),
    "charged": ({"latency": 2, "cold_start": "charged"}, "xx0000111122", "00..11..22..", [0, 4, 8]),
    # The chunk is stale as a whole when it comes.
    "stale": ({"latency": 10, "prediction_horizon": 4}, "0000xxxxxxxxxx", "....1111111111", [0, 4]),
    "zeroth row only": ({"prediction_horizon": 1, "execution_horizon": 1, "latency": 0}, "0123", "", [0, 1, 2, 3]),
}


@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
@pytest.mark.parametrize(("options", "actions", "inferences", "begun"), CYCLES.values(), ids=CYCLES)
def test_strips_of_hand_worked_cycles(options, actions, inferences, begun):
    frames, ticks = play(overlaid(**options), decisions=len(begun))
    assert ticks == len(actions)
    for tick, frame in enumerate(frames):  # the strip grows by a tick a frame, from none in the frame of the reset
        assert lane(frame, ACTION) == actions[:tick]
        assert lane(frame, INFERENCE) == inferences[:tick].rstrip(".")
        assert requests(frame) == [column for column in begun if column < tick]
    assert len(frames) == ticks + 1


@pytest.mark.parametrize(
    "options",
    [{"latency": Uniform(0.0, 0.4)}, {"latency": Trace([0.1, 0.4, 0.0]), "overlap": False}, {"underrun": "stop"}],
)
def test_colours_are_those_of_the_reported_sources(options):
    env = overlaid(**({"latency": 5} | options))
    env.reset(seed=3)
    expected = ""
    for decision in range(5):
        *_, truncated, info = env.step(env.action_space.sample())
        expected += "".join("x" if age < 0 else str((decision - age) % len(CHUNKS)) for age, _ in info["sources"])
        if truncated:
            break
    assert lane(env.render()[-1], ACTION) == expected[-COLUMNS:]
    assert len(expected) == env.unwrapped.tick


@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 8), st.booleans(), st.sampled_from(["free", "charged"]))
def test_any_schedule_is_drawn_as_the_clock_says(horizon, executed, delay, overlap, cold_start):
    executed = min(executed, horizon)
    frames, _ = play(
        overlaid(
            prediction_horizon=horizon,
            execution_horizon=executed,
            latency=delay,
            overlap=overlap,
            cold_start=cold_start,
        ),
        decisions=4,
    )
    clock, actions, inferences = ChunkClock(horizon, executed, overlap, cold_start), "", ""
    for decision in range(4):
        cycle = clock.cycle(delay)
        actions += "".join("x" if age < 0 else str((decision - age) % len(CHUNKS)) for age, _ in cycle.sources())
        inferences += str(decision) * cycle.delay + "." * (cycle.ticks - cycle.delay)
        clock.advance(cycle)
    shown = slice(max(len(frames) - 1 - COLUMNS, 0), len(frames) - 1)
    assert lane(frames[-1], ACTION) == actions[shown]
    assert lane(frames[-1], INFERENCE) == inferences[shown].rstrip(".")


def test_several_inferences_in_flight_have_a_lane_each():
    """H = 8, s = 2, d = 4: chunk 1 is inferred in ticks 2 to 5, chunk 2 in ticks 4 to 7. Chunk 5 has colour 0 again."""
    env = overlaid(latency=4, execution_horizon=2, max_in_flight=2)
    frames, ticks = play(env, decisions=6)
    place = layout(MIN_WIDTH, bars=2)
    assert frames[0].shape[0] == FRAME + place.height == FRAME + layout(MIN_WIDTH).height + 6
    assert ticks == 12
    for tick, frame in enumerate(frames):
        assert lane(frame, FRAME + place.inference[0][0]) == "..1111333300"[:tick].rstrip(".")
        assert lane(frame, FRAME + place.inference[1][0]) == "....22224444"[:tick].rstrip(".")
        assert lane(frame, FRAME + place.action[0]) == "000000112233"[:tick]
        assert requests(frame) == [column for column in (0, 2, 4, 6, 8, 10) if column < tick]


def test_an_inference_that_is_overtaken_keeps_its_lane():
    """Chunk 1 takes 7 ticks; chunks 2 and 3 take 2 and use the other lane, one after the other."""
    options = {"control_dt": 0.1, "execution_horizon": 2, "max_in_flight": 2, "request_period": 2}
    env = overlaid(latency=Trace([0.7, 0.2, 0.2, 0.2]), **options)
    env.reset(seed=0)
    infos = [env.step(env.action_space.sample())[-1] for _ in range(5)]
    frame, place = env.render()[-1], layout(MIN_WIDTH, bars=2)
    assert lane(frame, FRAME + place.inference[0][0]) == "..1111111"
    assert lane(frame, FRAME + place.inference[1][0]) == "....223344"
    assert [info["overtaken"] for info in infos] == [0, 0, 0, 0, 1]
    for _ in range(5):
        env.step(env.action_space.sample())
    assert env._caption().endswith("underruns 0    overtaken 2")


def test_more_inferences_than_lanes_leave_some_out():
    env = overlaid(latency=16, execution_horizon=1, max_in_flight=12, request_period=1, prediction_horizon=20)
    frames, _ = play(env, decisions=12)
    assert frames[-1].shape[0] == FRAME + layout(MIN_WIDTH, MOST_BARS).height
    assert lane(frames[-1], FRAME + layout(MIN_WIDTH, MOST_BARS).inference[-1][0]) == "........3333"


def test_a_bar_is_thinner_while_rows_still_come():
    """H = 8, s = 4, rows after 1, 1, 1, 1, 3, 3, 3, 3 ticks; a tick lasts 0.05 s."""
    frames, _ = play(overlaid(latency=Streamed((0.05,) * 4 + (0.15,) * 4), control_dt=0.05), decisions=3)
    assert lane(frames[-1], ACTION) == "000001111222"
    assert lane(frames[-1], INFERENCE) == "....1...2"
    assert lane(frames[-1], INFERENCE + 2) == "....111.222"


def test_corrections_are_lines_below_the_cells():
    """The correction of tick t is t / 100: the widest line is that of tick 7, and there is none in tick 0."""
    env = overlaid(latency=0, correction=lambda observation, row, row_index, tick, rng: np.full(row.shape, tick / 100))
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.zeros(env.action_space.shape, np.float32))
    below = env.render()[-1][FRAME + sum(layout(MIN_WIDTH).action) + 2, LEFT : LEFT + 8 * CELL]
    widths = (below == INK).all(axis=1).reshape(8, CELL).sum(axis=1)
    assert widths.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert env._caption().endswith("underruns 0    correction 0.07")
    env.reset()
    assert env._caption() == "tick 0"


@pytest.mark.filterwarnings("ignore::chunkenv.errors.UnderrunWarning")
def test_an_underrun_has_no_correction():
    """Ticks 8 and 9 repeat the corrected action of tick 7."""
    env = overlaid(latency=6, correction=lambda observation, row, row_index, tick, rng: np.full(row.shape, 0.5))
    frames, _ = play(env, decisions=2)
    below = frames[-1][FRAME + sum(layout(MIN_WIDTH).action) + 2, LEFT : LEFT + 10 * CELL]
    assert (below == INK).all(axis=1).reshape(10, CELL).any(axis=1).tolist() == [True] * 8 + [False] * 2


def test_the_strip_scrolls_by_a_tick():
    before, after = (draw_strip(MIN_WIDTH, [Tick(k % 5, 0, (NO_BAR,), False) for k in range(n)], "") for n in (40, 41))
    left, right = LEFT, LEFT + CELL * (COLUMNS - 1) - 1
    top, height = layout(MIN_WIDTH).action
    lanes = [strip[top + 1 : top + height - 1] for strip in (before, after)]
    np.testing.assert_array_equal(lanes[0][:, left + CELL : right], lanes[1][:, left : right - CELL])


@pytest.mark.parametrize("bars", [1, 2, MOST_BARS])
@pytest.mark.parametrize("width", [320, 321, 500, 640, 1000, 1920])
def test_everything_has_its_place(width, bars):
    place = layout(width, bars)
    assert place.columns >= 30
    assert place.left + place.columns * place.cell <= width
    assert all(sum(above) < below[0] for above, below in pairwise((*place.inference, place.action)))
    assert sum(place.action) + 4 <= place.height  # a line for corrections is below
    assert place.height % 2 == 0
    assert draw_strip(width, [], "", bars).shape == (place.height, width, 3)


def test_each_row_has_its_number():
    cells = set()
    top, height = layout(500).action
    for row in range(100):
        strip = draw_strip(500, [Tick(0, row, (NO_BAR,), False)], "")
        cells.add(strip[top : top + height, layout(500).left :][:, :13].tobytes())
    assert len(cells) == 100


def test_text_is_smooth():
    strip = draw_strip(500, [], "tick 7")
    assert len(np.unique(strip[:20, :200].reshape(-1, 3), axis=0)) > 10


def test_the_frame_itself_is_untouched():
    frames, _ = play(overlaid(), decisions=4)
    for tick, frame in enumerate(frames):
        assert frame.shape == (FRAME + layout(MIN_WIDTH).height, MIN_WIDTH, 3)
        assert (frame[:FRAME, 158:162] == tick).all()
        assert (frame[:FRAME, :158] == BACKGROUND).all()
        assert (frame[:FRAME, 162:] == BACKGROUND).all()


def test_a_wide_frame_keeps_its_width():
    env = ChunkOverlay(ChunkedExecution(gym.make("CartPole-v1", render_mode="rgb_array"), 4, info="full"))
    env.reset(seed=0)
    world = env.unwrapped.render()
    frame = env.render()
    assert frame.shape == (400 + layout(600).height, 600, 3)
    np.testing.assert_array_equal(frame[:400], world)
    env.close()


def test_the_last_tick_alone_with_rgb_array():
    every, ticks = play(overlaid(), decisions=3)
    last, _ = play(overlaid("rgb_array"), decisions=3)
    assert ticks == 12
    np.testing.assert_array_equal(last, every[-1])


def test_a_call_of_render_takes_the_frames_away_and_a_reset_begins_anew():
    env = overlaid()
    play(env, decisions=2)
    assert env.render() == []
    env.step(env.action_space.sample())
    assert len(env.render()) == 4
    env.step(env.action_space.sample())
    env.reset()
    (frame,) = env.render()
    assert lane(frame, ACTION) == ""


def test_an_episode_that_ends_within_a_cycle():
    frames, ticks = play(overlaid(limit=6), decisions=9)
    assert ticks == 6
    assert lane(frames[-1], ACTION) == "000000"
    assert lane(frames[-1], INFERENCE) == "....11"


def test_frames_share_no_memory():
    env = overlaid()
    first, _ = play(env, decisions=2)
    kept = copy.deepcopy(first)
    env.step(env.action_space.sample())
    for frame in env.render():
        frame[:] = 0
    np.testing.assert_array_equal(first, kept)


def test_nothing_else_changes():
    plain = overlaid().env
    drawn = overlaid()
    for env in (plain, drawn):
        env.action_space.seed(0)
    for seed in (0, 1):
        for ours, theirs in zip(plain.reset(seed=seed), drawn.reset(seed=seed), strict=True):
            np.testing.assert_equal(ours, theirs)
        for _ in range(4):
            np.testing.assert_equal(plain.step(plain.action_space.sample()), drawn.step(drawn.action_space.sample()))
    assert drawn.get_wrapper_attr("request").tick == 16


def test_it_goes_over_other_wrappers_and_through_specs():
    flat = ChunkOverlay(FlattenChunk(overlaid().env))
    assert play(flat, decisions=2)[1] == 8
    again = gym.make(overlaid().spec)
    assert isinstance(again, ChunkOverlay)
    assert len(play(again, decisions=1)[0]) == 5


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
def test_gymnasiums_checker():
    pytest.importorskip("numba")
    world = gym.make("chunkenv/kinetix-catapult-v0", render_mode="rgb_array", observation="compact", render_size=32)
    check_env(ChunkOverlay(FlattenChunk(ChunkedExecution(world, 4, latency=1, info="full"))), skip_render_check=True)


def test_what_cannot_be_drawn_is_refused():
    world = gym.make("tests/Recorder-v0", render_mode="rgb_array")
    with pytest.raises(ArgumentError, match="executes no chunks; wrap it in a ChunkedExecution"):
        ChunkOverlay(world)
    with pytest.raises(
        ArgumentError, match=r"render_mode=None: make the environment with render_mode='rgb_array_list'"
    ):
        overlaid(render_mode=None)
    env = overlaid(info="basic")
    env.reset()
    with pytest.raises(ArgumentError, match="make the ChunkedExecution with info='full'"):
        env.step(env.action_space.sample())


def test_frames_that_somebody_else_took_are_missed():
    env = ChunkOverlay(Thief(overlaid().env))
    env.reset()
    with pytest.raises(EnvironmentFault, match=r"rendered 0 frames in a decision of 4 ticks; let nothing else call"):
        env.step(env.action_space.sample())


class Drawing(Recorder):
    """An environment of a user, whose render mode says one thing and whose render() does another."""

    picture = np.zeros((4, 5, 3), np.uint8)

    def render(self):
        return self.picture


@pytest.mark.parametrize(
    ("picture", "found"),
    [
        (np.zeros((4, 5, 3), np.uint8), r"an array of shape \(4, 5, 3\)"),
        ([np.zeros((4, 5), np.uint8)], "array"),
        (None, "None"),
    ],
)
def test_a_single_frame_where_a_list_was_promised_is_refused(picture, found, tmp_path):
    world = Drawing(render_mode="rgb_array_list")
    world.picture = picture
    chunked = ChunkedExecution(world, 4, info="full")
    sentence = f"render_mode='rgb_array_list', but render.. returned .*{found}.*; expected a list of frames .*Render"
    with pytest.raises(EnvironmentFault, match=sentence):
        ChunkOverlay(chunked).reset()
    with pytest.raises(EnvironmentFault, match=sentence):
        read_frames(chunked)


def test_a_frame_without_colours_is_refused():
    world = Drawing(render_mode="rgb_array")
    world.picture = np.zeros((4, 5), np.uint8)
    env = ChunkOverlay(ChunkedExecution(world, 4, info="full"))
    env.reset()
    with pytest.raises(EnvironmentFault, match=r"returned an array of shape \(4, 5\); expected a frame"):
        env.render()


def test_what_the_sentence_says_helps():
    world = gym.wrappers.RenderCollection(Drawing(render_mode="rgb_array"))
    env = ChunkOverlay(ChunkedExecution(world, 4, info="full"))
    env.reset()
    env.step(env.action_space.sample())
    assert len(env.render()) == 5


class Thief(gym.Wrapper):
    def step(self, action):
        result = self.env.step(action)
        self.env.render()
        return result


def test_without_pygame_a_sentence_says_what_to_install(monkeypatch):
    env = overlaid()
    import_pygame.cache_clear()
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r'Pictures need pygame.*pip install "chunkenv\[render\]"'):
        env.reset()
    monkeypatch.undo()
    import_pygame.cache_clear()


def test_an_environment_may_quit_pygame():
    before = draw_strip(500, [], "tick 1")
    import_pygame().quit()
    np.testing.assert_array_equal(draw_strip(500, [], "tick 1"), before)
    draw_strip(500, [], "a text that was not drawn yet")


def test_pygame_is_not_imported_before_the_first_picture():
    code = "import sys, chunkenv.wrappers.frames.overlay; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
