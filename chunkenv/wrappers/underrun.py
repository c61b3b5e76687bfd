"""What a robot does in a tick for which it has no row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from chunkenv.clock import Cycle, Source
from chunkenv.errors import ArgumentError, suggest
from chunkenv.utils.spaces import Checked, zeros
from chunkenv.utils.types import Action, AnySpace, is_list, is_mapping

T = TypeVar("T")

KINDS = ("hold", "zero", "stop")


class Underrun:
    """The action of an underrun.

    Args:
        policy: 'hold' (the last action executed), 'zero' (continuous actions only), 'stop' (none: the episode is
            truncated), or an action of the space.
        action_space: the space of one action.
        first_action: what 'hold' executes before anything else was; zero if None.
        may_come_first: whether an underrun can come before the first executed row of an episode.

    Raises:
        ArgumentError: for an unknown name, 'zero' where zero is no action, or 'hold' with nothing to hold at first.
        ActionError: for an action that is not in the space.
    """

    def __init__(
        self, policy: Action, action_space: AnySpace, first_action: Action | None, may_come_first: bool
    ) -> None:
        if isinstance(policy, str) and policy not in KINDS:
            raise ArgumentError(f"underrun={policy!r} is unknown; {suggest(policy, KINDS)}")
        self.kind = policy if isinstance(policy, str) else "action"
        checked = Checked(action_space, "underrun action" if self.kind == "action" else "first_action")
        self._first = zeros(action_space) if first_action is None else checked(first_action)
        self._fixed = checked(policy) if self.kind == "action" else zeros(action_space)
        if self.kind == "zero" and self._fixed is None:
            raise ArgumentError(f"underrun='zero' needs a Box with zero in it, not {action_space}; use 'hold' instead.")
        if self.kind == "hold" and may_come_first and self._first is None:
            raise ArgumentError(
                f"underrun='hold' has nothing to hold before the first chunk arrives, and {action_space} has no zero; "
                "give first_action."
            )

    @property
    def stops(self) -> bool:
        """Whether an underrun truncates the episode."""
        return self.kind == "stop"

    def action(self, last: Action | None) -> Action:
        """The action of an underrun after `last` was executed (None: nothing was)."""
        if self.kind == "hold":
            return self._first if last is None else last
        return self._fixed


def fill_underruns(cycle: Cycle, kind: str, previous: Sequence[T], own: Sequence[T], waiting: T) -> list[T]:
    """What acts in each tick of a cycle; only in those before its first underrun where that stops the episode.

    Args:
        cycle: the cycle.
        kind: `Underrun.kind`.
        previous: the rows of the previous chunk, or their places.
        own: the rows of this cycle's chunk.
        waiting: what acts in an underrun; with 'hold' only if no row of the previous chunk comes before it.

    >>> from chunkenv.clock import plan_cycle
    >>> cycle = plan_cycle(4, 4, overlap=True, left=range(2, 4), delay=3)
    >>> fill_underruns(cycle, "hold", "abcd", "ABCD", "-"), fill_underruns(cycle, "zero", "abcd", "ABCD", "-")
    (['c', 'd', 'd', 'D'], ['c', 'd', '-', 'D'])
    """
    prefix = list(previous[cycle.prefix.start : cycle.prefix.stop])
    if cycle.underruns and kind == "stop":
        return prefix
    held = prefix[-1] if prefix and kind == "hold" else waiting
    return [*prefix, *[held] * cycle.underruns, *own[cycle.own.start : cycle.own.stop]]


def fill_by_source(sources: Iterable[Source], row_of: Callable[[Source], T], kind: str, waiting: T) -> list[T]:
    """What acts in each tick, as `fill_underruns`, where each tick says the source of its row.

    >>> from chunkenv.clock import UNDERRUN
    >>> sources = [Source(1, 2), UNDERRUN, Source(0, 1)]
    >>> fill_by_source(sources, lambda source: f"{source.age}{source.row}", "hold", "-")
    ['12', '12', '01']
    """
    actions: list[T] = []
    for source in sources:
        if source.age >= 0:
            actions.append(row_of(source))
        elif kind == "stop":
            return actions
        else:
            actions.append(actions[-1] if actions and kind == "hold" else waiting)
    return actions


def plain(action: Action, action_space: AnySpace) -> Any:
    """An action as lists, dicts and numbers, for specs that go through JSON; names and None as they are."""
    if action is None or isinstance(action, str):
        return action
    return _plain(Checked(action_space, "action")(action))


def _plain(value: Any) -> Any:
    if is_mapping(value):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if is_list(value) else value.tolist()
