"""One reading of the three autoreset modes: transitions are those of the single environments."""

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array

import chunkenv  # noqa: F401
from chunkenv import ChunkedExecution, ChunkedVectorExecution
from chunkenv.errors import ArgumentError
from chunkenv.testing import CountingEnv
from chunkenv.utils.infos import split_infos
from chunkenv.vector import read_decisions
from chunkenv.vector.workers import WorkerFault, WorkerVectorEnv
from tests.vector.comparing import MODES, same
from tests.worlds import Recorder

N, DECISIONS = 3, 24
CHUNKS = dict(prediction_horizon=6, execution_horizon=3, latency={"model": "uniform", "low": 0, "high": 0.15})
CHUNKS |= dict(control_dt=0.05, discount=0.9, observe_prefix=True)
CHOSEN = CHUNKS | dict(execution_horizon=(1, 4), delays=(0, 1, 3), latency=0)
FLYING = CHUNKS | dict(max_in_flight=2)
CARTPOLE = partial(gym.make, "CartPole-v1", max_episode_steps=11)
KINETIX, MANIPULATION = "chunkenv/kinetix-grasp_easy-v0", "chunkenv/manip-cube-single-task1-v0"


def chunked(make_env, chunks=CHUNKS):
    return ChunkedExecution(make_env(), **chunks)


def native(id, mode, **arguments):
    return gym.make_vec(id, N, autoreset_mode=mode, **arguments)


BUILDS = {
    "around CartPole": (
        lambda mode: ChunkedVectorExecution(SyncVectorEnv([CARTPOLE] * N, autoreset_mode=mode), **CHUNKS),
        partial(chunked, CARTPOLE),
    ),
    "around a Dict": (
        lambda mode: ChunkedVectorExecution(
            SyncVectorEnv([partial(Recorder, limit=7)] * N, autoreset_mode=mode), **CHUNKS
        ),
        partial(chunked, partial(Recorder, limit=7)),
    ),
    "inside, in turns": (
        lambda mode: SyncVectorEnv([partial(chunked, CARTPOLE)] * N, autoreset_mode=mode),
        partial(chunked, CARTPOLE),
    ),
    "inside, in processes": (
        lambda mode: AsyncVectorEnv([partial(chunked, CARTPOLE)] * N, autoreset_mode=mode),
        partial(chunked, CARTPOLE),
    ),
    "inside, in workers": (
        lambda mode: WorkerVectorEnv([partial(chunked, CARTPOLE)] * N, autoreset_mode=mode),
        partial(chunked, CARTPOLE),
    ),
    "Kinetix": (
        lambda mode: native(KINETIX, mode, max_episode_steps=20, **CHUNKS),
        lambda: chunked(partial(gym.make, KINETIX, max_episode_steps=20)),
    ),
    "manipulation": (
        lambda mode: native(MANIPULATION, mode, max_episode_steps=7, **CHUNKS),
        lambda: chunked(partial(gym.make, MANIPULATION, max_episode_steps=7)),
    ),
    "Kinetix, two in flight": (
        lambda mode: native(KINETIX, mode, max_episode_steps=20, **FLYING),
        lambda: chunked(partial(gym.make, KINETIX, max_episode_steps=20), FLYING),
    ),
    "chosen horizons and delays, around CartPole": (
        lambda mode: ChunkedVectorExecution(SyncVectorEnv([CARTPOLE] * N, autoreset_mode=mode), **CHOSEN),
        partial(chunked, CARTPOLE, CHOSEN),
    ),
    "chosen horizons and delays, inside, in workers": (
        lambda mode: WorkerVectorEnv([partial(chunked, CARTPOLE, CHOSEN)] * N, autoreset_mode=mode),
        partial(chunked, CARTPOLE, CHOSEN),
    ),
}
PLAIN = {
    "CartPole without chunks": (lambda mode: SyncVectorEnv([CARTPOLE] * N, autoreset_mode=mode), CARTPOLE),
    "Kinetix without chunks": (
        lambda mode: native(KINETIX, mode, max_episode_steps=20),
        partial(gym.make, KINETIX, max_episode_steps=20),
    ),
    "manipulation without chunks": (
        lambda mode: native(MANIPULATION, mode, max_episode_steps=7),
        partial(gym.make, MANIPULATION, max_episode_steps=7),
    ),
}


def actions_of(space):
    """The actions of every environment's decisions, whichever step they fall into: [N][DECISIONS]."""
    space.seed(0)
    return [[space.sample() for _ in range(DECISIONS)] for _ in range(N)]


def alone(make_env, index, discount):
    """The transitions of one environment by itself, and where each began."""
    env = make_env()
    actions = actions_of(env.action_space)[index]
    observation, _ = env.reset(seed=index)
    for action in actions:
        last, reward, terminated, truncated, info = env.step(action)
        one = info.get("discount", 0.0 if terminated else discount)
        yield observation, (float(reward), one, terminated, truncated, last), info
        observation = env.reset()[0] if terminated or truncated else last


def together(envs, discount):
    """The same transitions out of a vector of them, in one loop for every mode."""
    actions = actions_of(envs.single_action_space)
    found = [[] for _ in range(N)]
    observations, _ = envs.reset(seed=0)
    ended = np.zeros(N, bool)
    while min(map(len, found)) < DECISIONS:
        now = [actions[index][min(len(found[index]), DECISIONS - 1)] for index in range(N)]
        step = envs.step(concatenate(envs.single_action_space, now, create_empty_array(envs.single_action_space, N)))
        before, ended_before, ended = observations, ended, step[2] | step[3]
        decisions = read_decisions(
            envs, *step, discount=discount, ended_before=None if discount is None else ended_before
        )
        infos = split_infos(decisions.last_infos, N)
        for index in np.flatnonzero(decisions.decided).tolist():
            flags = bool(decisions.terminated[index]), bool(decisions.truncated[index])
            numbers = float(decisions.rewards[index]), float(decisions.discounts[index])
            last = member(decisions.last_observations, index)
            found[index].append((member(before, index), (*numbers, *flags, last), infos[index]))
        assert not decisions.rewards[~decisions.decided].any()
        assert (decisions.discounts[~decisions.decided] == 1).all()
        observations = step[0]
        if envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED and ended.any():
            observations, _ = envs.reset(options={"reset_mask": ended})
    envs.close()
    return found


def member(batch, index):
    return {key: member(part, index) for key, part in batch.items()} if isinstance(batch, dict) else batch[index]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("build", [*BUILDS, *PLAIN])
@pytest.mark.filterwarnings("ignore::chunkenv.errors.StaleChunkWarning")
def test_transitions_are_those_of_the_single_environments(build, mode):
    if "manipulation" in build:
        pytest.importorskip("ogbench")
    make_envs, make_env = (BUILDS | PLAIN)[build]
    discount = 0.9 if build in PLAIN else None
    found = together(make_envs(mode), discount)
    ends = 0
    for index, transitions in enumerate(found):
        for (begin, values, info), (other_begin, other, other_info) in zip(
            transitions, alone(make_env, index, discount), strict=False
        ):
            same(begin, other_begin)
            same(values, other)
            assert info == other_info
            ends += values[2] or values[3]
    assert ends >= 3


def counting(mode, ends, **chunks):
    """Counting worlds with chunks, of which member i terminates at tick ends[i]."""
    envs = SyncVectorEnv([partial(CountingEnv, terminate_at=end) for end in ends], autoreset_mode=mode)
    return ChunkedVectorExecution(envs, prediction_horizon=4, **chunks)


@pytest.mark.parametrize("mode", MODES)
def test_the_terminal_decision_counts_in_every_mode(mode):
    envs = counting(mode, [2, 9], discount=0.5)
    envs.reset(seed=0)
    decisions = read_decisions(envs, *envs.step(np.ones((2, 4, 1), np.float32)))
    assert decisions.decided.tolist() == [True, True]
    assert decisions.rewards.tolist() == [1.5, 1.875]
    assert decisions.discounts.tolist() == [0.0, 0.5**4]
    assert decisions.last_observations[:, 0].tolist() == [2, 4]
    assert decisions.last_infos["ticks"].tolist() == [2, 4]
    assert not {"final_obs", "final_info"} & decisions.last_infos.keys()


def test_a_step_in_which_all_are_reset_decides_nothing():
    """Gymnasium's vector of chunks has no 'ticks' at all then."""
    envs = SyncVectorEnv([lambda: ChunkedExecution(CountingEnv(terminate_at=2), 4)])
    envs.reset(seed=0)
    assert read_decisions(envs, *envs.step(np.ones((1, 4, 1), np.float32))).decided.tolist() == [True]
    decisions = read_decisions(envs, *envs.step(np.ones((1, 4, 1), np.float32)))
    assert (decisions.decided.tolist(), decisions.discounts.tolist()) == ([False], [1.0])
    assert "_ticks" not in decisions.last_infos


def test_what_the_step_returned_is_left_as_it_was():
    envs = counting(AutoresetMode.SAME_STEP, [2, 9])
    envs.reset(seed=0)
    observations, *rest = envs.step(np.ones((2, 4, 1), np.float32))
    read_decisions(envs, observations, *rest)
    assert observations[:, 0].tolist() == [0, 4]
    assert rest[-1]["_ticks"].tolist() == [False, True]
    assert rest[-1]["final_info"]["ticks"].tolist() == [2, 0]


class Fails(gym.Wrapper):
    """Raises in its fifth tick."""

    def step(self, action):
        """Count on, or raise."""
        if self.env.unwrapped.tick == 4:
            raise RuntimeError("broken")
        return self.env.step(action)


@pytest.mark.parametrize("mode", MODES)
def test_a_worker_that_failed_decided_nothing_but_its_episode_is_cut(mode):
    makers = [partial(ChunkedExecution, CountingEnv(), 4), partial(ChunkedExecution, Fails(CountingEnv()), 4)]
    envs = WorkerVectorEnv(makers, autoreset_mode=mode)
    envs.reset(seed=0)
    envs.step(np.ones((2, 4, 1), np.float32))
    with pytest.raises(WorkerFault) as caught:
        envs.step(np.ones((2, 4, 1), np.float32))
    decisions = read_decisions(envs, *caught.value.result)
    envs.close()
    assert decisions.decided.tolist() == [True, False]
    assert decisions.rewards.tolist() == [4.0, 0.0]
    assert decisions.truncated.tolist() == [False, True]


def step_of(mode, **chunks):
    make = partial(CountingEnv, terminate_at=2)
    envs = SyncVectorEnv([partial(ChunkedExecution, make(), 4) if chunks else make] * 2, autoreset_mode=mode)
    envs.reset(seed=0)
    return envs, envs.step(np.ones(envs.action_space.shape, np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_environments_without_chunks_need_a_discount(mode):
    envs, step = step_of(mode)
    with pytest.raises(ArgumentError, match=r"no 'ticks' and 'discount' of the environments \[0, 1\].*Give discount="):
        read_decisions(envs, *step)


def test_chunks_have_their_own_discount():
    envs, step = step_of(AutoresetMode.SAME_STEP, chunks=True)
    with pytest.raises(ArgumentError, match="these have their own in infos: leave it out"):
        read_decisions(envs, *step, discount=0.9)
    envs, step = step_of(AutoresetMode.SAME_STEP)
    with pytest.raises(ArgumentError, match=r"discount=1\.5"):
        read_decisions(envs, *step, discount=1.5)


@pytest.mark.parametrize("ended_before", [None, [False], [0, 1]])
def test_without_chunks_next_step_needs_to_know_who_had_ended(ended_before):
    envs, step = step_of(AutoresetMode.NEXT_STEP)
    with pytest.raises(
        ArgumentError, match=r"ended_before=.*give bool\[2\], terminated \| truncated of the step before"
    ):
        read_decisions(envs, *step, discount=0.9, ended_before=ended_before)
