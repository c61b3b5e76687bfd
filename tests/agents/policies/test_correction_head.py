from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv import evaluate, evaluate_batch
from chunkenv.agents.nets import mlp
from chunkenv.agents.policies.correction_head import head_inputs, load_correction_head
from chunkenv.agents.policies.flow_policy import load_flow_policy
from chunkenv.errors import ArgumentError
from chunkenv.wrappers import ActionNoise, ChunkedExecution
from tests.agents.correction_heads import random_head

HEAD = random_head(observation=5, actions=2)
STREAM = np.random.default_rng(0)


def asked(count, seed=0):
    rng = np.random.default_rng(seed)
    seen, rows = rng.standard_normal((count, 7), np.float32)[:, :5], rng.uniform(-1, 1, (count, 2)).astype(np.float32)
    return seen, rows, rng.integers(-1, 8, count)


def correct_all(head, seen, rows, places):
    return head.correct_batch(seen, rows, places, np.zeros(len(rows), np.int64), (STREAM,) * len(rows))


def without_weights(head):
    layers = tuple({name: 0 * value for name, value in layer.items()} for layer in head.layers)
    return replace(head, layers=layers)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_each_row_is_what_it_is_alone_to_the_bit(count, seed):
    seen, rows, places = asked(count, seed)
    added = correct_all(HEAD, seen, rows, places)
    for index in range(count):
        alone = HEAD.correct(seen[index], rows[index], int(places[index]), 0, STREAM)
        assert added[index].tobytes() == (alone.tobytes() if places[index] >= 0 else bytes(8))


def test_it_is_the_network_that_was_trained():
    seen, rows, _ = asked(20)
    inputs = head_inputs(seen, rows, np.arange(20) % 8, HEAD.mean, HEAD.scale, 8)
    expected = mlp.apply([dict(layer) for layer in HEAD.layers], inputs, activation="relu")
    np.testing.assert_allclose(HEAD.residuals(seen, rows, np.arange(20) % 8), expected, rtol=1e-4, atol=1e-5)


def test_the_observation_the_row_and_its_place_count_and_nothing_else():
    seen, rows, places = asked(1)[0], asked(1)[1], np.array([3])
    base = HEAD.residuals(seen, rows, places)
    for other in ((seen + 0.1, rows, places), (seen, rows + 0.1, places), (seen, rows, places + 1)):
        assert not np.array_equal(HEAD.residuals(*other), base)
    assert np.array_equal(HEAD.correct(seen[0], rows[0], 3, 99, np.random.default_rng(5)), base[0])


def test_a_head_without_weights_corrects_nothing():
    assert not correct_all(without_weights(HEAD), *asked(9)).any()


def test_what_was_written_is_read_and_gives_the_same_bytes(tmp_path):
    HEAD.save(tmp_path / "one")
    again = load_correction_head(tmp_path / "one")
    again.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (again.level, again.label, again.horizon, again.facts) == ("catapult", "expert", 8, {"seed": 0})
    seen, rows, places = asked(5)
    np.testing.assert_array_equal(again.residuals(seen, rows, places), HEAD.residuals(seen, rows, places))


def test_rounded_it_is_a_quarter_as_large_and_nearly_the_same(tmp_path):
    large = random_head(observation=50, hidden=(128, 128))
    for name, small in (("large", False), ("small", True)):
        large.save(tmp_path / name, small=small)
    assert (tmp_path / "small").stat().st_size < 0.35 * (tmp_path / "large").stat().st_size
    rng = np.random.default_rng(0)
    given = rng.standard_normal((20, 50), np.float32), rng.standard_normal((20, 6), np.float32), np.arange(20) % 8
    np.testing.assert_allclose(
        load_correction_head(tmp_path / "small").residuals(*given), large.residuals(*given), atol=0.1
    )


def test_more_than_ten_layers_keep_their_order(tmp_path):
    deep = random_head(observation=5, actions=2, hidden=(4,) * 11)
    deep.save(tmp_path / "deep")
    shapes = [layer["kernel"].shape for layer in load_correction_head(tmp_path / "deep").layers]
    assert shapes == [layer["kernel"].shape for layer in deep.layers]


def test_another_observation_is_refused():
    with pytest.raises(ArgumentError, match=r"catapult was given .* \[1, 4\], but needs \[N, 5\]; make .*compact"):
        HEAD.correct(np.zeros(4, np.float32), np.zeros(2, np.float32), 0, 0, STREAM)


def test_other_files_are_refused(tmp_path):
    HEAD.save(tmp_path / "head")
    with pytest.raises(ArgumentError, match="is no chunkenv flow policy but chunkenv correction head"):
        load_flow_policy(tmp_path / "head")
    with pytest.raises(ArgumentError, match="There is no chunkenv correction head"):
        load_correction_head(tmp_path / "nothing")


class Steady:
    """Plans the same chunk always."""

    def infer(self, observation, request):
        return np.full((8, 6), 0.3, np.float32)

    def infer_batch(self, observations, request):
        return np.full((len(request.tick), 8, 6), 0.3, np.float32)


def test_one_environment_and_many_play_the_same_episodes():
    head, chunks = random_head("cartpole_thrust"), dict(prediction_horizon=8, execution_horizon=3, latency=2)

    def one(correction=head):
        world = gym.make("chunkenv/kinetix-cartpole_thrust-v0", observation="compact")
        return ChunkedExecution(ActionNoise(world, 0.1), correction=correction, info="actions", **chunks)

    def many(slots):
        return gym.make_vec(
            "chunkenv/kinetix-cartpole_thrust-v0", slots, vectorization_mode="vector_entry_point",
            observation="compact", action_noise=0.1, autoreset_mode=AutoresetMode.DISABLED, correction=head,
            info="actions", **chunks,
        )  # fmt: skip

    rows = evaluate(one, Steady(), episodes=3, seed=0)
    assert rows == evaluate_batch(many, Steady(), episodes=3, seed=0, slots=2)
    plain, nothing = (evaluate(lambda c=c: one(c), Steady(), 3, 0) for c in (None, without_weights(head)))
    assert rows != plain == nothing
