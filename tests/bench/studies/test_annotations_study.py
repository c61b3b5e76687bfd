"""The study of benchmarks/annotations.py: probes and imitation with tiny encoders."""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("ogbench")

from chunkenv.agents.annotations import EncoderSize, random_encoder
from chunkenv.collect import collect_oracle
from chunkenv.data.saved_frames import write_frames
from chunkenv.training import imitation
from tests.worlds import Recorder

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SIZE = EncoderSize(image=8, channels=(4,), features=6)


@pytest.fixture(scope="module")
def annotations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        import annotations

        yield annotations


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three episodes with frames whose brightness is where the cube is, from left to right."""
    folder = tmp_path_factory.mktemp("frames") / "cube-single-task2-frames"
    dataset = collect_oracle("manip-cube-single-task2", "task", folder, failures=1.0, episodes=3)
    places = np.asarray(dataset.observations[:, 20])
    order = [np.append(places[dataset.episode == episode], 0.0) for episode in range(3)]
    bright = 120 + 60 * np.concatenate(order)
    write_frames(folder, (np.full((8, 8, 3), each.clip(0, 255), np.uint8) for each in bright), [""] * 3, {})
    return folder


class Shown(gym.Wrapper):
    """A grey frame and the state of a robot."""

    def reset(self, **options):
        super().reset(**options)
        return {"pixels": np.full((8, 8, 3), 7, np.uint8), "robot": np.arange(19, dtype=np.float32)}, {}


def test_the_environment_shows_features_and_the_robot(annotations):
    encoder = random_encoder(0, SIZE)
    env = annotations.EncodedFrames(Shown(Recorder()), encoder)
    seen, _ = env.reset(seed=0)
    assert seen in env.observation_space
    assert np.array_equal(seen[6:], np.arange(19))
    assert np.array_equal(seen[:6], encoder.features(np.full((1, 8, 8, 3), 7, np.uint8))[0])


def test_a_probe_finds_what_frames_show_and_not_what_they_do_not(annotations, data):
    found = annotations.probe(random_encoder(0, SIZE), data)
    assert np.isfinite([found["objects"], found["gripper"]]).all()
    dataset = annotations.load(data)
    features = annotations.encode_ticks(random_encoder(0, SIZE), dataset, data)
    sideways = np.asarray(dataset.observations[:, [20]], np.float64)
    assert annotations.linear_r2(features, sideways, features, sideways) > 0.95
    assert np.isnan(annotations.linear_r2(features, 0 * sideways, features, 0 * sideways))
    noise = np.random.default_rng(0).normal(size=(len(dataset), 1))
    assert annotations.linear_r2(features[::2], noise[::2], features[1::2], noise[1::2]) < 0.2


def test_what_was_probed_is_kept_and_the_table_compares_with_simclr(annotations, tmp_path):
    for arm, r2 in {"random": 0.5, "SimCLR": 0.25}.items():
        for seed in (0, 1):
            parts = annotations.ARMS[arm] if arm != "random" else ("random",)
            folder = tmp_path.joinpath("cube-single", *parts, f"seed{seed}")
            random_encoder(seed, SIZE).save(folder / "encoder.safetensors")
            r2s = dict.fromkeys(annotations.TARGETS, r2 + 0.125 * seed)
            (folder / "probes.json").write_text(json.dumps(r2s))
    table = annotations.probe_table(annotations.probe_all(tmp_path / "no data", tmp_path, (0, 1)))
    assert "| random | 0.562 [0.500, 0.625] | 0.562 [0.500, 0.625] | 0.562 [0.500, 0.625] | +0.250 |" in table
    assert "| prototypes |  |  |  |  |" in table


def test_what_is_measured_is_measured_once(annotations, tmp_path):
    path = tmp_path / "new" / "probes.json"
    assert annotations.kept(path, lambda: {"objects": 0.5}) == {"objects": 0.5}
    assert annotations.kept(path, lambda: 1 / 0) == {"objects": 0.5}


@pytest.mark.slow
def test_a_policy_is_trained_on_what_the_encoder_makes_of_frames_and_plays(annotations, data, tmp_path, monkeypatch):
    monkeypatch.setattr(annotations, "random_encoder", lambda seed, size: random_encoder(seed, SIZE))
    (cell,) = annotations.cells(("random",), (0,), (2,), rows=4, executed=2, updates=100, batch=2)
    monkeypatch.setattr(imitation, "STATISTICS_WINDOWS", 64)
    rows = annotations.play(cell, (0,), 5, tmp_path, data.parent, tmp_path / "policies")
    assert len(rows) == 1
    assert rows[0]["ticks"] > 0
    written = list((tmp_path / "policies").rglob("policy.safetensors"))
    assert [path.parent.name for path in written] == ["seed0"]
