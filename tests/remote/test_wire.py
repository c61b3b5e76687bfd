import tracemalloc

import msgpack
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

from chunkenv.errors import ArgumentError
from chunkenv.remote.wire import MAX_DEPTH, MAX_PARTS, WireError, pack, unpack
from tests.remote.recorded import OBJECTS, RECORDED


def array(data=b"\0" * 8, dtype="<f4", shape=(2,), **other):
    return {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": shape, **other}


def number(data=1.0, dtype="<f4"):
    return {b"__npgeneric__": True, b"data": data, b"dtype": dtype}


@pytest.mark.parametrize("name", RECORDED)
def test_what_openpi_packs_is_read_and_written_to_the_byte(name):
    message, recorded = RECORDED[name]
    assert data_equivalence(unpack(bytes.fromhex(recorded)), message) or name == "big"
    assert pack(message).hex() == recorded


def test_bytes_in_the_other_order_become_native_numbers():
    found = unpack(bytes.fromhex(RECORDED["big"][1]))
    assert found.tolist() == [1, 2]
    assert found.dtype == np.dtype("i4")
    assert found.dtype.isnative


@pytest.mark.parametrize("kind", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"])
def test_every_kind_of_number_goes_there_and_back(kind):
    for value in (np.arange(6).reshape(2, 3).astype(kind), np.array(1).astype(kind)[()]):
        found = unpack(pack(value))
        assert np.asarray(found).dtype == value.dtype  # a float64 alone is a float, as openpi writes it
        np.testing.assert_array_equal(found, value)


def test_arrays_are_copies_that_may_be_written():
    found = unpack(pack(np.zeros(3)))
    found[0] = 1.0
    assert found.flags.owndata or found.base.flags.writeable


def test_arrays_of_other_libraries_and_views_are_sent():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return np.ones(2)

    assert unpack(pack({"a": Tensor()}))["a"].tolist() == [1.0, 1.0]
    assert unpack(pack(np.arange(6).reshape(2, 3).T)).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_tuples_become_lists():
    assert unpack(pack((1, (2, "a", b"b")))) == [1, [2, "a", b"b"]]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (np.array([None]), "dtype object, which cannot be sent"),
        (np.array(["a"]), "dtype <U1, which cannot be sent"),
        (np.array([1j]), "dtype complex128"),
        (np.zeros(1, "f4,f4"), "which cannot be sent"),
        (np.longdouble(1), "which cannot be sent"),
        ({"a": object()}, "object is none of these"),
        ({"a": 2**64}, "cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(message, says):
    with pytest.raises(ArgumentError, match=says):
        pack(message)


BAD_ARRAYS = {
    "objects": array(dtype="|O"),
    "texts": array(dtype="<U2"),
    "bytes": array(dtype="|S8", shape=[1]),
    "records": array(dtype="f4,f4", shape=[1]),
    "dates": array(dtype="<M8[s]", shape=[1]),
    "complex": array(dtype="<c8", shape=[1]),
    "wide": array(b"\0" * 16, "<f16", [1]),
    "no dtype": array(dtype=None),
    "a dtype of bytes": array(dtype=b"<f4"),
    "too short": array(b"\0" * 7),
    "too long": array(b"\0" * 9),
    "no data": array(data=None),
    "text data": array(data="12345678"),
    "no shape": array(shape=None),
    "a negative shape": array(shape=[-2]),
    "two negatives": array(shape=[-1, -2]),
    "a fractional shape": array(shape=[2.0]),
    "a shape of truths": array(b"\0" * 4, shape=[True]),
    "a huge shape": array(shape=[2**62, 2**62]),
    "huge and empty": array(b"", shape=[0, 2**63]),
    "many dimensions": array(b"\0" * 4, shape=[1] * 9),
    "a number of objects": number(dtype="|O"),
    "a number that is a text": number(data="1"),
    "a number that does not fit": number(data=300, dtype="|u1"),
    "infinity as a whole number": number(data=float("inf"), dtype="<i4"),
    "a number that is a list": number(data=[1]),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_arrays_that_are_not_what_they_say_are_refused(name):
    with pytest.raises(WireError):
        unpack(msgpack.packb({"actions": BAD_ARRAYS[name]}))


def test_objects_that_end_other_interpreters_are_refused():
    with pytest.raises(WireError, match=r"dtype '\|O'; bools, whole and real numbers are read"):
        unpack(bytes.fromhex(OBJECTS))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x81",
        b"\x01\x02",
        b"\xa2\xff\xff",
        msgpack.packb(msgpack.ExtType(5, b"x")),
        msgpack.packb(msgpack.Timestamp(0)),
        msgpack.packb({"a": [msgpack.Timestamp(0)]}),
        msgpack.packb({1: 2}),
        msgpack.packb({(1, 2): 2}),
        b"\x91" * (MAX_DEPTH + 2) + b"\xc0",
        b"\x91" * 100_000 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(WireError):
        unpack(data)


@pytest.mark.parametrize("part", [b"\x80", b"\x90", b"\xc0"])
def test_few_bytes_cannot_make_much_of_memory(part):
    lists = 64 * (b"\xdc\x3f\xff" + part * 16_383)
    tracemalloc.start()
    with pytest.raises(WireError):
        unpack(b"\xdc\x00\x40" + lists)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * MAX_PARTS * 64


def test_towers_of_lists_that_announce_much_are_refused_in_little_memory():
    with pytest.raises(WireError):
        unpack(b"\xdc\x3f\xff" * 2000)


def test_large_arrays_count_as_one_part():
    assert unpack(pack({"image": np.zeros((480, 640, 3), np.uint8)}))["image"].shape == (480, 640, 3)
