"""Draw a picture of each task, as it begins, for the page of the tasks and the gallery.

    python docs/draw_tasks.py

It writes docs/images/tasks/NAME.png. Needs the extras `kinetix`, `manipulation` and `render`.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
from PIL import Image

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.registration import FAMILIES, LEVELS

IMAGES = Path(__file__).parent / "images" / "tasks"
SIZE, COLOURS = 240, 256
IDS = {level: f"chunkenv/kinetix-{level}-v0" for level in LEVELS} | {
    family: f"chunkenv/manip-{family}-task5-v0" for family in FAMILIES
}


def draw(task_id: str) -> Image.Image:
    """The first frame of an episode, with few colours: pictures are small files."""
    env = gym.make(task_id, render_mode="rgb_array", render_size=2 * SIZE)
    env.reset(seed=0)
    frame = Image.fromarray(env.render()).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    env.close()
    return frame.quantize(COLOURS)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name, task_id in IDS.items():
        draw(task_id).save(IMAGES / f"{name}.png", optimize=True)
        print(f"docs/images/tasks/{name}.png")
