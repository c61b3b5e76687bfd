"""Videos over chunked execution: which frames are in them."""

import sys
import types

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import RecordVideo

from chunkenv import ChunkedExecution, RecordTicks
from chunkenv.errors import ArgumentError
from chunkenv.latency import Uniform
from chunkenv.wrappers import ChunkOverlay
from tests import worlds  # noqa: F401 (registers the world, whose frames show its tick)


@pytest.fixture
def videos(monkeypatch):
    """What was written, name by name: the tick that each frame shows."""
    written = {}

    class Clip:
        def __init__(self, frames, fps):
            self.frames = [int(frame[0, 0, 0]) for frame in frames]
            assert fps == 20

        def write_videofile(self, path, logger):
            written[path.rpartition("/")[2]] = self.frames

    for name in ("moviepy", "moviepy.video", "moviepy.video.io"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    module = types.ModuleType("moviepy.video.io.ImageSequenceClip")
    module.ImageSequenceClip = Clip
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return written


def chunked(render_mode="rgb_array_list", wrap=lambda env: env, **options):
    env = wrap(gym.make("tests/Recorder-v0", render_mode=render_mode))
    return ChunkedExecution(env, **({"prediction_horizon": 8, "execution_horizon": 4, "latency": 2} | options))


def play(env, episodes=1, decisions=10**6):
    """Play episodes, or some decisions of each; the ticks of each."""
    counts = []
    for episode in range(episodes):
        env.reset(seed=episode)
        counts.append(0)
        for _ in range(decisions):
            *_, terminated, truncated, info = env.step(env.action_space.sample())
            counts[-1] += info["ticks"]
            if terminated or truncated:
                break
    env.close()
    return counts


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"latency": 0, "execution_horizon": 8},
        {"latency": Uniform(0.0, 0.4)},
        {"overlap": False, "latency": 3},
        {"underrun": "stop", "latency": 5},
        {"prediction_horizon": 1, "execution_horizon": 1, "latency": 0},
    ],
)
def test_every_tick_is_in_the_video(videos, tmp_path, options):
    env = RecordTicks(chunked(**options), str(tmp_path / "videos"), episode_trigger=lambda episode: True)
    counts = play(env, episodes=3)
    assert list(videos.values()) == [list(range(ticks + 1)) for ticks in counts]
    assert list(videos) == [f"rl-video-episode-{k}.mp4" for k in range(3)]


def test_gymnasiums_own_under_it_has_every_tick(videos, tmp_path):
    def record(env):
        return RecordVideo(env, str(tmp_path / "videos"), episode_trigger=lambda episode: True)

    (ticks,) = play(chunked("rgb_array", record))
    assert list(videos.values()) == [list(range(ticks + 1))]


def test_gymnasiums_own_over_it_has_only_the_last_tick_of_each_decision(videos, tmp_path):
    # What RecordTicks is for: should Gymnasium ever keep all frames of a list, this fails, and RecordTicks can go.
    play(RecordVideo(chunked(), str(tmp_path / "videos"), episode_trigger=lambda episode: True))
    assert list(videos.values()) == [[0, 4, 8, 12, 16, 20, 24, 28, 30]]


def test_the_overlay_keeps_every_tick(videos, tmp_path):
    env = RecordTicks(
        ChunkOverlay(chunked(info="full")), str(tmp_path / "videos"), episode_trigger=lambda episode: True
    )
    (ticks,) = play(env)
    (frames,) = videos.values()
    assert len(frames) == ticks + 1


def test_only_the_episodes_asked_for(videos, tmp_path):
    env = RecordTicks(chunked(), str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 1)
    play(env, episodes=3)
    assert videos == {"rl-video-episode-1.mp4": list(range(31))}


def test_a_recording_that_begins_in_the_middle_has_its_own_ticks_only(videos, tmp_path):
    env = RecordTicks(chunked(), str(tmp_path / "videos"), step_trigger=lambda step: step == 2)
    play(env, decisions=4)
    assert videos == {"rl-video-step-2.mp4": list(range(9, 17))}


@pytest.mark.parametrize(("length", "last"), [(1, 1), (4, 4), (6, 6), (50, 30)])
def test_the_length_counts_ticks(videos, tmp_path, length, last):
    env = RecordTicks(
        chunked(), str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 0, video_length=length
    )
    play(env)
    assert videos == {"rl-video-episode-0.mp4": list(range(last + 1))}


def test_nothing_piles_up_where_nothing_is_recorded(videos, tmp_path):
    env = RecordTicks(chunked(), str(tmp_path / "videos"), episode_trigger=lambda episode: False)
    env.reset()
    env.step(env.action_space.sample())
    assert env.env.render() == []
    assert not videos


@pytest.mark.parametrize("render_mode", ["rgb_array", None])
def test_other_modes_are_refused(videos, tmp_path, render_mode):
    with pytest.raises(ArgumentError, match=f"render_mode={render_mode!r}: make the environment with"):
        RecordTicks(chunked(render_mode), str(tmp_path / "videos"))


def test_it_can_be_rebuilt_from_its_spec(videos, tmp_path):
    env = RecordTicks(chunked(), str(tmp_path / "videos"), name_prefix="again")
    again = gym.make(env.spec)
    assert isinstance(again, RecordTicks)
    assert again.name_prefix == "again"
    again.reset(seed=0)
    chunk = np.zeros((8, 2), np.float32)
    assert again.step(chunk)[4]["ticks"] == 4
    again.close()


def test_a_real_video(tmp_path):
    pytest.importorskip("moviepy")
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    env = RecordTicks(chunked(), str(tmp_path / "videos"), episode_trigger=lambda episode: True)
    (ticks,) = play(env)
    assert ffmpeg.count_frames_and_secs(str(tmp_path / "videos" / "rl-video-episode-0.mp4"))[0] == ticks + 1
