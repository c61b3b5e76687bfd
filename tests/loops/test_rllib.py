"""RLlib's own targets over chunks against values by hand, and its PPO in both ways to make a vector."""

import numpy as np
import pytest

from chunkenv.wrappers import ChunkedExecution
from tests.loops.by_hand import GAMMA, LAST, ONE_GAMMA, VALUES, Paid, example

pytest.importorskip("ray.rllib", exc_type=ImportError)


def play(ending):
    """An episode as RLlib keeps it."""
    from ray.rllib.env.single_agent_episode import SingleAgentEpisode

    env = ChunkedExecution(Paid(ending), prediction_horizon=4, discount=GAMMA)
    episode = SingleAgentEpisode(observation_space=env.observation_space, action_space=env.action_space)
    episode.add_env_reset(*env.reset(seed=0))
    while not episode.is_done:
        chunk = np.zeros((4, 1), np.float32)
        observation, reward, terminated, truncated, info = env.step(chunk)
        episode.add_env_step(observation, chunk, reward, info, terminated=terminated, truncated=truncated)
    return episode


def targets(ending, mended):
    """What PPO of RLlib makes of that episode, when the value of its end is right and all others are 0."""
    from ray.rllib.connectors.learner import AddOneTsToEpisodesAndTruncate
    from ray.rllib.utils.postprocessing.value_predictions import compute_value_targets

    episodes, batch = [play(ending)], {}
    batch = AddOneTsToEpisodesAndTruncate()(rl_module=None, batch=batch, episodes=episodes, shared_data={})
    if mended:
        batch = example("rllib_ppo").DiscountOfDecisions(GAMMA)(rl_module=None, batch=batch, episodes=episodes)
    (ends,), (cuts,) = batch["terminateds"].values(), batch["truncateds"].values()
    values, rewards = np.array([0.0, 0.0, 0.0, LAST[ending]]), np.array(episodes[0].get_rewards())
    found = compute_value_targets(values, rewards, np.array(ends, float), np.array(cuts, float), GAMMA, 1.0)
    return found[:3]


@pytest.mark.parametrize("ending", VALUES)
def test_with_the_discounts_targets_are_the_values_by_hand(ending):
    assert targets(ending, mended=True) == pytest.approx(VALUES[ending])


@pytest.mark.parametrize("ending", VALUES)
def test_without_them_they_are_others(ending):
    assert targets(ending, mended=False) == pytest.approx(ONE_GAMMA[ending])


@pytest.mark.slow
@pytest.mark.parametrize("chunks", ["inside", "around"])
def test_the_critic_learns_what_a_state_is_worth(chunks):
    import ray
    from ray.tune import register_env

    loop = example("rllib_ppo")
    register_env("late", loop.make_env)
    register_env("late-vector", loop.make_envs)
    ray.init(num_cpus=1, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        assert loop.train(chunks, 15, mended=True) == pytest.approx(10, abs=1)
        assert loop.train(chunks, 15, mended=False) > 18
    finally:
        ray.shutdown()
