"""How long an inference, an action or an observation takes: models in seconds, and the delays in ticks made of them.

A model is immutable. Its randomness comes from the generator that it is given, and what it remembers from one draw to
the next (where a trace stands, whether a network is congested) travels as a `state` that the caller keeps:

    >>> import numpy as np
    >>> model, rng = Constant(0.02) + Uniform(0.0, 0.1), np.random.default_rng(0)
    >>> state = model.begin(rng)
    >>> seconds, state = model.draw(rng, state)
    >>> round(seconds, 4)
    0.0837

Wrappers take a model, a whole number of ticks, or a *spec*: plain data that goes through JSON, of the same meaning.

    >>> model.spec()
    {'model': 'sum', 'parts': [{'model': 'constant', 'seconds': 0.02}, {'model': 'uniform', 'low': 0.0, 'high': 0.1}]}
    >>> from_spec(model.spec()) == model
    True
"""

from chunkenv.latency.bursty import Bursty
from chunkenv.latency.control_dt import control_dt_of
from chunkenv.latency.delays import Delays, Latency, read_delays
from chunkenv.latency.distributions import Gamma, LogNormal, Uniform
from chunkenv.latency.fitting import Fit, fit_models
from chunkenv.latency.measured import Measured
from chunkenv.latency.model import MODELS, Constant, LatencyModel, Sum, checked_draw, from_spec
from chunkenv.latency.recording import load_recording
from chunkenv.latency.streamed import Streamed
from chunkenv.latency.trace import Trace
from chunkenv.latency.trace_file import RecordedTrace, TraceRow, read_trace, write_trace

__all__ = [
    "MODELS",
    "Bursty",
    "Constant",
    "Delays",
    "Fit",
    "Gamma",
    "Latency",
    "LatencyModel",
    "LogNormal",
    "Measured",
    "RecordedTrace",
    "Streamed",
    "Sum",
    "Trace",
    "TraceRow",
    "Uniform",
    "checked_draw",
    "control_dt_of",
    "fit_models",
    "from_spec",
    "load_recording",
    "read_delays",
    "read_trace",
    "write_trace",
]
