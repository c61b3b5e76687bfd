"""What N agents choose with their chunks, and what their inferences are charged."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from chunkenv import ChunkedExecution
from chunkenv.errors import ActionError, ArgumentError, ResetNeededError
from chunkenv.latency import Measured, Uniform
from chunkenv.testing import CountingEnv
from chunkenv.wrappers import DecisionSpace
from tests.vector.test_execution import chunks_of, counting


def measured(**options):
    options = dict(latency=Measured(), control_dt=0.1, delay_estimate="last", execution_horizon=2) | options
    envs = counting(**options)
    envs.reset(seed=0)
    return envs


def choosing(**options):
    envs = counting(**(dict(execution_horizon=(1, 3), delays=(0, 2)) | options))
    envs.reset(seed=0)
    return envs


def test_seconds_are_charged_to_the_decision_that_they_belong_to():
    envs = measured()
    assert envs.latency_is_measured
    envs.step(chunks_of())  # the first chunk is there at once
    envs.charge(np.array([0.0, 0.1, 0.25]))
    assert envs.step(chunks_of())[4]["delay"].tolist() == [0, 1, 3]
    assert envs.request.delay_estimate.tolist() == [0, 1, 3]


def test_a_step_without_a_charge_is_refused_and_moves_nothing():
    envs = measured()
    envs.step(chunks_of())
    sentence = r"nobody has said that of the environments \[0, 1, 2\]: call charge\(seconds\) before step"
    with pytest.raises(ArgumentError, match=sentence):
        envs.step(chunks_of())
    envs.charge([0.1, 0.1, 0.1])
    with pytest.raises(ActionError):
        envs.step(chunks_of(2))
    assert envs.step(chunks_of())[4]["delay"].tolist() == [1, 1, 1], "a chunk that was refused used the charge up"
    with pytest.raises(ArgumentError, match="nobody has said that"):
        envs.step(chunks_of())


def test_a_reset_forgets_the_charge():
    envs = measured(mode=AutoresetMode.DISABLED, cold_start="charged")
    envs.charge(np.full(3, 0.1))
    envs.reset(options={"reset_mask": np.array([False, True, False])})
    with pytest.raises(ArgumentError, match=r"of the environments \[1\]"):
        envs.step(chunks_of())
    envs.charge(np.full(3, 0.3))
    assert envs.step(chunks_of())[4]["delay"].tolist() == [3, 3, 3]


def test_one_that_has_ended_is_not_charged():
    """Its stream goes on in the next episode where the last one left it."""
    network = dict(latency=Measured() + Uniform(0.0, 1.0), delay_estimate="last", execution_horizon=2, control_dt=0.1)
    envs, alone = measured(ends=[3, None, None], **network), ChunkedExecution(CountingEnv(truncate_at=3), 4, **network)
    alone.reset(seed=0)
    for _ in range(3):  # two decisions, then the reset
        envs.charge(np.full(3, 0.1))
        envs.step(chunks_of())
    for _ in range(2):
        alone.charge(0.1)
        alone.step(chunks_of()[0])
    alone.reset()
    delays = []
    for _ in range(2):
        envs.charge(np.full(3, 0.1))
        alone.charge(0.1)
        delays.append((envs.step(chunks_of())[4]["delay"][0], alone.step(chunks_of()[0])[4]["delay"]))
    assert delays[1][0] == delays[1][1] > 0


@pytest.mark.parametrize(
    "seconds", [0.1, [0.1, 0.1], np.array([0.1, np.nan, 0.1]), [0.1, -0.1, 0.1], ["a", "b", "c"], None], ids=repr
)
def test_seconds_that_cannot_be_meant(seconds):
    envs = measured()
    with pytest.raises(ArgumentError, match=r"is not the time of 3 inferences: give float64\[3\]"):
        envs.charge(seconds)


@pytest.mark.parametrize("options", [dict(latency=2), dict(delays=(0, 1))])
def test_nothing_is_charged_where_the_delay_is_given(options):
    envs = counting(**options)
    envs.reset(seed=0)
    assert not envs.latency_is_measured
    with pytest.raises(ArgumentError, match=r"needs latency=Measured\(\), but latency=\d says.*leave the call out"):
        envs.charge(np.zeros(3))


def test_charges_and_requests_need_a_reset():
    envs = counting(delays=(0, 1))
    with pytest.raises(ResetNeededError, match="cannot charge inferences"):
        envs.charge(np.zeros(3))
    with pytest.raises(ResetNeededError, match="cannot read the request"):
        envs.request_after(np.zeros(3, np.int64))


def test_the_space_has_what_is_chosen():
    envs = choosing()
    assert isinstance(envs.single_action_space, DecisionSpace)
    assert envs.action_space.contains(envs.action_space.sample())
    assert envs.chunk_space == envs.single_action_space["chunk"]
    assert (envs.request.horizons, envs.request.delays) == ((1, 3), (0, 2))


def test_each_chooses_its_own_horizon_and_delay():
    envs = choosing()
    actions = dict(chunk=chunks_of(), horizon=np.array([1, 2, 3]), delay=np.array([1, 1, 1]))
    assert envs.step(actions)[4]["ticks"].tolist() == [1, 2, 3]
    *_, infos = envs.step(actions | dict(delay=np.array([0, 1, 0])))
    assert infos["delay"].tolist() == [0, 2, 0]
    assert infos["horizon"].tolist() == [1, 2, 3]
    assert infos["ticks"].tolist() == [1, 2, 3]


def test_what_policies_return_is_joined_for_all():
    envs = choosing()
    joined = envs.single_action_space.join((chunks_of(), np.array([1, 2, 1])), delay=np.array([2, 0, 0]))
    assert joined["delay"].tolist() == [1, 0, 0]
    assert envs.step(joined)[4]["ticks"].tolist() == [1, 2, 1]


def test_requests_after_a_choice():
    envs = choosing()
    envs.step(dict(chunk=chunks_of(), horizon=np.array([1, 1, 2]), delay=np.zeros(3, np.int64)))
    request = envs.request_after(np.array([0, 2, 2]))
    assert request.delay_estimate.tolist() == [0, 2, 2]
    assert request.prefix_length.tolist() == [0, 2, 2]
    for delays in (np.array([0, 1]), np.array([0.0, 1.0, 1.0]), np.array([0, -1, 1]), None):
        with pytest.raises(ArgumentError, match=r"are not delays: give int64\[3\]"):
            envs.request_after(delays)


BAD = {
    "horizon": (np.array([1, 4, 1]), r"the action of environment 1\['horizon'\] 4 is out of range"),
    "delay": (np.array([0, 0, 2]), r"the action of environment 2\['delay'\] 2 is out of range"),
    "chunk": (np.where(np.arange(3)[:, None, None] == 1, np.nan, chunks_of()), r"environment 1\['chunk'\].*nan"),
}


@pytest.mark.parametrize("key", BAD)
def test_a_bad_choice_names_its_environment_and_moves_nothing(key):
    value, sentence = BAD[key]
    envs = choosing()
    good = dict(chunk=chunks_of(), horizon=np.array([2, 2, 2]), delay=np.array([0, 0, 0]))
    with pytest.raises(ActionError, match=sentence):
        envs.step(good | {key: value})
    assert envs.step(good)[0][:, 0].tolist() == [2, 2, 2]
