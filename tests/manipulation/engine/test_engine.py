"""Compiled ticks against the single environment: equal to the bit, in any company, whatever happens."""

import copy
import pickle

import numpy as np
import pytest

from chunkenv.manipulation.engine.engine import Engine
from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.scene.privileged_state import read_facts
from tests.manipulation.driving import Driver
from tests.manipulation.shared import in_families, random_actions
from tests.manipulation.test_parity import almost_solved, press

POSITIONS = 1
"""Where positions begin in MuJoCo's part of a state: after the time."""


class Pair:
    """A single environment, and the second of three in an engine, in the same state."""

    def __init__(self, family, task=2, **options):
        self.single = ManipulationEnv(family, task, **options)
        self.current = options.get("timing") == "current"
        self.engine = Engine(family, 3, threads=2)
        self.begin(seed=0)

    def begin(self, seed):
        self.single.reset(seed=seed)
        self.meet()

    def meet(self):
        self.engine.put(1, self.single.get_state())
        self.engine.observe()

    def step(self, action):
        """Play a tick in both and compare everything; whether it ended the episode."""
        observation, reward, terminated, *_ = self.single.step(action)
        actions = np.zeros((3, 1, 5), np.float32)
        actions[1] = action
        played = self.engine.play(actions, np.array([0, 1, 0]), self.current)
        np.testing.assert_array_equal(self.engine.features[1], observation)
        np.testing.assert_array_equal(self.engine.states[1], self.single.get_state())
        held = played.held[1, 0 if self.current else 1]
        assert (reward, terminated) == (held - self.single.world.family.goals, played.ended[1])
        return terminated


@in_families(60, 2000)
def test_every_tick_of_long_runs(family, ticks):
    pair, driver, contacts = Pair(family), Driver(seed=3), 0
    for tick in range(ticks):
        if pair.step(driver.act(read_facts(pair.single.world))):
            pair.begin(seed=tick)
        contacts += pair.single.get_state()[pair.engine.layout.pad_force].any()
    assert contacts > ticks / 40


@in_families(1, 5)
@pytest.mark.parametrize("timing", ["next", "current"])
def test_success(family, ticks, timing):
    for task in range(1, ticks + 1):
        pair = Pair(family, task, timing=timing)
        almost_solved(pair.single.world)
        pair.meet()
        for tick in range(80):
            facts = read_facts(pair.single.world)
            puzzle = FAMILY[family].scene == "puzzle"
            if pair.step(press(facts, 0, tick) if puzzle else np.zeros(5, np.float32)):
                break
        assert 0 < tick < 79


def test_a_cube_that_left_the_table_is_put_back():
    pair = Pair("scene")
    state = pair.single.get_state()
    cube = pair.engine._plan.cubes[0] + POSITIONS
    state[cube] = 2.0
    pair.single.set_state(state)
    pair.meet()
    rescues = pair.engine.states[1, pair.engine.layout.rescue][1]
    for action in random_actions(3):
        pair.step(action)
    assert pair.engine.states[1, pair.engine.layout.rescue][1] == rescues + 1
    assert pair.engine.states[1, cube] < 1


def test_unsound_physics_is_noticed():
    pair = Pair("cube-double")
    state = pair.single.get_state()
    state[POSITIONS + pair.single.world.model.nq] = 1e11  # a velocity
    pair.engine.put(0, state)
    pair.engine.put(2, pair.single.get_state())
    played = pair.engine.play(np.zeros((3, 2, 5), np.float32), np.array([2, 0, 2]))
    assert played.unsound.tolist() == [True, False, False]
    assert played.ticks.tolist() == [0, 0, 2]
    pair.engine.put(0, pair.single.get_state())
    played = pair.engine.play(np.zeros((3, 2, 5), np.float32), np.array([2, 0, 0]))
    assert not played.unsound.any(), "a new state is sound again"
    np.testing.assert_array_equal(pair.engine.states[0], pair.engine.states[2])


@in_families(12, 12)
def test_threads_company_and_chunks_change_nothing(family, ticks):
    single = ManipulationEnv(family, 1)
    engines = [Engine(family, 7, threads=3), Engine(family, 7, threads=1)]
    for index in range(7):
        single.reset(seed=index)
        for engine in engines:
            engine.put(index, single.get_state())
    actions, wanted = np.stack([random_actions(ticks, seed) for seed in range(7)]), np.full(7, ticks)
    whole = engines[0].play(actions, wanted, seen=True, kept=True)
    for tick in range(ticks):
        engines[1].play(actions[:, tick : tick + 1], np.ones(7, np.int64))
        np.testing.assert_array_equal(engines[1].features, whole.seen[:, tick])
        np.testing.assert_array_equal(engines[1].states, whole.kept[:, tick])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda engine: pickle.loads(pickle.dumps(engine))])
def test_copies_go_on_alike_and_apart(duplicate):
    engine, single = Engine("scene", 2, threads=2), ManipulationEnv("scene", 1)
    duplicate(engine)
    for index in range(2):
        single.reset(seed=index)
        engine.put(index, single.get_state())
    actions = random_actions(6).reshape(2, 3, 5)
    engine.play(actions, np.full(2, 3))
    other = duplicate(engine)
    np.testing.assert_array_equal(other.features, engine.features)
    before = engine.states.copy()
    other.play(actions, np.full(2, 3))
    np.testing.assert_array_equal(engine.states, before)
    engine.play(actions, np.full(2, 3))
    np.testing.assert_array_equal(other.states, engine.states)


def test_all_begins_in_python_and_nothing_is_observed_without_a_tick():
    pair = Pair("cube-double")
    before = pair.engine.features.copy()
    pair.engine.play(np.zeros((3, 0, 5), np.float32), np.zeros(3, np.int64))
    np.testing.assert_array_equal(pair.engine.features, before)
