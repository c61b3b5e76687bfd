import numpy as np
import pytest

from chunkenv.data.dataset_files import DataError
from chunkenv.data.episodes import as_block
from tests.data.making import episode


def test_a_block_is_its_episodes_one_behind_the_other():
    one, two = episode(2, 5, success=False, expert=1), episode(3, 6, success=True)
    block = as_block([one, two])
    assert np.array_equal(block["observations"], np.concatenate([one.observations[:-1], two.observations[:-1]]))
    assert np.array_equal(block["final_observation"], [one.observations[-1], two.observations[-1]])
    assert np.array_equal(block["actions"], np.concatenate([one.actions, two.actions]))
    assert np.array_equal(block["rewards"], np.concatenate([one.rewards, two.rewards]))
    assert block["terminated"].tolist() == [False, False, False, False, True]
    assert block["truncated"].tolist() == [False, True, False, False, False]
    assert block["length"].tolist() == [2, 3]
    assert block["success"].tolist() == [False, True]
    assert block["expert"].tolist() == [1, 0]
    assert block["seed"].tolist() == [5, 6]


SOUND = episode(3, 1)
FAULTS = {
    "has 3 observations, 3 actions and 3 rewards": SOUND._replace(observations=SOUND.observations[:-1]),
    "has 4 observations, 2 actions and 3 rewards": SOUND._replace(actions=SOUND.actions[:-1]),
    "has 4 observations, 3 actions and 2 rewards": SOUND._replace(rewards=SOUND.rewards[:-1]),
    "has 1 observations, 0 actions and 0 rewards": episode(0),
    "has observations, actions and rewards of shapes [4, 3], [3] and [3]": SOUND._replace(actions=SOUND.rewards),
    "has NaN or infinity in its actions, first in row 2": SOUND._replace(
        actions=np.where(np.arange(3)[:, None] == 2, np.nan, SOUND.actions).astype(np.float32)
    ),
    "has rewards of type object, not floats": SOUND._replace(rewards=np.array([None, 1.0, 2.0])),
    "has observations float64[3]": SOUND._replace(observations=SOUND.observations.astype(np.float64)),
    "has observations float32[2]": SOUND._replace(observations=SOUND.observations[:, 1:]),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_an_episode_that_does_not_fit_is_named(sentence):
    with pytest.raises(DataError) as caught:
        as_block([SOUND, FAULTS[sentence]], [7, 9])
    assert str(caught.value).startswith(f"Episode 9 {sentence}")


def test_a_dataset_has_episodes():
    with pytest.raises(DataError, match="There are no episodes; a dataset needs at least one"):
        as_block([])
