"""What can play cycles: gymnasium's vector of members, and whoever has `play`, `restart` and `observe`."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from chunkenv import ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.testing import CountingEnv
from chunkenv.vector.sync_playable import SyncPlayable, playable
from tests.vector.comparing import play_both
from tests.worlds import Recorder

MEMBERS = [lambda: CountingEnv(truncate_at=7), lambda: CountingEnv(terminate_at=4)]


class Own(VectorEnv):
    """A vector environment of somebody else's, which can play."""

    def __init__(self, mode=AutoresetMode.NEXT_STEP):
        one = CountingEnv()
        self._members = SyncPlayable(
            SyncVectorEnv([lambda: CountingEnv(truncate_at=7), lambda: CountingEnv(terminate_at=4)])
        )
        self.num_envs, self.metadata = 2, {"autoreset_mode": mode}
        self.single_observation_space, self.single_action_space = one.observation_space, one.action_space
        self.observation_space = batch_space(one.observation_space, 2)
        self.action_space = batch_space(one.action_space, 2)

    def play(self, actions, ticks, *, every_tick=False):
        return self._members.play(actions, ticks, every_tick=every_tick)

    def restart(self, members, seeds, options):
        return self._members.restart(members, seeds, options)

    def observe(self):
        return self._members.observe()


def test_whoever_can_play_is_taken():
    arguments = dict(prediction_horizon=3, latency=1)
    play_both(
        ChunkedVectorExecution(SyncVectorEnv(MEMBERS), **arguments), ChunkedVectorExecution(Own(), **arguments), steps=9
    )


def test_its_autoreset_mode_must_be_known():
    with pytest.raises(ArgumentError, match="autoreset_mode=None is unknown"):
        ChunkedVectorExecution(Own(mode=None), 3)


def test_who_cannot_is_refused():
    class Changed(SyncVectorEnv):
        """Whose step may do more than its members' steps."""

    with pytest.raises(ArgumentError, match="stepped whole"):
        playable(Changed([CountingEnv]))
    with pytest.raises(ArgumentError, match=r"is no gymnasium.vector.VectorEnv.*ChunkedExecution"):
        playable(CountingEnv())


def test_each_plays_its_own_ticks():
    members = SyncPlayable(SyncVectorEnv([lambda: CountingEnv(truncate_at=2), CountingEnv, CountingEnv]))
    members.restart(np.ones(3, bool), [0, 1, 2], None)
    actions = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    played = members.play(actions, np.array([4, 3, 0]), every_tick=True)
    assert played.ticks.tolist() == [2, 3, 0]
    assert played.rewards.tolist() == [[0, 1, 0, 0], [4, 5, 6, 0], [0, 0, 0, 0]]
    assert played.truncated.tolist() == [True, False, False]
    assert played.observations[:, 0].tolist() == [2, 3, 0]
    assert [len(seen) for seen in played.seen] == [2, 3, 0]


def test_options_reach_those_that_are_reset():
    given = []

    class Listening(Recorder):
        def reset(self, *, seed=None, options=None):
            given.append((seed, options))
            return super().reset(seed=seed)

    envs = ChunkedVectorExecution(SyncVectorEnv([Listening] * 2), 2)
    envs.reset(seed=4, options={"low": 0.1})
    envs.reset(options={"low": 0.2, "reset_mask": np.array([False, True])})
    assert given == [(4, {"low": 0.1}), (5, {"low": 0.1}), (None, {"low": 0.2})]
