"""Names and ids of our tasks."""

import json
import subprocess
import sys

import gymnasium as gym
import pytest

import chunkenv
from chunkenv import kinetix, manipulation, registration
from chunkenv.errors import ArgumentError
from chunkenv.registration import find_task, read_id, read_task, task_of_level

EVERY_FORM = ("{0}", "{0}-v0", "{1}-{0}", "{1}-{0}-v0", "chunkenv/{0}", "chunkenv/{1}-{0}", "chunkenv/{1}-{0}-v0")


@pytest.fixture
def own_ids():
    """Ids of a user that look like names of ours."""
    names = ("catapult-v0", "mine/scene-task1-v0", "scene-task2")
    for name in names:
        gym.register(name, "gymnasium.envs.classic_control:PendulumEnv")
    yield names
    for name in names:
        del gym.registry[name]


@pytest.mark.parametrize("form", EVERY_FORM)
@pytest.mark.parametrize(
    ("prefix", "name", "task_id"),
    [
        ("kinetix", "catapult", "chunkenv/kinetix-catapult-v0"),
        ("manip", "scene-task1", "chunkenv/manip-scene-task1-v0"),
        ("manip", "puzzle-4x4-task5", "chunkenv/manip-puzzle-4x4-task5-v0"),
        ("manip", "scene", "chunkenv/manip-scene-v0"),
    ],
)
def test_every_form_of_a_name(form, prefix, name, task_id):
    if form.format(name, prefix) == "scene-v0" and "scene-v0" in gym.registry:
        pytest.skip("an id of ogbench's")
    task = find_task(form.format(name, prefix))
    assert task is not None
    assert task.id == task_id
    assert task_id in gym.registry
    assert read_id(form.format(name, prefix)) == task_id


@pytest.mark.parametrize(
    "name", ["manip-catapult", "kinetix-scene-task1", "scene-task6", "scene-task", "Pendulum-v1", "catapult-v1", ""]
)
def test_what_is_none_of_ours(name):
    assert find_task(name) is None


def test_an_own_id_is_never_taken_for_one_of_ours(own_ids):
    for name in own_ids:
        assert find_task(name) is None
        assert read_id(name) == name
    assert find_task("catapult").id == "chunkenv/kinetix-catapult-v0"


def test_levels_of_datasets_are_exact(own_ids):
    assert task_of_level("manip-scene-task2").family == "scene"
    assert task_of_level("catapult").family is None
    for level in ("scene-task2", "kinetix-catapult", "manip-scene", "Pendulum-v1", None, 3, ["catapult"]):
        assert task_of_level(level) is None


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("Kinetix level", "chunkenv/kinetix-catapullt-v0", r"There is no Kinetix level .*: did you mean 'catapult'\?"),
        ("Kinetix level", "scene-task1", "There is no Kinetix level 'scene-task1': choose one of 'grasp_easy', "),
        (
            "manipulation task",
            "scene-tsak1",
            "no manipulation task 'scene-tsak1': did you mean 'scene-task1'",
        ),
        ("manipulation task", "scene", r"There is no manipulation task 'scene'"),
        ("task", "manip-cube-singel-task2", "There is no task .*: did you mean 'cube-single-task2'"),
        ("task", "zzz", "There is no task 'zzz': `chunkenv tasks` lists"),
    ],
)
def test_unknown_names(kind, name, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        read_task(name, kind)


def test_an_unknown_id_names_the_nearest_task():
    with pytest.raises(ArgumentError, match="There is no environment 'trampolin': did you mean 'trampoline'"):
        read_id("trampolin")


def test_the_rooms_of_the_tasks_have_the_same_names():
    assert kinetix.LEVELS is registration.LEVELS
    assert kinetix.TIME_LIMIT is registration.TIME_LIMIT
    assert manipulation.FAMILIES is registration.FAMILIES
    assert chunkenv.kinetix is kinetix


def test_registering_loads_no_room_of_tasks():
    code = "import sys, json, chunkenv.registration; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    assert not [name for name in loaded if name.startswith(("chunkenv.kinetix", "chunkenv.manipulation"))]
