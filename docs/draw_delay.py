"""Film the catapult with a late policy, for the gallery and the page of pictures.

    python docs/draw_delay.py            # plays, which takes minutes
    python docs/draw_delay.py FILE.gif   # of a film that is there

It writes docs/images/catapult.gif, with few colours: films are to be small files. Needs the extras `kinetix`, `bench`
and `render`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageSequence

PICTURE = Path(__file__).parent / "images" / "catapult.gif"
COLOURS = 32


def film(file: Path) -> None:
    """What the gallery says that this is."""
    subprocess.run(["chunkenv", "play", "catapult", "--delay", "3", "--video", str(file)], check=True)


def shrink(file: Path) -> None:
    """Save a film with one small palette for all frames, so that what does not change costs nothing."""
    with Image.open(file) as source:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(source)]
        duration = source.info["duration"]
    palette = frames[len(frames) // 2].quantize(COLOURS)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(PICTURE, save_all=True, append_images=rest, duration=duration, loop=0, optimize=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        shrink(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            film(Path(folder) / "catapult.gif")
            shrink(Path(folder) / "catapult.gif")
    print("docs/images/catapult.gif")
