from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.agents.infom import InFOMSettings
from chunkenv.data import Dataset, first_episodes
from chunkenv.errors import ArgumentError
from chunkenv.training.infom_training import InFOMTraining
from chunkenv.training.loop import resume, train
from tests.training.test_offline_online import config, data, load_data

SMALL = dict(hidden=(8, 8), batch=8, latent=2, futures=2, steps=2)
STEPS = dict(offline_steps=30, online_steps=0, evaluate_every=10, episodes=1)


def begin(folder: Path, pretraining: int = 20, labelled: int = 20, rewards: float | None = None) -> InFOMTraining:
    dataset = load_data(folder) if (folder / "data").exists() else data(folder / "data")
    if rewards is not None:
        dataset = replace(dataset, rewards=np.full(len(dataset), rewards, np.float32))
    settings = registry.settings_for("infom", chunk=3, delay=1, **SMALL)
    assert isinstance(settings, InFOMSettings)
    some = first_episodes(dataset, labelled)
    return resume(InFOMTraining(config(**STEPS), pretraining, settings, dataset, some, 0), folder / "run")


def equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_it_goes_on_to_the_bit_in_both_phases(tmp_path):
    whole = begin(tmp_path / "a")
    lines = list(train(whole, tmp_path / "a" / "run"))
    assert [line["steps"] for line in lines] == [20, 30]
    assert ["return" in line for line in lines] == [False, True]
    stopped = begin(tmp_path / "b")
    next(train(stopped, tmp_path / "b" / "run"))
    resumed = begin(tmp_path / "b")
    assert resumed.steps == 20
    list(train(resumed, tmp_path / "b" / "run"))
    assert equal(whole.agent.arrays(), resumed.agent.arrays())
    assert equal(registry.load_agent(tmp_path / "b" / "run" / "agent.safetensors").arrays(), whole.agent.arrays())
    with pytest.raises(ArgumentError, match="was begun with updates=20, not 10"):
        begin(tmp_path / "b", pretraining=10)


@pytest.mark.slow
def test_the_first_phase_sees_no_reward(tmp_path):
    trainings = [begin(tmp_path / name, rewards=rewards) for name, rewards in (("a", 0.0), ("b", 7.0))]
    for training in trainings:
        training.advance()
    first, second = (training.agent.arrays() for training in trainings)
    assert equal(first, second)
    for training in trainings:
        training.advance()
    assert not equal(trainings[0].agent.arrays(), trainings[1].agent.arrays())


def test_what_cannot_be_meant_is_refused(tmp_path):
    dataset, settings = data(tmp_path / "data"), registry.settings_for("infom", **SMALL)
    assert isinstance(settings, InFOMSettings)

    def made(pretraining: int, unlabelled: Dataset | None, labelled: Dataset | None) -> None:
        InFOMTraining(config(**STEPS), pretraining, settings, unlabelled, labelled, 0)

    with pytest.raises(ArgumentError, match="no labelled tick to fine-tune on"):
        made(20, dataset, None)
    with pytest.raises(ArgumentError, match="pretraining=20 needs data"):
        made(20, None, dataset)
    with pytest.raises(ArgumentError, match="pretraining=31 is too large"):
        made(31, dataset, dataset)
