"""Learners that make a policy ready for delay: a head that corrects, a model of the world, and tuning."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.delay_aware.model_learning import ModelSettings
    from chunkenv.agents.delay_aware.preference import DeflectSettings, Preference
    from chunkenv.agents.delay_aware.residual_learning import HeadSettings
    from chunkenv.agents.delay_aware.self_conditioning import RemacSettings, SelfConditioning

__all__ = [
    "DeflectSettings",
    "HeadSettings",
    "ModelSettings",
    "Preference",
    "RemacSettings",
    "SelfConditioning",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "model_learning": "ModelSettings",
        "preference": "DeflectSettings Preference",
        "residual_learning": "HeadSettings",
        "self_conditioning": "RemacSettings SelfConditioning",
    },
    "agents",
)
