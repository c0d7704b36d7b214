# SPDX-License-Identifier: MIT
"""Frames for streams that are not there, fields that are too long, frames that do nobody any good."""

import random
import struct

import hpack
import hyperframe.frame as frames
import pytest

from conftest import channel
from hostile import CHAT, ECHO, MIB, OK, RESOURCE_EXHAUSTED, SUM, WAIT, works
from hostile import honest, kept, server, wire  # noqa: F401 (fixtures)
from servers import eventually
from wire import CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM
from wire import Wire, message, request_fields

METADATA, FIRST, BIG = (f"/calls.Calls/{name}" for name in ("Metadata", "First", "Big"))
FLOOD = 200_000
DEFAULT_WINDOW = 65535


def raw(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def reset_frame(stream):
    return raw(3, 0, stream, struct.pack(">I", CANCEL))


# ---- streams that were never opened ----


@pytest.mark.parametrize("stream", [1, 7, 2, 2**31 - 1, 2**31 - 2])
def test_a_reset_of_a_stream_that_was_never_opened_is_ignored(wire, stream):
    """gRPC C++ sends it for a call that is cancelled before its HEADERS."""
    wire.next_id = 3
    running = wire.request(WAIT, b"")
    wire.send(reset_frame(stream))
    assert works(wire)
    if stream == 7:  # its number is as good as before
        assert wire.next_id == 7
        assert works(wire) and wire.next_id == 9
    assert not wire.streams[running].is_over and not wire.goaways


def test_such_resets_count_as_resets(start):
    server = start("test-server", "--limit", "resets_burst_max=200", "--limit", "resets_per_second=1")
    with Wire(server) as wire:
        wire.send(b"".join(reset_frame(1001 + 2 * i) for i in range(190)))
        assert works(wire)
        wire.send(b"".join(reset_frame(2001 + 2 * i) for i in range(50)))
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and b"too_many_resets (resets_burst_max, resets_per_second)" in wire.goaway_texts


def test_a_stock_client_that_cancels_at_once_keeps_its_connection(start, calls):
    server = start("test-server")
    ports = set()
    with channel(server.target) as opened:
        stub = calls.Stub(opened)
        for _ in range(10):
            for _ in range(100):
                stub.Wait.future(calls.Empty()).cancel()
            ports.add(stub.Peer(calls.Empty(), timeout=30).address)
    assert len(ports) == 1


@pytest.mark.parametrize("stream", [9, 10])
@pytest.mark.parametrize("kind, payload", [(0, b"data"), (0, b""), (8, b"\0\0\0\1"), (9, b"\x82")])
def test_other_frames_of_such_streams_end_the_connection(server, stream, kind, payload):
    with Wire(server) as wire:
        assert works(wire)
        wire.send(raw(kind, 0, stream, payload))
        wire.read_to_end()
        assert wire.goaways[-1][1] == PROTOCOL_ERROR


@pytest.mark.parametrize("kind", ["skipped", "closed"])
def test_frames_of_streams_that_are_over_are_ignored(wire, kind):
    wire.next_id = 5 if kind == "skipped" else 1
    assert works(wire)
    stream = 1
    wire.send(reset_frame(stream) + raw(8, 0, stream, b"\0\0\0\1") + raw(0, 0, stream, b"data"))
    wire.send(raw(2, 0, stream, b"\0\0\0\0\1"))
    assert works(wire)


def test_more_streams_than_allowed_are_refused(wire):
    """Also once the limit was acknowledged: RFC 9113, section 5.1.2."""
    assert wire.ping() and wire.settings[3] == 128
    running = [wire.request(WAIT, b"") for _ in range(128)]
    over = [wire.request(WAIT, b"") for _ in range(5)]
    for stream in over:
        assert wire.answer(stream).reset == REFUSED_STREAM
    assert not any(wire.streams[stream].is_over for stream in running)
    wire.reset(running[0])
    eventually(lambda: wire.ping() and works(wire), "it has room again")


# ---- names and values of any length ----


class Repeated:
    """hpack's Huffman coder, which takes seconds for what is long: of one letter, eight of which are whole bytes."""

    def __init__(self, coder):
        self.coder = coder

    def encode(self, data):
        if len(data) < 1000 or set(data) != {data[0]}:
            return self.coder.encode(data)
        letter = data[:1]
        return self.coder.encode(letter * 8) * (len(data) // 8) + self.coder.encode(letter * (len(data) % 8))


def settled(server):
    """A connection on which frames may be as large as the server's SETTINGS say."""
    wire = Wire(server)
    wire.encoder.huffman_coder = Repeated(wire.encoder.huffman_coder)
    assert wire.ping() and wire.settings
    return wire


@pytest.fixture
def wide(server):
    with settled(server) as opened:
        yield opened


def fields_of(size, name):
    return [("n" * size, "v")] if name else [("x", "v" * size)]


def send_long(wire, size, name=False, huffman=False, indexed=True, step=100_000):
    fields = request_fields(ECHO)
    fields += [field if indexed else hpack.NeverIndexedHeaderTuple(*field) for field in fields_of(size, name)]
    return wire.headers(fields, end=False, huffman=huffman, step=step)


@pytest.mark.parametrize("name", [False, True], ids=["value", "name"])
@pytest.mark.parametrize("size", [8200, 16_000, 16_400, 65_535, 65_537, 100_000, 131_072, 800_000])
def test_a_long_field_costs_its_stream_only(wide, size, name):
    running = wide.request(WAIT, b"")
    for huffman in (False, True):
        for indexed in (False, True):
            stream = send_long(wide, size, name, huffman, indexed)
            wide.data(stream, message(b""), end=True)
            answer = wide.answer(stream)
            if size < 16_100:
                assert answer.status == RESOURCE_EXHAUSTED
            else:
                assert answer.reset == ENHANCE_YOUR_CALM
            assert works(wide)
    assert not wide.streams[running].is_over and not wide.goaways


def test_long_trailers_cost_their_stream_only(wide):
    for size in (20_000, 70_000, 300_000):
        stream = wide.request(SUM, b"\x08\x01", end=False)
        wide.headers(fields_of(size, False), end=True, stream=stream, huffman=False, step=100_000)
        assert wide.answer(stream).reset == ENHANCE_YOUR_CALM
        assert works(wide)


def test_tables_stay_in_step(wide, calls):
    """Whatever is skipped: what the handler is shown afterwards is what was sent."""
    dice = random.Random(16)
    sizes = [5, 300, 3000, 3990, 4100, 9000, 16_390, 65_600, 140_000]
    for number in range(80):
        size = dice.choice(sizes)
        stream = send_long(wide, size, dice.random() < 0.3, dice.random() < 0.5, dice.random() < 0.7,
            dice.choice([30_000, 50_000, 131_072]))  # fmt: skip
        wide.data(stream, message(b""), end=True)
        shown = [(f"key-{i}", f"value {dice.randrange(8)}") for i in range(dice.randrange(5))]
        stream = wide.headers(request_fields(METADATA) + shown)
        wide.data(stream, message(b""), end=True)
        answer = wide.answer(stream)
        assert answer.status == OK, (number, size, answer.text, answer.reset)
        reply = calls.MetadataReply.FromString(bytes(answer.data[5:]))
        received = [(field.name, field.value.decode()) for field in reply.received]
        assert received == shown


def test_whoever_allows_for_long_values_gets_them(start, calls):
    limits = ["header_bytes_max=300000", "header_bytes_hard_max=400000"]
    server = start("test-server", *(word for limit in limits for word in ("--limit", limit)))
    with settled(server) as wire:
        for size, huffman in ((70_000, False), (20_000, True), (299_000, False)):
            value = "".join(chr(33 + i * 7 % 94) for i in range(size))
            stream = wire.headers(
                request_fields(METADATA) + [("x", value)], huffman=huffman, step=131_072
            )
            wire.data(stream, message(b""), end=True)
            answer = wire.answer(stream)
            assert answer.status == OK
            reply = calls.MetadataReply.FromString(bytes(answer.data[5:]))
            assert [(field.name, field.value.decode()) for field in reply.received] == [("x", value)]


def test_half_of_a_long_value_takes_no_memory(server, kept):
    before = server.rss()
    wires = [settled(server) for _ in range(40)]
    for wire in wires:
        block = wire.encoder.encode(request_fields(ECHO)) + b"\x40\x01x\x7f" + b"\xff\xff\x3e"
        wire.frame(frames.HeadersFrame(wire.new_id(), block + b"v" * 100_000))
        for _ in range(7):
            wire.frame(frames.ContinuationFrame(1, b"v" * 100_000))
    assert server.rss() - before < (8 + kept) * MIB
    for wire in wires:
        wire.socket.close()


def enormous(wire, entry):
    """A block of more than a MiB that decodes to far more fields than anybody has."""
    block = wire.encoder.encode(request_fields(ECHO)) + entry * (1_100_000 // len(entry))
    stream = wire.new_id()
    pieces = [block[i : i + 131_072] for i in range(0, len(block), 131_072)]
    wire.send(raw(1, 1, stream, pieces[0]) + b"".join(raw(9, 0, stream, piece) for piece in pieces[1:-1]))
    wire.send(raw(9, 4, stream, pieces[-1]))
    wire.encoder = hpack.Encoder()  # it knows nothing of @entry


@pytest.mark.parametrize("entry", [b"\x82", b"\0\1x\1y", b"\x40\1x\0"], ids=["indexed", "small", "added"])
def test_enormous_blocks_can_not_be_repeated_for_ever(start, entry):
    limits = ["resets_burst_max=2000", "resets_per_second=1", "glitches_burst_max=1000000"]
    server = start("test-server", *[part for limit in limits for part in ("--limit", limit)])
    with settled(server) as wire:
        enormous(wire, entry)
        assert works(wire)
        count = 1
        while count < 30 and not wire.closed and not wire.goaways:
            enormous(wire, entry)
            wire.poll()
            count += 1
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM and count > 5


# ---- streams that are over ----


def answered(wire):
    """A stream that is over on both sides."""
    stream = wire.request(ECHO, b"\x12\x01x")
    assert wire.answer(stream).status == OK
    return stream


def reset_by_us(wire):
    stream = wire.request(SUM, b"\x08\x01", end=False)
    wire.reset(stream)
    return stream


def answered_early(wire):
    """One that the server has answered and reset, while its client might have gone on."""
    stream = wire.headers(request_fields("/no.Such/Method"))
    wire.answer(stream)
    assert wire.read(lambda: wire.streams[stream].reset == NO_ERROR, "the stream's reset")
    return stream


def padded(size):
    return bytes([size]) + bytes(size)


DATA, UPDATE, ONE = 0, 8, b"\0\0\0\1"
USELESS = {
    "DATA": lambda wire: raw(DATA, 0, answered(wire), b"x"),
    "DATA of a reset stream": lambda wire: raw(DATA, 0, reset_by_us(wire), b"x" * 50),
    "DATA of a stream that we have reset": lambda wire: raw(DATA, 0, answered_early(wire), b"x" * 10),
    "empty DATA": lambda wire: raw(DATA, 0, answered(wire)),
    "empty DATA of a stream that we have reset": lambda wire: raw(DATA, 0, answered_early(wire)),
    "the end": lambda wire: raw(DATA, 1, answered_early(wire)),
    "padding": lambda wire: raw(DATA, 8, answered(wire), padded(9)),
    "WINDOW_UPDATE of a stream that is over": lambda wire: raw(UPDATE, 0, answered(wire), ONE),
    "WINDOW_UPDATE": lambda wire: raw(UPDATE, 0, wire.request(WAIT, b""), ONE),
    "WINDOW_UPDATE of the connection": lambda wire: raw(UPDATE, 0, 0, ONE),
    "larger WINDOW_UPDATE": lambda wire: raw(UPDATE, 0, 0, struct.pack(">I", 5000)),
    "RST_STREAM": lambda wire: reset_frame(answered(wire)),
    "RST_STREAM of a stream to come": lambda wire: reset_frame(1_000_001),
    "trailers": lambda wire: raw(1, 5, answered_early(wire), b"\0\1x\1y"),
    "PRIORITY": lambda wire: raw(2, 0, 1_000_001, b"\0\0\0\0\x10"),
    "unknown": lambda wire: raw(77, 0, 0, b"abc"),
    "PRIORITY_UPDATE": lambda wire: raw(16, 0, 0, b"\0\0\0\1u=1"),
    "ALTSVC": lambda wire: raw(10, 0, 0, b"\0\0abc"),
    "SETTINGS": lambda wire: raw(4, 0, 0, struct.pack(">HI", 4, 70_000)),
    "an answer to no PING": lambda wire: raw(6, 1, 0, b"12345678"),
    "GOAWAY": lambda wire: (wire.request(WAIT, b""), raw(7, 0, 0, bytes(8)))[1],
}


@pytest.mark.parametrize("what", USELESS)
def test_a_flood_of_what_is_of_no_use_ends(server, kept, what):
    """A few are nobody's business, two hundred thousand are."""
    before = server.rss()
    with Wire(server, window=DEFAULT_WINDOW, total=DEFAULT_WINDOW) as wire:
        frame = USELESS[what](wire)
        wire.send(frame * 300)
        assert works(wire)
        for _ in range(FLOOD // 500):
            wire.send(frame * 500)
            wire.poll()  # answers are read, so that they do not pile up
            if wire.closed or wire.goaways:
                break
        wire.read_to_end()
        assert wire.goaways[-1][1] == ENHANCE_YOUR_CALM
    server.logged("too many useless frames (glitches_burst_max, glitches_per_second); closed")
    assert server.rss() - before < (16 + kept) * MIB


@pytest.mark.parametrize("size", [0, 1, 7, 1000])
def test_what_was_on_its_way_when_we_answered_is_no_flood(start, size):
    """A client that has not read its answers yet fills its windows with small frames, on four streams."""
    server = start("test-server")
    first = message(b"\x12\x01x")
    sent = 0
    with Wire(server) as wire:
        assert wire.ping()
        for _ in range(3):  # what a call before has earned is used up
            room = min(256 * 1024, (DEFAULT_WINDOW + wire.windows[0] - sent) // 4)
            streams = [wire.request(FIRST, b"\x12\x01x", end=False) for _ in range(4)]
            batch = b"".join(raw(DATA, 0, stream, bytes(size)) for stream in streams)
            count = (room - len(first)) // size if size else 20
            wire.send(batch * count)
            sent += 4 * (len(first) + count * size)
            for stream in streams:
                wire.data(stream, end=True)
                assert wire.answer(stream).is_over
            assert wire.ping() and not wire.goaways, wire.goaway_texts
            assert size == 0 or count * size > 30_000
        assert works(wire)


def test_windows_that_are_opened_piece_by_piece_are_no_flood(start, calls):
    """A client that gives back each KiB that it reads, of the stream and of the connection."""
    server = start("test-server")
    body = calls.Number(value=8 * MIB).SerializeToString()
    with Wire(server, window=DEFAULT_WINDOW, total=DEFAULT_WINDOW) as wire:
        stream = wire.request(BIG, body)
        answer = wire.streams[stream]
        given = 0
        while not answer.is_over:
            assert wire.read(lambda: answer.is_over or len(answer.data) > given, "more")
            steps = [min(1024, len(answer.data) - at) for at in range(given, len(answer.data), 1024)]
            given = len(answer.data)
            wire.send(b"".join(raw(UPDATE, 0, at, struct.pack(">I", step))
                               for step in steps for at in (stream, 0)))  # fmt: skip
        assert answer.status == OK and len(answer.data) > 8 * MIB
        assert works(wire)
