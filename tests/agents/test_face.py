"""What importing agents loads, and that every public name is there."""

import subprocess
import sys

import pytest

from chunkenv import agents


def loaded_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_the_agents_load_nothing_heavy_before_a_name_is_asked_for():
    assert not {"jax", "numba", "safetensors"} & set(loaded_by("import chunkenv.agents"))


@pytest.mark.no_cover
@pytest.mark.parametrize("module", ["qc", "registry", "policies.chunk_policy", "policies.behaviour_policy"])
def test_learning_from_chunks_needs_no_kinetix(module):
    modules = loaded_by(f"import chunkenv.agents.{module}")
    assert "numba" not in modules
    assert not [name for name in modules if name.startswith("chunkenv.kinetix")]


def test_every_public_name_is_there():
    for name in agents.__all__:
        assert getattr(agents, name) is not None
