import numpy as np

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
