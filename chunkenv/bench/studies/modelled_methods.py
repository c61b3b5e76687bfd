"""Methods that look ahead in a model of the world: how each strategy is made of a flow policy of a Kinetix level."""

from __future__ import annotations

from functools import cache
from typing import Any

from chunkenv.strategies import VLASH, JacobianReflex, PredictedState


@cache
def learned_model(level: str, policies: str) -> Any:
    """The learned model of a level that a family has; made once."""
    from chunkenv.agents import load_model  # brings jax

    return load_model(level, policies)


def predicted_state(policy: Any) -> PredictedState:
    """The policy of a level, asked at the state that the engine predicts."""
    from chunkenv.kinetix import EngineModel  # brings numba, which the list of settings can do without

    return PredictedState(policy, EngineModel(policy.level))


def predicted_state_learned(policy: Any) -> PredictedState:
    """The policy of a level, asked at the observation that the learned model of its family predicts."""
    return PredictedState(policy, learned_model(policy.level, policy.family))


def vlash(policy: Any) -> VLASH:
    """The policy of a level, asked with the robot where the engine predicts it."""
    from chunkenv.kinetix import EngineModel, robot_features

    return VLASH(policy, EngineModel(policy.level), robot_features(policy.level))


def jacobian_reflex(policy: Any) -> JacobianReflex:
    """The policy of a level, with its first-order answers to what the engine has not predicted."""
    from chunkenv.kinetix import EngineModel

    return JacobianReflex(policy, EngineModel(policy.level))
