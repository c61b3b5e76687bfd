"""Strategies whose flow policy goes on from what is left of the last chunk: guided to it, or trained to."""

from chunkenv.strategies.continuation.paint import PAINT
from chunkenv.strategies.continuation.remac import REMAC
from chunkenv.strategies.continuation.rtc import RTC, GuidedEuler, HardMasking
from chunkenv.strategies.continuation.soft_training_time_rtc import SoftTrainingTimeRTC
from chunkenv.strategies.continuation.training_time_rtc import TrainingTimeRTC

__all__ = [
    "PAINT",
    "REMAC",
    "RTC",
    "GuidedEuler",
    "HardMasking",
    "SoftTrainingTimeRTC",
    "TrainingTimeRTC",
]
