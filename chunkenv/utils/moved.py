"""Modules under the names that they had before: stored specs and pickles, and imports of old code, still find them.

Rooms of which nothing is stored by name are not listed: `bench` and `cli`. A study is pickled only on its way to its
worker processes; its database holds plain values.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    f"chunkenv.{old}": f"chunkenv.{new}"
    for old, new in {
        "agents.model_learning": "agents.delay_aware.model_learning",
        "agents.preference": "agents.delay_aware.preference",
        "agents.residual_learning": "agents.delay_aware.residual_learning",
        "agents.self_conditioning": "agents.delay_aware.self_conditioning",
        "autoreset": "utils.autoreset",
        "batches": "utils.batching",
        "data.every_length": "data.windows.every_length",
        "data.goal_windows": "data.windows.goal_windows",
        "data.later_windows": "data.windows.later_windows",
        "data.offset_windows": "data.windows.offset_windows",
        "data.subgoal_windows": "data.windows.subgoal_windows",
        "data.successors": "data.windows.successors",
        "evaluate_batch": "evaluate.batch",
        "kinetix.box2d_env": "kinetix.backends.box2d_env",
        "kinetix.box2d_world": "kinetix.backends.box2d_world",
        "kinetix.jax_backend": "kinetix.backends.jax_simulator",
        "kinetix.layout": "kinetix.engine.layout",
        "kinetix.simulator": "kinetix.engine.simulator",
        "latency.base": "latency",
        "latency.gamma": "latency",
        "latency.models": "latency",
        "latency.names": "latency",
        "latency.specs": "latency",
        "latency.sums": "latency",
        "manipulation.observing": "manipulation.engine.observations",
        "manipulation.oracles.policy": "manipulation.oracles.oracle_policy",
        "manipulation.state": "manipulation.scene.state",
        "manipulation.worlds": "manipulation.scene.worlds",
        "sb3.on_policy": "sb3.algorithms",
        "sb3.replay": "sb3.chunk_replay",
        "sb3.rollout": "sb3.rollout_buffer",
        "spaces": "utils.spaces",
        "strategies.adaptive_horizon": "strategies.horizons.adaptive_horizon",
        "strategies.best_of": "strategies.combining.best_of",
        "strategies.bid": "strategies.combining.bid",
        "strategies.dvac": "strategies.horizons.dvac",
        "strategies.jacobian_reflex": "strategies.prediction.jacobian_reflex",
        "strategies.paint": "strategies.continuation.paint",
        "strategies.predicted_state": "strategies.prediction.predicted_state",
        "strategies.remac": "strategies.continuation.remac",
        "strategies.rolling_threshold": "strategies.horizons.rolling_threshold",
        "strategies.rtc": "strategies.continuation.rtc",
        "strategies.soft_training_time_rtc": "strategies.continuation.soft_training_time_rtc",
        "strategies.temporal_ensembling": "strategies.combining.temporal_ensembling",
        "strategies.training_time_rtc": "strategies.continuation.training_time_rtc",
        "strategies.vlash": "strategies.prediction.vlash",
        "streams": "utils.seeding",
        "vector.chunked_execution": "vector.execution",
        "vector.chunks": "vector.chunk_store",
        "vector.delays": "vector.delay_streams",
        "vector.kinetix": "making.kinetix_makers",
        "vector.manipulation": "making.manipulation_vector_maker",
        "vector.members": "vector.sync_playable",
        "vector.processes": "vector.workers.worker_env",
        "wrappers.action_delay": "wrappers.delays.action_delay",
        "wrappers.action_history": "wrappers.delays.action_history",
        "wrappers.link": "wrappers.delays.link",
        "wrappers.observation_delay": "wrappers.delays.observation_delay",
        "wrappers.overlay": "wrappers.frames.overlay",
        "wrappers.overlay_strip": "wrappers.frames.overlay_strip",
        "wrappers.play": "wrappers.tick_player",
        "wrappers.record_ticks": "wrappers.frames.record_ticks",
        "wrappers.request": "request",
        "wrappers.settings": "wrappers.options",
    }.items()
}
"""Old module names to present ones."""


class MovedModules(MetaPathFinder, Loader):
    """Finds a module by the name that it had; nothing else, and only where no other finder knows the name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a moved module; None for all others."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module itself under its old name: one module with two names, so that its classes stay the same."""
        sys.modules[module.__name__] = importlib.import_module(MOVED[module.__name__])


def install() -> None:
    """Let moved modules be found; once, however often it is called.

    Modules that are loaded get their old name at once: Python's import would also bind the module in its old parent,
    over a public name that is spelled alike (`chunkenv.evaluate_batch` is a function).
    """
    if any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        return
    sys.modules.update({old: sys.modules[new] for old, new in MOVED.items() if new in sys.modules})
    sys.meta_path.append(MovedModules())
