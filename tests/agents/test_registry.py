from __future__ import annotations

import jax
import numpy as np
import pytest

from chunkenv.agents import registry
from chunkenv.agents.dqc import DQC
from chunkenv.agents.policies.chunk_policy import ChunkPolicy
from chunkenv.agents.qc_fql import QCFQL
from chunkenv.data.horizons import Horizons
from chunkenv.data.replay_buffer import ReplayBuffer
from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.vector import VectorRequest

SMALL = dict(hidden=(8, 8), batch=8)


def experience() -> ReplayBuffer:
    rng = np.random.default_rng(0)
    replay = ReplayBuffer(100, 3, 2)
    seen = rng.normal(size=(61, 3))
    for tick in range(60):
        ends = tick % 20 == 19
        replay.add(seen[tick], rng.uniform(-1, 1, 2), -1.0, seen[tick + 1], ends, False)
    return replay


def trained(name: str, updates: int = 2, **given):
    settings = registry.settings_for(name, chunk=3, delay=1, backup=None, **{**SMALL, **given})
    agent, replay = registry.create(name, 0, 3, 2, settings), experience()
    for update in range(updates):
        rng = np.random.default_rng(update)
        agent, info = agent.update(replay.sample(rng, settings.batch, settings.horizons))
        assert all(np.isfinite(value) for value in info.values())
    return agent


def same(first, second) -> bool:
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("name", "chunk", "backup"),
    [("qc", 5, 5), ("bfn", 1, 1), ("bfn-n", 1, 5), ("fql-n", 1, 5), ("rlpd", 1, 1), ("rlpd-ac", 5, 5), ("dqc", 5, 25)],
)
def test_names_stand_for_lengths(name, chunk, backup):
    assert registry.settings_for(name).horizons == Horizons(chunk, backup)


@pytest.mark.parametrize("name", ["qc-fql", pytest.param("qc", marks=pytest.mark.slow)])
def test_an_agent_that_was_saved_learns_on_to_the_bit(name, tmp_path):
    agent = trained(name)
    agent.save(tmp_path / "agent.safetensors")
    other = registry.load_agent(tmp_path / "agent.safetensors")
    assert same(agent, other)
    assert other.settings == agent.settings
    batch = experience().sample(np.random.default_rng(9), 8, agent.settings.horizons)
    assert same(agent.update(batch)[0], other.update(batch)[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qc-rlpd", "dqc", "bfn-n"])
def test_every_agent_learns_and_answers(name):
    agent = trained(name)
    request = Request(0, np.zeros((0, 2)), 0, 1, 3, np.zeros((0, 2)), np.random.default_rng(0))
    chunk = ChunkPolicy(agent).infer(np.zeros(3), request)
    assert chunk.shape == (agent.settings.horizons.prediction_horizon, 2)
    assert np.abs(chunk).max() <= 1


def test_a_policy_goes_on_from_what_is_decided():
    agent = registry.create("qc-fql", 0, 3, 2, registry.settings_for("qc-fql", chunk=3, delay=2, **SMALL))
    prefix = np.array([[0.5, -0.5]], np.float32)
    request = Request(4, prefix, 1, 2, 3, prefix, np.random.default_rng(0))
    chunk = ChunkPolicy(agent).infer(np.zeros(3), request)
    assert np.array_equal(chunk[:1], prefix)
    assert chunk.shape == (5, 2)
    with pytest.raises(ArgumentError, match="rng=None"):
        ChunkPolicy(agent).infer(np.zeros(3), request._replace(rng=None))


@pytest.mark.optimised
def test_rows_of_a_batch_do_not_depend_on_their_company():
    agent = registry.create("qc-fql", 0, 3, 2, registry.settings_for("qc-fql", chunk=3, delay=1, **SMALL))
    seen = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)

    def answers(order: list[int]) -> np.ndarray:
        streams = tuple(np.random.default_rng(row) for row in order)
        rows = np.zeros((4, 4, 2), np.float32)
        none = np.zeros(4, np.int64)
        request = VectorRequest(none, rows, none, none, 3, rows, none, streams)
        return ChunkPolicy(agent).infer_batch(seen[order], request)

    assert np.array_equal(answers([2, 0, 3, 1]), answers([0, 1, 2, 3])[[2, 0, 3, 1]])


def test_files_of_other_agents_are_refused(tmp_path):
    agent = registry.create("qc-fql", 0, 3, 2, registry.settings_for("qc-fql", **SMALL))
    path = tmp_path / "agent.safetensors"
    agent.save(path)
    assert same(QCFQL.load(path), agent)
    with pytest.raises(ArgumentError, match="'qc-fql', not 'dqc'"):
        DQC.load(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ArgumentError, match="damaged"):
        registry.load_agent(path)
