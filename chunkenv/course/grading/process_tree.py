"""All processes that a process has started: how many, how much memory, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
import sys
import time

import psutil

LINUX = sys.platform == "linux"
SET_SUBREAPER = 36
"""Of `prctl`: orphans below this process become its children, so that none escapes by a second fork."""
WITHIN = 2.0
"""Seconds in which a tree has to end."""


class ProcessTree:
    """What is started from here on by this process, and by what it started; to be made just before.

    What other threads of this process start meanwhile counts too: it is for a program that does one thing at a time.
    """

    def __init__(self) -> None:
        self._before = set(psutil.Process().children())
        _adopt_orphans(True)

    def members(self) -> list[psutil.Process]:
        """The processes that run now."""
        tops = [each for each in psutil.Process().children() if each not in self._before]
        found = list(tops)
        for top in tops:
            with contextlib.suppress(psutil.Error):
                found += top.children(recursive=True)
        return found

    def memory(self) -> int:
        """Resident bytes of all of them."""
        total = 0
        for each in self.members():
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
        return total

    def kill(self) -> None:
        """Kill all that run now."""
        for each in self.members():
            with contextlib.suppress(psutil.Error):
                each.kill()

    def end(self, root: subprocess.Popen[bytes]) -> None:
        """Kill all, again until none is left or `WITHIN` seconds have passed; those that are ours leave no zombies.

        Args:
            root: the first of them.
        """
        until = time.monotonic() + WITHIN
        while True:
            others = [each for each in self.members() if each.pid != root.pid]
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                root.wait(WITHIN)  # by itself: what psutil waits for, subprocess no longer finds
            psutil.wait_procs(others, timeout=WITHIN / 10)
            if not self.members() or time.monotonic() > until:
                break
        _adopt_orphans(False)


def _adopt_orphans(wanted: bool) -> None:
    if LINUX:
        ctypes.CDLL(None).prctl(SET_SUBREAPER, int(wanted), 0, 0, 0)
