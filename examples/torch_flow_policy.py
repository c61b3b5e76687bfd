"""A flow policy in PyTorch, used with Real-Time Chunking through the denoiser protocol.

    python examples/torch_flow_policy.py

Needs `pip install "chunkenv" torch`. A point flies over a wall that may be passed on either side; the policy learns
both from demonstrations in seconds. With a new chunk every three ticks, two ticks late, it keeps changing sides: the
velocity jumps where chunks meet. Guided by the rest of its last chunk it stays on one side.
"""

import gymnasium as gym
import numpy as np
import torch

import chunkenv
from chunkenv.strategies import RTC, Naive, stack_requests

HORIZON, SIZE, STEPS = 8, 1, 5


class Wall(gym.Env):
    """Flies ahead by itself for 30 ticks; the action is the sideways velocity, and the wall is at tick 24."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def _observation(self):
        return np.array([self.tick / 30, self.side], np.float32)

    def reset(self, *, seed=None, options=None):
        """Start in the middle, where both sides are equally near."""
        super().reset(seed=seed)
        self.tick, self.side = 0, 0.0
        return self._observation(), {}

    def step(self, action):
        """An episode succeeds if it passes the wall at a distance of at least 0.5 from its middle."""
        self.tick, self.side = self.tick + 1, self.side + 0.05 * float(np.clip(action[0], -1, 1))
        hit = self.tick == 24 and abs(self.side) < 0.5
        return self._observation(), 0.0, hit, self.tick == 30, {"success": self.tick == 30}


class TorchFlow:
    """A velocity network over chunks, with the few methods that strategies need: `chunkenv.strategies.Denoiser`."""

    prediction_horizon, action_size, steps = HORIZON, SIZE, STEPS

    def __init__(self, width=128):
        torch.manual_seed(0)
        inputs = 2 + HORIZON * SIZE + 1
        layers = [torch.nn.Linear(inputs, width), torch.nn.SiLU(), torch.nn.Linear(width, width), torch.nn.SiLU()]
        self.network = torch.nn.Sequential(*layers, torch.nn.Linear(width, HORIZON * SIZE))
        products = inputs * width + width * width + width * HORIZON * SIZE
        self.flops_per_evaluation = 2 * products

    def velocity(self, observations, chunks, time):
        """From noise (time 0) to data (time 1); a number or a tensor [N, 1]."""
        times = torch.zeros(len(chunks), 1) + time
        return self.network(torch.cat([observations, chunks.flatten(1), times], dim=1)).reshape(chunks.shape)

    def velocity_vjp(self, observations, chunks, time):
        """The velocity, and the function that multiplies by its transposed Jacobian in `chunks`."""
        with torch.enable_grad():
            given = chunks.detach().requires_grad_()
            velocity = self.velocity(observations, given, time)
        return velocity.detach(), lambda cotangent: torch.autograd.grad(velocity, given, cotangent)[0]

    def compile(self, loop):
        """A loop of a strategy as a function of NumPy arrays; `torch.compile` would go here."""

        def run(*arrays):
            with torch.no_grad():
                return loop(self, *map(torch.as_tensor, arrays)).numpy()

        return run

    def to_network(self, actions):
        """The network uses actions unchanged."""
        return actions

    def to_actions(self, chunks):
        """The inverse."""
        return chunks

    def infer(self, observation, request):
        """One chunk: a batch of one."""
        return self.infer_batch(np.asarray(observation)[None], stack_requests([request], rows=HORIZON))[0]

    def infer_batch(self, observations, request):
        """Many chunks, each from the noise of its own episode's generator."""
        noise = np.stack([rng.standard_normal((HORIZON, SIZE), np.float32) for rng in request.rng])
        return self.compile(euler)(observations, noise)


def euler(denoiser, observations, noise):
    """Integrate from noise to a chunk."""
    chunks = noise
    for step in range(STEPS):
        chunks = chunks + denoiser.velocity(observations, chunks, step / STEPS) / STEPS
    return chunks


def train(policy, updates=600, batch=256):
    """Flow matching on demonstrations that stay on their side, and choose either side from the middle."""
    optimizer = torch.optim.Adam(policy.network.parameters(), 2e-3)
    for _ in range(updates):
        tick, side = torch.rand(batch, 1), 2.4 * torch.rand(batch, 1) - 1.2
        goes = torch.sign(side + 0.5 * torch.randn(batch, 1))
        data = goes[:, None].expand(batch, HORIZON, SIZE)
        noise, time = torch.randn(batch, HORIZON, SIZE), torch.rand(batch, 1)
        noisy = (1 - time[:, None]) * noise + time[:, None] * data
        velocity = policy.velocity(torch.cat([tick, side], dim=1), noisy, time)
        loss = ((velocity - (data - noise)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return policy


def make_env():
    """The wall with chunks and a delay of two ticks."""
    return chunkenv.ChunkedExecution(Wall(), HORIZON, 3, latency=2, control_dt=0.05, info="full")


def jump(policy):
    """The mean change of the velocity where chunks meet, over an episode."""
    env, rng, actions, ended = make_env(), np.random.default_rng(0), [], False
    observation, _ = env.reset(seed=0)
    while not ended:
        observation, _, terminated, truncated, info = env.step(policy.infer(observation, env.request._replace(rng=rng)))
        actions += [float(action[0]) for action in info["actions"]]
        ended = terminated or truncated
    return np.abs(np.diff(actions)).mean()


if __name__ == "__main__":
    flow = train(TorchFlow())
    for name, policy in {"naive": Naive(flow), "RTC": RTC(flow)}.items():
        rows = chunkenv.evaluate(make_env, policy, episodes=50, seed=0)
        solved = np.mean([row["success"] for row in rows])
        print(f"{name:<6} solves {solved:.0%}; change of velocity a tick {jump(policy):.2f}; {policy.cost}")
