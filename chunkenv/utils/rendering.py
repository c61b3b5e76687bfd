"""pygame, imported when the first picture is drawn, and a window that shows frames."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number
from chunkenv.utils.extras import missing_extra

SMALLEST_FRAME, LARGEST_FRAME = 16, 2048
"""Width and height of a frame in pixels: a larger one takes gigabytes while it is drawn, and as a video."""

UNSEEN = ("dummy", "offscreen")
"""Drivers that show nothing: pygame falls back on them, or the variable SDL_VIDEODRIVER names them."""


def check_render_size(value: object) -> int:
    """The argument `render_size` of a task.

    Raises:
        ArgumentError: it is no whole number from `SMALLEST_FRAME` to `LARGEST_FRAME`.

    >>> check_render_size(500)
    500
    """
    return whole_number("render_size", value, SMALLEST_FRAME, LARGEST_FRAME)


@cache
def import_pygame() -> Any:
    """The module pygame.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pygame
    except ImportError as error:
        raise missing_extra("Pictures need pygame, which is", "render") from error
    return pygame


def draw_unseen() -> None:
    """Where there is no screen, let pygame look for none: it complains of each that it does not find."""
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        os.environ.setdefault("SDL_VIDEODRIVER", UNSEEN[0])


class Window:
    """A window that shows frames at their rate; it opens with the first frame, in that frame's size.

    Args:
        frames_per_second: no faster than this.
    """

    def __init__(self, frames_per_second: float) -> None:
        self._pygame = import_pygame()
        self._rate = frames_per_second
        self._screen: Any = None

    def show(self, picture: np.ndarray) -> None:
        """Show a frame, uint8[height, width, 3], and wait until the next is due.

        Raises:
            ArgumentError: there is no screen to open a window on.
        """
        if self._screen is None:
            self._screen = self._open(picture.shape[1], picture.shape[0])
        self._screen.blit(self._pygame.surfarray.make_surface(picture.swapaxes(0, 1)), (0, 0))
        self._pygame.event.pump()
        self._pygame.display.flip()
        self._clock.tick(self._rate)

    def close(self) -> None:
        """Close the window."""
        self._screen = None
        self._pygame.display.quit()

    def _open(self, width: int, height: int) -> Any:
        try:
            self._pygame.display.init()
            screen = self._pygame.display.set_mode((width, height))
        except self._pygame.error as error:
            raise ArgumentError(_no_window(str(error))) from error
        driver = self._pygame.display.get_driver()
        if driver in UNSEEN and not os.environ.get("SDL_VIDEODRIVER"):
            raise ArgumentError(_no_window(f"pygame found no screen but {driver!r}"))
        self._pygame.display.set_caption("chunkenv")
        self._clock = self._pygame.time.Clock()
        return screen


def _no_window(reason: str) -> str:
    return f"no window can be opened here ({reason}); write a video, or use render_mode='rgb_array'."
