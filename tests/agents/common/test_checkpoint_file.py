import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from chunkenv.agents.common import checkpoint_file as checkpoints
from chunkenv.agents.common.checkpoint_file import (
    EXPERT,
    TRAINING,
    checkpoint_path,
    load,
    load_all,
    load_best,
    worth_keeping,
)
from chunkenv.errors import ArgumentError, UnwritableError
from tests.agents.experts import random_expert


@pytest.fixture
def saved(tmp_path):
    path = checkpoint_path(tmp_path, 100)
    checkpoints.save_expert(path, random_expert(), {"envs": 4})
    return path


def test_an_expert_comes_back_as_it_was(saved):
    expert, found = random_expert(), load(saved)
    observations = np.random.default_rng(0).standard_normal((5, 35)).astype(np.float32)
    np.testing.assert_array_equal(found.actions(observations), expert.actions(observations))
    for name in ("level", "observation", "seed", "steps", "solve_rate", "channels"):
        assert getattr(found, name) == getattr(expert, name)


def test_the_same_expert_gives_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.safetensors"
    checkpoints.save_expert(again, random_expert(), {"envs": 4})
    assert again.read_bytes() == saved.read_bytes()


def test_nothing_needs_jax():
    script = "import sys; import chunkenv.agents.common.checkpoint_file; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_file_that_was_cut_is_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(ArgumentError, match=r"step100.safetensors is damaged or no checkpoint \(.*\); train it again"):
        load(saved)


def test_a_flipped_bit_is_found(saved):
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ArgumentError, match="is damaged: its arrays are not those that were written"):
        load(saved)


def test_other_files_are_refused_by_what_they_are(tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(1)}, other)
    with pytest.raises(ArgumentError, match="is no chunkenv expert but a safetensors file of another program"):
        load(other)
    checkpoints.write(other, TRAINING, {}, {})
    with pytest.raises(ArgumentError, match="is no chunkenv expert but chunkenv training"):
        load(other)
    with pytest.raises(ArgumentError, match=r"There is no chunkenv expert .*none.safetensors; chunkenv train"):
        load(tmp_path / "none.safetensors")


def test_another_format_is_refused(saved, monkeypatch):
    monkeypatch.setattr(checkpoints, "FORMAT", 2)
    with pytest.raises(ArgumentError, match="has format 1, this version reads 2"):
        load(saved)


def test_an_expert_of_another_level_is_refused(saved):
    assert load(saved, "catapult").level == "catapult"
    with pytest.raises(ArgumentError, match="an expert for 'catapult', not for 'trampoline'"):
        load(saved, "trampoline")


def test_a_write_that_fails_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(UnwritableError, match=r"cannot be written \(disk full\)"):
        checkpoints.write(saved, EXPERT, {}, {})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


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
    assert len(kept) <= 2 + len(checkpoints.MILESTONES)
    for milestone in checkpoints.MILESTONES:
        reached = [steps for steps, rate in history if rate >= milestone]
        assert not reached or reached[0] in kept


def test_pruning_leaves_what_is_worth_keeping(tmp_path):
    for steps in (1, 2, 3):
        checkpoints.save_expert(checkpoint_path(tmp_path, steps), random_expert(steps=steps), {})
    (tmp_path / "metrics.jsonl").touch()
    checkpoints.prune(tmp_path, {1, 3})
    assert {path.name for path in tmp_path.iterdir()} == {"step1.safetensors", "step3.safetensors", "metrics.jsonl"}


def test_experts_of_a_run_by_skill(tmp_path):
    for steps, rate in ((10, 0.3), (200, 0.9), (1000, 0.9), (3000, 0.7)):
        expert = replace(random_expert(), steps=steps, solve_rate=rate)
        checkpoints.save_expert(checkpoint_path(tmp_path, steps), expert, {})
    assert [expert.steps for expert in load_all(tmp_path)] == [10, 200, 1000, 3000]
    assert [expert.steps for expert in load_all(tmp_path, at_least=0.65)] == [200, 1000, 3000]
    assert load_best(tmp_path).steps == 1000
    with pytest.raises(
        ArgumentError, match=r"no expert with a solve rate of at least 0.95: it has 0.30, 0.90, 0.90, 0"
    ):
        load_all(tmp_path, at_least=0.95)
    with pytest.raises(ArgumentError, match="no checkpoint at all"):
        load_best(tmp_path / "empty")


def test_the_file_says_how_it_was_trained(saved):
    _, facts = checkpoints.read(saved, EXPERT)
    assert facts["settings"] == {"envs": 4}
    assert json.dumps(facts)
