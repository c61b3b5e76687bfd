"""Your own vision-language-action model in PyTorch: images and words in, chunks out, under Real-Time Chunking.

    python examples/own_vla.py

Needs `pip install "chunkenv[manipulation,render]" torch`. The model is small and has learned nothing: put yours in its
place. What it makes of the image and the words is computed once for a chunk, then denoised in a few steps.
"""

import zlib

import gymnasium as gym
import numpy as np
import torch

import chunkenv
from chunkenv.strategies import RTC, Naive, stack_requests

HORIZON, SIZE, STEPS, WIDTH = 8, 5, 4, 64


class TorchVLA(torch.nn.Module):
    """The few methods that strategies need: `chunkenv.strategies.Denoiser`."""

    prediction_horizon, action_size, steps = HORIZON, SIZE, STEPS
    flops_per_observation, flops_per_evaluation = 2 * 512 * (192 + WIDTH), 2 * WIDTH * (WIDTH + 81)

    def __init__(self):
        super().__init__()
        self.look = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, 8), torch.nn.Flatten(), torch.nn.Linear(512, WIDTH))
        self.words = torch.nn.EmbeddingBag(1024, WIDTH)
        self.act = torch.nn.Sequential(
            torch.nn.Linear(WIDTH + HORIZON * SIZE + 1, WIDTH), torch.nn.SiLU(), torch.nn.Linear(WIDTH, HORIZON * SIZE)
        )

    def see(self, observations):
        """One vector for each image and its instruction, [N, 64]; words by their hash."""
        frames = torch.as_tensor(observations["pixels"]).permute(0, 3, 1, 2) / 255
        said = [[zlib.crc32(word.encode()) % 1024 for word in str(s).split()] for s in observations["instruction"]]
        return self.look(frames) + torch.cat([self.words(torch.tensor([numbers])) for numbers in said])

    def velocity(self, seen, chunks, time):
        """From noise (time 0) to data (time 1), given what was seen."""
        times = torch.full((len(chunks), 1), float(time))
        return self.act(torch.cat([seen, chunks.flatten(1), times], dim=1)).reshape(chunks.shape)

    def velocity_vjp(self, seen, chunks, time):
        """The velocity, and the function that multiplies by its transposed Jacobian in `chunks`."""
        with torch.enable_grad():
            given = chunks.detach().requires_grad_()
            velocity = self.velocity(seen, given, time)
        return velocity.detach(), lambda cotangent: torch.autograd.grad(velocity, given, cotangent)[0]

    def compile(self, loop):
        """A loop of a strategy as a function of arrays; what is seen is computed before it."""

        def run(observations, *arrays):
            with torch.no_grad():
                return loop(self, self.see(observations), *map(torch.as_tensor, arrays)).numpy()

        return run

    def to_network(self, actions):
        """The network uses actions unchanged."""
        return actions

    def to_actions(self, chunks):
        """What the robot can do, from -1 to 1."""
        return np.clip(chunks, -1, 1)

    def infer(self, observation, request):
        """One chunk: a batch of one."""
        batch = {name: np.stack([part]) for name, part in observation.items()}
        return self.infer_batch(batch, stack_requests([request], rows=HORIZON))[0]

    def infer_batch(self, observations, request):
        """Many chunks, each from the noise of its own episode's generator."""
        noise = np.stack([rng.standard_normal((HORIZON, SIZE), np.float32) for rng in request.rng])
        return self.to_actions(self.compile(euler)(observations, noise))


def euler(denoiser, seen, chunks):
    """Integrate from noise to a chunk."""
    for step in range(STEPS):
        chunks = chunks + denoiser.velocity(seen, chunks, step / STEPS) / STEPS
    return chunks


def make_env():
    """A cube, seen from the front, that is to be put somewhere; each inference takes two ticks."""
    task = gym.make("chunkenv/manip-cube-single-v0", goal="instruction", observation="pixels", max_episode_steps=20)
    return chunkenv.ChunkedExecution(task, HORIZON, 4, latency=2)


if __name__ == "__main__":
    torch.manual_seed(0)
    print(make_env().reset(seed=0)[0]["instruction"])
    model = TorchVLA()
    for name, policy in {"naive": Naive(model), "RTC": RTC(model)}.items():
        (row,) = chunkenv.evaluate(make_env, policy, episodes=1, seed=0)
        print(f"{name:<6} {row['ticks']} ticks, {row['decisions']} chunks, {policy.cost}")
