"""Videos, written frame by frame: mp4 by imageio-ffmpeg, gif by Pillow, which are imported when needed."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.utils.extras import missing_extra


def open_video(path: Path, frames_per_second: float) -> Mp4 | Gif:
    """A video that frames can be shown to.

    Args:
        path: ends in .mp4 or .gif; its folder exists. What is there is replaced.
        frames_per_second: at which it plays; a gif's frames last whole hundredths of a second.

    Raises:
        ArgumentError: another ending, or no such folder.
        MissingExtraError: what writes such videos is not installed.
    """
    kinds = {".mp4": Mp4, ".gif": Gif}
    if path.suffix.lower() not in kinds:
        raise ArgumentError(f"video={str(path)!r} has no known ending; call it, for example, {path.stem}.mp4 or .gif.")
    if not path.parent.is_dir():
        raise ArgumentError(f"video={str(path)!r}: there is no folder {str(path.parent)!r}; make it first.")
    return kinds[path.suffix.lower()](path, frames_per_second)


class Mp4:
    """An H.264 video, in the size of its first frame; odd sizes are made even by a row or a column of the background.

    Args:
        path: where it goes.
        frames_per_second: at which it plays.

    Raises:
        MissingExtraError: imageio-ffmpeg is not installed.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        self._ffmpeg = _import("imageio_ffmpeg", "imageio-ffmpeg", "An mp4")
        self._path, self._rate = path, frames_per_second
        self._writer: Any = None

    def show(self, picture: np.ndarray) -> None:
        """Append a frame, uint8[height, width, 3], all of one size."""
        height, width, _ = picture.shape
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        if self._writer is None:
            size = (even.shape[1], even.shape[0])
            self._writer = self._ffmpeg.write_frames(
                str(self._path), size, fps=self._rate, quality=8, macro_block_size=2, ffmpeg_log_level="error"
            )
            with warnings.catch_warnings():  # JAX warns of every fork; this one becomes ffmpeg immediately
                warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
                self._writer.send(None)
        self._writer.send(np.ascontiguousarray(even))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


class Gif:
    """An animated gif that repeats for ever.

    Args:
        path: where it goes.
        frames_per_second: at which it plays.

    Raises:
        MissingExtraError: Pillow is not installed.
    """

    def __init__(self, path: Path, frames_per_second: float) -> None:
        self._images = _import("PIL.Image", "pillow", "A gif")
        self._path, self._milliseconds = path, 1000 / frames_per_second
        self._frames: list[Any] = []

    def show(self, picture: np.ndarray) -> None:
        """Append a frame, uint8[height, width, 3], all of one size."""
        # The method that keeps rare colours: on a frame of few colours and smooth edges nothing is off by more than 3.
        method, dither = self._images.Quantize.MAXCOVERAGE, self._images.Dither.NONE
        self._frames.append(self._images.fromarray(picture).quantize(method=method, dither=dither))

    def close(self) -> None:
        """Write the file."""
        if self._frames:
            first, *others = self._frames
            first.save(self._path, save_all=True, append_images=others, duration=self._milliseconds, loop=0)


def _import(module: str, distribution: str, what: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise missing_extra(f"{what} needs {distribution}, which is", "render") from error
