"""What rounded weights cost: the solve rates of flow policies as they are trained, and with fewer and fewer values.

    python benchmarks/weight_rounding.py results/published/trained/plain --levels hard_lunar_lander --episodes 384

plays every `<level>/<kind>/seed<k>/policy.safetensors` of the folder in the same episodes, at (d, s) = (0, 1), (1, 1)
and (2, 2), and prints the difference that rounding makes, in points with a standard error, and the size of the file.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from family_weights import solved

from chunkenv.agents import FlowPolicy, load_flow_policy
from chunkenv.agents.common import rounding
from chunkenv.agents.policies import flow_policy
from chunkenv.registration import LEVELS
from chunkenv.training.imitation import POLICY

CELLS = ((0, 1), (1, 1), (2, 2))
VALUES = (rounding.FINE, 31, rounding.COARSE, 7)


def as_rounded(policy: FlowPolicy, values: int) -> tuple[FlowPolicy, int]:
    """A policy with so many values to each side of zero, and the bytes of its file."""
    flow_policy.COARSE = values  # what `save` rounds to
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.xz"
        policy.save(path, small=True)
        return load_flow_policy(path), path.stat().st_size


def success(policy: FlowPolicy, episodes: int, seed: int) -> np.ndarray:
    """Which episodes of each cell it solves, float[cells, episodes]."""
    return np.array([solved(policy, horizon, episodes, seed, delay) for delay, horizon in CELLS], float)


def main() -> None:
    """Print a line for each policy and number of values, and the mean over policies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, metavar="LEVEL", default=LEVELS)
    parser.add_argument("--episodes", type=int, default=384)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    differences: dict[int, list[np.ndarray]] = {values: [] for values in VALUES}
    for path in (path for level in chosen.levels for path in sorted(chosen.folder.glob(f"{level}/*/seed*/{POLICY}"))):
        policy = load_flow_policy(path)
        unrounded = success(policy, chosen.episodes, chosen.seed)
        for values in VALUES:
            stored, size = as_rounded(policy, values)
            difference = success(stored, chosen.episodes, chosen.seed) - unrounded
            differences[values].append(difference)
            show(f"{path.relative_to(chosen.folder).parent}, {2 * values + 1} values, {size:,} bytes", difference)
    for values, each in differences.items():
        show(f"all, {2 * values + 1} values", np.concatenate(each, axis=1))


def show(what: str, difference: np.ndarray) -> None:
    """The mean difference of each cell with its standard error, in points."""
    errors = difference.std(axis=1, ddof=1) / difference.shape[1] ** 0.5
    cells = (
        f"d={d}, s={s}: {100 * mean:+.1f} +- {100 * error:.1f}"
        for (d, s), mean, error in zip(CELLS, difference.mean(axis=1), errors, strict=True)
    )
    print(f"{what}: {'; '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
