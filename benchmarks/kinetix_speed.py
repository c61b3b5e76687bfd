"""One Kinetix environment stepped from Python, observation included: ours against kinetix-env, level by level.

    python3.11 -m venv kinetix-reference
    kinetix-reference/bin/pip install kinetix-env==3.0.2
    python benchmarks/kinetix_speed.py --reference kinetix-reference/bin/python --worlds PATH/worlds/l

kinetix-env and its 115 packages need an environment of their own; `worlds/l` is the folder of the twelve level files of
Physical-Intelligence/real-time-chunking-kinetix. Both sides are measured in turns in one run, on the same held random
actions, with a reset at each end. Without --reference only our side is measured.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import numpy as np

import chunkenv  # noqa: F401 (registers the ids)
from chunkenv.kinetix import LEVELS

REFERENCE = Path(__file__).with_name("kinetix_speed_reference.py")


def actions() -> Iterator[np.ndarray]:
    """Uniform random actions, each held for eight ticks."""
    rng = np.random.default_rng(0)
    while True:
        action = rng.uniform(-1, 1, 6).astype(np.float32)
        for _ in range(8):
            yield action


def steps_per_second(level: str, seconds: float) -> float:
    """Our steps a second through `gymnasium.make`, observation, checks and time limit included."""
    env = gymnasium.make(f"chunkenv/kinetix-{level}-v0", disable_env_checker=True)
    env.reset()
    steps, source, start = 0, actions(), time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            _, _, terminated, truncated, _ = env.step(next(source))
            if terminated or truncated:
                env.reset()
        steps += 100
    return steps / (time.perf_counter() - start)


def reference_process(python: str, worlds: str, seconds: float) -> subprocess.Popen[str]:
    """kinetix-env in its own interpreter: a level's name in, its steps a second out."""
    command = [python, str(REFERENCE), worlds, str(seconds)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def ask(process: subprocess.Popen[str], level: str) -> float:
    """Have the reference measure a level."""
    assert process.stdin
    assert process.stdout
    print(level, file=process.stdin, flush=True)
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit("The reference has stopped: run benchmarks/kinetix_speed_reference.py by itself to see why.")
    return float(answer)


def main() -> None:
    """Measure, and print one line a level."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", metavar="PYTHON", help="an interpreter that has kinetix-env 3.0.2")
    parser.add_argument("--worlds", help="folder of the twelve level files; needed with --reference")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each measurement")
    options = parser.parse_args()
    if options.reference and not options.worlds:
        parser.error("--reference needs --worlds")
    process = options.reference and reference_process(options.reference, options.worlds, options.seconds)
    print(f"{'level':20}{'steps/s':>12}{'kinetix-env':>14}{'ratio':>9}")
    for level in LEVELS:
        theirs = ask(process, level) if process else float("nan")
        ours = steps_per_second(level, options.seconds)
        print(f"{level:20}{ours:12,.0f}{theirs:14,.0f}{ours / theirs:8.0f}x", flush=True)
    if process:
        process.communicate()


if __name__ == "__main__":
    main()
