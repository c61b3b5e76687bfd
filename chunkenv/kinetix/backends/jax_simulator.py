"""The reference engine itself: kinetix-env 3.0.2 plays our levels, behind the interface of our own engine.

Left out of the reference are its shaped reward and its time limit, which the environments add alike for every
backend. States travel as our own records: one taken from either backend can be set in the other. One compiled
function serves all levels; only another number of environments compiles it again.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from kinetix.environment.env import make_kinetix_env
from kinetix.environment.env_state import EnvParams
from kinetix.environment.spaces import ActionType, ObservationType

from chunkenv.kinetix.backends.jax_scene import SIZES, Scene, from_reference, reference_scene, to_reference
from chunkenv.kinetix.engine.build import feature_place
from chunkenv.kinetix.engine.kernels import NEVER, PLAYED, Tick
from chunkenv.kinetix.engine.layout import N_FEATURES, STATE
from chunkenv.kinetix.engine.level_simulator import LevelSimulator, refuse_tick
from chunkenv.kinetix.level import load_level

PARAMETERS = EnvParams(dense_reward_scale=0.0, max_timesteps=2**31 - 1)
CHANGING = np.array((0, 1, 2, 3, 7, 12, 13))  # places of the compact features among the features of a body


class JaxSimulator(LevelSimulator):
    """One level in the reference engine, with the interface of our own: see `LevelSimulator`.

    Observations, rewards and ends equal those of our engine per transition. It runs where JAX runs: on a GPU if JAX
    finds one. `threads` has no effect, because JAX has its own.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.

    Raises:
        ArgumentError: the level is not one of them.
    """

    def __init__(self, level: str) -> None:
        super().__init__(level)
        self._reference = _scene(level)
        moving = [body.slot for body in self.scene.bodies if body.inverse_mass]
        self._compact = np.concatenate([feature_place(slot) + CHANGING for slot in moving])

    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> Tick:
        """Play one tick: see `LevelSimulator.step`."""
        refusal = refuse_tick(state, action)
        if refusal:
            return refusal
        last_distance = float(state["distance"][0])
        rewards = self._advance(state, action[None], np.ones(1, bool))
        self.observe(state, observation)
        distance, ended = float(state["distance"][0]), bool(state["ended"][0])
        return Tick(PLAYED, int(rewards[0]), distance, last_distance, int(state["ticks"][0]), ended)

    def observe(self, state: np.ndarray, observation: np.ndarray) -> None:
        """Fill the observation of a state, `STATE[1]`, as `step` does."""
        self._see(state, observation[None])

    def _play(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        ticks: np.ndarray,
        each: np.ndarray,
        last: np.ndarray,
        threads: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n, horizon = actions.shape[:2]
        records = states.reshape(-1).view(STATE)
        rewards, distances = np.zeros((2, n, horizon), np.float32)
        ends = np.where(records["ended"], NEVER, ticks)
        for t in range(horizon):
            plays = (t < ticks) & (records["ended"] == 0)
            if plays.any():
                rewards[:, t] = self._advance(records, actions[:, t], plays)
            distances[:, t] = records["distance"]
            ends[plays & (records["ended"] != 0)] = t
            self._see(records, each[:, t])
        self._see(records, last)
        return ends, rewards, distances

    def _advance(self, records: np.ndarray, actions: np.ndarray, plays: np.ndarray) -> np.ndarray:
        """Play one tick of those that are to play, in place; their rewards."""
        words = _words(records)
        words[:], rewards = jax.device_get(_compile().tick(self._reference, words, actions, plays))
        return rewards

    def _see(self, records: np.ndarray, out: np.ndarray) -> None:
        """Fill observations of states, in the kind that fits there, if any are wanted."""
        if out.size:
            observations = jax.device_get(_compile().observe(self._reference, _words(records)))
            out[:] = observations if out.shape[1] == N_FEATURES else observations[:, self._compact]


def _words(records: np.ndarray) -> np.ndarray:
    """The same memory as uint32[N, n]."""
    return records.view(np.uint32).reshape(len(records), -1)


@cache
def _scene(level: str) -> Scene:
    return reference_scene(load_level(level))


class Compiled(NamedTuple):
    """What is compiled, for N states of one scene.

    Attributes:
        tick: of states, actions and whether each is to play: states and rewards after the tick.
        observe: of states: symbolic observations.
    """

    tick: Callable
    observe: Callable


@cache
def _compile() -> Compiled:
    env = make_kinetix_env(
        ActionType.CONTINUOUS, ObservationType.SYMBOLIC_FLAT, None, PARAMETERS, SIZES, auto_reset=False
    )

    def tick(scene: Scene, words: jax.Array, action: jax.Array, plays: jax.Array) -> tuple:
        _, after, reward, ended, info = env.step_env(None, to_reference(scene, words), action, PARAMETERS)
        outcome = from_reference(scene, after, words, info["distance"], ended), reward
        return jax.tree.map(partial(jnp.where, plays), outcome, (words, 0.0))

    def observe(scene: Scene, words: jax.Array) -> jax.Array:
        return env.get_obs(to_reference(scene, words))

    return Compiled(
        jax.jit(jax.vmap(tick, in_axes=(None, 0, 0, 0))),
        jax.jit(jax.vmap(observe, in_axes=(None, 0))),
    )
