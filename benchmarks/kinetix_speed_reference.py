"""The other half of kinetix_speed.py, run by it where kinetix-env is: names in, steps a second out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from kinetix.environment.env import make_kinetix_env
from kinetix.environment.spaces import ActionType, ObservationType
from kinetix.util.saving import import_env_state_from_json


def steps_per_second(path: Path, seconds: float) -> float:
    """Steps a second of one environment stepped from Python, the observation as a NumPy array."""
    first, sizes, params = import_env_state_from_json(json.loads(path.read_text()))
    env = make_kinetix_env(ActionType.CONTINUOUS, ObservationType.SYMBOLIC_FLAT, None, params, sizes, auto_reset=False)
    # Once cast, or the second step would compile again: the loaded state has a weakly typed float.
    first = jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), first)
    step = jax.jit(lambda state, action: env.step_env(None, state, action, params))
    rng = np.random.default_rng(0)
    state = step(first, np.zeros(6, np.float32))[1]
    jax.block_until_ready(step(state, np.zeros(6, np.float32)))
    steps, state, start = 0, first, time.perf_counter()
    while time.perf_counter() - start < seconds:
        action = rng.uniform(-1, 1, 6).astype(np.float32)
        for _ in range(8):
            observation, state, _, done, _ = step(state, action)
            np.asarray(observation)
            state = first if done else state
        steps += 8
    return steps / (time.perf_counter() - start)


if __name__ == "__main__":
    for line in sys.stdin:
        print(steps_per_second(Path(sys.argv[1]) / f"{line.strip()}.json", float(sys.argv[2])), flush=True)
