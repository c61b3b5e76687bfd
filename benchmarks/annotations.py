"""What frames become by annotation bootstrapping and its baselines: linear probes, then imitation from pixels.

    chunkenv data collect cube-single --goals train --style play --observation pixels --transitions 20000 --seed 100 \
        --out data/cube-single-frames
    chunkenv data collect cube-single-task2 --style task --observation pixels --episodes 100 --seed 101 \
        --out data/cube-single-task2-frames
    for seed in 0 1 2; do
        for kind in instances predicates prototypes; do
            for weight in 0 1; do
                chunkenv train annotations cube-single --data data/cube-single-frames --annotations $kind \
                    --bootstrap-weight $weight --seed $seed
            done
        done
    done
    python benchmarks/annotations.py --probe data/cube-single-frames
    chunkenv bench run benchmarks/annotations.py                      # results/annotations-imitation
    python benchmarks/annotations.py --study results/annotations-imitation

All go on after an interruption: what a probe has found is kept beside its encoder. A probe is a ridge regression of
what an encoder makes of whole frames on episodes that are held out from encoders and probes: R^2 of the positions of
objects, of the gripper's position and opening, and of its contact. Imitation is of 30 and of 60 demonstrations by a
flow policy that sees the frozen encoder's features beside the robot's state. "random" has convolutions as they are
drawn. Every encoder stands beside SimCLR, seed by seed; intervals are 95 %, from a bootstrap over seeds (of three: the
minimum and the maximum).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from markdown_tables import heading, line
from qc_study import Seeds, describe_differences, describe_mean, describe_rates, differences, group, read_rows

from chunkenv import ChunkedExecution
from chunkenv.agents.annotations import EncoderSize, FrameEncoder, load_encoder, random_encoder
from chunkenv.agents.flow_matching import FlowSettings
from chunkenv.bench import Cell, Study
from chunkenv.data import Dataset, SavedFrames, Windows, choose_episodes, load, split_episodes
from chunkenv.evaluate import Row, episode_seed, play_episode
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.goals import ARM_FEATURES, objects_of
from chunkenv.registration import read_id, task_of_level
from chunkenv.training import FlowTraining, train_once
from chunkenv.utils.files import atomic_file

# Before jax starts: one thread for each worker.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

FAMILY_NAME, TASK = "cube-single", "cube-single-task2"
ENCODERS, DATA, POLICIES = (Path(*parts) for parts in (("results", "annotations"), ("data",), ("results", "encoded")))
ARMS: dict[str, tuple[str, str]] = {
    "random": ("", ""),
    "SimCLR": ("instances", "bootstrap0"),
    "bootstrapped instances": ("instances", "bootstrap1"),
    "prototypes": ("prototypes", "bootstrap0"),
    "bootstrapped prototypes": ("prototypes", "bootstrap1"),
    "supervised predicates": ("predicates", "bootstrap0"),
    "bootstrapped predicates": ("predicates", "bootstrap1"),
}
"""Where the encoders of each arm lie; the first are drawn."""
CONTROL = "SimCLR"
SEEDS, DEMONSTRATIONS, EPISODES = (0, 1, 2), (30, 60), 50
ROWS, EXECUTED = 10, 5
FINAL_SEED = 1_000_001
"""The seed of the study: no data have its episodes."""
TARGETS = ("objects", "gripper", "contact")
GRIPPER, CONTACT = (12, 13, 14, 17), (18,)
"""Of the features: where the gripper is and how far open; and what it touches."""
RIDGE = 1e-3
"""Of the regression, as a share of the number of frames; features have a standard deviation of 1."""


@dataclass(frozen=True)
class EncodedCell(Cell):
    """A policy by the encoder that it sees with, and what it was trained with.

    Attributes:
        method: one of `ARMS`.
        demonstrations: how many it imitates.
        training_seed: of encoder, policy and choice of demonstrations.
        updates: of the policy.
        batch: windows in an update.
    """

    demonstrations: int
    training_seed: int = 0
    updates: int = 5000
    batch: int = 512


def make_study() -> Study:
    """Every encoder, from 30 and 60 demonstrations: results/annotations-imitation."""
    return study("annotations-imitation", cells())


def cells(
    arms: Iterable[str] = tuple(ARMS),
    seeds: Iterable[int] = SEEDS,
    demonstrations: Iterable[int] = DEMONSTRATIONS,
    rows: int = ROWS,
    executed: int = EXECUTED,
    **training: int,
) -> list[EncodedCell]:
    """Every encoder with every number of demonstrations and seed."""
    return [
        EncodedCell(TASK, arm, 0, executed, rows, count, seed, **training)
        for arm, count, seed in product(arms, demonstrations, seeds)
    ]


def study(
    name: str,
    settings: Sequence[EncodedCell],
    folders: tuple[Path, Path, Path] = (ENCODERS, DATA, POLICIES),
    episodes: int = EPISODES,
) -> Study:
    """The study of some cells."""
    encoders, data, policies = (folder.absolute() for folder in folders)
    player = partial(play, encoders=encoders, data=data, policies=policies)
    return Study(name, tuple(settings), episodes=episodes, batch=episodes, seed=FINAL_SEED, play=player)


class EncodedFrames(gym.ObservationWrapper):
    """An environment of "pixels+robot" whose observation is what an encoder makes of the frame, and the robot's state.

    Args:
        env: with frames.
        encoder: that stays as it is.
    """

    def __init__(self, env: gym.Env, encoder: FrameEncoder) -> None:
        super().__init__(env)
        self._encoder = encoder
        size = encoder.size.features + ARM_FEATURES
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (size,), np.float32)

    def observation(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """One frame."""
        return np.concatenate([self._encoder.features(observation["pixels"][None])[0], observation["robot"]])


def play(
    cell: EncodedCell, episodes: tuple[int, ...], seed: int, encoders: Path, data: Path, policies: Path
) -> list[Row]:
    """Train the policy if it is missing, and play these episodes."""
    encoder = encoder_of(cell.method, cell.training_seed, encoders)
    about = f"{cell.demonstrations} demonstrations, {cell.updates} updates of {cell.batch}"
    folder = policies / cell.task / cell.method / about / f"seed{cell.training_seed}"
    training = train_once(lambda: make_training(cell, encoder, data / f"{cell.task}-frames"), folder)
    env = make_env(cell, encoder)
    try:
        return [play_episode(env, training.policy(), episode_seed(seed, episode)) for episode in episodes]
    finally:
        env.close()


def encoder_of(arm: str, seed: int, encoders: Path) -> FrameEncoder:
    """The encoder of an arm and a seed."""
    if arm == "random":
        return random_encoder(seed, EncoderSize())
    return load_encoder(encoders / FAMILY_NAME / Path(*ARMS[arm]) / f"seed{seed}" / "encoder.safetensors")


def make_training(cell: EncodedCell, encoder: FrameEncoder, folder: Path) -> FlowTraining:
    """The training of a cell, before its first step."""
    dataset, saved = load(folder), SavedFrames(folder)
    chosen = np.random.default_rng(cell.training_seed).permutation(len(dataset.episodes.length))[: cell.demonstrations]
    seen = np.concatenate([encoder.features(saved.of_episode(dataset, int(episode))[:-1]) for episode in chosen])
    demonstrations = choose_episodes(dataset, chosen)
    robot = np.asarray(demonstrations.observations[:, :ARM_FEATURES])
    encoded = replace(demonstrations, observations=np.concatenate([seen, robot], axis=1))
    settings = FlowSettings(updates=cell.updates, batch=cell.batch)
    return FlowTraining(Windows(encoded, cell.prediction_horizon), settings, cell.training_seed, {"level": cell.task})


def make_env(cell: EncodedCell, encoder: FrameEncoder) -> ChunkedExecution:
    """The environment of a cell; actions of the flow beyond -1 and 1 are clipped."""
    env = gym.make(read_id(cell.task), observation="pixels+robot")
    env = gym.wrappers.TransformAction(env, lambda action: np.clip(action, -1, 1), env.action_space)
    env = EncodedFrames(env, encoder)
    return ChunkedExecution(env, cell.prediction_horizon, cell.execution_horizon, cell.delay)


def probe(encoder: FrameEncoder, folder: Path) -> dict[str, float]:
    """R^2 of each of `TARGETS` on held-out episodes, the mean over its numbers."""
    dataset = load(folder)
    learned, held_out = (_ticks_of(dataset, episodes) for episodes in split_episodes(dataset))
    features, wanted = encode_ticks(encoder, dataset, folder), targets_of(dataset)
    return {
        name: linear_r2(features[learned], values[learned], features[held_out], values[held_out])
        for name, values in wanted.items()
    }


def encode_ticks(encoder: FrameEncoder, dataset: Dataset, folder: Path) -> np.ndarray:
    """What the frames of all ticks become, float32[T, D]."""
    saved = SavedFrames(folder)
    numbers = range(len(dataset.episodes.length))
    return np.concatenate([encoder.features(saved.of_episode(dataset, number)[:-1]) for number in numbers])


def targets_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """What probes look for, float64[T, n] each."""
    task = task_of_level(dataset.info["level"])
    assert task is not None
    assert task.family is not None  # the data are of manipulation
    features = np.asarray(dataset.observations, np.float64)
    objects = objects_of(FAMILY[task.family], features)
    return dict(zip(TARGETS, (objects, features[:, GRIPPER], features[:, CONTACT]), strict=True))


def linear_r2(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
    """R^2 of a ridge regression from x [N, D] to y [N, n] on other rows, the mean over those that vary there, or NaN.

    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = x @ np.array([[1.0], [2.0], [0.0]])
    >>> round(linear_r2(x[:100], y[:100], x[100:], y[100:]), 3), round(linear_r2(x[:100], y[:100], x[100:], -y[100:]))
    (1.0, -3)
    """
    mean, std, centre = x.mean(axis=0), x.std(axis=0) + 1e-6, y.mean(axis=0)
    known, asked = ((each - mean) / std for each in (x, x_test))
    gram = known.T @ known + RIDGE * len(known) * np.eye(known.shape[1])
    errors = y_test - centre - asked @ np.linalg.solve(gram, known.T @ (y - centre))
    spread = ((y_test - y_test.mean(axis=0)) ** 2).sum(axis=0)
    varies = spread > 1e-9
    return float((1 - (errors**2).sum(axis=0)[varies] / spread[varies]).mean()) if varies.any() else float("nan")


def probe_all(folder: Path, encoders: Path = ENCODERS, seeds: Iterable[int] = SEEDS) -> dict[str, dict[int, Row]]:
    """What probes find for every arm and seed that has an encoder, kept in probes.json beside it."""
    found: dict[str, dict[int, Row]] = {arm: {} for arm in ARMS}
    for arm, seed in product(ARMS, seeds):
        place = encoders / FAMILY_NAME / Path(*(ARMS[arm] if arm != "random" else (arm,))) / f"seed{seed}"
        if arm == "random" or (place / "encoder.safetensors").exists():
            found[arm][seed] = kept(place / "probes.json", partial(_probe_arm, arm, seed, encoders, folder))
    return found


def kept(path: Path, measure: Any) -> Row:
    """What a file holds; it is measured if there is none."""
    if not path.exists():
        measured = json.dumps(measure()).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as file:
            file.write(measured)
    return json.loads(path.read_text())


def _probe_arm(arm: str, seed: int, encoders: Path, folder: Path) -> dict[str, float]:
    return probe(encoder_of(arm, seed, encoders), folder)


def _ticks_of(dataset: Dataset, episodes: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isin(dataset.episode, episodes))


def main() -> None:
    """Print the tables of probes, of a study, or of both."""
    parser = argparse.ArgumentParser(description="Tables of probes and of imitation.")
    parser.add_argument("--probe", type=Path, help="a dataset with frames")
    parser.add_argument("--study", type=Path, help="a folder, such as results/annotations-imitation")
    options = parser.parse_args()
    if options.probe:
        print("\n".join(probe_table(probe_all(options.probe))))
    if options.study:
        print("\n".join(imitation_table(group(read_rows(options.study), "demonstrations", "method"))))


def probe_table(found: dict[str, dict[int, Row]]) -> list[str]:
    """R^2 of each target, and of the objects against SimCLR."""
    table = [*heading("encoder", *(f"{name}, R^2" for name in TARGETS), f"objects - {CONTROL}")]
    for arm, seeds in found.items():
        means = [describe_mean([each[name] for each in seeds.values()]) for name in TARGETS]
        both = [seed for seed in seeds if seed in found[CONTROL]]
        gain = describe_mean([seeds[seed]["objects"] - found[CONTROL][seed]["objects"] for seed in both], "+.3f")
        table.append(line(arm, *means, "" if arm == CONTROL else gain))
    return table


def imitation_table(found: dict[tuple, Seeds]) -> list[str]:
    """What is solved, and the difference to SimCLR."""
    table = [*heading("demonstrations", "encoder", "solved, % (each seed)", f"- {CONTROL}, points")]
    for count, arm in product(sorted({count for count, _ in found}), ARMS):
        seeds, control = found.get((count, arm), {}), found.get((count, CONTROL), {})
        gain = "" if arm == CONTROL else describe_differences([differences(seeds, control)])
        table.append(line(str(count), arm, describe_rates(seeds), gain))
    return table


if __name__ == "__main__":
    main()
