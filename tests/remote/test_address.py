import pytest

from chunkenv.errors import ArgumentError
from chunkenv.remote.address import read_address


@pytest.mark.parametrize(
    ("uri", "host", "port"),
    [
        ("ws://127.0.0.1:8000", "127.0.0.1", 8000),
        ("localhost:9", "localhost", 9),
        ("http://LOCALHOST/a/b?c=1", "localhost", 80),
        ("wss://127.3.2.1", "127.3.2.1", 443),
        ("ws://[::1]:7/x", "::1", 7),
        ("ws://0.0.0.0:8000", "0.0.0.0", 8000),
    ],
)
def test_this_machine_needs_no_name(uri, host, port):
    address = read_address(uri)
    assert (address.host, address.port) == (host, port)
    assert address.uri.startswith("wss://" if address.secure else "ws://")


def test_the_path_and_the_query_are_kept():
    assert read_address("https://localhost/a/b?c=1").uri == "wss://localhost/a/b?c=1"


@pytest.mark.parametrize("host", ["robot.lab", "192.168.1.7", "127.0.0.1.evil.org", "[2001:db8::1]", "localhost.evil"])
def test_another_machine_has_to_be_named(host):
    with pytest.raises(ArgumentError, match="is another machine"):
        read_address(f"ws://{host}:8000")
    assert read_address(f"ws://{host}:8000", hosts=[host.strip("[]")]).port == 8000


def test_a_name_is_the_same_in_capitals():
    assert read_address("ws://Robot.Lab", hosts=["ROBOT.lab"]).host == "robot.lab"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("", "no address"),
        (None, "no address"),
        (8000, "no address"),
        ("ws://", "no address"),
        ("ftp://localhost", "no address"),
        ("ws://localhost:port", "is no address"),
        ("ws://localhost:99999", "is no address"),
        ("ws://[::1", "is no address"),
        ("ws://localhost/#part", "no address"),
        ("ws://local host", "spaces"),
        ("ws://localhost/\r\nX: y", "line breaks"),
        ("ws://me:pw@localhost", "api_key"),
    ],
)
def test_what_is_no_address_is_one_sentence(uri, says):
    with pytest.raises(ArgumentError, match=says):
        read_address(uri)


def test_a_password_is_not_repeated():
    with pytest.raises(ArgumentError) as caught:
        read_address("ws://me:geheim@localhost")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("hosts", ["robot.lab", 5, [None]])
def test_hosts_that_are_no_names_are_refused(hosts):
    with pytest.raises(ArgumentError, match="no collection of names"):
        read_address("ws://robot.lab", hosts=hosts)
