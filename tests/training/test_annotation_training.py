import jax
import numpy as np
import pytest

from chunkenv.agents.annotations import AnnotationSettings, EncoderSize, load_encoder
from chunkenv.errors import ArgumentError
from chunkenv.training import FrameSource
from chunkenv.training.annotation_training import ENCODER, AnnotationTraining
from chunkenv.training.loop import load_state, resume, save_state, train

SIZE = EncoderSize(image=8, channels=(8, 8), features=16)


def squares(count, seed):
    """Frames with a bright square somewhere: in the upper half or not, at the left or not."""
    rng = np.random.default_rng(seed)
    places, frames = rng.integers(12, size=(count, 2)), np.zeros((count, 16, 16, 3), np.uint8)
    for frame, (row, column) in zip(frames, places, strict=True):
        frame[row : row + 4, column : column + 4] = 255
    return FrameSource(frames, places < 6)


def make(seed=0, **changes):
    small = {"size": SIZE, "batch": 32, "hidden": 32, "warm_up": 5, "updates": 60, "annotations": "predicates"}
    chosen = AnnotationSettings(**small | {"smallest": 0.8, "learning_rate": 5e-3, "target_decay": 0.9} | changes)
    return AnnotationTraining(squares(200, 0), chosen, seed, {}, squares(100, 1), evaluate_every=40)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training to its end, its folder, and the metrics of each round."""
    folder = tmp_path_factory.mktemp("annotations")
    training = make()
    return training, folder, list(train(training, folder))


def same(first, second):
    return jax.tree.all(jax.tree.map(np.array_equal, first, second))


def test_both_losses_fall_and_the_frames_that_are_held_out_are_read_too(trained):
    first, last = trained[2][0], trained[2][-1]
    assert last["annotation_loss"] < 0.8 * first["annotation_loss"]
    assert last["value_loss"] < first["value_loss"]
    assert last["held_out_annotation_loss"] < 0.3  # who guesses has 0.69


def test_the_file_has_the_averaged_encoder(trained):
    encoder = load_encoder(trained[1] / ENCODER)
    frames = squares(4, 2).frames
    assert np.array_equal(encoder.features(frames), trained[0].encoder().features(frames))
    assert encoder.facts["annotations"] == "predicates"
    assert not same(encoder.weights, make(averaged=False).encoder().weights)


def test_a_training_that_was_killed_goes_on_to_the_bit(trained, tmp_path):
    half = make()
    half.advance()
    save_state(half, tmp_path / "resume.safetensors")
    half.advance()  # what came after the last evaluation is lost
    again = resume(make(), tmp_path)
    assert again.steps == 20
    while not again.done:
        again.advance()
    assert same(again.encoder().weights, trained[0].encoder().weights)


def test_a_file_of_another_training_is_refused(trained, tmp_path):
    save_state(trained[0], tmp_path / "file")
    with pytest.raises(ArgumentError, match=r"was begun with discount=0\.7"):
        load_state(make(discount=0.5), tmp_path / "file")


def test_predicates_that_are_not_there_cannot_be_learned():
    bare = FrameSource(squares(4, 0).frames, np.zeros((4, 0)))
    with pytest.raises(ArgumentError, match="annotations='predicates' needs sentences that hold"):
        AnnotationTraining(bare, AnnotationSettings(annotations="predicates", size=SIZE), 0, {})
