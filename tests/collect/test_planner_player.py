import gymnasium as gym
import numpy as np
import pytest

from chunkenv.agents.sampling_planner import Planner, PlannerSettings
from chunkenv.collect.planner_player import PlannerPlayer
from chunkenv.evaluate import episode_seed, evaluate
from chunkenv.kinetix.level import used_channels
from chunkenv.wrappers import ActionNoise, ChunkedExecution

QUICK = PlannerSettings(samples=8, rounds=1, horizon=24, finalists=2, noise_draws=2)


def player(level, execution_horizon=4, noise=0.1):
    return PlannerPlayer(level, Planner(level, settings=QUICK), 3, noise, execution_horizon)


@pytest.mark.parametrize("level", ["chain_lander", "catapult"])
def test_what_is_kept_is_what_happens_again_in_one_environment(level):
    env = ActionNoise(gym.make(f"chunkenv/kinetix-{level}-v0", observation="compact"), 0.1)
    (episode,) = player(level).play([2])
    assert episode.seed == episode_seed(3, 2)
    seen, info = env.reset(seed=episode.seed)
    for tick, action in enumerate(episode.actions):
        assert np.array_equal(seen, episode.observations[tick])
        seen, reward, terminated, truncated, info = env.step(action)
        assert reward == episode.rewards[tick]
        assert (terminated or truncated) == (tick == len(episode.actions) - 1)
    assert np.array_equal(seen, episode.observations[-1])
    assert (terminated, info["success"]) == (episode.terminated, episode.success)


@pytest.mark.parametrize("level", ["chain_lander", "catapult"])
def test_channels_that_drive_nothing_are_zero(level):
    (episode,) = player(level).play([0])
    idle = [channel for channel in range(6) if channel not in used_channels(level)]
    assert (episode.actions[:, idle] == 0).all()
    assert (episode.actions[:, list(used_channels(level))] != 0).any()
    assert episode.actions.dtype == episode.observations.dtype == np.float32


def test_an_episode_hangs_on_its_number_only():
    first, second = player("chain_lander").play([0, 1])
    (again,) = player("chain_lander").play([1])
    assert all(np.array_equal(a, b) for a, b in zip(again, second, strict=True))
    assert first.actions.tobytes() != second.actions.tobytes()


def test_thrusters_stay_as_planned():
    (episode,) = player("chain_lander").play([0])
    assert episode.actions[:, 4:].min() < -0.2


def test_the_episodes_are_those_of_an_evaluation_with_the_same_seed():
    def make_env():
        world = gym.make("chunkenv/kinetix-chain_lander-v0", observation="state")
        return ChunkedExecution(ActionNoise(world, 0.1), 8, 4)

    rows = evaluate(make_env, Planner("chain_lander", settings=QUICK), episodes=3, seed=3)
    episodes = player("chain_lander").play(range(3))
    assert [(row["seed"], row["ticks"], row["success"]) for row in rows] == [
        (episode.seed, len(episode.actions), episode.success) for episode in episodes
    ]


def test_a_chunk_is_asked_for_as_often_as_said():
    asked = []

    class Listening(Planner):
        def infer(self, observation, request):
            asked.append(request.tick)
            return super().infer(observation, request)

    for horizon in (2, 8):
        asked.clear()
        planner = Listening("chain_lander", settings=QUICK)
        (episode,) = PlannerPlayer("chain_lander", planner, 0, 0.1, horizon).play([0])
        assert asked == list(range(0, len(episode.actions), horizon))
