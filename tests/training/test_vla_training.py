import jax
import numpy as np
import pytest

from chunkenv.agents.vla import load_vla, vla_policy
from chunkenv.errors import ArgumentError
from chunkenv.training import vla_training
from chunkenv.training.loop import load_state, resume, save_state, train
from chunkenv.training.vla_training import MODEL, VLATraining
from tests.agents.vla.test_vla_policies import request
from tests.agents.vla.toy import SENTENCES, WORDS, Errands, observation, settings

LEARNS = {"arm": "insulated", "updates": 300, "learning_rate": 1e-2, "question_weight": 0.3, "averaging": 0.98}


def make(seed=0, start=None, **changes):
    chosen = settings(**{**LEARNS, **changes})
    return VLATraining(Errands(), chosen, WORDS, seed, {}, start, held_out=Errands(), evaluate_every=100)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training to its end, its folder, and the metrics of each round."""
    folder = tmp_path_factory.mktemp("vla")
    training = make()
    return training, folder, list(train(training, folder))


def same(first, second):
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def test_all_losses_fall(trained):
    first, last = trained[2][0], trained[2][-1]
    assert last["flow_loss"] < 0.6 * first["flow_loss"]
    assert last["token_loss"] < 0.8 * first["token_loss"]
    assert last["question_loss"] < 0.8 * first["question_loss"]
    assert last["held_out_flow_loss"] < first["flow_loss"]
    assert last["right_answers"] > 0.85


def test_an_instruction_decides_which_way_the_chunk_goes(trained):
    policy = vla_policy(load_vla(trained[1] / MODEL))
    for sentence, way in zip(SENTENCES, (-1, 1), strict=True):
        means = [policy.infer(observation(sentence, 0.6), request(seed)).mean() for seed in range(5)]
        assert np.sign(means).tolist() == [way] * 5
        assert np.mean(means) == pytest.approx(0.6 * way, abs=0.25)


def test_a_training_that_was_killed_goes_on_to_the_bit(trained, tmp_path):
    half = make()
    half.advance()
    save_state(half, tmp_path / "resume.safetensors")
    half.advance()  # what came after the last evaluation is lost
    again = resume(make(), tmp_path)
    assert again.steps == 100
    while not again.done:
        again.advance()
    assert same(again.model().weights, trained[0].model().weights)


def test_a_file_of_another_training_is_refused(trained, tmp_path):
    save_state(trained[0], tmp_path / "file")
    with pytest.raises(ArgumentError, match="was begun with token_weight=1"):
        load_state(make(token_weight=0.5), tmp_path / "file")
    with pytest.raises(ArgumentError, match="was begun with seed=0"):
        load_state(make(seed=1), tmp_path / "file")


def test_a_frozen_backbone_is_that_of_the_model_it_started_from(trained, monkeypatch):
    monkeypatch.setattr(vla_training, "ROUND", 2)
    start = trained[0].model()
    training = make(start=start, arm="frozen", updates=2, warm_up=1, question_weight=0.0, averaged=False)
    training.advance()
    assert same(training.model().weights["backbone"], start.weights["backbone"])
    assert not same(training.model().weights["expert"], start.weights["expert"])
    assert training.identity != make(start=None, updates=2).identity


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "frozen", "question_weight": 0.0}, "arm='frozen' without a model to start from"),
        ({"max_prefix": 4}, "max_prefix=4 leaves no row of 4 to be learned"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_one_sentence_for_what_is_invalid(changes, said):
    with pytest.raises(ArgumentError) as error:
        make(**changes)
    assert said in str(error.value)


def test_a_model_of_another_size_is_no_start(trained):
    from tests.agents.vla.toy import NETWORK

    with pytest.raises(ArgumentError, match="The model to start from has other network"):
        make(start=trained[0].model(), network=NETWORK)
