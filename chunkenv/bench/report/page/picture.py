"""Pictures of a report: plots and videos, each with what it shows in words."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import NamedTuple

KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".gif": "image/gif"}


class Picture(NamedTuple):
    """A plot or a video.

    Attributes:
        name: of its file.
        kind: the MIME type.
        content: its bytes.
        text: what it shows in words, for readers who do not see it.
    """

    name: str
    kind: str
    content: bytes
    text: str


def read_pictures(folder: Path, endings: Sequence[str]) -> list[Picture]:
    """The pictures in a folder, and in its folders `videos` and `plots`; what they show, if they say so."""
    folders = [folder, folder / "plots", folder / "videos"]
    paths = sorted(path for each in folders if each.is_dir() for path in each.iterdir() if path.suffix in endings)
    return [_read(path, path.relative_to(folder).as_posix()) for path in paths]


def svg_picture(name: str, svg: bytes, text: str = "") -> Picture:
    """A picture that was drawn as SVG; without a text, it is what its own title and description say."""
    return Picture(name, KINDS[".svg"], svg, text or _words_of_svg(svg))


def _read(path: Path, name: str) -> Picture:
    content = path.read_bytes()
    words = {".png": _words_of_png, ".svg": _words_of_svg}.get(path.suffix)
    kind = "Video" if path.suffix == ".gif" else "Plot"
    return Picture(name, KINDS[path.suffix], content, (words and words(content)) or f"{kind} {name}.")


def _words_of_png(content: bytes) -> str:
    """The description that `save_png` writes into the file."""
    from PIL import Image, UnidentifiedImageError  # which matplotlib brings

    try:
        return str(Image.open(io.BytesIO(content)).info.get("Description", ""))
    except UnidentifiedImageError:  # no picture, whatever its name says
        return ""


def _words_of_svg(content: bytes) -> str:
    found = re.findall(r"<(title|desc)>(.*?)</\1>", content.decode(errors="replace"), re.DOTALL)
    return unescape(". ".join(text.strip() for _, text in found[:2]))
