import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chunkenv.agents import pretrained as weights
from chunkenv.errors import ArgumentError
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.registration import POLICY_FAMILIES
from tests.agents.policies.test_flow_policy import Asked, batch, policy, streams

MOST_BYTES = 20 * 10**6
HERE = [family for family in POLICY_FAMILIES if (Path(weights.__file__).parent / family).is_dir()]


@pytest.fixture
def folder(tmp_path):
    weights.add_pretrained(policy(), {"solve_rate": 0.5}, tmp_path)
    weights.add_pretrained(policy(prefix=True), {"solve_rate": 0.6}, tmp_path)
    return tmp_path


def test_what_was_added_is_loaded(folder):
    observations, _ = batch()
    for kind, prefix in (("plain", False), ("prefix", True)):
        loaded = weights.load_pretrained("catapult", kind, folder)
        assert loaded.prefix_conditioned is prefix
        chunks, expected = (each.infer_batch(observations, Asked(streams(4))) for each in (loaded, policy(prefix)))
        np.testing.assert_allclose(chunks, expected, atol=0.3)
    assert weights.manifest(folder)["catapult-prefix"]["solve_rate"] == 0.6


def test_a_second_one_replaces_the_first(folder):
    weights.add_pretrained(policy(seed=1), {"solve_rate": 0.7}, folder)
    assert weights.manifest(folder)["catapult-plain"]["solve_rate"] == 0.7
    assert len(list(folder.iterdir())) == 3
    weights.load_pretrained("catapult", "plain", folder)


def test_another_file_than_the_manifest_tells_of_is_refused(folder):
    path = folder / "catapult-plain.safetensors.xz"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=r"catapult-plain\.safetensors\.xz is not the file"):
        weights.load_pretrained("catapult", "plain", folder)


@pytest.mark.parametrize(
    ("level", "kind", "message"),
    [
        ("catapullt", "plain", "did you mean 'catapult'"),
        ("catapult", "plane", "'plain'"),
        ("catcher_v3", "plain", "no"),
    ],
)
def test_what_is_not_there_is_named(folder, level, kind, message):
    with pytest.raises(ArgumentError, match=message):
        weights.load_pretrained(level, kind, folder)


def test_the_package_is_small_enough_and_every_file_is_told_of():
    files = [file for family in HERE for file in weights.family_folder(family).glob("*.safetensors.xz")]
    assert sorted(path.name.split(".")[0] for path in files) == sorted(
        name for family in HERE for name in weights.manifest(family)
    )
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


@pytest.mark.no_cover
@pytest.mark.parametrize(("family", "name"), [(family, name) for family in HERE for name in weights.manifest(family)])
def test_each_of_the_package_fits_its_level(family, name):
    level, kind = name.split("-", 1)
    if kind not in weights.KINDS:
        pytest.skip("no flow policy")
    loaded = weights.load_pretrained(level, kind, family)
    assert loaded.level == level
    assert loaded.prefix_conditioned == (kind not in ("plain", "vlash"))
    assert loaded.observation_size == Simulator(level).compact_size
    assert (loaded.prediction_horizon, loaded.action_size) == (8, 6)


def test_the_manifest_says_how_each_was_made():
    for name, record in (each for family in HERE for each in weights.manifest(family).items()):
        played = set() if name.endswith("-model") else {"solve_rate", "episodes"}
        assert {"sha256", "bytes", "command", "commit", "data"} | played <= set(record)
        assert not any(text.startswith("/") for text in json.dumps(record).replace(chr(34), " ").split())


@pytest.mark.parametrize("name", ["load_pretrained", "FlowSettings"])
def test_a_missing_library_is_said_in_a_sentence(name):
    code = f"import sys; sys.modules['jax'] = None; from chunkenv.agents import {name}"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 'jax is not installed: run `pip install "chunkenv[agents]"`.' in result.stderr
