"""The window: what it shows, and where there is none."""

import sys

import numpy as np
import pytest

from chunkenv.errors import ArgumentError, MissingExtraError
from chunkenv.utils.rendering import Window, import_pygame

pygame = pytest.importorskip("pygame")


def test_it_shows_the_frame_in_its_size(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window(1000)
    for value in (1, 200):
        picture = np.full((20, 30, 3), value, np.uint8)
        picture[0, 0] = 7
        window.show(picture)
        shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
        np.testing.assert_array_equal(shown, picture)
    window.close()
    assert not pygame.display.get_init()


def test_without_a_screen_a_sentence_says_so(monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")
    monkeypatch.setattr(pygame.display, "init", lambda: None)
    monkeypatch.setattr(pygame.display, "set_mode", lambda size: None)
    with pytest.raises(ArgumentError, match=r"no window can be opened here .*'offscreen'.*; write a video"):
        Window(30).show(np.zeros((4, 4, 3), np.uint8))


def test_with_a_screen_that_cannot_be_used_too(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "nonsense")
    with pytest.raises(ArgumentError, match=r"no window can be opened here .*nonsense"):
        Window(30).show(np.zeros((4, 4, 3), np.uint8))


def test_without_pygame_a_sentence_says_what_to_install(monkeypatch):
    import_pygame.cache_clear()
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match=r'run `pip install "chunkenv\[render\]"`'):
        Window(30)
    monkeypatch.undo()
    import_pygame.cache_clear()
