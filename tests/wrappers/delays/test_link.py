from hypothesis import given
from hypothesis import strategies as st

from chunkenv.wrappers.delays.link import Link, Message


def test_messages_arrive_after_their_delay():
    link = Link()
    link.send("a", tick=0, delay=2)
    assert [link.receive(0), link.receive(1), link.receive(2), link.receive(3)] == [
        None,
        None,
        Message(0, 2, "a"),
        None,
    ]


def test_of_two_that_arrive_together_the_newer_counts():
    link = Link()
    link.send("a", tick=0, delay=2)
    link.send("b", tick=1, delay=1)
    assert link.receive(2) == Message(1, 1, "b")
    assert link.receive(9) is None


def test_an_older_one_that_arrives_after_a_newer_one_is_dropped():
    link = Link()
    link.send("a", tick=0, delay=5)
    link.send("b", tick=1, delay=0)
    assert link.receive(1) == Message(1, 0, "b")
    assert link.receive(5) is None


def test_a_message_under_way_waits_for_a_late_reader():
    link = Link()
    link.send("a", tick=0, delay=1)
    link.send("b", tick=1, delay=1)
    assert link.receive(50) == Message(1, 1, "b")


def test_clear_drops_what_is_under_way():
    link = Link()
    link.send("a", tick=0, delay=1)
    link.clear()
    assert link.receive(1) is None


@given(st.lists(st.integers(0, 12), min_size=1, max_size=40))
def test_equals_a_search_over_everything_sent(delays):
    link, latest = Link(), None
    for tick, delay in enumerate(delays):
        link.send(None, tick, delay)
        received = link.receive(tick)
        latest = received.sent if received else latest
        arrived = [sent for sent in range(tick + 1) if sent + delays[sent] <= tick]
        assert latest == (max(arrived) if arrived else None)
