import os
import subprocess
import sys
import warnings

import pytest

import chunkenv
from chunkenv.bench.studies import delay_study as settings
from chunkenv.errors import ArgumentError, UnderrunWarning
from tests.cli.calling import invoke, run


@pytest.mark.parametrize(
    ("words", "module", "extra"),
    [
        (["tasks"], "numba", "kinetix"),
        (["bench", "delay"], "numba", "bench"),
        (["bench", "delay"], "matplotlib", "bench"),
        (["bench", "export"], "pyarrow", "bench"),
    ],
)
def test_a_missing_extra_is_one_sentence(without, words, module, extra):
    result = run(*words, PYTHONPATH=without(module))
    assert result.returncode == 2
    assert result.stderr == f'error: {module} is not installed: run `pip install "chunkenv[{extra}]"`.\n'


@pytest.mark.no_cover
def test_importing_the_command_imports_nothing_heavy_and_nothing_of_other_extras():
    """The extra `bench` installs typer and rich, but nothing of `agents`."""
    others = {"numba", "matplotlib", "pyarrow", "jax", "optax", "safetensors", "filelock", "mujoco", "torch"}
    code = f"import sys, chunkenv.cli.app; print(sorted({others} & {{*sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["bench"],
        ["bench", "delay"],
        ["bench", "export"],
        ["bench", "remote"],
        ["serve"],
        ["tasks"],
        ["doctor"],
        ["trace", "record"],
    ],
)
def test_help_is_there(words):
    result = invoke(*words, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_error_of_an_episode_comes_with_its_traceback(monkeypatch, tmp_path):
    class Failed(ArgumentError):
        traceback = "Traceback: the worker's\n"

    def fail(**_):
        raise Failed("it failed")

    monkeypatch.setattr(settings, "delay_study", fail)
    result = invoke("bench", "delay", "--out", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == "Traceback: the worker's\nerror: it failed\n"


def test_the_version_is_shown():
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"chunkenv {chunkenv.__version__}\n")


@pytest.mark.no_cover
def test_a_shell_completes_names_of_tasks():
    words = {"COMP_WORDS": "chunkenv play cube-sin", "COMP_CWORD": "2", "_CHUNKENV_COMPLETE": "complete_bash"}
    code = "import sys; sys.argv[0] = 'chunkenv'; from chunkenv.cli import main; main()"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=os.environ | words, capture_output=True, text=True, timeout=120)
    assert set(result.stdout.split()) == {"cube-single", *(f"cube-single-task{number}" for number in range(1, 6))}


def test_a_warning_of_ours_is_one_sentence_without_code(monkeypatch, tmp_path):
    def warn(**_):
        warnings.warn("two of five ticks are underruns.", UnderrunWarning, stacklevel=1)
        warnings.warn("python shows this one", RuntimeWarning, stacklevel=1)
        raise ArgumentError("enough")

    monkeypatch.setattr(settings, "delay_study", warn)
    with pytest.warns(RuntimeWarning, match="python shows this one"):
        result = invoke("bench", "delay", "--out", tmp_path)
    assert result.stderr == "warning: two of five ticks are underruns.\nerror: enough\n"
