"""The reference engine itself: kinetix-env 3.0.2 plays our levels, behind the interface of our own engine.

Left out of the reference are its shaped reward and its time limit, which the environments add alike for every
backend. States travel as our own records: one taken from either backend can be set in the other. One compiled
function serves all levels; only another number of environments compiles it again.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from kinetix.environment.env import make_kinetix_env
from kinetix.environment.env_state import EnvParams
from kinetix.environment.spaces import ActionType, ObservationType

from chunkenv.kinetix.backends import refused
from chunkenv.kinetix.build import feature_place
from chunkenv.kinetix.jax_scene import SIZES, Scene, from_reference, reference_scene, to_reference
from chunkenv.kinetix.kernels import NEVER, PLAYED, Tick
from chunkenv.kinetix.layout import N_ACTIONS, N_FEATURES, STATE
from chunkenv.kinetix.level import load_level
from chunkenv.kinetix.simulator import Simulator

PARAMETERS = EnvParams(dense_reward_scale=0.0, max_timesteps=2**31 - 1)
CHANGING = np.array((0, 1, 2, 3, 7, 12, 13))  # places of the compact features among the features of a body


class JaxSimulator(Simulator):
    """One level in the reference engine, with the interface of `chunkenv.kinetix.simulator.Simulator`.

    Observations, rewards and ends equal those of our engine per transition. It runs where JAX runs: on a GPU if JAX
    finds one. `threads` has no effect, because JAX has its own.

    Args:
        level: one of `chunkenv.kinetix.LEVELS`.

    Raises:
        ArgumentError: the level is not one of them.
        MissingExtraError: kinetix-env is not installed (when this module is imported).
    """

    def __init__(self, level: str) -> None:
        super().__init__(level)
        self._reference = _scene(level)
        moving = [body.slot for body in self.scene.bodies if body.inverse_mass]
        self._compact = np.concatenate([feature_place(slot) + CHANGING for slot in moving])

    def __reduce__(self) -> tuple:
        return JaxSimulator, (self.level,)

    def step(self, state: np.ndarray, scratch: np.ndarray, action: np.ndarray, observation: np.ndarray) -> Tick:
        """Play one tick of one environment in place and observe it, or leave the state as it is and say why not."""
        refusal = refused(state, action)
        if refusal:
            return refusal
        last_distance = float(state["distance"][0])
        rewards, seen = self._advance(state, action[None], np.ones(1, bool))
        self._fill(observation, seen[0])
        distance, ended = float(state["distance"][0]), bool(state["ended"][0])
        return Tick(PLAYED, int(rewards[0]), distance, last_distance, int(state["ticks"][0]), ended)

    def observe(self, state: np.ndarray, observation: np.ndarray) -> None:
        """Fill the observation of a state, `STATE[1]`, as `step` does."""
        self._fill(observation, self._seen(state)[0])

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
            rewards[:, t], seen = self._advance(records, actions[:, t], plays)
            distances[:, t] = records["distance"]
            ends[plays & (records["ended"] != 0)] = t
            self._fill(each[:, t], seen)
        if last.size:
            self._fill(last, self._seen(records))
        return ends, rewards, distances

    def _advance(self, records: np.ndarray, actions: np.ndarray, plays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Play one tick of those that are to play, in place; the rewards and symbolic observations of all."""
        words = records.view(np.uint32).reshape(len(records), -1)
        words[:], rewards, seen = jax.device_get(_compiled_tick()(self._reference, words, actions, plays))
        return rewards, seen

    def _seen(self, records: np.ndarray) -> np.ndarray:
        """The symbolic observations of states."""
        nothing = np.zeros((len(records), N_ACTIONS), np.float32)
        return self._advance(records.copy(), nothing, np.zeros(len(records), bool))[1]

    def _fill(self, out: np.ndarray, seen: np.ndarray) -> None:
        """Copy symbolic observations to where they are wanted, in the kind that fits there."""
        if out.shape[-1] == N_FEATURES:
            out[:] = seen
        elif out.size:
            out[:] = seen[..., self._compact]


@cache
def _scene(level: str) -> Scene:
    return reference_scene(load_level(level))


@cache
def _compiled_tick() -> Callable:
    """One tick of each state that is to play: of N states, actions and flags, N states, rewards and observations."""
    env = make_kinetix_env(
        ActionType.CONTINUOUS, ObservationType.SYMBOLIC_FLAT, None, PARAMETERS, SIZES, auto_reset=False
    )

    def tick(scene: Scene, words: jax.Array, action: jax.Array, plays: jax.Array) -> tuple:
        before = to_reference(scene, words)
        seen, after, reward, ended, info = env.step_env(None, before, action, PARAMETERS)
        outcome = from_reference(scene, after, words, info["distance"], ended), reward, seen
        unplayed = words, 0.0, env.get_obs(before)
        return jax.tree.map(partial(jnp.where, plays), outcome, unplayed)

    return jax.jit(jax.vmap(tick, in_axes=(None, 0, 0, 0)))
