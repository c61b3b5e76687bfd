"""A trained vision-language-action model, and the file that holds it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Arrays, Facts
from chunkenv.agents.vla.insulation import VLAScales, answer_logits
from chunkenv.agents.vla.layers import Weights
from chunkenv.agents.vla.vla_flow import VLAFlow, blank_vla, scaled
from chunkenv.agents.vla.vla_settings import Seen, VLANetworkSize, VLASettings, VLASizes
from chunkenv.agents.vla.word_tokens import WordTokens
from chunkenv.errors import ArgumentError

KIND = "chunkenv vision-language-action model"


@dataclass(frozen=True, eq=False)
class VLAModel:
    """Everything that is learned, and what it is read and used with.

    Attributes:
        weights: "backbone" and "expert".
        scales: of state and actions.
        settings: of its training.
        sizes: of what it sees and makes.
        words: the vocabulary.
        facts: how it was made, and of what environments: "environment", arguments of `gymnasium.make` as plain data.
    """

    weights: Weights
    scales: VLAScales
    settings: VLASettings
    sizes: VLASizes
    words: WordTokens
    facts: Facts

    @property
    def flow(self) -> VLAFlow:
        """Its velocity."""
        s = self.settings
        states = self.scales.state_mean, self.scales.state_std
        return VLAFlow(self.weights, *states, s.network, self.sizes, s.steps, s.max_prefix > 0)

    def answer(self, seen: Seen) -> np.ndarray:
        """The first word that it says about what it sees, int[N]: where `seen.words` are questions, the answers."""
        seen = scaled(seen, self.scales.state_mean, self.scales.state_std)
        return np.asarray(_answer(self.settings, self.sizes, self.weights["backbone"], seen))

    def save(self, path: Path | str) -> None:
        """Write the model into one safetensors file, atomically."""
        places = jax.tree_util.tree_leaves_with_path(self.weights)
        arrays = {jax.tree_util.keystr(place): np.asarray(leaf) for place, leaf in places}
        arrays |= {name: np.asarray(scale) for name, scale in self.scales._asdict().items()}
        facts = {
            "settings": dataclasses.asdict(self.settings),
            "sizes": dataclasses.asdict(self.sizes),
            "words": {"words": list(self.words.words), "length": self.words.length},
            "facts": self.facts,
        }
        checkpoint_file.write(Path(path), KIND, arrays, facts)


def load_vla(path: Path | str) -> VLAModel:
    """The model in a file that `VLAModel.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, about = checkpoint_file.read(Path(path), KIND)
    network = VLANetworkSize(**about["settings"].pop("network"))
    settings, sizes = VLASettings(network=network, **about["settings"]), VLASizes(**about["sizes"])
    words = WordTokens(tuple(about["words"]["words"]), about["words"]["length"])
    weights = _stored(arrays, network, sizes)
    scales = VLAScales(*(arrays[name] for name in VLAScales._fields))
    return VLAModel(weights, scales, settings, sizes, words, about["facts"])


def started_from(model: VLAModel, network: VLANetworkSize, sizes: VLASizes, words: WordTokens) -> Weights:
    """The weights of a model, for another training to begin with.

    Raises:
        ArgumentError: they are of another network, of other observations or chunks, or of another vocabulary.
    """
    found = {"network": model.settings.network, "sizes": model.sizes, "words": model.words}
    for name, wanted in {"network": network, "sizes": sizes, "words": words}.items():
        if found[name] != wanted:
            raise ArgumentError(
                f"The model to start from has other {name}: {found[name]}, but {wanted} is asked for; give the same "
                "options, or start anew."
            )
    return model.weights


def _stored(arrays: Arrays, network: VLANetworkSize, sizes: VLASizes) -> Weights:
    leaves, structure = jax.tree_util.tree_flatten_with_path(blank_vla(network, sizes).weights)
    return jax.tree.unflatten(structure, [jnp.asarray(arrays[jax.tree_util.keystr(place)]) for place, _ in leaves])


@partial(jax.jit, static_argnums=(0, 1))
def _answer(settings: VLASettings, sizes: VLASizes, backbone: Weights, seen: Seen) -> jax.Array:
    return answer_logits(backbone, settings, sizes, seen)[:, : sizes.vocabulary].argmax(axis=-1)
