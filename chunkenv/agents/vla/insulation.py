"""Which loss trains what: flow, tokens and answers, and the wall between the flow and the backbone.

Knowledge insulation (Driess et al. 2025, arXiv 2505.23705): the backbone learns from tokens of actions and from
answers, which are what it was made for; the action expert learns the flow, and sees the backbone's keys and values in
every layer as constants. So no gradient of a flow that has only just begun spoils what the backbone knows.

All losses of actions take one pass of the backbone, because what is seen does not see what is said.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from chunkenv.agents.common.learner import Info
from chunkenv.agents.flow_matching import FlowState, draw_times_and_lengths, optimiser
from chunkenv.agents.nets.chunk_flow import clean_rows, flow_loss
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.action_tokens import action_tokens
from chunkenv.agents.vla.backbone import count_entries, embed_said, embed_seen, logits, run
from chunkenv.agents.vla.layers import Weights
from chunkenv.agents.vla.vla_flow import ExpertFlow, scaled, without_words
from chunkenv.agents.vla.vla_settings import Seen, VLASettings, VLASizes


class VLAScales(NamedTuple):
    """Means and standard deviations of the data: float32[R] of the state, float32[A] of actions."""

    state_mean: Array
    state_std: Array
    action_mean: Array
    action_std: Array


class VLABatch(NamedTuple):
    """What an update learns from.

    Attributes:
        seen: with instructions.
        chunks: float32[B, H, A], actions from -1 to 1.
        mask: float32[B, H], 0 for rows beyond the episode's end.
        questions: int32[B, L], words of a question about what is seen.
        answers: int32[B], the word that is right.
    """

    seen: Seen
    chunks: Array
    mask: Array
    questions: Array
    answers: Array


def loss(
    weights: Weights, settings: VLASettings, sizes: VLASizes, scales: VLAScales, batch: VLABatch, key: jax.Array
) -> tuple[jax.Array, Info]:
    """The sum of what an arm learns, and each part of it, not weighted."""
    batch = batch._replace(seen=scaled(batch.seen, scales.state_mean, scales.state_std))
    parts = {} if settings.arm == "questions" else action_losses(weights, settings, sizes, scales, batch, key)
    if settings.learns_questions:
        parts["question_loss"] = question_loss(weights["backbone"], settings, sizes, batch)
    weight = {"flow_loss": 1.0, "token_loss": settings.token_weight, "question_loss": settings.question_weight}
    if settings.arm == "questions":
        weight["question_loss"] = 1.0
    return sum((weight[name] * value for name, value in parts.items()), jnp.zeros(())), parts


def action_losses(
    weights: Weights, settings: VLASettings, sizes: VLASizes, scales: VLAScales, batch: VLABatch, key: jax.Array
) -> Info:
    """The losses of the flow and of the tokens, if the arm learns them, from one pass of the backbone."""
    for_words, for_flow = jax.random.split(key)
    left_out = jax.random.bernoulli(for_words, settings.left_out, (len(batch.mask),))
    x = embed_seen(weights["backbone"], settings.network, without_words(batch.seen, left_out))
    seen, tokens = x.shape[1], action_tokens(settings.network.tokens, sizes.horizon, sizes.action)
    said = tokens.encode(batch.chunks)
    if settings.learns_tokens:
        first = jnp.full_like(said[:, :1], beginning(sizes))
        given = jnp.concatenate([first, sizes.vocabulary + said[:, :-1]], axis=1)
        x = jnp.concatenate([x, embed_said(weights["backbone"], given, seen)], axis=1)
    last, kept = run(weights["backbone"], settings.network.heads, x, seen)
    parts: Info = {}
    if settings.learns_flow:
        parts["flow_loss"] = _flow_loss(
            weights["expert"], settings, sizes, scales, batch, kept[..., :seen, :], for_flow
        )
    if settings.learns_tokens:
        found, right = logits(weights["backbone"], last[:, seen:]), sizes.vocabulary + said
        parts["token_loss"] = _mean_cross_entropy(found, right, tokens.counted(said, batch.mask))
    return parts


def question_loss(backbone: Weights, settings: VLASettings, sizes: VLASizes, batch: VLABatch) -> jax.Array:
    """The cross entropy of the answers."""
    found = answer_logits(backbone, settings, sizes, batch.seen._replace(words=batch.questions))
    return _mean_cross_entropy(found, batch.answers, jnp.ones(len(batch.answers)))


def answer_logits(backbone: Weights, settings: VLASettings, sizes: VLASizes, seen: Seen) -> jax.Array:
    """How likely each entry of the table is the first that is said, [B, entries]; the state is scaled already."""
    x = embed_seen(backbone, settings.network, seen)
    begin = jnp.full((len(x), 1), beginning(sizes), jnp.int32)
    x = jnp.concatenate([x, embed_said(backbone, begin, x.shape[1])], axis=1)
    return logits(backbone, run(backbone, settings.network.heads, x, x.shape[1] - 1)[0][:, -1])


def beginning(sizes: VLASizes) -> int:
    """The entry of the table with which everything that is said begins."""
    return count_entries(sizes) - 1


def _flow_loss(
    expert: Weights,
    settings: VLASettings,
    sizes: VLASizes,
    scales: VLAScales,
    batch: VLABatch,
    kept: jax.Array,
    key: jax.Array,
) -> jax.Array:
    """The squared error of the velocity, given the backbone's keys and values: constants, if it is insulated."""
    kept = jax.lax.stop_gradient(kept) if settings.insulates else kept
    flow = ExpertFlow(expert, settings.network, sizes, settings.steps, settings.max_prefix > 0)
    noise, filling = jax.random.normal(key, (2, *batch.chunks.shape))
    time, lengths = draw_times_and_lengths(key, len(batch.chunks), settings.max_prefix)
    actions = (jnp.asarray(batch.chunks) - scales.action_mean) / scales.action_std
    data = jnp.where(jnp.asarray(batch.mask)[..., None] > 0, actions, filling)  # beyond the end nothing is known
    prefix = lengths if settings.max_prefix else None
    clean = clean_rows(lengths, sizes.horizon)
    return flow_loss(lambda path: flow.velocity(kept, path, time, prefix), data, noise, time, clean, batch.mask)


def _mean_cross_entropy(found: jax.Array, right: Array, counted: jax.Array) -> jax.Array:
    errors = optax.softmax_cross_entropy_with_integer_labels(found, right)
    return (errors * counted).sum() / jnp.maximum(counted.sum(), 1)


def begin(weights: Weights, settings: VLASettings) -> FlowState:
    """The state before the first update."""
    return FlowState(weights, weights, _optimiser(settings).init(weights), jnp.int32(0))


@partial(jax.jit, static_argnums=(0, 1))
def updates(
    settings: VLASettings, sizes: VLASizes, state: FlowState, scales: VLAScales, seed: int, batches: VLABatch
) -> tuple[FlowState, Info]:
    """One update for each of K batches: the state after them, and the means of the losses."""

    def step(state: FlowState, batch: VLABatch) -> tuple[FlowState, Info]:
        key = jax.random.fold_in(jax.random.key(seed), state.update)
        gradient, info = jax.grad(loss, has_aux=True)(state.weights, settings, sizes, scales, batch, key)
        return _update(settings, state, gradient), info

    state, infos = jax.lax.scan(step, state, batches)
    return state, jax.tree.map(jnp.mean, infos)


def _update(settings: VLASettings, state: FlowState, gradient: Weights) -> FlowState:
    """A step of the parts that the arm trains; what it doesn't stays as it is, weight decay or not."""
    change, opt_state = _optimiser(settings).update(_only_trained(settings, gradient), state.opt_state, state.weights)
    weights = optax.apply_updates(state.weights, _only_trained(settings, change))  # pyright: ignore[reportArgumentType]
    kept = jnp.minimum(settings.averaging, (1 + state.update) / (10 + state.update))
    average = jax.tree.map(lambda old, new: kept * old + (1 - kept) * new, state.average, weights)
    return FlowState(weights, average, opt_state, state.update + 1)  # pyright: ignore[reportArgumentType]


def _only_trained(settings: VLASettings, tree: Weights) -> Weights:
    """A tree of both parts, zero in what the arm doesn't train."""
    return {
        name: part if name in settings.trained else jax.tree.map(jnp.zeros_like, part) for name, part in tree.items()
    }


def _optimiser(settings: VLASettings) -> optax.GradientTransformation:
    return optimiser(settings)  # pyright: ignore[reportArgumentType] (the same names as in FlowSettings)
