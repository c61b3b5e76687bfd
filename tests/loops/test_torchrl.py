"""TorchRL's own estimators over chunks against values by hand; single environments and vectors of them."""

import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import TransformAction

from chunkenv.vector import ChunkedVectorExecution
from chunkenv.wrappers import ChunkedExecution, FlatDecisions, FlattenChunk
from tests.loops.by_hand import GAMMA, LAST, ONE_GAMMA, REWARDS, TICKS, VALUES, Paid, example

pytest.importorskip("torchrl")
from torchrl.envs import check_env_specs
from torchrl.objectives.value import GAE, TD0Estimator

ENVS = {"single": None, "disabled": AutoresetMode.DISABLED, "same step": AutoresetMode.SAME_STEP}


def rollout(kind, ending, steps=3):
    """Decisions of one environment or of two, as the example reads them."""
    options = {"prediction_horizon": 4, "discount": GAMMA}
    if kind == "single":
        chunked = ChunkedExecution(Paid(ending), **options)
    else:
        worlds = SyncVectorEnv([lambda: Paid(ending)] * 2, autoreset_mode=ENVS[kind])
        chunked = ChunkedVectorExecution(worlds, **options)
    return example("torchrl_ppo").read_ticks(chunked).rollout(steps, break_when_any_done=False)


def targets(estimator, data, ending):
    """What the value of each decision should become, when that of an end is right and all others are 0."""
    last = data["next", "observation"] == 9
    data["state_value"] = torch.zeros_like(data["next", "reward"])
    data["next", "state_value"] = LAST[ending] * last.float()
    estimator(data)
    return data["value_target"].flatten().tolist()


@pytest.fixture(params=[True, False], ids=["vectorized", "loop"])
def gae(request):
    return GAE(gamma=GAMMA, lmbda=1.0, value_network=None, vectorized=request.param)


@pytest.mark.parametrize("kind", ENVS)
@pytest.mark.parametrize("ending", VALUES)
def test_with_the_ticks_targets_are_the_values_by_hand(gae, kind, ending):
    data = rollout(kind, ending, steps=6)  # two episodes
    assert data["next", "ticks"].flatten().tolist() == TICKS * 2 * (1 if kind == "single" else 2)
    data["steps_to_next_obs"] = data["next", "ticks"]
    assert targets(gae, data, ending) == pytest.approx(VALUES[ending] * (data.numel() // 3))


@pytest.mark.parametrize("ending", VALUES)
def test_without_them_they_are_others(gae, ending):
    assert targets(gae, rollout("single", ending), ending) == pytest.approx(ONE_GAMMA[ending])


def test_the_one_step_targets_of_off_policy_losses_read_the_ticks(gae):
    data = rollout("single", "truncates")
    data["steps_to_next_obs"] = data["next", "ticks"]
    found = targets(TD0Estimator(gamma=GAMMA, value_network=None), data, "truncates")
    assert found == pytest.approx([*REWARDS[:2], 1.0 + 0.5 * LAST["truncates"]])


def test_numbers_of_an_info_become_arrays_with_the_specs_that_torchrl_checks():
    for num_envs in (1, 2):
        check_env_specs(example("torchrl_ppo").make_env(num_envs))


@pytest.mark.parametrize("kind", ["single", "disabled"])
def test_horizons_that_the_agent_chooses_go_through_flat_actions(kind):
    options = {"prediction_horizon": 4, "execution_horizon": (1, 4), "discount": GAMMA}
    if kind == "single":
        chunked = FlattenChunk(ChunkedExecution(Paid("truncates"), **options))
    else:
        worlds = SyncVectorEnv([lambda: Paid("truncates")] * 2, autoreset_mode=ENVS[kind])
        envs = ChunkedVectorExecution(worlds, **options)
        flat = FlatDecisions(envs.single_action_space)
        chunked = TransformAction(envs, flat.nest, single_action_space=flat.space)
        chunked.autoreset_mode = envs.autoreset_mode
    data = example("torchrl_ppo").read_ticks(chunked).rollout(20, break_when_any_done=False)
    assert set(data["next", "ticks"].flatten().tolist()) == {1, 2, 3, 4}
    data["steps_to_next_obs"] = data["next", "ticks"]
    data["state_value"] = data["next", "state_value"] = torch.full_like(data["next", "reward"], 2.0)
    estimator = TD0Estimator(gamma=GAMMA, value_network=None)
    assert estimator(data)["value_target"].flatten().tolist() == pytest.approx([2.0] * data.numel())


@pytest.mark.slow
@pytest.mark.parametrize("num_envs", [1, 4])
def test_the_critic_learns_what_a_state_is_worth(num_envs):
    train = example("torchrl_ppo").train
    assert train(num_envs, 20, mended=True) == pytest.approx(10, abs=1)
    assert train(num_envs, 20, mended=False) > 15
