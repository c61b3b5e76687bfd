"""An agent of one's own is made, saved, loaded and trained like the others."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.agents.qc import QC, QCSettings
from chunkenv.errors import ArgumentError
from chunkenv.training import OfflineOnlineTraining, TrainingConfig, resume, train
from tests.agents.test_registry import SMALL, same, trained


@pytest.fixture
def weighted(monkeypatch):
    """The recipe of the example's agent."""
    monkeypatch.setattr(registry, "RECIPES", dict(registry.RECIPES))
    path = Path(__file__).parents[2] / "examples" / "own_agent.py"
    spec = importlib.util.spec_from_file_location("own_agent", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return registry.Recipe(example.Weighted, example.WeightedSettings)


def test_it_is_saved_and_loaded_to_the_bit(weighted, tmp_path):
    registry.register("mine", weighted)
    agent = trained("mine")
    agent.save(tmp_path / "agent.safetensors")
    assert same(registry.load_agent(tmp_path / "agent.safetensors"), agent)


def test_it_is_trained_and_goes_on(weighted, tmp_path):
    registry.register("mine", weighted)
    settings = registry.settings_for("mine", chunk=3, delay=1, **SMALL)
    config = TrainingConfig("Pendulum-v1", offline_steps=0, online_steps=300, evaluate_every=150, episodes=1)
    whole = resume(OfflineOnlineTraining(config, "mine", settings, None, 0), tmp_path / "whole")
    list(train(whole, tmp_path / "whole"))
    stopped = resume(OfflineOnlineTraining(config, "mine", settings, None, 0), tmp_path / "stopped")
    next(train(stopped, tmp_path / "stopped"))
    resumed = resume(OfflineOnlineTraining(config, "mine", settings, None, 0), tmp_path / "stopped")
    assert 0 < resumed.steps < 300
    list(train(resumed, tmp_path / "stopped"))
    assert same(resumed.agent, whole.agent)


def test_its_chunks_begin_with_their_prefix(weighted):
    registry.register("mine", weighted)
    agent = trained("mine")
    prefix = np.full((2, 1, 2), 0.25, np.float32)
    chunks = agent.sample_chunk(np.zeros((2, 3), np.float32), prefix, np.array([1, 0]), None)
    assert np.array_equal(chunks[0, 0], prefix[0, 0])
    assert not np.array_equal(chunks[1, 0], prefix[1, 0])


def test_names_are_not_taken_twice(weighted):
    registry.register("mine", weighted)
    registry.register("mine", weighted)
    with pytest.raises(ArgumentError, match="name='mine' is taken by Weighted; choose another"):
        registry.register("mine", registry.Recipe(QC, QCSettings))


def test_an_agent_that_is_not_registered_is_not_loaded(weighted, tmp_path):
    settings = weighted.settings(**SMALL)
    weighted.agent.create(0, 3, 2, settings).save(tmp_path / "agent.safetensors")
    with pytest.raises(ArgumentError, match="holds an agent 'weighted', which is not registered"):
        registry.load_agent(tmp_path / "agent.safetensors")
