"""What there is to plot of any study: the score along each number that varies, in panels, a line for what is no number.

A field is left out if it varies together with others only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from chunkenv.bench.analysis.groups import Group, Groups

Pairs: TypeAlias = tuple[tuple[str, Any], ...]
"""Fields of cells with their values."""
Split: TypeAlias = dict[Pairs, list[Group]]


class SweepPanel(NamedTuple):
    """A panel.

    Attributes:
        title: what is the same for all its lines, and not for other panels.
        label: of the horizontal axis: its field, and what changes with it.
        lines: groups in the order of the axis, by the line's name.
    """

    title: str
    label: str
    lines: dict[str, list[Group]]


class Sweep(NamedTuple):
    """A plot.

    Attributes:
        name: of its file.
        place: where the number along which it goes stands in the groups' keys.
        solves: whether the score is a share of episodes solved.
        panels: with the same axes.
    """

    name: str
    place: int
    solves: bool
    panels: list[SweepPanel]


def find_sweeps(groups: Groups) -> list[Sweep]:
    """A plot along each number; panels for other numbers that vary.

    Args:
        groups: over all tasks.
    """
    return [_sweep(groups, along, along, panels) for along, panels in _split_by_numbers(groups).items()]


def find_task_sweeps(groups: Groups) -> list[Sweep]:
    """The same with a panel for each task, if there are several; of other numbers, the values with the most points.

    Args:
        groups: of each cell.
    """
    if "task" not in groups.keys:
        return []
    found = []
    for along, panels in _split_by_numbers(groups).items():
        fullest = max(panels, key=lambda key: len(_split(groups, panels[key], [along])))
        by_task = _split(groups, panels[fullest], ["task"])
        found.append(_sweep(groups, along, f"tasks_{along}", {fullest + task: own for task, own in by_task.items()}))
    return found


def _sweep(groups: Groups, along: str, name: str, panels: Split) -> Sweep:
    drawn = [_panel(groups, along, key, found) for key, found in panels.items()]
    return Sweep(name, groups.keys.index(along), groups.solves, drawn)


def _panel(groups: Groups, along: str, key: Pairs, found: list[Group]) -> SweepPanel:
    place, apart = groups.keys.index(along), {name for name, _ in key}
    fields = [name for name in groups.keys if name not in apart and name not in _numbers(groups)]
    ordered = sorted(found, key=lambda group: group.key[place])
    lines = {_values(line): own for line, own in _split(groups, ordered, fields).items()}
    return SweepPanel(_title(key), _label(groups, along, ordered), lines)


def _label(groups: Groups, along: str, ordered: list[Group]) -> str:
    """The name of the axis, with the values of the other numbers that change along it."""
    changing = [name for name in _numbers(groups) if name != along and len(_split(groups, ordered, [name])) > 1]
    points = [[dict(key)[name] for key in _split(groups, ordered, [along, name])] for name in changing]
    notes = [f"{_words(name)} {', '.join(map(str, own))}" for name, own in zip(changing, points, strict=True)]
    return _words(along) + "".join(f"\n(with it {note})" for note in notes)


def _split_by_numbers(groups: Groups) -> dict[str, Split]:
    """For each number along which there is something to draw, the groups by the other numbers."""
    panels = {along: _panels(groups, along) for along in _numbers(groups)}
    return {along: found for along, found in panels.items() if found}


def _panels(groups: Groups, along: str) -> Split:
    """Groups by what else is a number and varies, where `along` has several values; all, if that follows from it."""
    numbers = _numbers(groups)
    if len(_split(groups, groups.groups, numbers)) == len(_split(groups, groups.groups, [along])):
        return {(): groups.groups}
    split = _split(groups, groups.groups, [name for name in numbers if name != along])
    return {key: found for key, found in sorted(split.items()) if len(_split(groups, found, [along])) > 1}


def _numbers(groups: Groups) -> list[str]:
    """The fields that are numbers and vary."""
    return [name for name, value in zip(groups.keys, groups.groups[0].key, strict=True) if not isinstance(value, str)]


def _split(groups: Groups, found: Sequence[Group], names: Sequence[str]) -> Split:
    """Groups by the values of some fields, in their order."""
    places = [groups.keys.index(name) for name in names]
    split: Split = {}
    for group in found:
        key = tuple((name, group.key[place]) for name, place in zip(names, places, strict=True))
        split.setdefault(key, []).append(group)
    return split


def _title(key: Pairs) -> str:
    return ", ".join(str(value) if isinstance(value, str) else f"{_words(name)} {value}" for name, value in key)


def _values(key: Pairs) -> str:
    return ", ".join(str(value) for _, value in key)


def _words(name: str) -> str:
    return name.replace("_", " ")
