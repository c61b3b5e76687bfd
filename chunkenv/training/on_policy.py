"""Training experts with PPO on many Kinetix environments at once: playing, evaluating, and going on after a kill.

Every random number comes from the seed: the same settings and seed give the same checkpoints to the bit on one machine,
also when the training was killed and went on in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.common.normaliser import Normaliser
from chunkenv.agents.policies.expert import OBSERVATION, Expert, used_channels
from chunkenv.agents.ppo import Agent, Network, Rollout, make_optimizer, update
from chunkenv.agents.ppo_settings import Settings
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import TIME_LIMIT
from chunkenv.kinetix.engine.layout import N_ACTIONS
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.training.expert_evaluation import solved_episodes
from chunkenv.training.metrics import Journal, Metrics
from chunkenv.utils.checks import whole_number
from chunkenv.utils.seeding import spawn


@dataclass
class Run:
    """A training under way: all that it needs to go on.

    Attributes:
        level: one of `chunkenv.kinetix.LEVELS`.
        settings: hyper-parameters.
        seed: of everything.
        graph: of the network.
        agent: what learns.
        normaliser: of the observations.
        envs: the environments.
        observations: float32[N, O], the present ones.
        exploring: the stream of exploration and of the order of minibatches.
        noise: the stream of the action noise.
        updates: how many were done.
        history: steps and solve rate of each evaluation.
        seconds: of wall-clock time spent.
        cpu_seconds: of all cores' time spent.
    """

    level: str
    settings: Settings
    seed: int
    graph: Any
    agent: Agent
    normaliser: Normaliser
    envs: KinetixVectorEnv
    observations: np.ndarray
    exploring: np.random.Generator
    noise: np.random.Generator
    updates: int
    history: list[tuple[int, float]]
    seconds: float
    cpu_seconds: float

    @property
    def steps(self) -> int:
        """Control steps played in all environments together."""
        return self.updates * self.settings.batch

    @property
    def expert(self) -> Expert:
        """The agent as it is now, with the solve rate of the evaluation after these steps, if there was one."""
        network = nnx.merge(self.graph, self.agent.params)
        layers = tuple((np.asarray(layer.kernel[...]), np.asarray(layer.bias[...])) for layer in network.actor.layers)
        rate = dict(self.history).get(self.steps, float("nan"))
        mean = self.normaliser.mean.astype(np.float32)
        return Expert(self.level, self.seed, self.steps, rate, network.channels, mean, self.normaliser.scale, layers)


def begin(level: str, settings: Settings, seed: int) -> Run:
    """A new training.

    Raises:
        ArgumentError: for an argument that cannot be meant.
    """
    seed = whole_number("seed", seed, at_least=0)
    envs = KinetixVectorEnv(level, settings.envs, OBSERVATION, settings.reward)
    exploring, noise = spawn(seed, "policy"), spawn(seed, "action_noise")
    observations = staggered(envs, exploring)
    size = observations.shape[1]
    network = Network(size, used_channels(level), settings, nnx.Rngs(seed))
    graph, params = nnx.split(network)
    agent = Agent(params, make_optimizer(settings).init(params))
    normaliser = Normaliser.of_none(size).with_batch(observations)
    return Run(level, settings, seed, graph, agent, normaliser, envs, observations, exploring, noise, 0, [], 0.0, 0.0)


def staggered(envs: KinetixVectorEnv, rng: np.random.Generator) -> np.ndarray:
    """Start episodes and play a random part of each, so that not all of them end at once; the observations."""
    envs.reset()
    ages = rng.integers(TIME_LIMIT, size=envs.num_envs)
    actions = rng.uniform(-1, 1, (envs.num_envs, TIME_LIMIT, N_ACTIONS)).astype(np.float32)
    play = envs.play(actions, ages)
    return after(envs, play.observations, play.terminated | play.truncated)


def after(envs: KinetixVectorEnv, observations: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """The observations to act on next: where an episode ended, the first one of a new episode."""
    if not ended.any():
        return observations
    fresh, _ = envs.restart(ended, [], None)
    return np.where(ended[:, None], fresh, observations)


def collect(run: Run) -> Rollout:
    """Play the next ticks of the environments."""
    settings, expert = run.settings, run.expert
    used, shape = list(expert.channels), (settings.rollout, settings.envs)
    std = np.exp(np.asarray(nnx.merge(run.graph, run.agent.params).log_std[...]))
    exploration = std * persistent(run.exploring.standard_normal((*shape, len(used)), np.float32), settings.persistence)
    noise = np.float32(settings.action_noise) * run.noise.standard_normal((*shape, N_ACTIONS), np.float32)
    ticks = []
    for tick in range(settings.rollout):
        actions = expert.actions(run.observations)[:, used] + exploration[tick]
        noise[tick][:, used] += actions
        play = run.envs.play(noise[tick][:, None], np.ones(settings.envs, np.int64))
        ended = play.terminated | play.truncated
        failed = play.terminated & ~play.infos["success"]
        rewards = (play.rewards[:, 0] + (1 - settings.failure) * failed).astype(np.float32)
        flags = (play.terminated.astype(np.float32), ended.astype(np.float32), play.infos["success"])
        ticks.append((run.observations, play.observations, actions, rewards, *flags))
        run.observations = after(run.envs, play.observations, ended)
    return Rollout(*map(np.stack, zip(*ticks, strict=True)))


def persistent(white: np.ndarray, persistence: float) -> np.ndarray:
    """White noise [T, ...] as noise of the same spread that lasts: each tick keeps this share of the one before."""
    noise, fresh = white.copy(), np.float32(np.sqrt(1 - persistence**2))
    for tick in range(1, len(noise)):
        noise[tick] = persistence * noise[tick - 1] + fresh * white[tick]
    return noise


def orders(run: Run) -> np.ndarray:
    """Which ticks make up each minibatch, int32[epochs * minibatches, size]: each epoch takes all in a new order."""
    settings = run.settings
    shuffled = [run.exploring.permutation(settings.batch) for _ in range(settings.epochs)]
    return np.stack(shuffled).astype(np.int32).reshape(settings.epochs * settings.minibatches, -1)


def advance(run: Run) -> Metrics:
    """One rollout and what is learned from it."""
    rollout = collect(run)
    info = learn(run, rollout)
    run.normaliser = run.normaliser.with_batch(rollout.observations.reshape(-1, rollout.observations.shape[2]))
    run.updates += 1
    ended = rollout.ended.sum()
    return {
        "steps": run.steps,
        **{name: float(value) for name, value in info.items()},
        "reward": float(rollout.rewards.mean()),
        "training_solve_rate": float(rollout.success.sum() / ended) if ended else float("nan"),
        "std": float(jnp.exp(nnx.merge(run.graph, run.agent.params).log_std[...]).mean()),
    }


def learn(run: Run, rollout: Rollout) -> dict[str, jax.Array]:
    """Update the agent; what is to be known about the losses."""
    normal = (run.normaliser.mean.astype(np.float32), run.normaliser.scale)
    key = jax.random.fold_in(jax.random.key(run.seed), run.updates)
    progress = jnp.float32(run.updates / run.settings.updates)
    run.agent, info = update(
        run.agent, rollout, normal, orders(run), key, progress, graph=run.graph, settings=run.settings
    )
    return info


def evaluate(run: Run) -> float:
    """The solve rate now, with noise that no earlier evaluation had."""
    seed = int(np.random.SeedSequence((run.seed, run.updates)).generate_state(1)[0])
    rate = float(solved_episodes(run.expert, run.settings.evaluation_episodes, seed, run.settings.action_noise).mean())
    run.history.append((run.steps, rate))
    return rate


@contextmanager
def timed(run: Run) -> Iterator[None]:
    """Count what is done inside as time of the training."""
    began, began_cpu = time.perf_counter(), time.process_time()
    yield
    run.seconds += time.perf_counter() - began
    run.cpu_seconds += time.process_time() - began_cpu


def train(run: Run, folder: Path) -> Iterator[Metrics]:
    """Go on with a training to its end; yields after each update, with "solve_rate" where it was evaluated.

    Checkpoints, the file to go on from and metrics are written after each evaluation; a kill loses at most what came
    after the last one, and is made good to the bit by going on.

    Args:
        run: from `resume_or_begin`.
        folder: of this run, see `checkpoints.run_folder`.
    """
    journal = Journal(folder, run.steps)
    while run.updates < run.settings.updates:
        with timed(run):
            metrics = advance(run)
            due = run.updates % run.settings.evaluation_updates == 0 or run.updates == run.settings.updates
            rate = {"solve_rate": evaluate(run)} if due else {}
        if due:
            metrics |= {**rate, "seconds": run.seconds, "cpu_seconds": run.cpu_seconds}
            journal.write(metrics)
            keep(run, folder)
        yield metrics


def keep(run: Run, folder: Path) -> None:
    """Write the expert, then the file to go on from, then drop what is not worth keeping: a kill may come anywhere."""
    settings = asdict(run.settings)
    checkpoints.save_expert(checkpoints.checkpoint_path(folder, run.steps), run.expert, settings)
    arrays, facts = packed(run)
    checkpoints.write(folder / "resume.safetensors", checkpoints.TRAINING, arrays, facts)
    checkpoints.prune(folder, checkpoints.worth_keeping(run.history))


def packed(run: Run) -> tuple[checkpoints.Arrays, dict[str, Any]]:
    """All of a run as arrays and facts."""
    learned = {f"agent{path}": np.asarray(leaf) for path, leaf in _leaves(run.agent)}
    observed = {"mean": run.normaliser.mean, "squares": run.normaliser.squares, "states": run.envs.get_states()}
    facts = {
        "level": run.level,
        "seed": run.seed,
        "settings": asdict(run.settings),
        "observed": run.normaliser.count,
        "streams": [rng.bit_generator.state for rng in (run.exploring, run.noise)],
        "updates": run.updates,
        "history": run.history,
        "seconds": [run.seconds, run.cpu_seconds],
    }
    return {**learned, **observed}, facts


def resume_or_begin(level: str, settings: Settings, seed: int, folder: Path) -> Run:
    """The training that lies in a folder, to go on with it, or a new one.

    Raises:
        ArgumentError: an argument cannot be meant, the file to go on from is damaged, or belongs to another training.
    """
    path = folder / "resume.safetensors"
    if not path.exists():
        return begin(level, settings, seed)
    arrays, facts = checkpoints.read(path, checkpoints.TRAINING)
    _expect_same(path, facts, {"level": level, "seed": seed, **asdict(settings)})
    run = begin(level, settings, seed)
    leaves = [jnp.asarray(arrays[f"agent{name}"]) for name, _ in _leaves(run.agent)]
    run.agent = jax.tree.unflatten(jax.tree.structure(run.agent), leaves)
    run.normaliser = Normaliser(facts["observed"], arrays["mean"], arrays["squares"])
    run.envs.set_states(arrays["states"])
    run.observations = run.envs.observe()
    for rng, state in zip((run.exploring, run.noise), facts["streams"], strict=True):
        rng.bit_generator.state = state
    run.updates, (run.seconds, run.cpu_seconds) = facts["updates"], facts["seconds"]
    run.history = [(steps, rate) for steps, rate in facts["history"]]
    checkpoints.prune(folder, checkpoints.worth_keeping(run.history))
    return run


def _leaves(agent: Agent) -> list[tuple[str, Any]]:
    """The arrays of an agent, each with the name of its place."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(agent)]


def _expect_same(path: Path, facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with a training by other settings."""
    begun = {"level": facts["level"], "seed": facts["seed"], **facts["settings"]}
    for name, value in json.loads(json.dumps(wanted)).items():
        if begun.get(name) != value:
            raise ArgumentError(
                f"{path} was begun with {name}={begun.get(name)!r}, not {value!r}; give the same, or another folder."
            )
