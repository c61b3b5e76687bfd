"""Policies in other processes: a client for servers that speak as openpi's does, and a server (extra `remote`).

A policy of `RemotePolicy("ws://127.0.0.1:8000")` is one like any other: `chunkenv.evaluate` and the real clock play it.
"""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.remote.policy_server import PolicyServer
    from chunkenv.remote.remote_policy import RemotePolicy
    from chunkenv.remote.wire import WireError, pack, unpack

__all__ = ["PolicyServer", "RemotePolicy", "WireError", "pack", "unpack"]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "policy_server": "PolicyServer",
        "remote_policy": "RemotePolicy",
        "wire": "WireError pack unpack",
    },
    extra="remote",
)
