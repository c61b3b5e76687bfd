"""The loop in CleanRL's style: its targets against values by hand, in both ways to make a vector."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ChunkedExecution
from tests.loops.by_hand import GAMMA, LAST, ONE_GAMMA, REWARDS, VALUES, Paid, example

NUM_ENVS = 2


def make_envs(chunks, ending, mode):
    options = {"prediction_horizon": 4, "discount": GAMMA}
    if chunks == "inside":
        worlds = [lambda: ChunkedExecution(Paid(ending), **options)] * NUM_ENVS
        return SyncVectorEnv(worlds, autoreset_mode=mode)
    return ChunkedVectorExecution(SyncVectorEnv([lambda: Paid(ending)] * NUM_ENVS, autoreset_mode=mode), **options)


def transitions(envs, steps, one_gamma=None):
    """What the loop stores in so many steps: all columns, row by row."""
    loop, rows, (observations, _) = example("cleanrl_ddpg"), [], envs.reset(seed=0)
    for _ in range(steps):
        flat = np.zeros((NUM_ENVS, 4), np.float32)
        observations, columns = loop.decide(envs, observations, flat, one_gamma)
        rows += zip(*columns, strict=True)
    return rows


def values(rows, last):
    """The fixed point of `rewards + discounts * later`, of the states at ticks 0, 4 and 8."""
    found = {9: last}
    for _ in range(3):
        for before, _, reward, discount, after in rows:
            found[int(before[0])] = reward + discount * found.get(int(after[0]), 0.0)
    return [found[tick] for tick in (0, 4, 8)]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("chunks", ["inside", "around"])
@pytest.mark.parametrize("ending", VALUES)
def test_targets_lead_to_the_values_by_hand(chunks, ending, mode):
    rows = transitions(make_envs(chunks, ending, mode), steps=8)
    assert values(rows, LAST[ending]) == pytest.approx(VALUES[ending])
    assert {float(row[2]) for row in rows} == set(REWARDS)  # no reset among them


@pytest.mark.parametrize("ending", VALUES)
def test_one_gamma_for_each_decision_leads_elsewhere(ending):
    rows = transitions(make_envs("inside", ending, AutoresetMode.NEXT_STEP), steps=8, one_gamma=GAMMA)
    assert values(rows, LAST[ending]) == pytest.approx(ONE_GAMMA[ending])


@pytest.mark.slow
@pytest.mark.parametrize(("num_envs", "chunks"), [(4, "around"), (1, "inside")])
def test_the_critic_learns_what_a_state_is_worth(num_envs, chunks):
    train = example("cleanrl_ddpg").train
    assert train(num_envs, chunks, 1000, mended=True) == pytest.approx(10, abs=1)
    assert train(num_envs, chunks, 1000, mended=False) > 20
