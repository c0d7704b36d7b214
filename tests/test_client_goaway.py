# SPDX-License-Identifier: MIT
"""A client says that it goes (RFC 9113, section 6.8): its calls finish, and nobody hears of it."""

import hyperframe.frame as frames
import pytest

from wire import CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, PROTOCOL_ERROR, WINDOW_MAX, Wire, message

ECHO, SUM, COUNT = (f"/calls.Calls/{name}" for name in ("Echo", "Sum", "Count"))


def goaway(last, code=NO_ERROR, text=b""):
    return frames.GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=text)


GOODBYES = {
    "grpc-go": [goaway(WINDOW_MAX, NO_ERROR, b"client transport shutdown")],
    "zero": [goaway(0)],
    "odd": [goaway(1)],
    "even": [goaway(2)],
    "to come": [goaway(12345)],
    "growing": [goaway(0), goaway(2), goaway(7), goaway(WINDOW_MAX)],
    "shrinking": [goaway(WINDOW_MAX), goaway(8), goaway(0)],
    "errors": [goaway(3, PROTOCOL_ERROR, b"\xff\0bad"), goaway(WINDOW_MAX, ENHANCE_YOUR_CALM), goaway(5, 4711)],
}


@pytest.fixture
def server(start):
    return start("test-server")


@pytest.mark.parametrize("said", GOODBYES.values(), ids=GOODBYES)
def test_calls_finish_behind_a_goaway(server, said):
    lines = len(server.log)
    with Wire(server) as wire:
        stream = wire.request(SUM, b"\x08\x01", end=False)
        assert wire.ping()
        wire.frame(*said)
        assert wire.ping(), wire.goaways
        wire.data(stream, message(b"\x08\x02"), end=True)
        answer = wire.answer(stream)
        assert answer.status == 0 and answer.data == message(b"\x08\x03")
        assert not wire.goaways
    with Wire(server) as wire:
        assert wire.call(ECHO).status == 0
    assert server.whole_log()[lines:-1] == []


@pytest.mark.parametrize("said", GOODBYES.values(), ids=GOODBYES)
def test_an_idle_connection_is_the_clients_to_close(server, said):
    """As with Envoy and grpc-go's server: PINGs and requests that come behind it are answered."""
    lines = len(server.log)
    with Wire(server) as wire:
        assert wire.call(ECHO).status == 0
        wire.frame(*said)
        assert wire.ping() and wire.ping(b"8 bytes.")
        assert wire.call(ECHO).status == 0
        wire.frame(*said)
    with Wire(server) as wire:
        assert wire.call(ECHO).status == 0
    assert server.whole_log()[lines:-1] == []


def test_one_with_its_request_and_the_end(server):
    """All of it in one packet, as a tool that makes one call does."""
    lines = len(server.log)
    with Wire(server) as wire:
        stream = wire.request(ECHO, b"\x12\x01x")
        wire.frame(*GOODBYES["grpc-go"])
        assert wire.answer(stream).status == 0
    with Wire(server) as wire:
        stream = wire.request(COUNT, b"\x08\x80\x94\xeb\xdc\x03")
        wire.frame(frames.RstStreamFrame(stream, CANCEL), *GOODBYES["grpc-go"])
    with Wire(server) as wire:
        assert wire.call(ECHO).status == 0
    assert server.whole_log()[lines:-1] == []


def test_the_server_stops_in_good_order_behind_one(server):
    with Wire(server) as wire:
        stream = wire.request(SUM, b"\x08\x01", end=False)
        wire.frame(*GOODBYES["grpc-go"])
        assert wire.ping()
        server.signal()
        assert wire.read(lambda: len(wire.goaways) == 2, "the server's own")
        wire.data(stream, message(b"\x08\x02"), end=True)
        assert wire.answer(stream).status == 0
        wire.read_to_end()
    assert server.wait() == 0


def test_on_a_stream_it_is_an_error(server):
    with Wire(server) as wire:
        frame = goaway(0).serialize()
        wire.send(frame[:5] + b"\0\0\0\1" + frame[9:])
        wire.read_to_end()
        assert wire.goaways[-1][1] == PROTOCOL_ERROR
