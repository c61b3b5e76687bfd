from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chunkenv.agents.vla import TokenPolicy, VLAPolicy, load_vla, token_decoding, vla_policy
from chunkenv.agents.vla.action_tokens import END, VALUES, action_tokens
from chunkenv.agents.vla.backbone import embed_said, embed_seen, logits, run
from chunkenv.agents.vla.insulation import beginning
from chunkenv.agents.vla.token_decoding import flops_of_token, say_chunks
from chunkenv.agents.vla.vla_flow import flops_of_seeing, flops_of_velocity, scaled, split_numbers
from chunkenv.errors import ArgumentError
from chunkenv.request import Request
from chunkenv.strategies import BID, RTC, Cost, Naive, TrainingTimeRTC, stack_requests
from tests.agents.vla.toy import NETWORK, SEES, SENTENCES, SHALLOW, SIZES, model, observation


@pytest.fixture(scope="module")
def policy():
    return VLAPolicy(model(sizes=SEES, arm="joint-tokens", max_prefix=2))


def seen_by(sentences, image=8):
    return [observation(sentence, 0.2 + 0.1 * i, image) for i, sentence in enumerate(sentences)]


def request(seed, left=0, delay=0):
    plan = np.full((left, 2), 0.5, np.float32)
    return Request(4, plan[:delay], min(delay, left), delay, 2, plan, np.random.default_rng(seed))


def batch(observations):
    names = observations[0].keys()
    found = {name: [each[name] for each in observations] for name in names}
    return {name: tuple(part) if name == "instruction" else np.stack(part) for name, part in found.items()}


def test_a_batch_gives_each_what_it_gets_alone(policy):
    observations = seen_by(("Go up.", "Go down.", "Go up."))
    alone = [policy.infer(each, request(i)) for i, each in enumerate(observations)]
    together = policy.infer_batch(batch(observations), stack_requests([request(i) for i in range(3)], rows=4))
    assert together.shape == (3, 4, 2)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_words_frames_and_state_all_change_the_chunk(policy):
    usual = observation("Go up.", 0.5, 8)
    changes = [{"instruction": "Go down."}, {"pixels": np.zeros((8, 8, 3), np.uint8)}, {"robot": np.ones(2)}]
    plain = policy.infer(usual, request(0))
    for change in changes:
        assert np.abs(policy.infer({**usual, **change}, request(0)) - plain).max() > 1e-4


@pytest.mark.parametrize("make", [RTC, TrainingTimeRTC, lambda policy: BID(policy, samples=2)])
def test_strategies_go_on_from_what_is_left_of_the_last_chunk(policy, make):
    strategy, seen = make(policy), observation("Go up.", 0.5, 8)
    chunk, plain = strategy.infer(seen, request(0, left=3, delay=2)), policy.infer(seen, request(0))
    assert chunk.shape == (4, 2)
    near, far = (np.abs(each[:2] - 0.5).mean() for each in (chunk, plain))
    assert near < far or isinstance(strategy, BID)
    if isinstance(strategy, TrainingTimeRTC):
        np.testing.assert_allclose(chunk[:2], 0.5, atol=1e-6)


def test_the_backbone_is_charged_once_and_the_expert_for_every_velocity(policy):
    once, each = flops_of_seeing(SHALLOW, SEES), flops_of_velocity(SHALLOW, SEES)
    assert RTC(policy).cost == Cost(3, 3, once + 6 * each)
    assert TrainingTimeRTC(policy).cost == Cost(3, 0, once + 3 * each)
    assert RTC(policy.with_guidance(2.0)).cost == Cost(6, 6, 2 * once + 12 * each)


def test_the_count_of_operations_is_that_of_the_products_and_a_little_more():
    width, seen, places, layers = 16, SIZES.words + 1, 4, 2
    layer = 12 * width**2  # four projections, and a feed-forward of four times the width
    first, last = layer + 2 * seen * width, 2 * width**2  # of the last layer, only keys and values are needed
    products = 2 * (SIZES.state * width + seen * (first + last))
    assert products < flops_of_seeing(NETWORK, SIZES) < 1.3 * products
    expert = layers * (layer + 2 * (seen + places) * width + 6 * width**2)
    around = 2 * width**2 + 32 * width + 2 * SIZES.action * width
    products = 2 * places * (expert + around)
    assert products < flops_of_velocity(NETWORK, SIZES) < 1.3 * products


def test_guidance_goes_from_no_instruction_past_the_instruction(policy):
    seen, noise = batch(seen_by(SENTENCES)), np.random.default_rng(0).standard_normal((2, 4, 2), np.float32)
    told = policy.velocity(seen, noise, 0.5)
    untold = policy.with_guidance(0.0).velocity(seen, noise, 0.5)
    more = policy.with_guidance(3.0).velocity(seen, noise, 0.5)
    np.testing.assert_allclose(more, untold + 3 * (told - untold), atol=1e-4)
    assert np.abs(told - untold).max() > 1e-4
    others = {**seen, "instruction": ("Go up.", "Go up.")}
    np.testing.assert_array_equal(policy.with_guidance(0.0).velocity(others, noise, 0.5), untold)


def test_the_pulled_back_cotangent_is_the_slope_in_the_chunks(policy):
    seen, noise = batch(seen_by(SENTENCES)), np.random.default_rng(0).standard_normal((2, 4, 2), np.float32)
    cotangent = np.random.default_rng(1).standard_normal((2, 4, 2), np.float32)
    _, pullback = policy.velocity_vjp(seen, noise, 0.5)
    step = np.random.default_rng(2).standard_normal((2, 4, 2), np.float32)
    ahead, behind = (np.asarray(policy.velocity(seen, noise + h * step, 0.5)) for h in (1e-2, -1e-2))
    assert np.sum(pullback(cotangent) * step) == pytest.approx(np.sum(cotangent * (ahead - behind)) / 2e-2, rel=0.02)


@jax.jit
def likely_at_once(flow, observations, tokens):
    """How likely each token is at each place, given those before it, by one pass over all of them."""
    sizes, backbone = flow.sizes, flow.weights["backbone"]
    seen = scaled(split_numbers(observations, sizes), flow.state_mean, flow.state_std)
    first = embed_seen(backbone, flow.network, seen)
    given = jnp.concatenate([jnp.full((len(tokens), 1), beginning(sizes)), sizes.vocabulary + tokens[:, :-1]], axis=1)
    x = jnp.concatenate([first, embed_said(backbone, given, first.shape[1])], axis=1)
    last, _ = run(backbone, flow.network.heads, x, first.shape[1])
    return logits(backbone, last[:, first.shape[1] :])[..., sizes.vocabulary : sizes.vocabulary + VALUES]


def test_tokens_said_one_by_one_are_drawn_as_a_pass_over_all_of_them_would():
    policy = TokenPolicy(model(arm="tokens"), temperature=1.0)
    observations = policy._reader(batch(seen_by(SENTENCES, image=0)), (2,))
    chunks, count = say_chunks(policy.model.flow, observations, np.array([3, 4], np.uint32), 1.0)
    tokens = action_tokens("bins", 4, 2).encode(chunks)
    likely = likely_at_once(policy.model.flow, jnp.asarray(observations), tokens)
    for row, seed in enumerate((3, 4)):
        for place in range(8):
            key = jax.random.fold_in(jax.random.key(seed), place)
            assert jax.random.categorical(key, likely[row, place]) == tokens[row, place]
    assert count == 8
    assert len(np.unique(tokens)) > 4


def test_token_policies_answer_alone_and_together_and_are_charged_for_every_token():
    policy = TokenPolicy(model(arm="tokens"), temperature=1.0)
    observations = seen_by(SENTENCES, image=0)
    alone = [policy.infer(each, request(i)) for i, each in enumerate(observations)]
    together = policy.infer_batch(batch(observations), stack_requests([request(i) for i in range(2)], rows=4))
    np.testing.assert_allclose(together, alone, atol=1e-6)
    other = policy.infer(observations[0], request(7))
    assert np.abs(other - alone[0]).max() > 0
    flops = flops_of_seeing(SHALLOW, SIZES) + 8 * flops_of_token(SHALLOW, SIZES)
    assert Naive(policy).cost == Cost(8, 0, flops)


def test_a_model_comes_back_from_its_file_to_the_bit(tmp_path):
    first = model(arm="insulated")
    first.save(tmp_path / "model.safetensors")
    again = load_vla(tmp_path / "model.safetensors")
    assert (again.settings, again.sizes, again.words) == (first.settings, first.sizes, first.words)
    pairs = zip(
        jax.tree.leaves((first.weights, first.scales)), jax.tree.leaves((again.weights, again.scales)), strict=True
    )
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert jax.tree.structure(first.weights) == jax.tree.structure(again.weights)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instruction": "Go upp."}, "The word 'upp' is not in the vocabulary; did you mean 'up'?"),
        ({"instruction": None}, "no 'instruction'; make the environment with goal='instruction'"),
        ({"pixels": np.zeros((96, 96, 3), np.uint8)}, r"pixels is uint8[96, 96, 3], but the model sees numbers [8, 8"),
        ({"pixels": None}, "The observation's pixels is None"),
        ({"robot": np.zeros(3)}, r"robot state is float64[3], but the model sees numbers [2]"),
    ],
)
def test_one_sentence_for_an_observation_that_does_not_fit(policy, change, said):
    seen = {
        name: part
        for name, part in {**observation("Go up.", 0.5, 8), **change}.items()
        if name != "instruction" or part
    }
    with pytest.raises(ArgumentError) as error:
        policy.infer(seen, request(0))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: VLAPolicy(model(arm="tokens")), "arm='tokens' has learned no flow; play it with TokenPolicy"),
        (lambda: TokenPolicy(model(arm="joint")), "arm='joint' has learned no tokens"),
        (lambda: vla_policy(model(arm="tokens"), 2.0), "guidance=2 is for a flow"),
        (lambda: vla_policy(model(arm="questions")), "arm='questions' has learned no tokens"),
        (lambda: VLAPolicy(model(arm="joint", left_out=0.0), 2.0), "guidance=2 needs a model that was trained without"),
        (lambda: TokenPolicy(model(arm="tokens"), -1.0), "temperature=-1.0"),
    ],
)
def test_one_sentence_for_a_policy_that_cannot_be(call, said):
    with pytest.raises(ArgumentError) as error:
        call()
    assert said in str(error.value)


def test_nothing_is_said_or_charged_behind_the_end(monkeypatch):
    def only_the_end(weights, last):
        return (0 * last @ weights["embed"].T).at[:, SIZES.vocabulary + END].set(1.0)

    monkeypatch.setattr(token_decoding, "logits", only_the_end)
    policy = TokenPolicy(model(arm="tokens", network=replace(SHALLOW, tokens="frequencies")))
    chunk = policy.infer(observation("Go up."), request(0))
    assert np.array_equal(chunk, np.zeros((4, 2)))
    assert Naive(policy).cost.evaluations == 1
