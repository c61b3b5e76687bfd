"""Values of annotations, against an image world that is small enough to enumerate, and each loss by hand."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.annotations import AnnotatedFrames, AnnotationSettings, EncoderSize, cut, move_between
from chunkenv.agents.annotations.annotation_learning import (
    annotation_loss,
    annotation_update,
    balanced,
    begin,
    bootstrapped,
    distance,
    keys_of,
    value_logits,
)
from chunkenv.agents.annotations.frame_encoder import encode
from chunkenv.agents.nets import mlp
from chunkenv.errors import ArgumentError

SIZE = EncoderSize(image=4, channels=(8, 8), features=16)
QUARTERS = np.array([(top, left, 0.5, 0.5) for top in (0.0, 0.5) for left in (0.0, 0.5)], np.float32)
SEEN = (("black", "red", "white", "green"), ("black", "red", "white", "blue"))
"""The quarters of two frames. Only the last one tells them apart: from the others it is not known what it shows."""
HOLDS = np.array([[1.0], [0.0]], np.float32)
"""The sentence of each frame: there is green."""
COLOURS = {"black": (0, 0, 0), "red": (255, 0, 0), "white": (255,) * 3, "green": (0, 255, 0), "blue": (0, 0, 255)}


def settings(**changes):
    small = {"size": SIZE, "hidden": 32, "embedding": 8, "prototypes": 5, "batch": 8, "updates": 100}
    return AnnotationSettings(**small | changes)


def painted(colours):
    """A frame of 8 x 8 pixels, each quarter of one colour."""
    quarters = np.array([COLOURS[colour] for colour in colours], np.uint8).reshape(2, 2, 3)
    return quarters.repeat(4, axis=0).repeat(4, axis=1)


FRAMES = np.stack([painted(colours) for colours in SEEN])


def enumerated_values(discount):
    """Q of the sentence by the colour that is seen and the quarter that is looked at next, by value iteration."""
    now = {"black": 0.5, "red": 0.5, "white": 0.5, "green": 1.0, "blue": 0.0}
    after = {}
    for colours, before, place in itertools.product(SEEN, range(4), range(4)):
        after.setdefault((colours[before], place), []).append(colours[place])
    q = dict.fromkeys(after, 0.0)
    for _ in range(100):
        best = {colour: max(q[colour, place] for place in range(4)) for colour in COLOURS}
        worth = {colour: (1 - discount) * now[colour] + discount * best[colour] for colour in COLOURS}
        q = {key: float(np.mean([worth[colour] for colour in colours])) for key, colours in after.items()}
    return q


def test_values_are_those_of_a_world_that_is_enumerated():
    discount, count = 0.6, 700
    learning = {"updates": count, "learning_rate": 2e-2, "weight_decay": 0.0, "warm_up": 20, "target_decay": 0.97}
    size = EncoderSize(image=4, channels=(8,), features=8)
    chosen = settings(annotations="predicates", discount=discount, size=size, **learning)
    frame, before, after = np.indices((2, 4, 4)).reshape(3, -1)
    batch = AnnotatedFrames(jnp.asarray(FRAMES[frame]), jnp.asarray(HOLDS[frame]))
    every = np.broadcast_to(QUARTERS[:, None], (4, 32, 4))
    boxes = jnp.concatenate([jnp.asarray(QUARTERS[[before, before, after]]), jnp.asarray(every)])
    step = lambda state, _: annotation_update(chosen, state, batch, boxes)
    state, _ = jax.jit(lambda state: jax.lax.scan(step, state, length=count))(begin(chosen, 1, 0))
    features = encode(state.target["encoder"], cut(batch.frames, boxes[1], SIZE.image))
    logits = value_logits(state.target, chosen, features, move_between(boxes[1], boxes[2]), None)
    found, known = np.asarray(jax.nn.sigmoid(logits))[:, 0], enumerated_values(discount)
    right = [known[SEEN[number][place], other] for number, place, other in zip(frame, before, after, strict=True)]
    np.testing.assert_allclose(found, right, atol=0.03)
    assert np.ptp(right) > 0.3


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    frames = rng.integers(256, size=(6, 8, 8, 3)).astype(np.uint8)
    boxes = np.concatenate([rng.uniform(0, 0.5, (5, 6, 2)), np.full((5, 6, 2), 0.5)], axis=-1).astype(np.float32)
    return AnnotatedFrames(frames, rng.integers(2, size=(6, 3)).astype(np.float32)), boxes


@pytest.mark.parametrize("annotations", ["predicates", "instances", "prototypes"])
def test_what_values_go_to_is_a_mixture_of_now_and_the_best_of_later(drawn, annotations):
    batch, boxes = drawn
    chosen = settings(annotations=annotations, discount=0.25, boxes=2)
    weights = begin(chosen, 3, 0).weights
    one, second = (cut(batch.frames, boxes[place], SIZE.image) for place in (0, 2))
    keys, features = keys_of(weights, chosen, one), encode(weights["encoder"], second)
    wanted = bootstrapped(weights, chosen, second, boxes[2], boxes[3:], keys)
    outputs = [mlp.apply(weights["now"], features)]
    outputs += [mlp.apply(weights["later"], features, move_between(boxes[2], box)) for box in boxes[3:]]
    if annotations == "predicates":
        now, *later = (1 / (1 + np.exp(-np.asarray(each))) for each in outputs)
        best = np.maximum(*later)
    else:
        unit = [np.asarray(each) / np.linalg.norm(each, axis=-1, keepdims=True) for each in outputs]
        scores = [np.exp(each @ np.asarray(keys).T / 0.1) for each in unit]
        now, *later = (each / each.sum(axis=-1, keepdims=True) for each in scores)
        best = np.maximum(*later) / np.maximum(*later).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(wanted.sum(axis=-1), np.ones(6), rtol=1e-4)
    np.testing.assert_allclose(wanted, 0.75 * now + 0.25 * best, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("annotations", ["predicates", "instances", "prototypes"])
def test_values_reach_the_encoder_and_nothing_reaches_the_target(drawn, annotations):
    batch, boxes = drawn
    chosen = settings(annotations=annotations, boxes=2)
    weights = begin(chosen, 3, 0).weights
    value = lambda weights, target: annotation_loss(weights, target, chosen, batch, boxes)[1]["value_loss"]
    slope, slope_of_target = jax.jit(jax.grad(value, argnums=(0, 1)))(weights, weights)
    assert np.abs(slope["encoder"]["convolutions"][0]["kernel"]).max() > 0
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(slope_of_target["later"]))
    assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(slope["now"]))


def test_without_bootstrapping_annotations_are_all_that_is_learned(drawn):
    total, parts = annotation_loss(*[begin(settings(), 0, 0).weights] * 2, settings(bootstrap_weight=0.0), *drawn)
    assert {*parts} == {"annotation_loss"}
    assert total == parts["annotation_loss"]


def test_distances_are_cross_entropies():
    wanted, logits = np.array([[0.25, 0.75]], np.float32), np.log(np.array([[1.0, 3.0]], np.float32))
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert distance(settings(), wanted, logits) == pytest.approx(entropy)
    odds = np.log(np.array([[1 / 3, 3.0]], np.float32))
    assert distance(settings(annotations="predicates"), wanted, odds) == pytest.approx(entropy)


def test_balanced_prototypes_are_used_about_as_often():
    logits = np.random.default_rng(0).normal(size=(40, 4)) + np.array([4.0, 0.0, 0.0, 0.0])
    shares = balanced(logits)
    np.testing.assert_allclose(shares.sum(axis=1), np.ones(40), rtol=1e-5)
    np.testing.assert_allclose(shares.mean(axis=0), np.full(4, 0.25), atol=0.03)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"annotations": "stars"}, "annotations='stars' is unknown"),
        ({"discount": 1.0}, "discount=1 leaves nothing"),
        ({"temperature": 0.0}, "temperature=0 and smallest=0.4 have to be above 0"),
        ({"boxes": 0}, "boxes=0"),
    ],
)
def test_one_sentence_for_what_is_invalid(changes, said):
    with pytest.raises(ArgumentError) as error:
        settings(**changes)
    assert said in str(error.value)
