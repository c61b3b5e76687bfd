import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.policies.expert import FARTHEST
from chunkenv.agents.policies.expert_checkpoints import checkpoint_path, load_best_expert, load_experts, run_folder
from chunkenv.agents.ppo import PPOSettings, ppo_settings
from chunkenv.errors import ArgumentError
from chunkenv.kinetix import TIME_LIMIT
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.training import loop
from chunkenv.training.expert_evaluation import solved_episodes
from chunkenv.training.loop import resume
from chunkenv.training.metrics import read_metrics
from chunkenv.training.on_policy import PPOTraining, persistent_noise

TINY = PPOSettings(
    steps=3000, envs=16, rollout=16, hidden=(8,), minibatches=2, evaluation_steps=1000, evaluation_episodes=4
)


def files(folder):
    """What must be equal of two trainings: all but the wall-clock times, which metrics and the resume file hold."""
    contents = {path.name: path.read_bytes() for path in folder.glob("step*.safetensors")}
    arrays, facts = checkpoint_file.read(folder / "resume.safetensors", "chunkenv training")
    lines = [{**line, "seconds": 0, "cpu_seconds": 0} for line in read_metrics(folder / "metrics.jsonl")]
    return contents, {name: array.tobytes() for name, array in arrays.items()}, {**facts, "seconds": 0}, lines


def train(folder, settings=TINY, seed=0, stop=None):
    run = resume(PPOTraining("catapult", settings, seed), folder)
    for metrics in loop.train(run, folder):
        if metrics["steps"] == stop:
            break
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(folder)
    return folder


@pytest.mark.no_cover
def test_the_same_seed_gives_the_same_files_to_the_bit(trained, tmp_path):
    train(tmp_path)
    assert files(tmp_path) == files(trained)


@pytest.mark.no_cover
def test_another_seed_gives_another_expert(trained, tmp_path):
    train(tmp_path, seed=1)
    last = [next(iter(load_experts(folder)[-1].layers))[0] for folder in (trained, tmp_path)]
    assert (last[0] != last[1]).any()


@pytest.mark.no_cover
@pytest.mark.parametrize("stop", [256, 768, 1024, 2560])
def test_a_training_that_was_broken_off_ends_with_the_same_files(trained, tmp_path, stop):
    train(tmp_path, stop=stop)
    train(tmp_path)
    assert files(tmp_path) == files(trained)


def test_a_training_that_is_done_does_nothing_more(trained):
    before = {path.name: path.stat().st_mtime_ns for path in trained.glob("*.safetensors")}
    assert train(trained).steps == TINY.updates * TINY.batch
    assert {path.name: path.stat().st_mtime_ns for path in trained.glob("*.safetensors")} == before


@pytest.mark.no_cover
def test_what_is_not_known_of_after_a_kill_is_written_again(trained, tmp_path):
    train(tmp_path, stop=1792)
    stray = checkpoint_path(tmp_path, 1792)
    stray.write_bytes(b"of a training that was killed before it wrote the file to go on from")
    train(tmp_path)
    assert files(tmp_path) == files(trained)


def test_other_settings_are_refused_and_change_nothing(trained):
    before = files(trained)
    with pytest.raises(ArgumentError, match=r"was begun with hidden=\[8\], not \[9\]; give the same, or another"):
        resume(PPOTraining("catapult", replace(TINY, hidden=(9,)), 0), trained)
    with pytest.raises(ArgumentError, match="was begun with seed=0, not 1"):
        resume(PPOTraining("catapult", TINY, 1), trained)
    with pytest.raises(ArgumentError, match="was begun with level='catapult', not 'trampoline'"):
        resume(PPOTraining("trampoline", TINY, 0), trained)
    assert files(trained) == before


def test_a_damaged_file_to_go_on_from_is_refused(tmp_path):
    train(tmp_path, stop=1024)
    path = tmp_path / "resume.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArgumentError, match=r"resume.safetensors is damaged"):
        resume(PPOTraining("catapult", TINY, 0), tmp_path)


def test_a_seed_is_a_whole_number(tmp_path):
    with pytest.raises(ArgumentError, match="seed=-1 is too small"):
        resume(PPOTraining("catapult", TINY, -1), tmp_path)


def test_the_checkpoint_is_the_agent(trained):
    run = resume(PPOTraining("catapult", TINY, 0), trained)
    expert = load_experts(trained)[-1]
    observations = np.random.default_rng(0).standard_normal((7, 35)).astype(np.float32)
    network = run.network
    normalised = np.clip((observations - expert.mean) / expert.scale, -FARTHEST, FARTHEST)
    np.testing.assert_allclose(expert.actions(observations)[:, :1], network.mean(normalised), atol=1e-5)
    assert expert.steps == run.steps
    assert expert.solve_rate == run.history[-1][1]


def test_each_epoch_takes_every_tick_once():
    run = PPOTraining("catapult", TINY, 0)
    order = run.orders().reshape(TINY.epochs, -1)
    assert (np.sort(order, axis=1) == np.arange(TINY.batch)).all()
    assert (order[0] != order[1]).any()


def test_episodes_begin_at_different_ages():
    run = PPOTraining("catapult", replace(TINY, envs=64), 0)
    ages = run.envs.get_states().view(STATE)["ticks"]
    assert len(set(ages.ravel().tolist())) > 32
    assert ages.max() < TIME_LIMIT


def test_a_rollout_is_what_the_environment_did():
    run = PPOTraining("mjc_half_cheetah", replace(TINY, steps=16 * TIME_LIMIT, rollout=TIME_LIMIT), 0)
    first = run.observations
    rollout = run.collect()
    assert rollout.ended.sum() >= 16  # each has come to its end once at least
    np.testing.assert_array_equal(rollout.observations[0], first)
    goes_on = rollout.ended[:-1] == 0
    np.testing.assert_array_equal(rollout.observations[1:][goes_on], rollout.next_observations[:-1][goes_on])
    fresh = run.envs.reset()[0][0]
    assert (rollout.observations[1:][~goes_on] == fresh).all()
    assert (rollout.next_observations[:-1][~goes_on] != fresh).any(axis=1).all()
    assert (rollout.terminated <= rollout.ended).all()


def test_failing_costs_what_the_settings_say():
    for failure in (1.0, 0.25):
        settings = replace(TINY, steps=16 * TIME_LIMIT, rollout=TIME_LIMIT, reward="sparse", failure=failure)
        rollout = PPOTraining("h17_unicycle", settings, 0).collect()
        failed = (rollout.terminated == 1) & ~rollout.success
        assert failed.sum() > 5
        assert (rollout.rewards[failed] == -failure).all()
        assert (rollout.rewards[~failed] >= 0).all()


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.95])
def test_lasting_noise_has_the_same_spread_and_the_right_correlation(persistence):
    white = np.random.default_rng(0).standard_normal((32, 20_000), np.float32)
    noise = persistent_noise(white, persistence)
    assert noise.std(axis=1) == pytest.approx(np.ones(32), abs=0.03)
    correlations = [np.corrcoef(noise[tick], noise[tick + 1])[0, 1] for tick in range(31)]
    assert correlations == pytest.approx([persistence] * 31, abs=0.03)


@pytest.mark.slow
def test_an_easy_level_is_learned_in_a_million_steps(tmp_path):
    settings = replace(ppo_settings("chain_lander"), steps=1_000_000)
    run = resume(PPOTraining("chain_lander", settings, 5), tmp_path)
    untrained = run.expert
    for _ in loop.train(run, tmp_path):
        pass
    assert solved_episodes(untrained, 64, seed=9).mean() < 0.2
    assert solved_episodes(load_best_expert(tmp_path), 256, seed=9).mean() > 0.9


SCRIPT = """
from pathlib import Path
from tests.training.test_on_policy import train
import sys
train(Path(sys.argv[1]))
"""


def written(folder):
    """When the file to go on from was last written."""
    path = folder / "resume.safetensors"
    return path.stat().st_mtime_ns if path.exists() else 0


@pytest.mark.slow
def test_a_training_that_is_killed_again_and_again_ends_with_the_same_files(trained, tmp_path):
    rng, kills = np.random.default_rng(0), 0
    while not checkpoint_path(tmp_path, TINY.updates * TINY.batch).exists():
        process, before = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)]), written(tmp_path)
        while written(tmp_path) == before and process.poll() is None:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))  # it comes to the next evaluation, or just not
        kills += process.poll() is None
        process.kill()
        process.wait()
    assert kills > 1
    train(tmp_path)  # if the last kill came between the expert and the file to go on from
    assert files(tmp_path) == files(trained)


def test_folders_have_names():
    assert run_folder(Path("a"), "catapult", 3).as_posix() == "a/catapult/seed3"
