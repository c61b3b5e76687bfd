"""Methods that look ahead in the engine: how each strategy is made of a flow policy of a Kinetix level."""

from __future__ import annotations

from typing import Any

from chunkenv.strategies import VLASH, JacobianReflex, PredictedState


def predicted_state(policy: Any) -> PredictedState:
    """The policy of a level, asked at the state that the engine predicts."""
    from chunkenv.kinetix import EngineModel  # brings numba, which the list of settings can do without

    return PredictedState(policy, EngineModel(policy.level))


def vlash(policy: Any) -> VLASH:
    """The policy of a level, asked with the robot where the engine predicts it."""
    from chunkenv.kinetix import EngineModel, robot_features

    return VLASH(policy, EngineModel(policy.level), robot_features(policy.level))


def jacobian_reflex(policy: Any) -> JacobianReflex:
    """The policy of a level, with its first-order answers to what the engine has not predicted."""
    from chunkenv.kinetix import EngineModel

    return JacobianReflex(policy, EngineModel(policy.level))
