"""Reads the transitions that tests/fixtures/make_kinetix_fixtures.py recorded, as states of our engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from chunkenv.kinetix.engine.layout import STATE
from chunkenv.kinetix.engine.simulator import Simulator
from chunkenv.kinetix.level import load_level

FOLDER = Path(__file__).parents[1] / "fixtures" / "kinetix"


@dataclass(frozen=True)
class Reference:
    """The recording of one level: its arrays, and where in the rows of states and of transitions each sequence lies."""

    arrays: dict[str, np.ndarray]
    simulator: Simulator

    @property
    def starts(self) -> np.ndarray:
        """Row of the first transition of each sequence."""
        return np.concatenate([[0], np.cumsum(self.arrays["length"])[:-1]])

    @property
    def before(self) -> np.ndarray:
        """For every transition the row of the state that it starts from; the state after it is in the next row."""
        return np.concatenate(
            [
                np.arange(n) + start + k
                for k, (start, n) in enumerate(zip(self.starts, self.arrays["length"], strict=True))
            ]
        )

    def states(self, rows: np.ndarray) -> np.ndarray:
        """Recorded states as our engine's, uint8[len(rows), n]."""
        records = np.repeat(self.simulator.initial_state()[None], len(rows), 0).view(STATE)[:, 0]
        a = {key: value[rows] for key, value in self.arrays.items() if len(value) == len(self.arrays["position"])}
        bodies = records["bodies"]
        bodies["pos"]["x"], bodies["pos"]["y"] = a["position"][..., 0], a["position"][..., 1]
        bodies["vel"]["x"], bodies["vel"]["y"] = a["velocity"][..., 0], a["velocity"][..., 1]
        bodies["angle"], bodies["w"] = a["angle"], a["spin"]
        bodies["rot"]["c"], bodies["rot"]["s"] = np.cos(a["angle"]), np.sin(a["angle"])
        records["contacts"]["normal"], records["contacts"]["tangent"] = a["contact_normal"], a["contact_tangent"]
        self._set_joints(records["joints"], a)
        records["distance"] = a["last_distance"]
        return np.ascontiguousarray(records).view(np.uint8).reshape(len(rows), -1)

    def _set_joints(self, joints: np.ndarray, a: dict[str, np.ndarray]) -> None:
        """Ours are without gaps."""
        for k, joint in enumerate(load_level(self.simulator.level).joints):
            joints["impulse"]["x"][:, k] = a["joint_impulse"][:, joint.slot, 0]
            joints["impulse"]["y"][:, k] = a["joint_impulse"][:, joint.slot, 1]
            joints["turn"][:, k] = a["joint_turn"][:, joint.slot]


@cache
def reference(level: str) -> Reference:
    """The recording of a level."""
    with np.load(FOLDER / f"{level}.npz") as file:
        return Reference(dict(file), Simulator(level))
