"""Our environments against ogbench's own: the same states and actions lead to the same, to the bit."""

import numpy as np
import pytest

from chunkenv.manipulation.env import ManipulationEnv
from chunkenv.manipulation.families import FAMILY
from chunkenv.manipulation.goal_env import GoalManipulationEnv
from chunkenv.manipulation.scene.privileged_state import read_facts
from tests.manipulation.driving import Driver
from tests.manipulation.ogbench_itself import open_ogbench, state_of, step_physics, touching
from tests.manipulation.shared import in_families

pytestmark = pytest.mark.filterwarnings("ignore:.*Box (low|high)'s precision")  # ogbench's own, at every look


class Pair:
    """ogbench's environment and ours in the same state, played tick by tick.

    Attributes:
        touched: ticks with contacts of the gripper.
        solved: ticks with which a task was solved.
    """

    def __init__(self, family, task, timing, seed):
        self.theirs = open_ogbench(family, task, timing)
        self.theirs.reset(seed=seed)
        self.ours = ManipulationEnv(family, task, timing=timing)
        self.ours.reset(seed=0)
        self.meet()
        self.touched = self.solved = 0

    def meet(self):
        """Put ours into the state of theirs."""
        self.state = state_of(self.theirs, self.ours.layout)
        self.ours.set_state(self.state)

    def step(self, action):
        """Play a tick in both and compare everything; whether it ended the episode."""
        observation, reward, terminated, truncated, info = self.theirs.step(action)
        ours = self.ours.step(action)
        np.testing.assert_array_equal(ours[0], observation.astype(np.float32))
        assert ours[1:] == (reward, terminated, truncated, {"success": info["success"]})
        np.testing.assert_array_equal(self.ours.get_state(), state_of(self.theirs, self.ours.layout))
        self.touched += touching(self.theirs)
        self.solved += bool(terminated)
        return terminated


def almost_solved(theirs):
    """Everything as the task wants it but one thing, which the next ticks put right."""
    family, data = theirs.family, theirs.data
    joints = [data.joint(f"object_joint_{cube}") for cube in range(family.cubes)]
    for joint, mocap in zip(joints, getattr(theirs, "_cube_target_mocap_ids", ()), strict=True):
        joint.qpos[:] = *data.mocap_pos[mocap], *data.mocap_quat[mocap]
        joint.qvel[:] = 0
    for joint in joints[-1:]:
        joint.qpos[2] += 0.06  # it falls into place
    if family.buttons:
        theirs._cur_button_states = theirs._target_button_states.copy()
    if family.slides:
        data.joint("drawer_slide").qpos[0] = theirs._target_drawer_pos
        data.joint("window_slide").qpos[0] = theirs._target_window_pos
    if family.scene == "puzzle":
        _unpress(theirs, 0)
    theirs.pre_step()
    step_physics(theirs)
    theirs.post_step()


def _unpress(theirs, button):
    """The states from which one press of the button solves the puzzle."""
    row, column = divmod(button, theirs._num_cols)
    for other in range(theirs.family.buttons):
        if abs(other // theirs._num_cols - row) + abs(other % theirs._num_cols - column) <= 1:
            theirs._cur_button_states[other] ^= 1


def press(facts, button, tick):
    """An action on the way to pressing a button: there, and down."""
    target = facts["button_tops"][button] + [0, 0, 0.08 if tick < 25 else -0.05]
    return np.float32([*np.clip((target - facts["effector_position"]) / 0.05, -1, 1), 0, 1])


@in_families(60, 2000)
@pytest.mark.parametrize("timing", ["next", "current"])
def test_every_tick_of_long_runs(family, ticks, timing):
    pair = Pair(family, 2 if timing == "next" else 5, timing, seed=1)
    driver = Driver(seed=2)
    for _ in range(ticks):
        if pair.step(driver.act(read_facts(pair.ours.world))):
            pair.theirs.reset(seed=3)
            pair.meet()
    assert pair.touched > ticks / 20


@in_families(1, 5)
@pytest.mark.parametrize("timing", ["next", "current"])
def test_success(family, ticks, timing):
    for task in range(1, ticks + 1):
        pair = Pair(family, task, timing, seed=task)
        almost_solved(pair.theirs)
        pair.meet()
        for tick in range(80):
            buttons = FAMILY[family].scene == "puzzle"
            facts = read_facts(pair.ours.world)
            if pair.step(press(facts, 0, tick) if buttons else np.zeros(5, np.float32)):
                break
        assert pair.solved == 1, task
        assert tick > 0


@in_families(3, 20)
def test_the_first_state_of_a_seed_is_ogbench_s(family, ticks):
    for seed in range(ticks):
        theirs, ours = open_ogbench(family, 3), ManipulationEnv(family, 3)
        theirs.reset(seed=seed)
        ours.reset(seed=seed)
        np.testing.assert_array_equal(ours.world.data.qpos, theirs.data.qpos)
        np.testing.assert_array_equal(ours.world.data.mocap_pos, theirs.data.mocap_pos)


@in_families(60, 500)
def test_goals(family, ticks):
    theirs = open_ogbench(family, None)
    _, info = theirs.reset(seed=4, options={"task_id": 4})
    ours = GoalManipulationEnv(family, goal="features", reward="sparse")
    ours.reset(seed=0)
    ours.set_state(state_of(theirs, ours.layout))
    driver = Driver(seed=5)
    for _ in range(ticks):
        action = driver.act(read_facts(ours.world))
        observation, reward, terminated, _, _ = theirs.step(action)
        seen, our_reward, our_end, _, _ = ours.step(action)
        np.testing.assert_array_equal(seen["observation"], observation.astype(np.float32))
        np.testing.assert_array_equal(seen["desired_goal"], info["goal"].astype(np.float32))
        assert (our_reward, our_end) == (reward - 1, terminated)
