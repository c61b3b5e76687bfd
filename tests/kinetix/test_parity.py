"""Our engine against kinetix-env: recorded transitions one by one, and the first 20 ticks of free runs."""

import numpy as np
import pytest

from chunkenv.kinetix import LEVELS
from chunkenv.kinetix.engine.build import joined_groups
from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.level_simulator import Rollout
from chunkenv.kinetix.env import KinetixEnv
from chunkenv.kinetix.level import load_level
from tests.kinetix.reference import reference

POSITION, OBSERVATION, FREE, FREE_TICKS = 1e-5, 1e-4, 1e-3, 20


@pytest.fixture(params=LEVELS)
def recording(request):
    return reference(request.param)


def rolled_out(simulator, states, actions):
    """All at once, in lanes."""
    return simulator.rollout(states, actions[:, None], observations=True)


def played_in_place(simulator, states, actions):
    """All at once, in lanes and threads, in the given memory."""
    result = simulator.play(states, actions[:, None], np.ones(len(states), int), observation="symbolic", threads=2)
    return Rollout(result.rewards, result.ends, result.distances, states, result.observations[:, None])


def stepped(simulator, states, actions):
    """One by one."""
    records, scratch = states.reshape(-1).view(STATE), simulator.new_scratch()
    seen = np.empty((len(states), 1, 679), np.float32)
    ticks = [
        simulator.step(records[n : n + 1], scratch, action, seen[n, 0]) for n, action in enumerate(np.copy(actions))
    ]
    rewards = np.array([[tick.reward] for tick in ticks], np.float32)
    distances = np.array([[tick.distance] for tick in ticks], np.float32)
    return Rollout(rewards, np.array([0 if tick.ended else 1 for tick in ticks]), distances, states, seen)


@pytest.fixture(params=[rolled_out, played_in_place, stepped])
def played(request, recording):
    """Every recorded transition, played by our engine from the recorded state."""
    return request.param(recording.simulator, recording.states(recording.before), recording.arrays["action"])


# The reference goes another way than our engine under the actions that solve these, long before the end: chaos.
UNSOLVED = {"mjc_swimmer", "mjc_walker"}
WITH_RED = {level for level in LEVELS if any(body.role == "red" for body in load_level(level).bodies)}


def test_the_recording_is_worth_comparing_with(recording):
    arrays, level = recording.arrays, recording.simulator.level
    assert len(arrays["action"]) >= 500
    assert len(arrays["length"]) >= 5
    assert arrays["free"].sum() >= 3
    assert (arrays["contact_normal"] != 0).any()
    assert (arrays["reward"] == 1).any() == (level not in UNSOLVED)
    assert (arrays["reward"] == -1).any() == (level in WITH_RED)


def test_positions_and_observations(recording, played):
    arrays, after = recording.arrays, recording.before + 1
    position = played.states.view(STATE)["bodies"]["pos"][:, 0]
    slots = [body.slot for body in load_level(recording.simulator.level).bodies]
    for k, axis in enumerate("xy"):
        np.testing.assert_allclose(
            position[axis][:, slots], arrays["position"][after][:, slots, k], atol=POSITION, rtol=0
        )
    expected = np.repeat(arrays["first_observation"][None], len(after), 0)
    expected[:, arrays["feature_places"]] = arrays["features"]
    np.testing.assert_allclose(played.observations[:, 0], expected, atol=OBSERVATION, rtol=0)


def test_every_reward_and_end(recording, played):
    np.testing.assert_array_equal(played.rewards[:, 0], recording.arrays["reward"])
    np.testing.assert_array_equal(played.ends == 0, recording.arrays["done"])
    np.testing.assert_allclose(played.distances[:, 0], recording.arrays["distance"], atol=POSITION, rtol=0)


def test_what_the_next_frame_starts_from(recording, played):
    """Contact and joint impulses, by slot: they decide the next transition."""
    ours = played.states.view(STATE)[:, 0]
    expected = recording.states(recording.before + 1).view(STATE)[:, 0]
    for part in ("normal", "tangent"):
        np.testing.assert_allclose(ours["contacts"][part], expected["contacts"][part], atol=1e-3, rtol=1e-3)
    np.testing.assert_allclose(ours["joints"]["turn"], expected["joints"]["turn"], atol=1e-4, rtol=1e-4)


def test_shaped_reward(recording):
    """`reward="distance"` is what kinetix-env gives by default."""
    arrays = recording.arrays
    env = KinetixEnv(recording.simulator.level, reward="distance")
    for state, action, expected in zip(
        recording.states(recording.before[:100]), arrays["action"], arrays["reward_distance"], strict=False
    ):
        env.set_state(state)
        assert env.step(action)[1] == pytest.approx(expected, abs=3e-6)


def test_free_runs(recording):
    arrays = recording.arrays
    for start, length, well_posed in zip(recording.starts, arrays["length"], arrays["free"], strict=True):
        if not well_posed:
            continue
        n = min(length, FREE_TICKS)
        actions = arrays["action"][start : start + n]
        ours = recording.simulator.rollout(recording.simulator.initial_state(), actions[None], observations=True)
        seen = ours.observations[0][:, arrays["feature_places"]]
        np.testing.assert_allclose(seen, arrays["features"][start : start + n], atol=FREE, rtol=0)


def test_first_observation(recording):
    ours = recording.simulator.observation(recording.simulator.initial_state())
    np.testing.assert_allclose(ours, recording.arrays["first_observation"], atol=1e-6, rtol=0)


def test_what_never_collides(recording):
    """Bodies that joints connect: the reference's collision matrix, seen through the level's bodies."""
    groups = joined_groups(load_level(recording.simulator.level))
    collides = recording.arrays["collision_matrix"]
    for a, group_a in groups.items():
        for b, group_b in groups.items():
            assert collides[a, b] == (group_a != group_b), (a, b)
