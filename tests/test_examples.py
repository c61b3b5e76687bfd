"""Every example runs, as its user would run it; those that train are in tests/sb3/test_examples.py."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted(
    path for path in (Path(__file__).parents[1] / "examples").glob("*.py") if not path.stem.startswith("sb3_")
)

SHORT = {
    "adaptive_horizon": ["--episodes", "3"],
    "goal_conditioned": ["--updates", "100"],
    "own_agent": ["--updates", "60"],
    "ppo_torch": ["--decisions", "2048", "--autoreset", "SameStep"],
    "cleanrl_ddpg": ["--updates", "30"],
    "torchrl_ppo": ["--updates", "2"],
    "rllib_ppo": ["--updates", "1"],
}
"""What takes longer than a moment unless it is told otherwise."""

NEEDS = {"lerobot_adapter": "lerobot", "torchrl_ppo": "torchrl", "rllib_ppo": "ray.rllib"}
"""A module that must import, or the example is skipped (RLlib's own is there without what it needs)."""

TALKS = {"torchrl_ppo", "rllib_ppo", "lerobot_adapter"}
"""Whose library writes to stderr."""


def run(path, folder, *arguments):
    command = [sys.executable, str(path), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not done.stderr or path.stem in TALKS
    return done.stdout


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.no_cover
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path):
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem], exc_type=ImportError)
    assert run(path, tmp_path, *SHORT.get(path.stem, []))


@pytest.mark.slow
@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_ppo_learns_in_any_autoreset_mode(autoreset, tmp_path):
    path = next(path for path in EXAMPLES if path.stem == "ppo_torch")
    _, untrained, trained = run(path, tmp_path, "--autoreset", autoreset).splitlines()
    assert untrained.split() == ["untrained", "0%"]
    assert int(trained.split()[1].rstrip("%")) >= 70
