"""What client and server say to each other: observations and requests as maps, in three dialects.

| dialect | what the client adds to the observation | what the server answers |
|---|---|---|
| openpi | nothing | one map with `actions` |
| roboarena | `endpoint`: "infer" or "reset" | one map with `actions`, or the actions alone; a text after a reset |
| faster | `action_prefix` and `delay`, if rows are left | maps of type "partial" with the next rows, then one "final" |

A server of this package says so in its metadata (`chunkenv`). Then, and only then, the client adds the key `chunkenv`
with the whole request and a seed, and asks for a reset before every episode. Other servers never see it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from chunkenv.errors import ArgumentError, brief
from chunkenv.request import Pending, Request
from chunkenv.utils.checks import whole_number
from chunkenv.utils.types import Observation

Message: TypeAlias = dict[str, Any]

DIALECTS = ("openpi", "roboarena", "faster")
OURS = "chunkenv"
VERSION = 1
ENDPOINT = "endpoint"
RESET_DONE = "reset successful"
RESERVED = {"openpi": (OURS,), "roboarena": (OURS, ENDPOINT), "faster": (OURS, "action_prefix", "delay")}
COUNTS = ("tick", "prefix_length", "delay_estimate", "execution_horizon")
SEEDS = 2**63


def observation_message(observation: Observation, key: str, dialect: str) -> Message:
    """An observation as a map: a dict as it is, anything else under `key`.

    Raises:
        ArgumentError: a dict has a key that the dialect needs.

    >>> observation_message({"state": 1, "prompt": "fold"}, "observation", "openpi")
    {'state': 1, 'prompt': 'fold'}
    >>> observation_message([0.5], "state", "openpi")
    {'state': [0.5]}
    """
    if not isinstance(observation, dict):
        return {key: observation}
    for name in RESERVED[dialect]:
        if name in observation:
            raise ArgumentError(f"the observation has a part {name!r}, which the dialect {dialect!r} uses; rename it.")
    return dict(observation)


def read_observation(message: Message, key: str) -> Observation:
    """The inverse: what stands under `key`, if nothing else does, else the map."""
    return message[key] if set(message) == {key} else message


def prefix_message(request: Request) -> Message:
    """The prefix as FASTER has it: the rows that will run meanwhile, and how many; nothing without any."""
    if not request.prefix_length:
        return {}
    return {"action_prefix": request.prefix, "delay": np.array(request.prefix_length)}


def write_request(request: Request) -> Message:
    """A request as a map; in place of the generator a seed that is drawn from it, None without one."""
    fields = {name: value for name, value in request._asdict().items() if name != "rng"}
    fields["pending"] = [[chunk, age] for chunk, age in request.pending]
    fields["seed"] = None if request.rng is None else int(request.rng.integers(SEEDS))
    return fields


def read_request(fields: object) -> Request:
    """The request that `write_request` wrote.

    Raises:
        ArgumentError: it is none.

    >>> read_request(write_request(Request(4, [], 0, 1, 4, []))).delay_estimate
    1
    """
    try:
        return _read_request(fields)
    except ArgumentError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise ArgumentError(
            f"{OURS}={brief(fields)} is no request; send what chunkenv.remote.RemotePolicy does."
        ) from (error)


def _read_request(fields: Any) -> Request:
    counts = [whole_number(name, fields[name], at_least=0) for name in COUNTS]
    tick, length, estimate, horizon = counts
    seed = fields["seed"]
    low, high = fields["horizons"] or (0, 0)
    delays = fields["delays"]
    return Request(
        tick,
        fields["prefix"],
        length,
        estimate,
        horizon,
        fields["left_over"],
        None if seed is None else np.random.default_rng(whole_number("seed", seed, at_least=0)),
        tuple(Pending(chunk, whole_number("age", age, at_least=0)) for chunk, age in fields["pending"]),
        (whole_number("low", low, 0), whole_number("high", high, 0)) if fields["horizons"] else None,
        None if delays is None else tuple(whole_number("delay", delay, at_least=0) for delay in delays),
    )


def plain_request(message: Message, tick: int, action_size: int) -> Request:
    """The request of a client that sends observations only; FASTER's prefix is taken out of the message.

    Args:
        message: a map with the observation.
        tick: which inference of the connection it is: 0 begins an episode.
        action_size: numbers of a row, for an empty prefix.

    Raises:
        ArgumentError: a delay that is no whole number, or a prefix of another length.
    """
    prefix = message.pop("action_prefix", None)
    delay = message.pop("delay", 0)
    if prefix is None:
        prefix = np.zeros((0, action_size), np.float32)
    length = whole_number("delay", delay.item() if isinstance(delay, np.ndarray) and delay.ndim == 0 else delay, 0)
    if not isinstance(prefix, np.ndarray) or len(prefix.shape) < 1 or len(prefix) != length:
        raise ArgumentError(f"action_prefix={brief(prefix)} does not have delay={length} rows; send both alike.")
    return Request(tick, prefix, length, length, max(length, 1), prefix)
