"""Annotation bootstrapping: visual pre-training as reinforcement learning (Ghosh and Levine).

A crop x1 of a frame is a state, the change of its box an action a, and the crop x2 behind it the next state; what is
annotated there, p(l | x2), is a reward for each annotation l. A general value function over annotations answers what
could be found from a crop by moving it:

    Q(l | x1, a)  goes to  (1 - discount) p_target(l | x2) + discount max over boxes of Q_target(l | x2, a')

and p learns from the annotations themselves. `_target` is a moving average of the weights. Predicates are true or false
each by itself; instances and prototypes exclude each other, so that their maxima are divided by their sum.

The paper's page tells the loss and no more. Chosen here: the cross entropy as the distance, the best of some boxes that
are drawn, Sinkhorn-Knopp (Caron et al. 2020, arXiv 2006.09882) to spread crops over prototypes in place of DINO's
centre, and for instances the target's embedding of a third crop as what each instance is compared with.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from chunkenv.agents.annotations.annotation_settings import AnnotationSettings
from chunkenv.agents.annotations.crops import cut, draw_boxes, move_between
from chunkenv.agents.annotations.frame_encoder import encode, initial_encoder
from chunkenv.agents.common.learner import Info
from chunkenv.agents.common.optim.optimizers import make_optimizer
from chunkenv.agents.nets import mlp
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.layers import Weights

MOVE = 4
"""Numbers of a change of box."""
BALANCING, SHARPER = 3, 2.0
"""Rounds of Sinkhorn-Knopp, and how much lower the temperature of what prototypes are learned from is."""


class AnnotatedFrames(NamedTuple):
    """What an update learns from.

    Attributes:
        frames: uint8[B, S, S, 3].
        holds: float32[B, P], which sentences hold, 0 or 1; P is 0 without.
    """

    frames: Array
    holds: Array


class AnnotationState(NamedTuple):
    """What training carries from update to update: the weights, their moving average, the optimiser's state."""

    weights: Weights
    target: Weights
    opt_state: optax.OptState
    update: jax.Array


def begin(settings: AnnotationSettings, predicates: int, seed: int) -> AnnotationState:
    """The state before the first update, for so many predicates."""
    weights = initial_annotations(jax.random.key(seed), settings, predicates)
    return AnnotationState(weights, weights, _optimiser(settings).init(weights), jnp.int32(0))


def initial_annotations(key: jax.Array, settings: AnnotationSettings, predicates: int) -> Weights:
    """Weights to begin with: "encoder", the heads "now" and "later", and "prototypes", if there are any."""
    for_encoder, for_now, for_later, for_prototypes = jax.random.split(key, 4)
    outputs = predicates if settings.annotations == "predicates" else settings.embedding
    features, hidden = settings.size.features, settings.hidden
    weights: Weights = {
        "encoder": initial_encoder(for_encoder, settings.size),
        "now": mlp.initial(for_now, (features, hidden, outputs)),
        "later": mlp.initial(for_later, (features + MOVE, hidden, outputs)),
    }
    if settings.annotations == "prototypes":
        weights["prototypes"] = jax.random.normal(for_prototypes, (settings.prototypes, outputs))
    return weights


@partial(jax.jit, static_argnums=0)
def annotation_updates(
    settings: AnnotationSettings, state: AnnotationState, seed: int, batches: AnnotatedFrames
) -> tuple[AnnotationState, Info]:
    """One update for each of K batches, with crops that are drawn: the state then, and the means of the losses."""

    def step(state: AnnotationState, batch: AnnotatedFrames) -> tuple[AnnotationState, Info]:
        key = jax.random.fold_in(jax.random.key(seed), state.update)
        boxes = draw_boxes(key, (3 + settings.boxes, len(batch.frames)), settings.smallest)
        return annotation_update(settings, state, batch, boxes)

    state, infos = jax.lax.scan(step, state, batches)
    return state, jax.tree.map(jnp.mean, infos)


def annotation_update(
    settings: AnnotationSettings, state: AnnotationState, batch: AnnotatedFrames, boxes: Array
) -> tuple[AnnotationState, Info]:
    """One update with given crops, see `annotation_loss`: the state after it, and the losses before."""
    gradient, info = jax.grad(annotation_loss, has_aux=True)(state.weights, state.target, settings, batch, boxes)
    change, opt_state = _optimiser(settings).update(gradient, state.opt_state, state.weights)
    weights = optax.apply_updates(state.weights, change)  # pyright: ignore[reportArgumentType]
    kept = jnp.minimum(settings.target_decay, (1 + state.update) / (10 + state.update))
    target = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, state.target, weights)
    return AnnotationState(weights, target, opt_state, state.update + 1), info  # pyright: ignore[reportArgumentType]


def annotation_loss(
    weights: Weights, target: Weights, settings: AnnotationSettings, batch: AnnotatedFrames, boxes: Array
) -> tuple[jax.Array, Info]:
    """What an update makes smaller, and its parts, not weighted.

    Args:
        weights: that learn.
        target: their moving average.
        settings: of the training.
        batch: B frames.
        boxes: [3 + K, B, 4]: of a crop that stands for its frame, of the crop before and of that after a move, and of
            those that may come then.
    """
    one, first, second = (cut(batch.frames, box, settings.size.image) for box in boxes[:3])
    keys = keys_of(target, settings, one)
    features = encode(weights["encoder"], first)
    parts = {"annotation_loss": _annotation_loss(weights, target, settings, batch, one, features)}
    if settings.bootstraps:
        wanted = bootstrapped(target, settings, second, boxes[2], boxes[3:], keys)
        found = value_logits(weights, settings, features, move_between(boxes[1], boxes[2]), keys)
        parts["value_loss"] = distance(settings, jax.lax.stop_gradient(wanted), found)
    total = parts["annotation_loss"] + settings.bootstrap_weight * parts.get("value_loss", 0.0)
    return total, parts


def bootstrapped(
    target: Weights, settings: AnnotationSettings, crops: Array, box: Array, boxes: Array, keys: Array | None
) -> jax.Array:
    """What Q learns: what is annotated in crops [B, S, S, 3] of `box` [B, 4], and the best behind `boxes` [K, B, 4]."""
    features = encode(target["encoder"], crops)
    now = probabilities(settings, compare(settings, mlp.apply(target["now"], features), keys))
    moves = move_between(box, boxes)
    later = jax.vmap(lambda move: probabilities(settings, value_logits(target, settings, features, move, keys)))(moves)
    best = later.max(axis=0)
    if settings.annotations != "predicates":
        best = best / best.sum(axis=-1, keepdims=True)
    return (1 - settings.discount) * now + settings.discount * best


def value_logits(
    weights: Weights, settings: AnnotationSettings, features: Array, moves: Array, keys: Array | None
) -> jax.Array:
    """Q before the sigmoid or the softmax, [B, L], of features [B, D] and moves [B, 4]."""
    return compare(settings, mlp.apply(weights["later"], features, moves), keys)


def keys_of(weights: Weights, settings: AnnotationSettings, crops: Array) -> jax.Array | None:
    """What embeddings are compared with, [L, E]: those of other crops, or prototypes; None for predicates."""
    if settings.annotations == "predicates":
        return None
    if settings.annotations == "prototypes":
        return _unit(weights["prototypes"])
    return _unit(mlp.apply(weights["now"], encode(weights["encoder"], crops)))


def compare(settings: AnnotationSettings, outputs: Array, keys: Array | None) -> jax.Array:
    """Logits of annotations [B, L]: what a head says of predicates, or how near its embeddings are to the keys."""
    return jnp.asarray(outputs) if keys is None else _unit(outputs) @ keys.T / settings.temperature


def probabilities(settings: AnnotationSettings, logits: Array) -> jax.Array:
    """Of annotations: each by itself for predicates, else with a sum of 1."""
    return jax.nn.sigmoid(logits) if settings.annotations == "predicates" else jax.nn.softmax(logits, axis=-1)


def distance(settings: AnnotationSettings, wanted: Array, logits: Array) -> jax.Array:
    """The cross entropy of what is found with what is wanted; of predicates, the mean over them."""
    if settings.annotations == "predicates":
        return optax.sigmoid_binary_cross_entropy(logits, wanted).mean()
    return optax.softmax_cross_entropy(logits, wanted).mean()


def _annotation_loss(
    weights: Weights, target: Weights, settings: AnnotationSettings, batch: AnnotatedFrames, one: Array, features: Array
) -> jax.Array:
    """The loss of p: of given predicates, of which frame another crop is of, or of its prototypes."""
    outputs = mlp.apply(weights["now"], features)
    if settings.annotations == "predicates":
        return distance(settings, batch.holds, outputs)
    logits = compare(settings, outputs, keys_of(weights, settings, one))
    if settings.annotations == "instances":
        right = jnp.eye(len(logits))
        return (distance(settings, right, logits) + distance(settings, right, logits.T)) / 2
    taught = compare(settings, mlp.apply(target["now"], encode(target["encoder"], one)), keys_of(target, settings, one))
    return distance(settings, jax.lax.stop_gradient(balanced(SHARPER * taught)), logits)


def balanced(logits: Array) -> jax.Array:
    """Shares of prototypes [B, L] with rows of sum 1, and all prototypes used about as often: Sinkhorn-Knopp."""
    shares = jax.nn.softmax(logits, axis=-1)
    for _ in range(BALANCING):
        shares = shares / shares.sum(axis=0)
        shares = shares / shares.sum(axis=1, keepdims=True)
    return shares


def _unit(vectors: Array) -> jax.Array:
    return vectors / (jnp.linalg.norm(vectors, axis=-1, keepdims=True) + mlp.EPSILON)


def _optimiser(settings: AnnotationSettings) -> optax.GradientTransformation:
    warm_up = min(settings.warm_up, settings.updates - 1)
    rate = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, warm_up, settings.updates)
    chosen = make_optimizer(settings.optimizer, rate, weight_decay=settings.weight_decay)
    return optax.chain(optax.clip_by_global_norm(settings.clip), chosen)
