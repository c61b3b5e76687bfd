"""The examples train what they say, in the time that they say; everyday tests run them short."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT = {
    "sb3_ppo": ["--decisions", "2048"],
    "sb3_sac": ["--decisions", "200"],
    "sb3_delay_aware": ["--decisions", "1024", "--seeds", "2"],
}


def run(name):
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def numbers(line):
    return [float(number) for number in re.findall(r"-?\d+", line)]


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SHORT)
def test_short(name, monkeypatch, capsys):
    """In this process: importing torch anew takes longer than the example."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *SHORT[name]])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", SHORT)
def test_help_says_how_to_run_it(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert f"python examples/{name}.py" in capsys.readouterr().out


@pytest.mark.slow
def test_ppo_solves_what_chance_does_not():
    _, trained, random = run("sb3_ppo").splitlines()
    assert numbers(trained)[0] >= 20
    assert numbers(random)[0] <= 3


@pytest.mark.slow
def test_sac_swings_the_pendulum_up():
    untrained, trained = run("sb3_sac").splitlines()
    assert numbers(untrained)[0] < -700
    assert numbers(trained)[0] > -300


@pytest.mark.slow
def test_the_prefix_is_worth_seeing():
    *_, difference = run("sb3_delay_aware").splitlines()
    _, low, _ = numbers(difference)[:3]
    assert low > 50
