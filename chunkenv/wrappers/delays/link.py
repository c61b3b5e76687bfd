"""A link that delays what is sent over it, by a different number of ticks each time."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple


class Message(NamedTuple):
    """What was sent over a link: at which tick, how many ticks it takes, and what it is."""

    sent: int
    delay: int
    content: Any


class Link:
    """Messages under way, of which the newest that has arrived counts.

    A message that overtakes older ones replaces them; an older one that arrives after a newer one is dropped. So the
    age of the newest (ticks since it was sent) grows by at most one a tick, and what comes is always newer than before.

    >>> link = Link()
    >>> link.send("slow", tick=0, delay=3)
    >>> link.send("quick", tick=1, delay=1)
    >>> link.receive(tick=1), link.receive(tick=2), link.receive(tick=3)
    (None, Message(sent=1, delay=1, content='quick'), None)
    """

    def __init__(self) -> None:
        self._under_way: deque[Message] = deque()

    def clear(self) -> None:
        """Forget everything under way."""
        self._under_way.clear()

    def send(self, content: Any, tick: int, delay: int) -> None:
        """Send `content` at `tick`, later than everything sent before; it arrives at `tick + delay`."""
        while self._under_way and _arrival(self._under_way[-1]) >= tick + delay:
            self._under_way.pop()  # overtaken by this one, which arrives before it
        self._under_way.append(Message(tick, delay, content))

    def receive(self, tick: int) -> Message | None:
        """The newest message that has arrived by `tick`, None if none did since the last call."""
        newest = None
        while self._under_way and _arrival(self._under_way[0]) <= tick:
            newest = self._under_way.popleft()
        return newest


def _arrival(message: Message) -> int:
    return message.sent + message.delay
