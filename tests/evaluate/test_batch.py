from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from chunkenv import ActionNoise, ChunkedExecution, ChunkedVectorExecution, evaluate, evaluate_batch
from chunkenv.agents.sampling_planner import Planner
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.latency import Uniform
from tests.evaluate.test_single import REPORTS, Reporting, Walk

LANDER = "chunkenv/kinetix-chain_lander-v0"
DISABLED = AutoresetMode.DISABLED


class Cost(NamedTuple):
    evaluations: int = 5


class Drifting:
    """Chunks from the request's stream, the prefix and a drift that each episode begins anew: rows stand alone."""

    cost = Cost()

    def __init__(self, actions):
        self._actions = actions
        self._drift = np.zeros(0)

    def reset(self):
        self._drift = np.zeros(0)

    def infer_batch(self, observations, request):
        if len(self._drift) != len(request.tick):
            self._drift = np.zeros(len(request.tick))
        self._drift = np.where(request.tick == 0, 0.0, self._drift + 0.1)
        noise = np.stack([rng.standard_normal((8, self._actions), np.float32) for rng in request.rng])
        chunks = noise + np.float32(0.5) * self._drift.astype(np.float32)[:, None, None]
        held = np.arange(8)[None, :, None] < request.prefix_length[:, None, None]
        return np.where(held, request.prefix, chunks).astype(np.float32)


class Alone(Drifting):
    """The same, one episode at a time."""

    def infer(self, observation, request):
        noise = request.rng.standard_normal((8, self._actions), np.float32)
        self._drift = np.zeros(1) if request.tick == 0 else self._drift + 0.1
        chunk = noise + np.float32(0.5) * self._drift.astype(np.float32)[:, None]
        chunk[: request.prefix_length] = request.prefix
        return chunk


@pytest.mark.parametrize("latency", [0, 2, Uniform(0.0, 0.2)])
@pytest.mark.parametrize("slots", [1, 4, 16])
@pytest.mark.parametrize("info", ["basic", "actions", "full"])
def test_rows_are_those_of_evaluate(latency, slots, info):
    chunks = dict(prediction_horizon=8, execution_horizon=3, latency=latency, info=info)

    def make_envs(slots):
        return gym.make_vec(LANDER, slots, autoreset_mode=DISABLED, action_noise=0.1, max_episode_steps=40, **chunks)

    def make_env():
        return ChunkedExecution(ActionNoise(gym.make(LANDER, max_episode_steps=40), 0.1), **chunks)

    rows = evaluate_batch(make_envs, Drifting(6), episodes=9, seed=3, slots=slots)
    assert rows == evaluate(make_env, Alone(6), episodes=9, seed=3)
    assert ("jerk" in rows[0]) == (info != "basic")


def test_any_environment_of_gymnasium():
    chunks = dict(prediction_horizon=8, execution_horizon=3, latency=2, discount=0.9, info="actions")

    def make_envs(slots):
        inner = SyncVectorEnv([Walk] * slots, autoreset_mode=DISABLED)
        return ChunkedVectorExecution(inner, **chunks)

    rows = evaluate_batch(make_envs, Drifting(1), episodes=11, seed=0, slots=3)
    assert rows == evaluate(lambda: ChunkedExecution(Walk(), **chunks), Alone(1), episodes=11, seed=0)
    assert {row["success"] for row in rows} == {True, False}
    assert all(row["denoiser_evaluations"] == 5 * row["decisions"] for row in rows)


def test_a_policy_is_told_which_environments_nobody_looks_at():
    """The last episodes end one after the other; whatever it answers for the slots that idle, the rows are the same."""
    told = []

    class Sparing(Drifting):
        def infer_batch(self, observations, request):
            told.append(request.playing)
            chunks = super().infer_batch(observations, request)
            return chunks if request.playing is None else np.where(request.playing[:, None, None], chunks, 0)

    make_envs = lambda slots: walks(slots, latency=2, info="actions")
    rows = evaluate_batch(make_envs, Drifting(1), episodes=6, seed=0, slots=4)
    assert evaluate_batch(make_envs, Sparing(1), episodes=6, seed=0, slots=4) == rows
    counts = [4 if playing is None else int(playing.sum()) for playing in told]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 4 > counts[-1] >= 1


def test_numbered_episodes_are_those_of_all():
    def make_envs(slots):
        return ChunkedVectorExecution(SyncVectorEnv([Walk] * slots, autoreset_mode=DISABLED), 8, 3)

    everything = evaluate_batch(make_envs, Drifting(1), episodes=10, seed=0, slots=4)
    assert evaluate_batch(make_envs, Drifting(1), episodes=(7, 2), seed=0, slots=4) == [everything[7], everything[2]]


@pytest.mark.parametrize("key", ["success", "is_success"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_success_is_that_of_evaluate(horizon, key):
    """Slots that say nothing, or that they don't know, stand beside others that do."""
    chunks = dict(prediction_horizon=8, execution_horizon=horizon, discount=0.5)
    for reports, success, first in REPORTS.values():
        others = [(True,) * 5, (False,) * 5, (None,) * 5]
        kinds = [reports, *others, reports]

        def make_envs(slots, kinds=kinds):
            makers = [lambda kind=kind: Reporting(*kind, key=key) for kind in kinds[:slots]]
            return ChunkedVectorExecution(SyncVectorEnv(makers, autoreset_mode=DISABLED), **chunks)

        rows = evaluate_batch(make_envs, Drifting(1), episodes=5, seed=0, slots=5)
        found = [(row["success"], row["first_success"], row["return"]) for row in rows]
        told = [(True, 1, 2.5), (False, None, 2.5), (None, None, 2.5)]
        assert found == [(success, first, len(reports) / 2), *told, (success, first, len(reports) / 2)]


def walks(slots, mode=DISABLED, **chunks):
    return ChunkedVectorExecution(SyncVectorEnv([Walk] * slots, autoreset_mode=mode), 8, 3, **chunks)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(policy=Drifting), "is a class; give an object"),
        (dict(policy=object()), r"has no method infer_batch\(observations, request\)"),
        (dict(episodes=0), "episodes=0"),
        (dict(slots=0), "slots=0"),
        (dict(seed=-1), "seed=-1"),
        (dict(make_vector_env=walks(2)), r"is no function; give lambda num_envs"),
        (dict(make_vector_env=lambda slots: walks(1)), r"make_vector_env\(2\) returned"),
        (
            dict(make_vector_env=lambda slots: walks(slots, AutoresetMode.NEXT_STEP)),
            "autoreset_mode=AutoresetMode.DISABLED",
        ),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, sentence):
    given = dict(make_vector_env=walks, policy=Drifting(1), episodes=2, seed=0, slots=2) | arguments
    with pytest.raises(ArgumentError, match=sentence):
        evaluate_batch(**given)


def test_chunks_that_cannot_be_executed_name_the_policy():
    class Wrong(Drifting):
        def infer_batch(self, observations, request):
            return super().infer_batch(observations, request) * np.nan

    with pytest.raises(
        ActionError, match=r"Wrong\.infer_batch returned chunks that cannot be executed: .*environment 0"
    ):
        evaluate_batch(walks, Wrong(1), episodes=2, seed=0, slots=2)


def test_the_first_success_of_our_own_engine_is_the_last_tick():
    """A plan that solves the level is played again in the native environment, whose success ends its episode."""
    level, chunks, plan = "chunkenv/kinetix-grasp_easy-v0", dict(prediction_horizon=8, execution_horizon=4), []

    class Noting(Planner):
        def infer(self, observation, request):
            plan.append(super().infer(observation, request))
            return plan[-1]

    class Again:
        def infer_batch(self, observations, request):
            return np.stack([plan[tick // 4] for tick in request.tick.tolist()])

    def make_envs(slots):
        return gym.make_vec(level, slots, observation="state", autoreset_mode=DISABLED, **chunks)

    (row,) = evaluate(
        lambda: ChunkedExecution(gym.make(level, observation="state"), **chunks), Noting("grasp_easy"), 1, seed=0
    )
    assert row["success"]
    assert row["first_success"] == row["ticks"]
    assert evaluate_batch(make_envs, Again(), 1, seed=0, slots=1) == [row]
