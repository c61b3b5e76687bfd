"""Where a server of policies is: which addresses are taken, and which have to be named first."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

from chunkenv.errors import ArgumentError

SCHEMES = {"ws": "ws", "http": "ws", "wss": "wss", "https": "wss"}
PORTS = {"ws": 80, "wss": 443}


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        uri: beginning with ws:// or wss://, perhaps with a path.
        host: a name, or an IP address without brackets.
        port: of TCP.
        secure: whether TLS is spoken (wss).
    """

    uri: str
    host: str
    port: int
    secure: bool


def read_address(uri: object, hosts: Collection[str] = ()) -> Address:
    """The address in a URI.

    Args:
        uri: ws://HOST:PORT/PATH, or with wss, http or https; HOST:PORT alone is ws.
        hosts: names of other machines that may be connected to; this one always may.

    Raises:
        ArgumentError: it is no address, or that of another machine that was not named.

    >>> read_address("http://localhost:8000/policy")
    Address(uri='ws://localhost:8000/policy', host='localhost', port=8000, secure=False)
    """
    parts, port = _split(uri)
    scheme, host = SCHEMES.get(parts.scheme), parts.hostname
    if scheme is None or not host or parts.fragment:
        raise ArgumentError(f"uri={uri!r} is no address of a server; write, for example, ws://127.0.0.1:8000.")
    if parts.username is not None or parts.password is not None:
        raise ArgumentError(f"the uri of {host} holds a name or a password; give the server's key as api_key instead.")
    if not is_local(host) and host not in {name.lower() for name in _names(hosts)}:
        raise ArgumentError(
            f"uri={uri!r} is another machine; to send observations there and act on its answers, name it: "
            f"hosts=({host!r},)."
        )
    return Address(urlunsplit(parts._replace(scheme=scheme)), host, port or PORTS[scheme], scheme == "wss")


def is_local(host: str) -> bool:
    """Whether a host is this machine: localhost, 127.0.0.0/8, ::1, or 0.0.0.0 and ::, which mean it for a client.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("robot.lab")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _names(hosts: object) -> Collection[str]:
    if isinstance(hosts, str) or not isinstance(hosts, Collection) or not all(isinstance(name, str) for name in hosts):
        raise ArgumentError(f"hosts={hosts!r} is no collection of names; write, for example, ('robot.lab',).")
    return hosts


def _split(uri: object) -> tuple[SplitResult, int | None]:
    """The parts of a URI, and its port."""
    text = uri if isinstance(uri, str) else ""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ArgumentError(f"uri={uri!r} has spaces or line breaks; write, for example, ws://127.0.0.1:8000.")
    try:
        parts = urlsplit(text if "://" in text else f"ws://{text}")
        return parts, parts.port
    except ValueError as error:
        raise ArgumentError(f"uri={uri!r} is no address ({error}); write, for example, ws://127.0.0.1:8000.") from error
