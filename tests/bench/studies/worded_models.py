"""Vision-language-action models that have learned nothing, with the files of a training beside them."""

import json

import numpy as np

from chunkenv.agents.vla import VLAModel, VLANetworkSize, VLAScales, VLASettings, VLASizes
from chunkenv.agents.vla.vla_flow import initial_vla
from chunkenv.training.vla_data import words_of

FEATURES = 28
NETWORK = VLANetworkSize(layers=1, width=8, heads=2, expert_width=8)
ENVIRONMENT = {
    "id": "chunkenv/manip-cube-single-v0",
    "arguments": {"goal": "instruction", "goals": "train", "observation": "features", "max_episode_steps": 20},
}


def write_model(folder, arm, right):
    """A model of cube-single, and metrics in which so many answers are right."""
    words = words_of("cube-single", "train")
    sizes = VLASizes(0, FEATURES, words.length, words.size, horizon=4, action=5)
    scales = VLAScales(*(np.full(size, value, np.float32) for size in (FEATURES, 5) for value in (0, 1)))
    facts = {"environment": ENVIRONMENT, "execution_horizon": 2}
    settings = VLASettings(network=NETWORK, arm=arm, steps=1)
    VLAModel(initial_vla(0, NETWORK, sizes), scales, settings, sizes, words, facts).save(folder / "model.safetensors")
    (folder / "metrics.jsonl").write_text(json.dumps({"steps": 100, "right_answers": right}) + "\n")
