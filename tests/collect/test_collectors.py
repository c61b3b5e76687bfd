import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chunkenv import data
from chunkenv.agents.sampling_planner import Planner
from chunkenv.collect import ExpertSource, collect, collect_plans, collection, collectors
from chunkenv.data.dataset_files import DataError
from chunkenv.data.shards import CollectionSize
from chunkenv.errors import ArgumentError, UnwritableError
from tests.collect.test_planner_player import QUICK
from tests.data.making import LEVEL, Waver, episode, same

EXPERTS = [Waver(0), Waver(1)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(collectors, "EXPERT_BLOCK", 6)
    monkeypatch.setattr(collectors, "PLAN_BLOCK", 2)


def gathered(folder, experts=EXPERTS, **changes):
    return collect(LEVEL, experts, folder, **({"episodes": 20} | changes))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return collect(LEVEL, EXPERTS, tmp_path_factory.mktemp("whole"), episodes=20)


@pytest.mark.parametrize("changes", [{"slots": 1}, {"slots": 7}, {"workers": 2, "slots": 2}])
def test_neither_slots_nor_workers_nor_blocks_change_a_bit(tmp_path, whole, changes):
    dataset = gathered(tmp_path, **changes)
    assert same(dataset, whole)
    assert dataset.info == whole.info


def test_fewer_episodes_are_the_first_ones(tmp_path, whole):
    few = gathered(tmp_path, episodes=9)
    ticks = len(few)
    assert np.array_equal(few.observations, whole.observations[:ticks])
    assert np.array_equal(few.episodes.length, whole.episodes.length[:9])


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ticks_are_counted_to_the_end_of_an_episode(tmp_path, whole, workers):
    ends = np.cumsum(whole.episodes.length)
    dataset = gathered(tmp_path, episodes=None, transitions=int(ends[7]) - 1, workers=workers)
    assert dataset.info["episodes"] == 8
    assert len(dataset) == ends[7]
    assert np.array_equal(dataset.actions, whole.actions[: ends[7]])


def test_the_dataset_says_how_it_was_made(tmp_path):
    source = ExpertSource(Waver(), "seed0/step9", "ab" * 32)
    source.expert.solve_rate, source.expert.steps = 0.75, 9
    dataset = gathered(tmp_path, [source], episodes=2, seed=5, action_noise=0.2, command="as typed")
    expected = {
        "level": LEVEL,
        "observation": "compact",
        "experts": [{"name": "seed0/step9", "sha256": "ab" * 32, "solve_rate": 0.75, "steps": 9}],
        "noise": 0.2,
        "seed": 5,
        "command": "as typed",
        "episodes": 2,
        "transitions": len(dataset),
    }
    assert {key: dataset.info[key] for key in expected} == expected


def test_an_expert_that_does_not_know_its_rate_is_found_again(tmp_path):
    expert = Waver()
    expert.solve_rate = float("nan")
    dataset = gathered(tmp_path, [expert], episodes=2)
    assert same(gathered(tmp_path, [expert], episodes=2), dataset)
    assert set(dataset.info["experts"][0]) == {"name", "sha256"}


class Stop(Exception):
    pass


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_collection_goes_on_where_it_was_stopped(tmp_path, whole, workers):
    def stop(episodes, ticks):
        if episodes:
            raise Stop

    with pytest.raises(Stop):
        gathered(tmp_path, progress=stop)
    with pytest.raises(DataError, match="unfinished"):
        data.load(tmp_path)
    kept = []
    dataset = gathered(tmp_path, workers=workers, progress=lambda episodes, ticks: kept.append(episodes))
    assert kept[0] == 6
    assert kept[1:] == [12, 18, 20] or workers > 1
    assert same(dataset, whole)


def test_progress_counts_what_is_kept(tmp_path):
    told = []
    dataset = gathered(tmp_path, progress=lambda *counts: told.append(counts))
    assert [episodes for episodes, _ in told] == [0, 6, 12, 18, 20]
    assert told[-1] == (20, len(dataset))


def test_a_finished_dataset_is_not_played_again(tmp_path, whole, monkeypatch):
    gathered(tmp_path)
    before = (tmp_path / "meta.json").stat().st_mtime_ns
    monkeypatch.setattr(collection, "as_block", lambda *_: pytest.fail("an episode was played"))
    assert same(gathered(tmp_path), whole)
    assert (tmp_path / "meta.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"action_noise": 0.2}, {"episodes": 21}, {"experts": EXPERTS[:1]}, {"experts": EXPERTS[::-1]}],
)
def test_another_dataset_is_not_touched(tmp_path, changes):
    before = gathered(tmp_path)
    with pytest.raises(ArgumentError, match="holds another dataset; choose another folder, or remove it first"):
        gathered(tmp_path, **changes)
    assert same(data.load(tmp_path), before)


def test_an_unfinished_one_is_not_mixed_with_others(tmp_path):
    def stop(episodes, ticks):
        if episodes:
            raise Stop

    with pytest.raises(Stop):
        gathered(tmp_path, progress=stop)
    with pytest.raises(ArgumentError, match=r"other settings \(seed\)"):
        gathered(tmp_path, seed=1)
    with pytest.raises(ArgumentError, match=r"other settings \(experts\)"):
        gathered(tmp_path, [Waver(7)])


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(tmp_path, whole, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("chunkenv.utils.files.os.fsync", full)
        with pytest.raises(UnwritableError, match=r"cannot be written \(No space left on device\); make room"):
            gathered(tmp_path)
    assert same(gathered(tmp_path), whole)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"episodes": None}, "Give either a number of episodes or one of transitions"),
        ({"transitions": 5}, "Give either"),
        ({"episodes": 0}, "episodes=0"),
        ({"episodes": None, "transitions": 0.5}, "transitions=0.5"),
        ({"seed": -1}, "seed=-1"),
        ({"action_noise": -0.1}, "action_noise=-0.1"),
        ({"slots": 0}, "slots=0"),
        ({"workers": 0}, "workers=0"),
        ({"experts": []}, "is no list of experts"),
    ],
)
def test_mistakes_are_said_before_anything_is_written(tmp_path, changes, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        gathered(tmp_path / "new", **changes)
    assert not (tmp_path / "new").exists()


def test_an_unknown_level_is_named(tmp_path):
    with pytest.raises(ArgumentError, match="did you mean 'catapult'"):
        collect("catapullt", EXPERTS, tmp_path, episodes=1)
    with pytest.raises(ArgumentError, match="did you mean 'catapult'"):
        collect_plans("catapullt", None, tmp_path, episodes=1)


def plans(folder, workers=1, execution_horizon=4, **changes):
    planner = Planner(LEVEL, settings=QUICK)
    changes = {"episodes": 5} | changes
    return collect_plans(
        LEVEL, planner, folder, seed=2, workers=workers, execution_horizon=execution_horizon, **changes
    )


def test_plans_are_the_same_for_any_number_of_workers(tmp_path):
    one, two = plans(tmp_path / "one"), plans(tmp_path / "two", workers=2)
    assert same(one, two)
    (planner,) = one.info["experts"]
    assert (planner["name"], planner["prediction_horizon"], planner["execution_horizon"]) == ("planner", 8, 4)
    assert planner["settings"]["samples"] == QUICK.samples
    assert one.observations.shape[1:] == (42,)
    with pytest.raises(ArgumentError, match="holds another dataset"):
        plans(tmp_path / "one", execution_horizon=2)


def test_what_does_not_plan_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="has no infer; give a planner"):
        collect_plans(LEVEL, Waver(), tmp_path, episodes=1)
    with pytest.raises(ArgumentError, match="execution_horizon=9 is more than prediction_horizon=8"):
        plans(tmp_path / "new", execution_horizon=9)


class Deadly(Waver):
    """Ends its process once it is under way, but not in the process that made it."""

    def __init__(self):
        super().__init__(0)
        self.home = os.getpid()

    def actions(self, observations):
        if os.getpid() != self.home:
            os._exit(1)
        return super().actions(observations)


def test_a_worker_that_dies_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="A worker process ended in the middle of a block"):
        gathered(tmp_path, [Deadly()], workers=2)


SCRIPT = """
import sys
from chunkenv.collect import collect, collectors
from tests.data.making import LEVEL, Waver

if __name__ == "__main__":
    collectors.EXPERT_BLOCK = 6
    told = lambda *counts: print(*counts, flush=True)
    out, episodes, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    collect(LEVEL, [Waver(0), Waver(1)], out, episodes=episodes, workers=workers, progress=told)
"""


def killed_after(folder, seconds, workers, sent=signal.SIGKILL):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), "200", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(sent)
    process.wait()
    process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_it_goes_on_to_the_same_dataset(tmp_path, workers):
    whole = gathered(tmp_path / "whole", episodes=200)
    rng = np.random.default_rng(workers)
    for _ in range(8):
        if (tmp_path / "killed" / "meta.json").exists():
            break
        killed_after(tmp_path / "killed", rng.uniform(0, 0.3), workers)
    dataset = gathered(tmp_path / "killed", episodes=200)
    assert same(dataset, whole)
    assert not list((tmp_path / "killed").rglob("*.partial"))


def test_reading_data_loads_no_engine():
    heavy = ("numba", "jax", "minari", "typer")
    code = f"import sys, chunkenv.data; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


class Broken:
    """Forgets an episode's last observation."""

    def play(self, numbers):
        """One of them is damaged."""
        whole = [episode(3, number) for number in numbers]
        return [one._replace(observations=one.observations[:-1]) if one.seed == 4 else one for one in whole]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_players_faulty_episode_is_named_by_its_number(tmp_path, workers):
    size = CollectionSize(6, None)
    faulty = collection.Collection(Broken, 3, {"experts": [{"name": "broken"}]}, tmp_path / "data", size, workers)
    with pytest.raises(DataError, match="Episode 4 has 3 observations, 3 actions and 3 rewards"):
        faulty.finish("", None)
    assert not (tmp_path / "data" / "meta.json").exists()
