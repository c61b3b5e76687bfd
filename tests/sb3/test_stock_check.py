import warnings
from functools import partial

import pytest
import sb3_contrib
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

from chunkenv.sb3 import ChunkA2C, ChunkPPO, ChunkReplayBuffer, make_sb3_env
from chunkenv.sb3.stock_check import WrongDiscountWarning
from tests.sb3.worlds import Line
from tests.worlds import ACTIONS

ON = {"n_steps": 8, "device": "cpu"}
OFF = {"learning_starts": 20, "buffer_size": 50, "device": "cpu"}
STOCK = {
    PPO: {**ON, "batch_size": 8},
    A2C: ON,
    SAC: OFF,
    TD3: OFF,
    sb3_contrib.TQC: OFF,
    sb3_contrib.CrossQ: OFF,
    sb3_contrib.TRPO: {**ON, "batch_size": 8},
}


def warned(learn):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        learn()
    return [str(warning.message) for warning in found if warning.category is WrongDiscountWarning]


def pays_for_ever(**arguments):
    return make_sb3_env(partial(Line, terminates=False), 2, **arguments)


@pytest.mark.parametrize("algorithm", STOCK)
@pytest.mark.parametrize("normalise", [False, True])
def test_one_warning_for_an_algorithm_that_has_one_gamma_only(algorithm, normalise):
    env = pays_for_ever(prediction_horizon=2)
    model = algorithm("MlpPolicy", VecNormalize(env) if normalise else env, **STOCK[algorithm])
    (sentence,) = warned(lambda: (model.learn(16), model.learn(16)))
    assert f"{algorithm.__name__} discounts every decision by gamma=0.99, but one of 2 control steps" in sentence
    assert (
        "ChunkReplayBuffer" if STOCK[algorithm] is OFF else f"PerDecisionDiscounts and {algorithm.__name__}"
    ) in sentence


def test_one_warning_for_numbered_chunks():
    env = make_sb3_env(partial(Line, action_space=ACTIONS["discrete"]), prediction_horizon=2, numbered=True)
    assert "0.9801" in warned(lambda: DQN("MlpPolicy", env, **OFF).learn(16))[0]


def test_no_warning_where_the_one_gamma_is_right():
    """One control step a decision, or n of them where gamma is discount**n; Line's 4 control steps are whole chunks."""
    world = partial(Line, end=4, terminates=False)
    assert not warned(
        lambda: PPO("MlpPolicy", make_sb3_env(world, prediction_horizon=1), n_steps=8, batch_size=8).learn(8)
    )
    env = make_sb3_env(world, prediction_horizon=2, discount=0.9)
    assert not warned(lambda: PPO("MlpPolicy", env, gamma=0.9**2, n_steps=8, batch_size=8).learn(8))


def test_no_warning_for_what_reads_the_discounts():
    env = pays_for_ever(prediction_horizon=2)
    assert not warned(lambda: ChunkPPO("MlpPolicy", env, **ON, batch_size=8).learn(16))
    assert not warned(lambda: ChunkA2C("MlpPolicy", env, **ON).learn(16))
    assert not warned(lambda: SAC("MlpPolicy", env, replay_buffer_class=ChunkReplayBuffer, **OFF).learn(16))


def test_no_warning_for_who_only_plays():
    env = pays_for_ever(prediction_horizon=2)
    model = PPO("MlpPolicy", env, **ON, batch_size=8)
    assert not warned(lambda: evaluate_policy(model, env, 2))
