"""Training experts with PPO on many Kinetix environments at once.

Every random number comes from the seed: the same settings and seed give the same checkpoints to the bit on one machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.common.normaliser import Normaliser
from chunkenv.agents.common.optim import averaged_weights, renew_bases, settings_facts
from chunkenv.agents.policies.expert import OBSERVATION, Expert
from chunkenv.agents.policies.expert_checkpoints import checkpoint_path, prune, save_expert, worth_keeping
from chunkenv.agents.ppo import Agent, Network, PPORollout, PPOSettings, expert_optimizer, update
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.level import used_channels
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.registration import TIME_LIMIT
from chunkenv.training.expert_evaluation import solved_episodes
from chunkenv.training.loop import Training
from chunkenv.training.metrics import Metrics
from chunkenv.utils.checks import whole_number
from chunkenv.utils.seeding import spawn


class PPOTraining(Training):
    """The training of one expert; its steps are control steps of all environments together.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.
        settings: hyper-parameters.
        seed: of everything, at least 0.

    Attributes:
        agent: what learns.
        normaliser: of the observations.
        envs: the environments.
        observations: float32[N, O], the present ones.
        history: steps and solve rate of each evaluation.
        seconds: of wall-clock time spent.
        cpu_seconds: of all cores' time spent.

    Raises:
        ArgumentError: for an invalid argument.
    """

    kind = "chunkenv training"

    def __init__(self, level: str, settings: PPOSettings, seed: int) -> None:
        self.level, self.settings, self._seed = level, settings, whole_number("seed", seed, at_least=0)
        self.total_steps = settings.updates * settings.batch
        self.report_every = self.evaluate_every = settings.evaluation_updates * settings.batch
        self.envs = KinetixVectorEnv(level, settings.envs, OBSERVATION, settings.reward)
        self._exploring, self._noise = spawn(seed, "policy"), spawn(seed, "action_noise")
        self.observations = reset_staggered(self.envs, self._exploring)
        size = self.observations.shape[1]
        self.graph, params = nnx.split(Network(size, used_channels(level), settings, nnx.Rngs(seed)))
        self.agent = Agent(params, expert_optimizer(settings).init(params))
        self.normaliser = Normaliser.of_none(size).with_batch(self.observations)
        self.updates, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        self.history: list[tuple[int, float]] = []

    @property
    def identity(self) -> Facts:
        """Level, seed and settings."""
        return {"level": self.level, "seed": self._seed, "settings": settings_facts(self.settings)}

    @property
    def steps(self) -> int:
        """Control steps that were played."""
        return self.updates * self.settings.batch

    @property
    def network(self) -> Network:
        """Actor and critic as they are now."""
        return nnx.merge(self.graph, self.agent.params)

    @property
    def expert(self) -> Expert:
        """What was learned, with the solve rate of the evaluation after these steps, if there was one."""
        return self._expert_of(averaged_weights(self.agent.optimizer_state, self.agent.params))

    def _expert_of(self, params: Any) -> Expert:
        network = nnx.merge(self.graph, params)
        kernels = [(layer.kernel, layer.bias) for layer in network.actor.layers if layer.bias is not None]
        layers = tuple((np.asarray(kernel[...]), np.asarray(bias[...])) for kernel, bias in kernels)
        rate = dict(self.history).get(self.steps, float("nan"))
        mean, scale = self.normaliser.mean.astype(np.float32), self.normaliser.scale
        std = np.exp(np.asarray(network.bounded_log_std))
        return Expert(self.level, self._seed, self.steps, rate, network.channels, mean, scale, layers, std)

    def advance(self) -> Metrics:
        """Play a rollout and learn from it."""
        with self._timed():
            rollout = self.collect()
            losses = self._learn(rollout)
            rows = rollout.observations.reshape(-1, rollout.observations.shape[2])
            self.normaliser = self.normaliser.with_batch(rows)
            self.updates += 1
            return {"steps": self.steps, **losses, **self._describe(rollout)}

    def evaluate(self) -> Metrics:
        """Play first episodes, with noise that no earlier evaluation had."""
        with self._timed():
            seed = int(np.random.SeedSequence((self._seed, self.updates)).generate_state(1)[0])
            settings = self.settings
            solved = solved_episodes(self.expert, settings.evaluation_episodes, seed, settings.action_noise)
            rate = float(solved.mean())
            self.history.append((self.steps, rate))
        return {"solve_rate": rate, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}

    def write_results(self, folder: Path) -> None:
        """Write the expert, and drop the checkpoints that are not worth keeping."""
        save_expert(checkpoint_path(folder, self.steps), self.expert, settings_facts(self.settings))
        prune(folder, worth_keeping(self.history))

    def state(self) -> tuple[Arrays, Facts]:
        """Agent, normaliser, environments, random streams and counts."""
        arrays = {f"agent{path}": np.asarray(leaf) for path, leaf in _leaves(self.agent)}
        arrays |= {"mean": self.normaliser.mean, "squares": self.normaliser.squares, "states": self.envs.get_states()}
        facts = {
            "observed": self.normaliser.count,
            "streams": [rng.bit_generator.state for rng in (self._exploring, self._noise)],
            "updates": self.updates,
            "history": self.history,
            "seconds": [self.seconds, self.cpu_seconds],
        }
        return arrays, facts

    def restore(self, arrays: Arrays, facts: Facts) -> None:
        """Take over what `state` returned."""
        leaves = [jnp.asarray(arrays[f"agent{name}"]) for name, _ in _leaves(self.agent)]
        self.agent = jax.tree.unflatten(jax.tree.structure(self.agent), leaves)
        self.normaliser = Normaliser(facts["observed"], arrays["mean"], arrays["squares"])
        self.envs.set_states(arrays["states"])
        self.observations = self.envs.observe()
        for rng, state in zip((self._exploring, self._noise), facts["streams"], strict=True):
            rng.bit_generator.state = state
        self.updates, (self.seconds, self.cpu_seconds) = facts["updates"], facts["seconds"]
        self.history = [(steps, rate) for steps, rate in facts["history"]]

    def collect(self) -> PPORollout:
        """Play the next ticks of the environments."""
        settings, expert = self.settings, self._expert_of(self.agent.params)
        used, shape = list(expert.channels), (settings.rollout, settings.envs)
        white = self._exploring.standard_normal((*shape, len(used)), np.float32)
        exploration = np.exp(np.asarray(self.network.bounded_log_std)) * persistent_noise(white, settings.persistence)
        noise = np.float32(settings.action_noise) * self._noise.standard_normal((*shape, N_ACTIONS), np.float32)
        ticks = []
        for tick in range(settings.rollout):
            actions = expert.actions(self.observations)[:, used] + exploration[tick]
            noise[tick][:, used] += actions
            ticks.append(self._play_tick(actions, noise[tick]))
        return PPORollout(*map(np.stack, zip(*ticks, strict=True)))

    def orders(self) -> np.ndarray:
        """The ticks of each minibatch, int32[epochs * minibatches, size]: each epoch takes all in a new order."""
        settings = self.settings
        shuffled = [self._exploring.permutation(settings.batch) for _ in range(settings.epochs)]
        return np.stack(shuffled).astype(np.int32).reshape(settings.epochs * settings.minibatches, -1)

    def _play_tick(self, actions: np.ndarray, noisy: np.ndarray) -> tuple[np.ndarray, ...]:
        """The columns of a `PPORollout` for one tick."""
        play = self.envs.play(noisy[:, None], np.ones(len(noisy), np.int64))
        ended = play.terminated | play.truncated
        failed = play.terminated & ~play.infos["success"]
        rewards = (play.rewards[:, 0] + (1 - self.settings.failure) * failed).astype(np.float32)
        flags = (play.terminated.astype(np.float32), ended.astype(np.float32), play.infos["success"])
        before, self.observations = self.observations, restart_ended(self.envs, play.observations, ended)
        return (before, play.observations, actions, rewards, *flags)

    def _learn(self, rollout: PPORollout) -> Metrics:
        """Update the agent; the losses."""
        normal = (self.normaliser.mean.astype(np.float32), self.normaliser.scale)
        key = jax.random.fold_in(jax.random.key(self._seed), self.updates)
        progress = jnp.float32(self.updates / self.settings.updates)
        agent, losses = update(
            self.agent, rollout, normal, self.orders(), key, progress, graph=self.graph, settings=self.settings
        )
        self.agent = renew_bases(agent)
        return {name: float(value) for name, value in losses.items()}

    def _describe(self, rollout: PPORollout) -> Metrics:
        ended = rollout.ended.sum()
        return {
            "reward": float(rollout.rewards.mean()),
            "training_solve_rate": float(rollout.success.sum() / ended) if ended else float("nan"),
            "std": float(jnp.exp(self.network.bounded_log_std).mean()),
        }

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Count what is done inside as time of the training."""
        start, start_cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - start_cpu


def reset_staggered(envs: KinetixVectorEnv, rng: np.random.Generator) -> np.ndarray:
    """Start episodes and play a random part of each, so that not all of them end at once; the observations."""
    envs.reset()
    ages = rng.integers(TIME_LIMIT, size=envs.num_envs)
    actions = rng.uniform(-1, 1, (envs.num_envs, TIME_LIMIT, N_ACTIONS)).astype(np.float32)
    play = envs.play(actions, ages)
    return restart_ended(envs, play.observations, play.terminated | play.truncated)


def restart_ended(envs: KinetixVectorEnv, observations: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """The observations to act on next: where an episode ended, the first one of a new episode."""
    if not ended.any():
        return observations
    fresh, _ = envs.restart(ended, [], None)
    return np.where(ended[:, None], fresh, observations)


def persistent_noise(white: np.ndarray, persistence: float) -> np.ndarray:
    """White noise [T, ...] as noise of the same spread that lasts: each tick keeps this share of the one before."""
    noise, fresh = white.copy(), np.float32(np.sqrt(1 - persistence**2))
    for tick in range(1, len(noise)):
        noise[tick] = persistence * noise[tick - 1] + fresh * white[tick]
    return noise


def _leaves(agent: Agent) -> list[tuple[str, jax.Array]]:
    """The arrays of an agent, each with the name of its place."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(agent)]
