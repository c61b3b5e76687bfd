import numpy as np
import pytest

from chunkenv.agents.annotations import EncoderSize, load_encoder, random_encoder
from chunkenv.errors import ArgumentError

SIZE = EncoderSize(image=8, channels=(4, 4), features=6)


def test_an_encoder_comes_back_from_its_file_and_sees_frames_one_by_one(tmp_path):
    frames = np.random.default_rng(0).integers(256, size=(5, 16, 16, 3)).astype(np.uint8)
    encoder = random_encoder(3, SIZE)
    encoder.save(tmp_path / "encoder.safetensors")
    again = load_encoder(tmp_path / "encoder.safetensors")
    assert (again.size, again.facts) == (SIZE, {"seed": 3})
    found = again.features(frames)
    assert found.shape == (5, 6)
    np.testing.assert_array_equal(found, encoder.features(frames))
    np.testing.assert_allclose(again.features(frames[2:3]), found[2:3], atol=1e-5)
    assert np.ptp(found, axis=0).min() > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: EncoderSize(image=12, channels=(4, 4, 4)), "image=12 cannot be halved 3 times"),
        (lambda: EncoderSize(channels=()), "image=64 cannot be halved 0 times; choose at least one"),
        (lambda: random_encoder(0, SIZE).features(np.zeros((8, 8, 3))), r"frames are [8, 8, 3], not [N, S, S, 3]"),
    ],
)
def test_one_sentence_for_what_is_invalid(call, said):
    with pytest.raises(ArgumentError) as error:
        call()
    assert said in str(error.value)
