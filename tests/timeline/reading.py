"""What stands in a picture of a timeline, read back from its SVG."""

import re
from xml.etree import ElementTree

SPACE = "{http://www.w3.org/2000/svg}"


def parse(picture):
    """The root of a picture, which must be valid XML."""
    return ElementTree.fromstring(picture)


def each(root, name, kind=None):
    """Elements of a name, with a class."""
    return [found for found in root.iter(f"{SPACE}{name}") if kind is None or kind in found.get("class", "").split()]


def executed(root):
    """What the last lanes say of every tick: '4@1' is row 4 of chunk 1, 'x' an underrun."""
    tips = [found.text for found in each(root, "title") if found.text.startswith("tick ")]
    rows = [re.search(r"row (\d+) of chunk (\d+)", tip) for tip in tips if "late" not in tip]
    return " ".join(f"{row[1]}@{row[2]}" if row else "x" for row in rows)


def lanes(root):
    """The lanes of chunks: for each a title and its elements."""
    groups = [group for group in each(root, "g") if group.find(f"{SPACE}title") is not None]
    return [(group.find(f"{SPACE}title").text, group) for group in groups]


def numbers(group, kind):
    """The numbers that stand in cells of a class."""
    return [int(found.text) for found in each(group, "text", kind) if (found.text or "").isdigit()]


def bars(group):
    """Left and right of the bars of inference, in ticks from the left edge of the panel."""
    found = [bar for bar in each(group, "rect", "acted") if bar.get("fill-opacity")]
    return [((float(bar.get("x")) - 84) / 26, float(bar.get("width")) / 26, bar.get("fill-opacity")) for bar in found]
