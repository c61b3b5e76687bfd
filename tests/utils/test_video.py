"""Videos hold the frames that were shown, all of them."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from chunkenv.errors import ArgumentError, MissingExtraError
from chunkenv.utils.video import open_video

Image = pytest.importorskip("PIL.Image")
ffmpeg = pytest.importorskip("imageio_ffmpeg")


def frames(count=5, shape=(32, 48)):
    """Grey frames, each lighter than the one before, with a coloured corner."""
    pictures = [np.full((*shape, 3), 40 * k, np.uint8) for k in range(count)]
    for picture in pictures:
        picture[:16, :16] = (0, 204, 0)
    return pictures


def written(path, pictures):
    video = open_video(path, 20)
    for picture in pictures:
        video.show(picture)
    video.close()
    return read_gif(path) if path.suffix == ".gif" else read_mp4(path)


def read_gif(path):
    with Image.open(path) as video:
        assert video.info["duration"] == 50
        assert video.info["loop"] == 0
        for index in range(video.n_frames):
            video.seek(index)
            yield np.array(video.convert("RGB"))


def read_mp4(path):
    stream = ffmpeg.read_frames(str(path))
    facts = next(stream)
    assert facts["fps"] == 20
    width, height = facts["size"]
    for frame in stream:
        yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize(("name", "tolerance"), [("a.gif", 0), ("a.mp4", 12), ("A.MP4", 12)])
def test_what_was_shown_is_in_the_video(tmp_path, name, tolerance):
    shown = frames()
    found = list(written(tmp_path / name, shown))
    assert len(found) == len(shown)
    for ours, theirs in zip(found, shown, strict=True):
        middle = slice(20, 30)  # away from edges, which a video blurs
        assert np.abs(ours[middle, middle].astype(int) - theirs[middle, middle]).max() <= tolerance
        assert np.abs(ours[4:10, 4:10].astype(int) - theirs[4:10, 4:10]).max() <= 2 * tolerance


def test_frames_of_odd_size(tmp_path):
    assert next(written(tmp_path / "a.mp4", frames(shape=(33, 47)))).shape == (34, 48, 3)
    assert next(written(tmp_path / "a.gif", frames(shape=(33, 47)))).shape == (33, 47, 3)


def test_smooth_pictures_keep_their_colours_in_a_gif(tmp_path):
    rng = np.random.default_rng(0)
    picture = np.full((200, 200, 3), 255, np.uint8)
    picture[:100] = np.linspace(0, 255, 200).astype(np.uint8)[:, None]  # many greys
    picture[150, 3] = (204, 0, 0)  # and a colour that is rare
    picture[100:140] = rng.choice([(230, 159, 0), (0, 190, 140)], (40, 200))
    (found,) = written(tmp_path / "a.gif", [picture])
    assert np.abs(found.astype(int) - picture).max() <= 4


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_without_a_frame_there_is_no_video(tmp_path, name):
    open_video(tmp_path / name, 20).close()
    assert not (tmp_path / name).exists()


def test_paths_that_cannot_be_meant(tmp_path):
    with pytest.raises(ArgumentError, match=r"has no known ending; call it, for example, a.mp4 or .gif"):
        open_video(Path("a.avi"), 20)
    with pytest.raises(ArgumentError, match=r"there is no folder .*nowhere'; make it first"):
        open_video(tmp_path / "nowhere" / "a.gif", 20)


@pytest.mark.parametrize(("name", "module"), [("a.gif", "PIL.Image"), ("a.mp4", "imageio_ffmpeg")])
def test_what_is_missing_is_named(tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r'not installed: run `pip install "chunkenv\[render\]"`'):
        open_video(tmp_path / name, 20)


def test_an_mp4_beside_jax_warns_of_nothing(tmp_path):
    pytest.importorskip("jax").numpy.zeros(1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        video = open_video(tmp_path / "out.mp4", 20)
        video.show(frames(1)[0])
        video.close()
    assert [str(one.message) for one in told] == []
