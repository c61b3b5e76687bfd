"""The real clock: a control loop that keeps its period while a policy thinks, with the account of the simulated one.

`RealtimeExecution` runs the loop; its policy infers in a thread or a process. `ManualClock` and `ScriptedWorker` run
the same loop without time and without threads, for tests.
"""

from chunkenv.realtime.deadlines import ControlClock, Deadlines, MonotonicClock
from chunkenv.realtime.decision_account import PlayedDecision
from chunkenv.realtime.inferring import Answer, HostedPolicy, InferenceWorker
from chunkenv.realtime.realtime_execution import RealtimeExecution
from chunkenv.realtime.scripted_worker import ManualClock, ScriptedWorker

__all__ = [
    "Answer",
    "ControlClock",
    "Deadlines",
    "HostedPolicy",
    "InferenceWorker",
    "ManualClock",
    "MonotonicClock",
    "PlayedDecision",
    "RealtimeExecution",
    "ScriptedWorker",
]
