"""The part of kinetix_speed.py that runs in the environment of kinetix-env: requests in, steps per second out.

A line on stdin is a JSON object: `level`, `size` (environments; 0: one, stepped from Python), `observe`, `seconds`.
The compiled code serves all levels; they are its data: scenes of one size.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from kinetix.environment.env import make_kinetix_env
from kinetix.environment.spaces import ActionType, ObservationType
from kinetix.util.saving import import_env_state_from_json

WORLDS = Path(sys.argv[1])
HOLD = 8


@cache
def scene(level: str) -> tuple[Any, Any, Any]:
    """A level's first state, its sizes and parameters."""
    first, sizes, params = import_env_state_from_json(json.loads((WORLDS / f"{level}.json").read_text()))
    # Cast once; otherwise the second step would compile again: the loaded state has a weakly typed float.
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), first), sizes, params


@cache
def environment() -> tuple[Any, Any]:
    """One environment for all levels, whose sizes and parameters are the same."""
    _, sizes, params = scene("catapult")
    kind = ObservationType.SYMBOLIC_FLAT
    return make_kinetix_env(ActionType.CONTINUOUS, kind, None, params, sizes, auto_reset=False), params


@cache
def single() -> Callable:
    """One step of one environment, compiled."""
    env, params = environment()
    return jax.jit(lambda state, action: env.step_env(None, state, action, params))


@cache
def many(observe: bool) -> Callable:
    """A compiled chunk of many environments, each reset where it ends; the last observation, or none."""
    env, params = environment()

    def step(first: Any, state: Any, action: Any) -> Any:
        _, state, _, done, _ = env.step_env(None, state, action, params)
        return jax.tree.map(lambda new, old: jnp.where(done, new, old), first, state)

    together = jax.vmap(step, in_axes=(None, 0, 0))

    def chunk(first: Any, states: Any, actions: Any) -> tuple[Any, Any]:
        states, _ = jax.lax.scan(lambda states, action: (together(first, states, action), None), states, actions)
        return states, jax.vmap(env.get_obs)(states) if observe else jnp.zeros(())

    return jax.jit(chunk)


def of_one(level: str, seconds: float) -> float:
    """Steps per second of one environment stepped from Python, the observation as a NumPy array."""
    first, step, rng = scene(level)[0], single(), np.random.default_rng(0)
    state = step(first, np.zeros(6, np.float32))[1]
    jax.block_until_ready(step(state, np.zeros(6, np.float32)))
    steps, state, start = 0, first, time.perf_counter()
    while time.perf_counter() - start < seconds:
        action = rng.uniform(-1, 1, 6).astype(np.float32)
        for _ in range(HOLD):
            observation, state, _, done, _ = step(state, action)
            np.asarray(observation)
            state = first if done else state
        steps += HOLD
    return steps / (time.perf_counter() - start)


def players(level: str, size: int, observe: bool) -> tuple[Callable, Any, int]:
    """A function that plays a chunk of random actions from states, the first states, and the ticks of a chunk.

    Chunks are shorter where one would take long.
    """
    first, chunk, rng = scene(level)[0], many(observe), np.random.default_rng(0)
    ticks = max(1, min(HOLD, 4096 // size))

    def play(states: Any) -> Any:
        held = rng.uniform(-1, 1, (1, size, 6)).astype(np.float32)
        return jax.block_until_ready(chunk(first, states, np.repeat(held, ticks, 0)))[0]

    return play, jax.tree.map(lambda x: jnp.repeat(x[None], size, 0), first), ticks


@cache
def compile_many(size: int, observe: bool) -> None:
    """Compile for a size, once for all levels."""
    play, states, _ = players("catapult", size, observe)
    play(states)


def of_many(level: str, size: int, observe: bool, seconds: float) -> float:
    """Steps per second of many environments, whole chunks in one call."""
    compile_many(size, observe)
    play, states, ticks = players(level, size, observe)
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        states = play(states)
        steps += size * ticks
    return steps / (time.perf_counter() - start)


def answer(level: str, size: int, observe: bool, seconds: float) -> float:
    """The measurement that one line requests."""
    return of_many(level, size, observe, seconds) if size else of_one(level, seconds)


if __name__ == "__main__":
    for line in sys.stdin:
        print(answer(**json.loads(line)), flush=True)
