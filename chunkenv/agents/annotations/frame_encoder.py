"""A small convolutional encoder of frames, and the file that holds a trained one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from chunkenv.agents.annotations.crops import WHOLE, cut
from chunkenv.agents.common import checkpoint_file
from chunkenv.agents.common.checkpoint_file import Facts
from chunkenv.agents.nets.mlp import Array
from chunkenv.agents.vla.layers import Weights, dense, initial_dense
from chunkenv.errors import ArgumentError
from chunkenv.utils.checks import whole_number

KIND = "chunkenv frame encoder"
SIDE, STRIDE, COLOURS = 3, 2, 3
BLOCK = 256
"""Frames that are encoded at a time."""


@dataclass(frozen=True)
class EncoderSize:
    """Kind and size of an encoder.

    Attributes:
        image: height and width of what it sees, in pixels; frames and crops of other sizes are stretched to it.
        channels: of each convolution; each halves height and width.
        features: numbers that a frame becomes, D.

    Raises:
        ArgumentError: for an invalid number.
    """

    image: int = 64
    channels: tuple[int, ...] = (32, 64, 64)
    features: int = 128

    def __post_init__(self) -> None:
        for name, value in {"image": self.image, "features": self.features}.items():
            whole_number(name, value, at_least=1)
        for channels in self.channels:
            whole_number("channels", channels, at_least=1)
        if not self.channels or self.image % STRIDE ** len(self.channels):
            raise ArgumentError(
                f"image={self.image} cannot be halved {len(self.channels)} times; choose at least one convolution, and "
                f"a multiple of {STRIDE ** len(self.channels)}."
            )


@dataclass(frozen=True, eq=False)
class FrameEncoder:
    """An encoder that stays as it is.

    Attributes:
        weights: see `initial_encoder`.
        size: of the network.
        facts: how it was made.
    """

    weights: Weights
    size: EncoderSize
    facts: Facts

    def features(self, frames: Array) -> np.ndarray:
        """What whole frames uint8[N, S, S, 3] become, float32[N, D].

        Raises:
            ArgumentError: other arrays.
        """
        if np.ndim(frames) != 4 or frames.shape[-1] != COLOURS:
            raise ArgumentError(f"frames are {list(np.shape(frames))}, not [N, S, S, 3]; give a batch of frames.")
        parts = [frames[start : start + BLOCK] for start in range(0, len(frames), BLOCK)]
        return np.concatenate([np.asarray(_encode_whole(self.weights, self.size, part)) for part in parts])

    def save(self, path: Path | str) -> None:
        """Write the encoder into one safetensors file, atomically."""
        places = jax.tree_util.tree_leaves_with_path(self.weights)
        arrays = {jax.tree_util.keystr(place): np.asarray(leaf) for place, leaf in places}
        checkpoint_file.write(Path(path), KIND, arrays, {"size": dataclasses.asdict(self.size), "facts": self.facts})


def load_encoder(path: Path | str) -> FrameEncoder:
    """The encoder in a file that `FrameEncoder.save` wrote.

    Raises:
        ArgumentError: there is no such file, or it holds something else.
    """
    arrays, about = checkpoint_file.read(Path(path), KIND)
    size = EncoderSize(**{**about["size"], "channels": tuple(about["size"]["channels"])})
    blank = jax.eval_shape(lambda: initial_encoder(jax.random.key(0), size))
    leaves, structure = jax.tree_util.tree_flatten_with_path(blank)
    found = [jnp.asarray(arrays[jax.tree_util.keystr(place)]) for place, _ in leaves]
    return FrameEncoder(jax.tree.unflatten(structure, found), size, about["facts"])


def random_encoder(seed: int, size: EncoderSize) -> FrameEncoder:
    """Convolutions as they are drawn: the baseline that has learned nothing."""
    return FrameEncoder(initial_encoder(jax.random.key(seed), size), size, {"seed": seed})


def initial_encoder(key: jax.Array, size: EncoderSize) -> Weights:
    """Weights to begin with: "convolutions", kernels of 3 x 3 with He's variance, and "out"."""
    keys = jax.random.split(key, len(size.channels) + 1)
    inputs = (COLOURS, *size.channels[:-1])
    last = size.channels[-1] * (size.image // STRIDE ** len(size.channels)) ** 2
    pairs = zip(keys[:-1], inputs, size.channels, strict=True)
    return {
        "convolutions": [_initial_convolution(each, *channels) for each, *channels in pairs],
        "out": initial_dense(keys[-1], last, size.features),
    }


def encode(weights: Weights, crops: Array) -> jax.Array:
    """Crops [N, image, image, 3] from -1 to 1 as [N, D]; where things lie stays to be seen: nothing is pooled."""
    x = jnp.asarray(crops)
    for layer in weights["convolutions"]:
        layout = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, layer["kernel"], (STRIDE, STRIDE), "SAME", dimension_numbers=layout)
        x = jax.nn.gelu(x + layer["bias"])
    return dense(weights["out"], x.reshape(len(x), -1))


def _initial_convolution(key: jax.Array, inputs: int, outputs: int) -> Weights:
    kernel = jax.random.normal(key, (SIDE, SIDE, inputs, outputs)) * (2 / (SIDE**2 * inputs)) ** 0.5
    return {"kernel": kernel, "bias": jnp.zeros(outputs)}


@partial(jax.jit, static_argnums=1)
def _encode_whole(weights: Weights, size: EncoderSize, frames: Array) -> jax.Array:
    return encode(weights, cut(frames, jnp.tile(jnp.array(WHOLE), (len(frames), 1)), size.image))
