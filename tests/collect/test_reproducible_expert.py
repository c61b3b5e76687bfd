import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunkenv.collect.experts import ExpertSource
from chunkenv.collect.reproducible_expert import ROWS, ReproducibleExpert
from chunkenv.errors import ArgumentError
from tests.agents.experts import random_expert
from tests.data.making import Company, Placed, Waver

SIZE = 14


def answers(expert, sha256=""):
    return ReproducibleExpert(ExpertSource(expert, "x", sha256), np.zeros(SIZE, np.float32), 6)


def some(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)


@pytest.mark.parametrize("expert", [Waver(), Placed()], ids=["usual", "placed"])
@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 150), seed=st.integers(0, 3), first=st.integers(0, 999))
def test_an_answer_hangs_on_its_observation_and_its_episode_only(expert, count, seed, first):
    ask, observations, numbers = answers(expert), some(count, seed), first + np.arange(count)
    whole = ask(observations, numbers)
    order = np.random.default_rng(seed).permutation(count)
    assert ask(observations[order], numbers[order]).tobytes() == whole[order].tobytes()
    few = order[: count // 2 + 1]
    assert ask(observations[few], numbers[few]).tobytes() == whole[few].tobytes()


def test_a_trained_expert_answers_to_the_bit_in_any_company():
    expert = random_expert("catapult")
    ask = ReproducibleExpert(ExpertSource(expert, "x"), expert.mean, 6)
    noise = np.random.default_rng(0).standard_normal((300, len(expert.mean)))
    observations = (expert.mean + expert.scale * noise).astype(np.float32)
    numbers = np.random.default_rng(1).integers(10_000, size=300)
    whole = ask(observations, numbers)
    alone = [ask(observations[i : i + 1], numbers[i : i + 1]) for i in range(300)]
    assert np.concatenate(alone).tobytes() == whole.tobytes()
    assert whole == pytest.approx(expert.actions(observations), abs=1e-5)
    assert whole.dtype == np.float32


def test_all_batches_have_one_size():
    sizes = []

    class Counting(Waver):
        def actions(self, observations):
            sizes.append(len(observations))
            return super().actions(observations)

    ask = answers(Counting())
    sizes.clear()
    ask(some(3), np.array([5, 5 + ROWS, 6]))
    assert sizes == [ROWS, ROWS]


def test_an_expert_that_looks_at_others_is_refused():
    sentence = "What the expert x answers to one observation depends on the others in the batch, or on chance"
    with pytest.raises(ArgumentError, match=sentence):
        answers(Company())


def test_an_expert_that_throws_dice_is_refused():
    class Dicing(Waver):
        def actions(self, observations):
            return np.random.default_rng().random((len(observations), 6))

    with pytest.raises(ArgumentError, match="or on chance; give one that treats every row by itself"):
        answers(Dicing())


class Wrong:
    def __init__(self, answer):
        self.answer = answer

    def actions(self, observations):
        return self.answer


@pytest.mark.parametrize(("shape", "kind"), [((64, 5), "float32"), ((1, 6), "float32"), ((64, 6), "int64")])
def test_a_wrong_answer_is_one_sentence(shape, kind):
    sentence = f"The expert x answered {kind}{list(shape)} to 64 observations; it must be float32[64, 6]."
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        answers(Wrong(np.zeros(shape, kind)))


def test_experts_are_told_apart_by_what_they_do():
    one, same, other = answers(Waver(0)), answers(Waver(0)), answers(Waver(1))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert answers(Waver(), sha256="abc").fingerprint == "abc"
