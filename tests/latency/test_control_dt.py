"""How long a tick is: what an environment says of its step goes before its frame rate."""

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import MaxAndSkipObservation, TransformReward

from chunkenv import ActionDelay, ChunkedExecution, ChunkedVectorExecution, ObservationDelay
from chunkenv.errors import ArgumentError
from chunkenv.latency import Constant, Delays, LogNormal, control_dt_of

CLASSIC = {
    "Acrobot-v1": 0.2,
    "CartPole-v1": 0.02,
    "MountainCar-v0": 1 / 30,
    "MountainCarContinuous-v0": 1 / 30,
    "Pendulum-v1": 0.05,
}
BOX2D = {
    "BipedalWalker-v3": 0.02,
    "BipedalWalkerHardcore-v3": 0.02,
    "CarRacing-v3": 0.02,
    "LunarLander-v3": 0.02,
    "LunarLanderContinuous-v3": 0.02,
}
MUJOCO = {
    "Ant-v5": 0.05,
    "HalfCheetah-v5": 0.05,
    "Hopper-v5": 0.008,
    "Humanoid-v5": 0.015,
    "HumanoidStandup-v5": 0.015,
    "InvertedDoublePendulum-v5": 0.05,
    "InvertedPendulum-v5": 0.04,
    "Pusher-v5": 0.05,
    "Reacher-v5": 0.02,
    "Swimmer-v5": 0.04,
    "Walker2d-v5": 0.008,
}
FUNCTIONAL = {"phys2d/CartPole-v1": 0.02, "phys2d/Pendulum-v0": 0.05}
WITHOUT_TIME = {"Blackjack-v1": 0.25, "CliffWalking-v1": 0.25, "FrozenLake-v1": 0.25, "Taxi-v3": 0.25}
OURS = {"chunkenv/kinetix-catapult-v0": 1 / 30, "chunkenv/manip-cube-single-task1-v0": 0.05}


@pytest.mark.parametrize(("name", "dt"), (CLASSIC | BOX2D | MUJOCO | FUNCTIONAL | WITHOUT_TIME | OURS).items())
@pytest.mark.filterwarnings("error:.*render_fps:UserWarning")
def test_seconds_of_known_environments(name, dt, tmp_path, monkeypatch):
    """Moves of games without time are taken to last as long as they are shown."""
    monkeypatch.chdir(tmp_path)  # MuJoCo writes a log of warnings here
    try:
        env = gym.make(name)
    except (gym.error.Error, ImportError) as error:
        pytest.skip(str(error))
    assert control_dt_of(env) == pytest.approx(dt, rel=1e-12)
    if isinstance(env.action_space, gym.spaces.Box):
        assert ChunkedExecution(env, 8, 4, latency=Constant(1.5 * dt)).control_dt == pytest.approx(dt)
    env.close()


class Timed(gym.Env):
    """Says how long its step is, under a name of its own choice."""

    action_space = observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, render_fps=None, **says):
        self.metadata = {} if render_fps is None else {"render_fps": render_fps}
        for name, value in says.items():
            setattr(self, name, value)


@pytest.mark.parametrize("name", ["control_dt", "control_timestep", "dt", "tau"])
def test_an_environment_says_it_in_several_words(name):
    assert control_dt_of(Timed(render_fps=30, **{name: 0.05})) == 0.05
    assert control_dt_of(Timed(**{name: np.float32(0.25)})) == 0.25
    assert control_dt_of(Timed(render_fps=30, **{name: 0.05}), 0.5) == 0.5


@pytest.mark.parametrize("value", [None, 0.0, -0.1, float("nan"), float("inf"), "fast", True, lambda: 0.1])
def test_what_is_no_time_is_passed_over(value):
    assert control_dt_of(Timed(render_fps=20, dt=value)) == 0.05
    assert control_dt_of(Timed(dt=value)) is None


@pytest.mark.parametrize(
    ("frames", "dt"), [(50, 0.02), (30, 1 / 30), (None, None), (0, None), ("x", None), (True, None)]
)
def test_without_one_it_comes_from_the_frame_rate(frames, dt):
    env = Timed(frames)
    assert control_dt_of(env) == dt
    assert control_dt_of(env, 0.5) == 0.5


def test_an_environment_that_says_nothing():
    env = Timed()
    assert control_dt_of(env) is None
    with pytest.raises(ArgumentError, match=r"LogNormal\(median=0.1, sigma=0.5\) is in seconds.*give control_dt"):
        Delays(LogNormal(0.1, 0.5), control_dt_of(env))


class Repeated(gym.Wrapper):
    """Says that its step is longer."""

    dt = 0.2


def test_wrappers_that_make_a_step_longer():
    env = Timed(render_fps=20, dt=0.05)
    assert control_dt_of(TransformReward(env, abs)) == 0.05
    assert control_dt_of(Repeated(env)) == 0.2
    assert control_dt_of(MaxAndSkipObservation(env, skip=4)) == 0.2
    assert control_dt_of(MaxAndSkipObservation(Timed(render_fps=20), skip=4)) == 0.2
    assert control_dt_of(MaxAndSkipObservation(Repeated(env), skip=2)) == 0.4


def test_around_chunks_a_step_is_a_decision_of_no_fixed_time():
    chunked = ChunkedExecution(Timed(render_fps=20, dt=0.05), 8, 4)
    assert control_dt_of(chunked) is None
    with pytest.raises(ArgumentError, match=r"a step that is a decision\); give control_dt"):
        ChunkedExecution(chunked, 2, latency=Constant(0.2))
    assert ChunkedExecution(chunked, 4, latency=Constant(0.2), control_dt=0.2).execution_horizon == 3


def test_members_of_a_vector():
    assert control_dt_of(SyncVectorEnv([partial(gym.make, "Pendulum-v1")] * 2)) == 0.05
    differing = SyncVectorEnv([partial(Timed, dt=dt) for dt in (0.05, 0.1)])
    assert control_dt_of(differing) is None
    with pytest.raises(ArgumentError, match=r"members that differ.*give control_dt"):
        ChunkedVectorExecution(differing, 8, 4, latency=Constant(0.1))
    assert ChunkedVectorExecution(differing, 8, 4, latency=Constant(0.1), control_dt=0.1).control_dt == 0.1


def test_a_delay_in_seconds_is_counted_in_steps():
    """0.08 s are two steps of Pendulum-v1, which are 0.05 s, and not three of its frames."""
    env = ChunkedExecution(gym.make("Pendulum-v1"), 8, 4, latency=Constant(0.08), info="actions")
    envs = ChunkedVectorExecution(SyncVectorEnv([partial(gym.make, "Pendulum-v1")]), 8, 4, latency=Constant(0.08))
    for each in (env, envs):
        each.action_space.seed(0)
        each.reset(seed=0)
        each.step(each.action_space.sample())
        assert int(np.max(each.step(each.action_space.sample())[4]["delay"])) == 2


MAKERS = {
    "chunks": lambda env, **more: ChunkedExecution(env, 8, 4, Constant(0.08), **more),
    "vector": lambda env, **more: ChunkedVectorExecution(SyncVectorEnv([lambda: env]), 8, 4, Constant(0.08), **more),
    "actions": lambda env, **more: ActionDelay(env, Constant(0.08), **more),
    "observations": lambda env, **more: ObservationDelay(env, Constant(0.08), **more),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_contradiction_is_warned_of_once(make):
    with pytest.warns(
        UserWarning, match=r"has dt=0.05, but metadata\['render_fps'\]=30: .* 0.05 s; give control_dt"
    ) as caught:
        make(Timed(render_fps=30, dt=0.05))
    assert (len(caught), caught[0].filename) == (1, __file__)


@pytest.mark.filterwarnings("error")
def test_what_does_not_contradict_or_does_not_count_is_not_warned_of():
    MAKERS["actions"](Timed(render_fps=67, dt=0.015))  # rounded to whole frames
    MAKERS["actions"](Timed(render_fps=20, dt=0.05))
    MAKERS["actions"](Timed(render_fps=30, dt=0.05), control_dt=0.05)
    MAKERS["actions"](Timed(dt=0.05))
    ChunkedExecution(Timed(render_fps=30, dt=0.05), 8, 4, latency=2)
