"""Keys of servers: in environment variables, because everybody on a machine sees its command lines."""

from __future__ import annotations

import os

from chunkenv.errors import ArgumentError


def read_key(variable: str | None) -> str | None:
    """The key in an environment variable; None without a variable.

    Raises:
        ArgumentError: the variable is empty or not set.

    >>> read_key(None) is None
    True
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ArgumentError(f"the environment variable {variable!r} holds no key; set it to that of the server.")
    return key
