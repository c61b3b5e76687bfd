"""`chunkenv serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from chunkenv.cli.command_line import whole
from chunkenv.cli.interrupts import say_if_interrupted
from chunkenv.remote.keys import read_key
from chunkenv.utils.extras import require
from chunkenv.utils.user_files import MadeInFile, split_name

if TYPE_CHECKING:
    from chunkenv.remote import PolicyServer

MAKER = "make_policy"
LOCAL = ("127.0.0.1", "localhost", "::1")
Dialect = Annotated[
    str, typer.Option(metavar="NAME", help="How messages are written: openpi, roboarena or faster (streams rows).")
]
KeyVariable = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Environment variable with the key of the server.", show_default="no key"),
]
ObservationKey = Annotated[str, typer.Option(metavar="NAME", help="What an observation that is no dict is called.")]


def serve(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.py:NAME", help="A Python file and the function in it that makes the policy (make_policy)."
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 is every network.")] = "127.0.0.1",
    port: Annotated[int, whole(help="TCP port; 0 takes a free one.")] = 8000,
    dialect: Dialect = "openpi",
    api_key_env: KeyVariable = None,
    observation_key: ObservationKey = "observation",
) -> None:
    """Serve a policy to robots and other processes, in the protocol of openpi's servers.

    The policy is any object with infer(observation, request). Clients of openpi send a map with their observation and
    get one with `actions`; `RemotePolicy` sends the whole request, too. `GET /healthz` answers OK. Ctrl-C ends it.
    """
    require("remote")
    from chunkenv.remote import PolicyServer

    policy = MadeInFile(file if split_name(file)[1] else Path(f"{file}:{MAKER}"))()
    key = read_key(api_key_env)
    server = PolicyServer(policy, host, port, dialect, api_key=key, observation_key=observation_key)
    console = Console(highlight=False)
    if key is None and host not in LOCAL:
        console.print(f"Everybody who reaches {host} may use it; --api-key-env asks for a key.", soft_wrap=True)
    with say_if_interrupted(console, lambda: f"{server.messages} message{'s' * (server.messages != 1)} answered."):
        server.serve_forever(lambda: _say(server, type(policy).__name__, dialect))


def _say(server: PolicyServer, policy: str, dialect: str) -> None:
    # Not on the console, which says its line again if an interrupt comes before it has cleared its buffer.
    typer.echo(f"{policy} is served at {server.uri} in the dialect {dialect}. Ctrl-C ends it.")
