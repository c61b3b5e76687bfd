import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.policies.expert_checkpoints import (
    KIND,
    MILESTONES,
    checkpoint_path,
    load_best_expert,
    load_expert,
    load_experts,
    prune,
    save_expert,
    worth_keeping,
)
from chunkenv.errors import ArgumentError
from tests.agents.experts import random_expert


@pytest.fixture
def saved(tmp_path):
    path = checkpoint_path(tmp_path, 100)
    save_expert(path, random_expert(), {"envs": 4})
    return path


def test_an_expert_comes_back_as_it_was(saved):
    expert, found = random_expert(), load_expert(saved)
    observations = np.random.default_rng(0).standard_normal((5, 35)).astype(np.float32)
    np.testing.assert_array_equal(found.actions(observations), expert.actions(observations))
    for name in ("level", "observation", "seed", "steps", "solve_rate", "channels"):
        assert getattr(found, name) == getattr(expert, name)
    assert found.std is None


def test_the_spread_of_its_exploration_is_kept(tmp_path):
    path = checkpoint_path(tmp_path, 100)
    save_expert(path, random_expert(std=np.array([0.25], np.float32)), {})
    np.testing.assert_array_equal(load_expert(path).std, np.array([0.25], np.float32))


def test_the_same_expert_gives_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    save_expert(again, random_expert(), {"envs": 4})
    assert again.read_bytes() == saved.read_bytes()


def test_an_expert_of_another_level_is_refused(saved):
    assert load_expert(saved, "catapult").level == "catapult"
    with pytest.raises(ArgumentError, match="an expert for 'catapult', not for 'trampoline'"):
        load_expert(saved, "trampoline")


histories = st.lists(st.integers(0, 20), min_size=1, max_size=30).map(
    lambda rates: [(steps, rate / 20) for steps, rate in enumerate(rates)]
)


@given(histories)
def test_what_is_kept_was_kept_before(history):
    for length in range(1, len(history)):
        assert worth_keeping(history[: length + 1]) - {history[length][0]} <= worth_keeping(history[:length])


@given(histories)
def test_the_last_the_best_and_the_milestones_are_kept(history):
    kept = {steps: rate for steps, rate in history if steps in worth_keeping(history)}
    assert history[-1][0] in kept
    assert max(kept.values()) == max(rate for _, rate in history)
    assert len(kept) <= 2 + len(MILESTONES)
    for milestone in MILESTONES:
        reached = [steps for steps, rate in history if rate >= milestone]
        assert not reached or reached[0] in kept


def test_pruning_leaves_what_is_worth_keeping(tmp_path):
    for steps in (1, 2, 3):
        save_expert(checkpoint_path(tmp_path, steps), random_expert(steps=steps), {})
    (tmp_path / "metrics.jsonl").touch()
    prune(tmp_path, {1, 3})
    assert {path.name for path in tmp_path.iterdir()} == {"step1.safetensors", "step3.safetensors", "metrics.jsonl"}


def test_experts_of_a_run_by_skill(tmp_path):
    for steps, rate in ((10, 0.3), (200, 0.9), (1000, 0.9), (3000, 0.7)):
        expert = replace(random_expert(), steps=steps, solve_rate=rate)
        save_expert(checkpoint_path(tmp_path, steps), expert, {})
    assert [expert.steps for expert in load_experts(tmp_path)] == [10, 200, 1000, 3000]
    assert [expert.steps for expert in load_experts(tmp_path, at_least=0.65)] == [200, 1000, 3000]
    assert load_best_expert(tmp_path).steps == 1000
    with pytest.raises(
        ArgumentError, match=r"no expert with a solve rate of at least 0.95: it has 0.30, 0.90, 0.90, 0"
    ):
        load_experts(tmp_path, at_least=0.95)
    with pytest.raises(ArgumentError, match="no checkpoint at all"):
        load_best_expert(tmp_path / "empty")


def test_the_file_says_how_it_was_trained(saved):
    _, facts = checkpoint_file.read(saved, KIND)
    assert facts["settings"] == {"envs": 4}
    assert json.dumps(facts)
