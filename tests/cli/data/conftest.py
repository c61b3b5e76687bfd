import pytest

from chunkenv.agents.policies.expert_checkpoints import save_expert
from tests.agents.experts import random_expert
from tests.cli.data.calling import invoke
from tests.data.making import LEVEL

RATES = {("seed0", 9): 0.7, ("seed0", 10): 0.9, ("seed1", 5): 0.6}


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experts")
    for number, ((run, steps), rate) in enumerate(RATES.items()):
        path = folder / LEVEL / run / f"step{steps}.safetensors"
        save_expert(path, random_expert(LEVEL, number, steps, rate), {})
    (folder / LEVEL / "seed0" / "resume.safetensors").write_bytes(b"no expert")
    return folder


@pytest.fixture(scope="module")
def finished(experts, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    words = ("collect", f"chunkenv/kinetix-{LEVEL}-v0", "--experts", experts, "--episodes", 8, "--workers", 1)
    return out, invoke(*words, "--out", out)
