"""Proximal policy optimisation on many Kinetix environments at once: the experts that demonstrate.

The algorithm is that of Schulman et al. 2017 (arXiv 1707.06347) with generalised advantage estimation (arXiv
1506.02438) and, as an option, the random shift of the mean of robust policy optimisation (arXiv 2212.07536). As in the
experts of real-time-chunking-kinetix, noise is added to each action before the engine clips it, in training too, motors
are squashed by tanh and thrusters by the logistic function. Unlike there, the observation is compact, a single one, and
networks are small: acting is numpy's (`chunkenv.agents.expert`), an update is one compiled function.

    expert(observation) + exploration + action noise -> environments -> rollout -> update -> expert ...

Every random number comes from the seed: the same settings and seed give the same checkpoints to the bit on one machine,
also when the training was killed and went on in between.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from chunkenv.agents import checkpoints
from chunkenv.agents.checkpoints import load
from chunkenv.agents.expert import FARTHEST, OBSERVATION, Expert, gains, solved, squashed, used_channels
from chunkenv.agents.metrics import Journal, Metrics
from chunkenv.agents.normaliser import Normaliser
from chunkenv.agents.ppo_settings import Settings
from chunkenv.checks import whole_number
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import TIME_LIMIT
from chunkenv.kinetix.layout import N_ACTIONS
from chunkenv.kinetix.vector_env import KinetixVectorEnv
from chunkenv.streams import spawn

__all__ = ["Settings", "load", "resume_or_begin", "train"]


class Perceptron(nnx.Module):
    """Layers with tanh between them, orthogonally initialised."""

    def __init__(self, sizes: tuple[int, ...], last_gain: float, rngs: nnx.Rngs) -> None:
        slopes = [2**0.5] * (len(sizes) - 2) + [last_gain]
        self.layers = nnx.List(
            nnx.Linear(before, after, kernel_init=nnx.initializers.orthogonal(slope), rngs=rngs)
            for before, after, slope in zip(sizes, sizes[1:], slopes, strict=False)
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers[:-1]:
            x = jnp.tanh(layer(x))
        return self.layers[-1](x)


class Network(nnx.Module):
    """Actor, critic, and a standard deviation for each channel that is the same everywhere."""

    def __init__(self, observation_size: int, channels: tuple[int, ...], settings: Settings, rngs: nnx.Rngs) -> None:
        self.channels = channels
        self.actor = Perceptron((observation_size, *settings.hidden, len(channels)), 0.01, rngs)
        self.critic = Perceptron((observation_size, *settings.hidden, 1), 1.0, rngs)
        self.log_std = nnx.Param(jnp.full(len(channels), np.log(settings.initial_std), jnp.float32))

    def mean(self, observations: jax.Array) -> jax.Array:
        """The mean action, float32[..., C]."""
        return squashed(self.actor(observations), gains(self.channels), jnp.tanh)

    def value(self, observations: jax.Array) -> jax.Array:
        """The discounted sum of rewards that is expected, float32[...]."""
        return self.critic(observations)[..., 0]

    def log_probability(self, mean: jax.Array, actions: jax.Array) -> jax.Array:
        """Of actions [..., C] under the Gaussian around `mean`, float32[...]."""
        z = (actions - mean) * jnp.exp(-self.log_std[...])
        return -0.5 * (z**2).sum(-1) - self.log_std[...].sum()


class Agent(NamedTuple):
    """What learns."""

    params: Any
    optimizer_state: Any


class Rollout(NamedTuple):
    """T ticks of N environments; the action is the one that was meant, before the action noise.

    Attributes:
        observations: float32[T, N, O], before the tick.
        following: float32[T, N, O], after it; where an episode ended its last one, not the next one's first.
        actions: float32[T, N, C].
        rewards: float32[T, N].
        terminated: float32[T, N], 1 where the task ended: nothing follows.
        ended: float32[T, N], 1 where the episode ended, by the time limit too: what follows is another's.
        success: bool[T, N].
    """

    observations: np.ndarray
    following: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    ended: np.ndarray
    success: np.ndarray


class Batch(NamedTuple):
    """What the losses need of M ticks: observations normalised, each other a number per tick (actions: C)."""

    observations: jax.Array
    actions: jax.Array
    log_probabilities: jax.Array
    advantages: jax.Array
    returns: jax.Array


def advantages(values: jax.Array, following: jax.Array, rollout: Rollout, settings: Settings) -> jax.Array:
    """Generalised advantage estimates, float32[T, N].

    A time limit is no end of the task: the value of the last observation is counted there (`following`), and only a
    termination is worth nothing afterwards.
    """
    rewards, terminated, ended = map(jnp.asarray, (rollout.rewards, rollout.terminated, rollout.ended))
    errors = rewards + settings.discount * (1 - terminated) * following - values
    keep = settings.discount * settings.trace * (1 - ended)

    def back(later: jax.Array, tick: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        now = tick[0] + tick[1] * later
        return now, now

    return jax.lax.scan(back, jnp.zeros_like(errors[0]), (errors, keep), reverse=True)[1]


def actor_loss(
    network: Network, batch: Batch, key: jax.Array, entropy: jax.Array, settings: Settings
) -> tuple[jax.Array, dict]:
    """The clipped surrogate objective, less the entropy bonus."""
    mean = network.mean(batch.observations)
    if settings.rpo:
        mean += jax.random.uniform(key, mean.shape, minval=-settings.rpo, maxval=settings.rpo)
    change = network.log_probability(mean, batch.actions) - batch.log_probabilities
    ratio = jnp.exp(change)
    advantage = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std() + 1e-8)
    clipped = jnp.clip(ratio, 1 - settings.clip, 1 + settings.clip)
    surrogate = jnp.minimum(ratio * advantage, clipped * advantage).mean()
    info = {"kl": (ratio - 1 - change).mean(), "clipped": (jnp.abs(ratio - 1) > settings.clip).mean()}
    return -surrogate - entropy * network.log_std[...].sum(), info


def critic_loss(network: Network, batch: Batch) -> jax.Array:
    """Mean squared error against the returns of the rollout."""
    return 0.5 * jnp.square(network.value(batch.observations) - batch.returns).mean()


def total_loss(
    params: Any, graph: Any, batch: Batch, key: jax.Array, entropy: jax.Array, settings: Settings
) -> tuple[jax.Array, dict]:
    """Both losses, and what is to be known about them."""
    network = nnx.merge(graph, params)
    actor, info = actor_loss(network, batch, key, entropy, settings)
    critic = critic_loss(network, batch)
    return actor + settings.value_weight * critic, {**info, "actor_loss": actor, "critic_loss": critic}


def make_optimizer(settings: Settings) -> optax.GradientTransformation:
    """Adam on clipped gradients; the learning rate falls linearly, to its last value with the last update."""
    count = settings.updates * settings.epochs * settings.minibatches
    rate = optax.linear_schedule(settings.learning_rate, settings.last_learning_rate, count)
    return optax.chain(optax.clip_by_global_norm(settings.max_gradient_norm), optax.adam(rate, eps=1e-5))


def make_batch(network: Network, rollout: Rollout, mean: jax.Array, scale: jax.Array, settings: Settings) -> Batch:
    """The rollout's ticks in one row, T * N of them, judged by the network that acted."""
    seen, following = (
        jnp.clip((x - mean) / scale, -FARTHEST, FARTHEST) for x in (rollout.observations, rollout.following)
    )
    values = network.value(seen)
    gain = advantages(values, network.value(following), rollout, settings)
    actions = jnp.asarray(rollout.actions)
    parts = (seen, actions, network.log_probability(network.mean(seen), actions), gain, gain + values)
    return Batch(*(part.reshape(-1, *part.shape[2:]) for part in parts))


@partial(jax.jit, static_argnames=("graph", "settings"))
def update(
    agent: Agent,
    rollout: Rollout,
    normal: tuple[jax.Array, jax.Array],
    order: jax.Array,
    key: jax.Array,
    entropy: jax.Array,
    *,
    graph: Any,
    settings: Settings,
) -> tuple[Agent, dict[str, jax.Array]]:
    """Learn from a rollout.

    Args:
        agent: as it acted in the rollout.
        rollout: what it did.
        normal: mean and scale of the observations then.
        order: int[epochs * minibatches, size], which ticks make up each minibatch.
        key: for the shifts of robust policy optimisation.
        entropy: weight of the bonus for a large standard deviation.
        graph: of the network, from `nnx.split`.
        settings: hyper-parameters.

    Returns:
        the agent afterwards, and the means of what is to be known about the losses.
    """
    batch = make_batch(nnx.merge(graph, agent.params), rollout, *normal, settings)
    optimizer = make_optimizer(settings)

    def descend(agent: Agent, part: tuple[jax.Array, jax.Array]) -> tuple[Agent, dict[str, jax.Array]]:
        rows = jax.tree.map(lambda column: column[part[0]], batch)
        gradients, info = jax.grad(total_loss, has_aux=True)(agent.params, graph, rows, part[1], entropy, settings)
        changes, optimizer_state = optimizer.update(gradients, agent.optimizer_state, agent.params)
        return Agent(optax.apply_updates(agent.params, changes), optimizer_state), info

    agent, infos = jax.lax.scan(descend, agent, (order, jax.random.split(key, len(order))))
    return agent, jax.tree.map(jnp.mean, infos)


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
    entropy = jnp.float32(run.settings.entropy * (1 - run.updates / run.settings.updates))
    run.agent, info = update(
        run.agent, rollout, normal, orders(run), key, entropy, graph=run.graph, settings=run.settings
    )
    return info


def evaluate(run: Run) -> float:
    """The solve rate now, with noise that no earlier evaluation had."""
    seed = int(np.random.SeedSequence((run.seed, run.updates)).generate_state(1)[0])
    rate = float(solved(run.expert, run.settings.evaluation_episodes, seed, run.settings.action_noise).mean())
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
    folder.mkdir(parents=True, exist_ok=True)
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
