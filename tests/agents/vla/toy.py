"""A small world for vision-language-action models: a word says which way a chunk goes, the state says how far."""

import jax
import numpy as np

from chunkenv.agents.vla import Seen, VLABatch, VLAModel, VLANetworkSize, VLAScales, VLASettings, VLASizes, WordTokens
from chunkenv.agents.vla.vla_flow import initial_vla

WORDS = WordTokens(("down", "go", "no", "up", "yes"), length=3)
SIZES = VLASizes(image=0, state=2, words=3, vocabulary=WORDS.size, horizon=4, action=2)
SEES = VLASizes(image=8, state=2, words=3, vocabulary=WORDS.size, horizon=4, action=2)
NETWORK = VLANetworkSize(layers=2, width=16, heads=2, expert_width=16, patch=4)
SHALLOW = VLANetworkSize(layers=1, width=16, heads=2, expert_width=16, patch=4)
PLAIN = VLAScales(np.zeros(2, np.float32), np.ones(2, np.float32), np.zeros(2, np.float32), np.ones(2, np.float32))
SENTENCES = ("Go down.", "Go up.")


def settings(**changes):
    small = {"network": SHALLOW, "batch": 32, "warm_up": 10, "updates": 100, "steps": 3, "averaging": 0.9}
    return VLASettings(**small | changes)


def perturbed(weights, seed=1):
    """Weights of which none is zero: at first all gates are, and nothing reaches the backbone."""
    leaves, structure = jax.tree.flatten(weights)
    rng = np.random.default_rng(seed)
    drawn = [np.asarray(leaf) + 0.1 * rng.standard_normal(leaf.shape).astype(np.float32) for leaf in leaves]
    return jax.tree.unflatten(structure, drawn)


def model(sizes=SIZES, network=SHALLOW, **changes):
    """A model that has learned nothing, but whose answers depend on what it sees."""
    weights = perturbed(initial_vla(0, network, sizes))
    return VLAModel(weights, PLAIN, settings(network=network, **changes), sizes, WORDS, {})


class Errands:
    """Windows in which "Go up." means chunks of +distance and "Go down." of -distance; the distance is seen."""

    def __init__(self, image=0):
        self._image = image

    def sample(self, rng, batch):
        way = rng.integers(2, size=batch)
        distance = rng.uniform(0.3, 0.9, batch).astype(np.float32)
        state = np.stack([distance, rng.normal(size=batch)], axis=1).astype(np.float32)
        frames = np.zeros((batch, self._image, self._image, 3), np.uint8)
        frames[:] = (255 * distance).astype(np.uint8)[:, None, None, None]
        chunks = np.tile(((2 * way - 1) * distance)[:, None, None], (1, 4, 2)).astype(np.float32)
        words = WORDS.encode_all(SENTENCES)[way]
        questions = np.tile(WORDS.encode("go?"), (batch, 1))
        answers = np.where(distance > 0.6, WORDS.number("yes"), WORDS.number("no")).astype(np.int32)
        seen = Seen(frames, state, words)
        return VLABatch(seen, chunks, np.ones((batch, 4), np.float32), questions, answers)


def observation(sentence, distance=0.5, image=0):
    """As an environment shows it."""
    parts = {"robot": np.array([distance, 0.0], np.float32), "instruction": sentence}
    if image:
        parts["pixels"] = np.full((image, image, 3), int(255 * distance), np.uint8)
    return parts
