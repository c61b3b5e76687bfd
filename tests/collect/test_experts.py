import numpy as np
import pytest

from chunkenv.agents.policies.expert_checkpoints import save_expert
from chunkenv.collect.experts import ExpertSource, read_sources
from chunkenv.data.dataset_files import sha256_of
from chunkenv.errors import ArgumentError
from tests.agents.experts import random_expert
from tests.data.making import Waver


def test_a_checkpoint_is_named_after_its_file_and_known_by_it(tmp_path):
    path = tmp_path / "seed3" / "step100.safetensors"
    expert = random_expert("catapult")
    save_expert(path, expert, {})
    for given_path in (path, str(path)):
        (source,) = read_sources([given_path], "catapult")
        assert (source.name, source.sha256) == ("seed3/step100", sha256_of(path))
        observations = np.random.default_rng(0).standard_normal((5, len(expert.mean))).astype(np.float32)
        assert np.array_equal(source.expert.actions(observations), expert.actions(observations))


def test_objects_and_sources_are_taken_as_they_are():
    waver, source = Waver(), ExpertSource(Waver(), "mine")
    assert read_sources([waver, source], "catapult") == [ExpertSource(waver, "expert0"), source]


@pytest.mark.parametrize(
    ("experts", "sentence"),
    [
        ([], "is no list of experts; give at least one"),
        ("seed0/step1.safetensors", "is no list of experts"),
        (Waver(), "is no list of experts"),
        ([Waver], "has no method actions"),
        ([3], "3 has no method actions"),
        ([random_expert("mjc_walker")], "expert0 is for level 'mjc_walker', not 'catapult'"),
        (["none.safetensors"], "There is no chunkenv expert none.safetensors"),
    ],
)
def test_what_is_no_expert_is_one_sentence(experts, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        read_sources(experts, "catapult")


def test_another_observation_is_refused():
    expert = Waver()
    expert.observation = "symbolic"
    with pytest.raises(ArgumentError, match="for observation 'symbolic', not 'compact'"):
        read_sources([expert], "catapult")
