import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.policies.expert_checkpoints import KIND, checkpoint_path, load_expert, save_expert
from chunkenv.errors import ArgumentError, UnwritableError
from tests.agents.experts import random_expert


@pytest.fixture
def saved(tmp_path):
    path = checkpoint_path(tmp_path, 100)
    save_expert(path, random_expert(), {"envs": 4})
    return path


def test_nothing_needs_jax():
    script = "import sys; import chunkenv.agents.common.checkpoint_file; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_file_that_was_cut_is_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(ArgumentError, match=r"step100.safetensors is damaged or no checkpoint \(.*\); train it again"):
        load_expert(saved)


def test_a_flipped_bit_is_found(saved):
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ArgumentError, match="is damaged: its arrays are not those that were written"):
        load_expert(saved)


def test_other_files_are_refused_by_what_they_are(tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"a": np.zeros(1)}, other)
    with pytest.raises(ArgumentError, match="is no chunkenv expert but a safetensors file of another program"):
        load_expert(other)
    checkpoint_file.write(other, "chunkenv training", {}, {})
    with pytest.raises(ArgumentError, match="is no chunkenv expert but chunkenv training"):
        load_expert(other)
    with pytest.raises(ArgumentError, match=r"There is no chunkenv expert .*none.safetensors; chunkenv train"):
        load_expert(tmp_path / "none.safetensors")


def test_another_format_is_refused(saved, monkeypatch):
    monkeypatch.setattr(checkpoint_file, "FORMAT", 2)
    with pytest.raises(ArgumentError, match="has format 1, this version reads 2"):
        load_expert(saved)


def test_a_write_that_fails_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(UnwritableError, match=r"cannot be written \(disk full\)"):
        checkpoint_file.write(saved, KIND, {}, {})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_a_name_that_ends_in_xz_compresses(tmp_path):
    arrays, facts = {"weights": np.zeros((100, 100), np.float32)}, {"level": "catapult"}
    for name in ("whole", "small.xz"):
        checkpoint_file.write(tmp_path / name, KIND, arrays, facts)
        found, about = checkpoint_file.read(tmp_path / name, KIND)
        np.testing.assert_array_equal(found["weights"], arrays["weights"])
        assert about["level"] == "catapult"
    assert (tmp_path / "small.xz").stat().st_size < 0.05 * (tmp_path / "whole").stat().st_size


def test_a_compressed_file_that_was_cut_is_refused(tmp_path):
    path = tmp_path / "small.xz"
    checkpoint_file.write(path, KIND, {"weights": np.arange(1000.0)}, {})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArgumentError, match=r"small.xz is damaged or no checkpoint"):
        checkpoint_file.read(path, KIND)


def test_a_file_says_what_kind_it_is_and_others_say_nothing(tmp_path):
    checkpoint_file.write(tmp_path / "file", "chunkenv something", {}, {})
    assert checkpoint_file.kind_of(tmp_path / "file") == "chunkenv something"
    (tmp_path / "other").write_bytes(b"\x10\0\0\0\0\0\0\0[1, 2, 3]")
    assert checkpoint_file.kind_of(tmp_path / "other") == checkpoint_file.kind_of(tmp_path / "none") == ""
