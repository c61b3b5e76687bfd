import numpy as np
import pytest

from chunkenv.agents.policies.expert_checkpoints import save_expert
from chunkenv.collect import read_experts
from chunkenv.errors import ArgumentError
from tests.agents.experts import random_expert, used_channels
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


def test_experts_are_ordered_by_run_and_steps(experts):
    names = [source.name for source in read_experts([experts], LEVEL)]
    assert names == ["seed0/step9", "seed0/step10", "seed1/step5"]
    one = experts / LEVEL / "seed0" / "step10.safetensors"
    assert [source.name for source in read_experts([one, experts / LEVEL / "seed1"], LEVEL)] == [
        "seed0/step10",
        "seed1/step5",
    ]


def test_when_nobody_is_good_enough_it_says_how_good_they_are(experts):
    with pytest.raises(ArgumentError, match=r"No expert solves 0\.95 of .*seed0/step9 0\.70, seed0/step10 0\.90"):
        read_experts([experts], LEVEL, 0.95)
    (experts / "empty").mkdir()
    with pytest.raises(ArgumentError, match=r"empty has no step\*\.safetensors; give the folder"):
        read_experts([experts / "empty"], LEVEL)
    with pytest.raises(ArgumentError, match="solve_rate=2"):
        read_experts([experts], LEVEL, 2)


def test_an_expert_that_does_not_know_its_rate_is_taken(tmp_path):
    save_expert(tmp_path / "step1.safetensors", random_expert(LEVEL, solve_rate=float("nan")), {})
    assert len(read_experts([tmp_path], LEVEL, 0.65)) == 1


def test_an_expert_whose_actions_are_sampled_is_rated_anew(tmp_path):
    expert = random_expert(LEVEL, solve_rate=1.0, std=np.full(len(used_channels(LEVEL)), 0.3, np.float32))
    save_expert(tmp_path / "step1.safetensors", expert, {})
    assert len(read_experts([tmp_path], LEVEL, 0.65)) == 1
    with pytest.raises(ArgumentError, match=r"No expert solves 0\.65 of .*/step1 0\.\d\d\)"):
        read_experts([tmp_path], LEVEL, 0.65, "sampled")
    assert len(read_experts([tmp_path], LEVEL, 0.0, "sampled")) == 1
