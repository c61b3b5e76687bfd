"""Your own goal-conditioned environment: goals in hindsight, and a weight on the goal that is chosen when acting.

    python examples/goal_conditioned.py [--updates 3000]

Needs `pip install "chunkenv[agents]"`, and a minute. Nobody in the data is after a goal: they wander. A policy learns
which chunks led where (CFGRL), and plays with an inference delay of one tick, with more and more weight on its goal.
"""

import argparse
import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np

from chunkenv import ChunkedExecution, evaluate
from chunkenv.agents import ChunkPolicy, settings_for
from chunkenv.data import Episode, write_episodes
from chunkenv.training import GoalTraining, GoalTrainingConfig, train

SQUARE, TICKS = gym.spaces.Box(-1, 1, (2,), np.float32), 40


class Plane(gym.Env):
    """A point in a square that is to be near a goal; an action moves it by a tenth."""

    action_space = SQUARE
    observation_space = gym.spaces.Dict({"observation": SQUARE, "achieved_goal": SQUARE, "desired_goal": SQUARE})

    def compute_reward(self, achieved, desired, info):
        """0 near the goal, else -1; of one or of many."""
        return (np.linalg.norm(achieved - desired, axis=-1) < 0.15) - 1.0

    def reset(self, *, seed=None, options=None):
        """A place and a goal, both anywhere."""
        super().reset(seed=seed)
        (self.place, self.goal), self.ticks = self.np_random.uniform(-1, 1, (2, 2)).astype(np.float32), 0
        return self.observe(), {}

    def step(self, action):
        """The episode ends near the goal, or after 40 ticks."""
        self.place, self.ticks = np.clip(self.place + 0.1 * action, -1, 1, dtype=np.float32), self.ticks + 1
        reward = float(self.compute_reward(self.place, self.goal, {}))
        return self.observe(), reward, reward == 0, reward < 0 and self.ticks == TICKS, {"is_success": reward == 0}

    def observe(self):
        """The place is what is achieved, too."""
        return {"observation": self.place.copy(), "achieved_goal": self.place.copy(), "desired_goal": self.goal.copy()}


def wander(rng):
    """An episode of actions that last for four ticks on average."""
    env, actions = Plane(), []
    places = [env.reset(seed=int(rng.integers(2**31)))[0]["observation"]]
    while len(actions) < TICKS:
        actions += [rng.uniform(-1, 1, 2).astype(np.float32)] * rng.geometric(0.25)
    places += [env.step(action)[0]["observation"] for action in actions[:TICKS]]
    return Episode(np.stack(places), np.stack(actions[:TICKS]), np.zeros(TICKS, np.float32), False, False, 0, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=3000)
    updates, rng = parser.parse_args().updates, np.random.default_rng(0)
    gym.register("Plane-v0", entry_point=Plane)
    folder = Path(tempfile.mkdtemp())
    data = write_episodes(folder / "data", [wander(rng) for _ in range(500)], {"level": "Plane-v0"})
    settings = settings_for("cfgrl", chunk=4, delay=1, form="goal", hidden=(128, 128), learning_rate=1e-3)
    config = GoalTrainingConfig("Plane-v0", updates=updates, evaluate_every=updates, episodes=1)
    training = GoalTraining(config, "cfgrl", settings, data, seed=0)
    losses = [metrics["flow_loss"] for metrics in train(training, folder / "run")]
    print(f"loss of the flow {losses[0]:.3f}, after {updates} updates {losses[-1]:.3f}")
    for weight in (0.0, 1.0, 2.0, 4.0):
        policy = ChunkPolicy(training.agent.with_guidance(weight))
        rows = evaluate(lambda: ChunkedExecution(Plane(), 5, 4, latency=1), policy, episodes=100, seed=1)
        print(f"weight {weight:g}: reaches {np.mean([bool(row['success']) for row in rows]):.0%} of its goals")
