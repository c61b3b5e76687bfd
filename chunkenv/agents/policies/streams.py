"""The random streams of requests, checked: a policy that draws its chunks needs one for each."""

from __future__ import annotations

import numpy as np

from chunkenv.errors import ArgumentError, brief


def checked_streams(rng: object, policy: str) -> list[np.random.Generator]:
    """The streams of one request or of many.

    Args:
        rng: what the request has: a generator, or one for each row of a batch.
        policy: what draws from them, for the message.

    Raises:
        ArgumentError: there is none, or something else.
    """
    streams = rng if isinstance(rng, tuple | list) else [rng]
    checked = [stream for stream in streams if isinstance(stream, np.random.Generator)]
    if len(checked) < len(streams):
        wrong = next(stream for stream in streams if not isinstance(stream, np.random.Generator))
        raise ArgumentError(
            f"The request has rng={brief(wrong)}, but {policy} draws each chunk; use chunkenv.evaluate, or give it a "
            "stream: request._replace(rng=numpy.random.default_rng(0)); for a batch, a tuple with one a row."
        )
    return checked
