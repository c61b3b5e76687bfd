import gc
import pickle
import socket
import threading
import time
import warnings

import numpy as np
import pytest
from gymnasium import spaces
from websockets.sync.server import serve

from chunkenv.errors import ArgumentError, PolicyFault
from chunkenv.remote import RemotePolicy, pack, unpack
from tests.remote.recorded import OBJECTS
from tests.remote.servers import CHUNK, REQUEST, answering, raw, scripted, threads_left

SPACE = spaces.Box(-1, 1, (8, 2))
STATE = np.array([0.5, 1.0])


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        yield
        gc.collect()
    assert not threads_left(before)


def ask(uri, observation=STATE, request=REQUEST, **options):
    with RemotePolicy(uri, **{"timeout": 5.0, **options}) as policy:
        return policy.infer(observation, request)


def fault(converse, says, request=REQUEST, metadata=None, **options):
    with scripted(converse, metadata) as uri, pytest.raises(PolicyFault, match=says) as caught:
        ask(uri, request=request, **{"chunk_space": SPACE, **options})
    assert caught.value.tick == request.tick
    assert str(caught.value).startswith(f"the policy server at {uri} ")
    assert "\n" not in str(caught.value)
    return caught.value


# What is sent, and what comes back


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (STATE, {"observation": STATE}),
        ({"state": STATE, "prompt": "fold"}, {"state": STATE, "prompt": "fold"}),
        (np.int64(3), {"observation": np.int64(3)}),
        ((STATE, 1), {"observation": [STATE, 1]}),
    ],
)
def test_openpi_is_sent_the_observation_and_nothing_else(observation, expected):
    seen = []

    def converse(connection):
        for message in connection:
            seen.append(unpack(message))
            connection.send(pack({"actions": CHUNK, "server_timing": {"infer_ms": 1.0}}))

    with scripted(converse) as uri:
        np.testing.assert_array_equal(ask(uri, observation), CHUNK)
    assert repr(seen) == repr([expected])


def test_the_names_of_observation_and_actions_can_be_others():
    def converse(connection):
        connection.send(pack({"action": unpack(connection.recv())["state"] * np.ones((3, 1))}))

    with scripted(converse) as uri:
        chunk = ask(uri, np.array([2.0]), observation_key="state", actions_key="action")
    assert chunk.tolist() == [[2.0]] * 3


def test_the_chunk_has_the_dtype_of_its_space_and_may_be_written():
    with scripted(answering({"actions": CHUNK.astype(np.float64)})) as uri:
        chunk = ask(uri, chunk_space=SPACE)
    assert chunk.dtype == np.float32
    chunk[0] = 7.0


def test_a_chunk_of_a_dict_space_is_a_map():
    space = spaces.Dict({"arm": spaces.Box(-1, 1, (2, 3)), "grip": spaces.MultiDiscrete([2, 2])})
    with scripted(answering({"actions": {"arm": np.ones((2, 3)), "grip": np.array([0, 1])}})) as uri:
        chunk = ask(uri, chunk_space=space)
    assert space.contains(chunk)


def test_the_metadata_is_what_the_server_said():
    with scripted(answering(), {"name": "pi0"}) as uri, RemotePolicy(uri) as policy:
        assert policy.connect() == {"name": "pi0"}


def test_the_key_is_sent_as_openpi_has_it():
    keys = []

    def converse(connection):
        keys.append(connection.request.headers["Authorization"])

    with scripted(converse) as uri, RemotePolicy(uri, api_key="secret") as policy:
        policy.connect()
    assert keys == ["Api-Key secret"]


def test_the_path_is_asked_for():
    paths = []
    with scripted(lambda connection: paths.append(connection.request.path)) as uri:
        RemotePolicy(f"{uri}/a/b?c=1").connect()
    assert paths == ["/a/b?c=1"]


def test_no_proxy_stands_between_two_processes_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with scripted(answering({"actions": CHUNK})) as uri:
        assert len(ask(uri)) == 8


def test_it_goes_into_other_processes_without_its_connections():
    answers = {"actions": CHUNK}, {"actions": 2 * CHUNK}
    with scripted(answering(*answers)) as uri, RemotePolicy(uri, timeout=3.0, chunk_space=SPACE) as policy:
        policy.infer(STATE, REQUEST)
        with pickle.loads(pickle.dumps(policy)) as copy:
            assert repr(copy) == repr(policy)
            np.testing.assert_array_equal(copy.infer(STATE, REQUEST), 2 * CHUNK)


# RoboArena


def test_roboarena_is_told_which_endpoint():
    seen = []

    def converse(connection):
        for message in connection:
            seen.append(unpack(message))
            connection.send("reset successful" if seen[-1]["endpoint"] == "reset" else pack({"actions": CHUNK}))

    with scripted(converse) as uri, RemotePolicy(uri, dialect="roboarena") as policy:
        policy.reset()
        policy.infer({"prompt": "fold"}, REQUEST)
    assert seen == [{"endpoint": "reset"}, {"prompt": "fold", "endpoint": "infer"}]


def test_roboarenas_first_servers_answer_with_actions_alone():
    with scripted(answering(CHUNK)) as uri:
        np.testing.assert_array_equal(ask(uri, dialect="roboarena"), CHUNK)


@pytest.mark.parametrize("answer", ["Traceback\nKeyError: 'x'", {"reset": True}])
def test_a_reset_that_fails_is_a_fault(answer):
    says = r"failed: KeyError: 'x'|answered a reset with"
    with scripted(answering(answer)) as uri, pytest.raises(PolicyFault, match=says):
        RemotePolicy(uri, dialect="roboarena", timeout=3.0).reset()


# FASTER


def partial(rows):
    return pack({"type": "partial", "actions": rows})


def streaming(*frames):
    def converse(connection):
        for _ in connection:
            for frame in frames:
                connection.send(frame)

    return converse


FINAL = pack({"type": "final", "actions": CHUNK, "policy_timing": {"infer_ms": 3.0}})


def test_faster_is_sent_the_prefix_and_its_length():
    seen = []

    def converse(connection):
        for message in connection:
            seen.append(unpack(message))
            connection.send(FINAL)

    with scripted(converse) as uri, RemotePolicy(uri, dialect="faster") as policy:
        policy.infer({"state": STATE}, REQUEST)
        policy.infer({"state": STATE}, REQUEST._replace(prefix=CHUNK[:0], prefix_length=0))
    assert seen[0]["action_prefix"].tolist() == CHUNK[4:6].tolist()
    assert seen[0]["delay"].shape == ()
    assert seen[0]["delay"] == 2
    assert set(seen[1]) == {"state"}


def test_rows_come_as_they_are_ready_behind_those_of_the_prefix():
    frames = [partial(CHUNK[2:3]), partial(CHUNK[3:3]), partial(CHUNK[3:8]), FINAL]
    with scripted(streaming(*frames)) as uri, RemotePolicy(uri, dialect="faster", chunk_space=SPACE) as policy:
        parts = list(policy.infer_stream({"state": STATE}, REQUEST))
        whole = policy.infer({"state": STATE}, REQUEST)
    assert [len(part) for part in parts] == [3, 3, 8, 8]
    expected = np.concatenate([REQUEST.prefix, CHUNK[2:]])
    assert all(np.array_equal(part, expected[: len(part)]) for part in parts)
    assert all(part.dtype == np.float32 for part in parts)
    np.testing.assert_array_equal(whole, expected)


def test_a_part_that_was_given_out_does_not_change():
    frames = [partial(CHUNK[2:4]), partial(CHUNK[4:8]), FINAL]
    with scripted(streaming(*frames)) as uri, RemotePolicy(uri, dialect="faster") as policy:
        for part in policy.infer_stream({"state": STATE}, REQUEST):
            assert part[:2].tolist() == REQUEST.prefix.tolist()
            part[:] = -1.0


def test_rows_that_an_early_stop_left_unfinished_are_not_used():
    with scripted(streaming(partial(CHUNK[2:5]), FINAL)) as uri, RemotePolicy(uri, dialect="faster") as policy:
        *_, last = policy.infer_stream({"state": STATE}, REQUEST)
        assert len(last) == 5
        with pytest.raises(PolicyFault, match="stopped after 5 of 8 rows; use infer_stream"):
            policy.infer({"state": STATE}, REQUEST)


def test_a_server_that_streams_nothing_sends_the_whole_chunk():
    with scripted(streaming(FINAL)) as uri:
        np.testing.assert_array_equal(ask(uri, {"state": STATE}, dialect="faster"), CHUNK)


def test_other_dialects_stream_one_part():
    with scripted(answering({"actions": CHUNK})) as uri, RemotePolicy(uri) as policy:
        assert [len(part) for part in policy.infer_stream(STATE, REQUEST)] == [8]


def test_a_stream_that_is_left_early_closes_its_connection():
    connections = []

    def converse(connection):
        connections.append(connection)
        for _ in connection:
            for frame in (partial(CHUNK[2:8]), FINAL):
                connection.send(frame)

    with scripted(converse) as uri, RemotePolicy(uri, dialect="faster") as policy:
        stream = policy.infer_stream({"state": STATE}, REQUEST)
        assert len(next(stream)) == 8
        stream.close()
        assert len(policy.infer({"state": STATE}, REQUEST)) == 8
    assert len(connections) == 2


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([partial(CHUNK[2:3]), "Traceback\nValueError: x"], "failed: ValueError: x"),
        ([partial(CHUNK[:, :1]), FINAL], r"rows of shape \(1,\); \(2,\) was expected"),
        ([partial(np.full((1, 2), np.nan)), FINAL], "finite actions were expected"),
        ([partial(CHUNK), FINAL], "sent 10 rows in parts, but its chunk has 8"),
        ([partial(CHUNK[2:3]), pack({"type": "final"})], "answered without 'actions'"),
        ([partial(CHUNK[2:3]), pack({"type": "final", "actions": CHUNK[:4]})], "cannot be executed"),
    ],
)
def test_a_stream_that_goes_wrong_is_a_fault(frames, says):
    fault(streaming(*frames), says, dialect="faster")


# Faults


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"action": CHUNK}, r"answered without 'actions', with \['action'\]; name its key"),
        ({"actions": CHUNK[:7]}, r"a chunk that cannot be executed: the chunk has shape \(7, 2\); expected \(8, 2\)"),
        ({"actions": CHUNK[:, :1]}, r"shape \(8, 1\); expected \(8, 2\)"),
        ({"actions": CHUNK[None]}, r"shape \(1, 8, 2\); expected \(8, 2\)"),
        ({"actions": np.full((8, 2), np.nan)}, "the value nan at index"),
        ({"actions": np.full((8, 2), np.inf)}, "the value inf at index"),
        ({"actions": "none"}, "cannot be executed"),
        ({"actions": CHUNK, "horizon": 0}, "horizon=0; a whole number of at least 1 was expected"),
        ([CHUNK], "a map with 'actions' was expected"),
        (CHUNK, "a map with 'actions' was expected"),
        (b"", "sent what cannot be read: the message is no msgpack"),
        (b"\x81", "sent what cannot be read: the message is no msgpack"),
        (bytes.fromhex(OBJECTS), r"sent what cannot be read: an array has dtype '\|O'"),
        ("Traceback (most recent call last):\n  ...\nKeyError: 'state'\n", "failed: KeyError: 'state'"),
        ("", "failed: an empty text"),
    ],
)
def test_an_answer_that_is_no_chunk_is_a_fault(answer, says):
    fault(answering(answer), says)


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (np.full((8, 2), np.nan), "finite actions were expected"),
        (np.zeros((0, 2)), "actions in rows were expected"),
        (np.float32(1.0), "actions in rows were expected"),
        (None, "actions in rows were expected"),
        ([[0.5, 1.0]], "actions in rows were expected"),
    ],
)
def test_without_a_space_rows_of_finite_numbers_are_asked_for(actions, says):
    fault(answering({"actions": actions}), says, chunk_space=None)


def test_the_servers_traceback_is_a_note():
    text = "Traceback (most recent call last):\n  File ...\nKeyError: 'state'\n"
    assert fault(answering(text), "KeyError").__notes__ == [f"The server wrote:\n{text}"]


def test_a_server_that_says_nothing_is_a_fault_in_time():
    started = time.monotonic()
    fault(lambda connection: list(connection), "gave no answer in time", timeout=0.3, first_timeout=0.3)
    assert time.monotonic() - started < 2.0


def test_the_first_answer_may_take_longer():
    def converse(connection):
        for count, _ in enumerate(connection):
            time.sleep(0.5 if count != 1 else 0.0)
            connection.send(pack({"actions": CHUNK}))

    with scripted(converse) as uri, RemotePolicy(uri, timeout=0.2, first_timeout=5.0) as policy:
        for _ in range(2):
            policy.infer(STATE, REQUEST)
        with pytest.raises(PolicyFault, match="no answer in time"):
            policy.infer(STATE, REQUEST)


def test_a_server_that_sends_drop_by_drop_does_not_hold_the_loop():
    def converse(connection):
        for _ in range(100):
            connection.ping()
            time.sleep(0.02)

    started = time.monotonic()
    fault(converse, "no answer in time", timeout=0.3, first_timeout=0.3)
    assert time.monotonic() - started < 1.5


def test_a_server_that_reads_nothing_does_not_hold_the_loop():
    stop = threading.Event()

    def deaf(connection):
        connection.settimeout(5)
        connection.recv(65536)
        stop.wait(5)

    with raw(deaf) as uri:
        started = time.monotonic()
        with pytest.raises(PolicyFault, match="in time"):
            ask(uri, timeout=0.3, first_timeout=0.3)
        assert time.monotonic() - started < 2.0
        stop.set()


def test_a_large_observation_to_a_server_that_does_not_read_it_is_a_fault_in_time():
    free = threading.Event()
    with scripted(lambda _: free.wait(10), max_queue=1) as uri:
        started = time.monotonic()
        with pytest.raises(PolicyFault, match="in time"):
            ask(uri, np.zeros(16 * 2**20, np.uint8), timeout=0.5, first_timeout=0.5)
        assert time.monotonic() - started < 2.0
        free.set()


def test_a_server_that_is_not_there_is_a_fault_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(PolicyFault, match="cannot be reached") as caught:
        ask(f"ws://127.0.0.1:{port}", timeout=0.5, first_timeout=0.5)
    assert caught.value.tick == 12
    assert time.monotonic() - started < 1.5


def test_a_server_that_is_just_starting_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = []
    thread = threading.Thread(target=lambda: found.append(ask(f"ws://127.0.0.1:{port}")))
    thread.start()
    time.sleep(0.4)

    def handle(connection):
        connection.send(pack({}))
        connection.recv()
        connection.send(pack({"actions": CHUNK}))

    with serve(handle, "127.0.0.1", port) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        thread.join(10)
        server.shutdown()
        serving.join()
    np.testing.assert_array_equal(found[0], CHUNK)


def test_a_dropped_connection_is_a_fault_and_the_next_inference_works():
    count = []

    def converse(connection):
        count.append(1)
        connection.recv()
        if len(count) == 1:
            connection.socket.shutdown(socket.SHUT_RDWR)
        else:
            connection.send(pack({"actions": CHUNK}))

    with scripted(converse) as uri, RemotePolicy(uri, timeout=3.0) as policy:
        with pytest.raises(PolicyFault, match="dropped the connection") as caught:
            policy.infer(STATE, REQUEST)
        assert caught.value.tick == REQUEST.tick
        np.testing.assert_array_equal(policy.infer(STATE, REQUEST), CHUNK)


def test_a_goodbye_is_quoted():
    fault(lambda connection: connection.close(1011, "out of memory"), "with code 1011: out of memory")


def test_a_connection_that_ended_between_two_inferences_is_renewed_without_a_fault():
    count = []

    def converse(connection):
        count.append(1)
        connection.recv()
        connection.send(pack({"actions": len(count) * CHUNK}))

    with scripted(converse) as uri, RemotePolicy(uri, timeout=3.0) as policy:
        policy.infer(STATE, REQUEST)
        time.sleep(0.2)
        np.testing.assert_array_equal(policy.infer(STATE, REQUEST), 2 * CHUNK)


def test_pings_between_two_inferences_are_answered():
    def converse(connection):
        connection.recv()
        connection.send(pack({"actions": CHUNK}))
        pong = connection.ping()
        connection.recv()
        connection.send(pack({"actions": CHUNK * pong.wait(1.0)}))

    with scripted(converse) as uri, RemotePolicy(uri, timeout=3.0) as policy:
        policy.infer(STATE, REQUEST)
        time.sleep(0.1)
        np.testing.assert_array_equal(policy.infer(STATE, REQUEST), CHUNK)


def test_a_late_answer_is_never_that_of_the_next_request():
    def converse(connection):
        for number, message in enumerate(connection):
            time.sleep(0.4 if unpack(message)["observation"][0] == 1 else 0.0)
            connection.send(pack({"actions": np.full((8, 2), unpack(message)["observation"][0])}))
            if number == 0:
                connection.send(pack({"actions": np.full((8, 2), 99.0)}))  # nobody asked for it

    with scripted(converse) as uri, RemotePolicy(uri, timeout=0.2, first_timeout=0.2) as policy:
        with pytest.raises(PolicyFault, match="in time"):
            policy.infer(np.array([1.0]), REQUEST)
        for value in (2.0, 3.0, 4.0):
            time.sleep(0.1)
            assert policy.infer(np.array([value]), REQUEST)[0, 0] == value


def test_a_reset_ends_what_is_under_way_at_once():
    asked = threading.Event()

    def converse(connection):
        for message in connection:
            first = unpack(message)["observation"][0] == 1
            asked.set()
            time.sleep(1.0 if first else 0.0)
            connection.send(pack({"actions": np.full((8, 2), unpack(message)["observation"][0])}))

    faults = []

    def infer(policy):
        try:
            policy.infer(np.array([1.0]), REQUEST)
        except PolicyFault as error:
            faults.append((str(error), error.tick, time.monotonic()))

    with scripted(converse) as uri, RemotePolicy(uri, timeout=5.0) as policy:
        thread = threading.Thread(target=infer, args=(policy,))
        thread.start()
        asked.wait(5)
        started = time.monotonic()
        policy.reset()
        thread.join()
        assert policy.infer(np.array([2.0]), REQUEST)[0, 0] == 2.0
    ((sentence, tick, ended),) = faults
    assert "was asked for a chunk of an episode that is over; its answer is dropped." in sentence
    assert tick == 12
    assert ended - started < 0.5


def test_an_answer_that_is_there_when_a_reset_comes_is_dropped_too():
    with scripted(answering({"actions": CHUNK}, {"actions": CHUNK})) as uri, RemotePolicy(uri, timeout=5.0) as policy:
        stream = policy.infer_stream(STATE, REQUEST)
        assert len(next(stream)) == 8
        policy.reset()
        with pytest.raises(PolicyFault, match="an episode that is over"):
            next(stream)
        assert len(policy._free) == 1


def test_two_inferences_at_once_have_two_connections():
    both = threading.Barrier(2)

    def converse(connection):
        for message in connection:
            both.wait(5)
            connection.send(pack({"actions": unpack(message)["observation"] * np.ones((8, 2))}))

    answers = {}
    with scripted(converse) as uri, RemotePolicy(uri, timeout=5.0) as policy:

        def infer(value):
            answers[value] = policy.infer(np.array([value]), REQUEST)[0, 0]

        threads = [threading.Thread(target=infer, args=(value,)) for value in (1.0, 2.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {1.0: 1.0, 2.0: 2.0}


def test_a_message_that_is_too_large_is_a_fault():
    fault(answering({"actions": np.zeros((8, 2000))}), "more than max_message=2048 bytes", max_message=2048)


def test_a_message_in_pieces_is_put_together():
    data = pack({"actions": CHUNK})

    def converse(connection):
        connection.recv()
        connection.send([data[:5], data[5:50], data[50:]])

    with scripted(converse) as uri:
        np.testing.assert_array_equal(ask(uri), CHUNK)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "HTTP status 401; give its key as api_key"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404; check the address and its path"),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://evil/\r\nContent-Length: 0\r\n\r\n", "HTTP status 302"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak WebSocket"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP status 200"),
    ],
)
def test_what_is_no_such_server_is_a_fault_at_once(reply, says):
    def talk(connection):
        connection.recv(65536)
        connection.sendall(reply)

    with raw(talk) as uri:
        started = time.monotonic()
        with pytest.raises(PolicyFault, match=says):
            ask(uri)
        assert time.monotonic() - started < 1.0


def test_a_server_that_is_not_ready_yet_is_tried_again():
    count = []

    def talk(connection):
        count.append(1)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    with raw(talk) as uri, pytest.raises(PolicyFault, match="HTTP status 503"):
        ask(uri, timeout=0.6, first_timeout=0.6)
    assert len(count) >= 2


@pytest.mark.parametrize("metadata", [[1], 5])
def test_metadata_that_is_no_map_is_a_fault(metadata):
    fault(answering(), "a map of metadata was expected", metadata=metadata)


def test_frames_that_break_the_protocol_are_a_fault():
    def converse(connection):
        connection.recv()
        connection.socket.sendall(b"\xff\xff\xff\xff\xff\xff")
        time.sleep(0.2)

    fault(converse, "does not keep to the WebSocket protocol|dropped the connection")


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"timeout": 0}, "timeout=0 is no time to wait"),
        ({"timeout": float("nan")}, "timeout=nan is not a finite number"),
        ({"timeout": "1"}, "timeout='1' is not a finite number"),
        ({"first_timeout": -1}, "first_timeout=-1"),
        ({"max_message": 0}, "max_message=0 is too small"),
        ({"dialect": "openpie"}, "did you mean 'openpi'?"),
        ({"api_key": "a\r\nX: y"}, "api_key is no key"),
        ({"api_key": ""}, "api_key is no key"),
        ({"api_key": 5}, "api_key is no key"),
        ({"uri": "ws://robot.lab:8000"}, r"name it: hosts=\('robot.lab',\)"),
    ],
)
def test_invalid_arguments_are_one_sentence(arguments, says):
    with pytest.raises(ArgumentError, match=says):
        RemotePolicy(**{"uri": "ws://127.0.0.1:8000", **arguments})


def test_an_observation_that_cannot_be_sent_is_the_users_mistake():
    with scripted(answering({"actions": CHUNK})) as uri, RemotePolicy(uri) as policy:
        with pytest.raises(ArgumentError, match="dtype object, which cannot be sent"):
            policy.infer(np.array([None]), REQUEST)
        assert len(policy.infer(STATE, REQUEST)) == 8


@pytest.mark.parametrize(("dialect", "name"), [("roboarena", "endpoint"), ("faster", "delay"), ("openpi", "chunkenv")])
def test_an_observation_with_a_name_of_the_dialect_is_refused(dialect, name):
    says = f"has a part '{name}', which the dialect '{dialect}' uses"
    with scripted(answering({"actions": CHUNK})) as uri, pytest.raises(ArgumentError, match=says):
        ask(uri, {name: 1}, dialect=dialect)
