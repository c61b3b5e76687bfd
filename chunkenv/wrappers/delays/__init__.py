"""Wrappers for agents that choose one action at a time: actions and observations that arrive late."""

from chunkenv.wrappers.delays.action_delay import ActionDelay
from chunkenv.wrappers.delays.observation_delay import ObservationDelay

__all__ = ["ActionDelay", "ObservationDelay"]
