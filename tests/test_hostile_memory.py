# SPDX-License-Identifier: MIT
"""Few bytes that become many: they are bounded while they do, and the system gets its memory back."""

import functools
import random
import socket
import time
import zlib

import hyperframe.frame as frames
import pytest

from hostile import ECHO, MIB, OK, RESOURCE_EXHAUSTED, works
from hostile import honest, kept, server  # noqa: F401 (fixtures)
from servers import eventually
from wire import CANCEL, PREFACE, Wire, message, request_fields

PLANT, HOLD, PLANT_MANY, PARSE = (f"/growth.Growth/{name}" for name in ("Plant", "Hold", "PlantMany", "Parse"))
LIMIT = 4 * MIB  # message_receive_bytes_max
GROWTH_MAX = 64 * MIB


@functools.cache
def gzip(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def fill(unit, size=LIMIT - 16):
    return unit * (size // len(unit))


# What a peer may send, a few bytes again and again: each is all of a message's limit, and far more when it is parsed.
SHAPES = {
    "empty-submessages": fill(field(1, b"")),
    "groups": fill(b"\x3b\x0a\x00\x3c"),  # Part, and a Wide in it
    "map-entries": fill(field(4, b"\x12\x00")),  # of one key: each Wide takes the place of the last one
    "map-keys": b"".join(field(4, b"\x08" + varint(i)) for i in range(30_000)),
    "one-byte-numbers": fill(b"\x10\x01"),
    "packed-numbers": field(3, bytes(LIMIT - 16)),
    "empty-texts": fill(field(5, b"")),
    "nested": fill(field(6, field(1, b"") * 40)),  # merged into one tree
    "same-key": fill(field(9, b"")),  # which is one entry in the end
    "same-key-within": field(6, fill(field(9, b""), LIMIT - 32)),
    "same-text-key": fill(field(10, b"\x0a\x01k")),
    "same-part": fill(field(6, b"")),
    "same-number": fill(b"\x58\x01"),
    "packed-by-one": fill(field(3, b"\x01")),
    "entries-with-unknown": fill(field(9, b"\x18\x01")),
    "unknown": fill(b"\x42\x00\xa0\x06\x01"),
}
# At most 12 bytes for each of these: they are welcome.
MODEST = {"texts": fill(field(5, b"x" * 20)), "narrow": fill(field(8, b""), LIMIT // 4)}


@pytest.fixture
def growth_max(kept):
    # ASan's quarantine, and poisoned redzones
    return GROWTH_MAX + (3 * GROWTH_MAX + kept * MIB if kept else 0)


class Peak:
    """The most that was resident since it was made, as seen from outside."""

    def __init__(self, server):
        self.server = server
        # 5: forget the peak (proc(5), clear_refs)
        with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        self.before = server.rss()

    def growth(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as file:
            peak = next(line for line in file if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024 - self.before

    def left(self):
        return self.server.rss() - self.before


def comes_back(peak, most=12 * MIB):
    eventually(lambda: peak.left() < most, "memory is given back")


def send(wire, path, body, compressed=True):
    encoding = "gzip" if compressed else None
    stream = wire.request(path, None, end=False, grpc_encoding=encoding)
    wire.data(stream, message(gzip(body), 1) if compressed else message(body), end=True)
    return stream


@pytest.mark.parametrize("path", [PLANT, PLANT_MANY])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_grows_is_bounded_while_it_does(server, shape, path, growth_max):
    peak = Peak(server)
    with Wire(server) as wire:
        streams = [send(wire, path, SHAPES[shape]) for _ in range(3)]
        for stream in streams:
            answer = wire.answer(stream)
            assert answer.status in (OK, RESOURCE_EXHAUSTED)
            if answer.status == RESOURCE_EXHAUSTED:
                assert "limit" in answer.text or "connection_receive_bytes_max" in answer.text
        assert works(wire)
    assert peak.growth() < growth_max


def test_the_bomb_of_empty_submessages(server, growth_max, sanitized):
    """3.9 KB of gzip, which are two million messages of 200 fields each: 3.1 GiB, if they were let."""
    bomb = gzip(field(1, b"") * 2_000_000)
    assert len(bomb) < 4500
    peak = Peak(server)
    with Wire(server) as wire:
        streams = []
        for _ in range(5):
            streams.append(wire.request(PLANT, None, end=False, grpc_encoding="gzip"))
            wire.data(streams[-1], message(bomb, 1), end=True)
        for stream in streams:
            answer = wire.answer(stream)
            assert answer.status == RESOURCE_EXHAUSTED
            assert "becomes larger than its connection has room left for" in answer.text
        assert peak.growth() < growth_max
        if not sanitized:
            comes_back(peak)
        assert works(wire)


def test_the_same_in_the_clear(server, growth_max):
    peak = Peak(server)
    with Wire(server) as wire:
        answer = wire.answer(send(wire, PLANT, field(1, b"") * 25_000, compressed=False))
        assert answer.status == RESOURCE_EXHAUSTED
        assert works(wire)
    assert peak.growth() < growth_max


@pytest.mark.parametrize("shape", MODEST)
def test_what_grows_a_little_is_served(server, shape):
    with Wire(server) as wire:
        assert wire.answer(send(wire, PLANT, MODEST[shape])).status == OK


def test_what_comes_again_is_served(server):
    """Nobody sends a key twice, but who does is served; only not two million times."""
    with Wire(server) as wire:
        for unit in field(9, b"\x08\x07\x10\x01"), field(10, b"\x0a\x01k"), field(6, b"\x58\x01"):
            assert wire.answer(send(wire, PLANT, unit * 100_000)).status == OK


@pytest.mark.alone
def test_no_message_takes_long_to_parse(server, sanitized):
    """A ring has no time for others meanwhile: none takes many times as long as an honest one of a quarter of its size.

    4 is the same time for each byte; processors differ by half of it.
    """
    if sanitized:
        pytest.skip("a sanitizer's time is not ours")
    clock = ~server.pid << 3 | 2  # of the process: clock_getcpuclockid(3)

    def seconds(body):
        begun = time.clock_gettime(clock)
        wire.answer(send(wire, PLANT, body))
        return time.clock_gettime(clock) - begun

    with Wire(server) as wire:
        honest_s = min(seconds(MODEST["narrow"]) for _ in range(5))
        took = {shape: min(seconds(body) for _ in range(3)) / honest_s for shape, body in SHAPES.items()}
    assert max(took.values()) < 6, took


def test_what_is_held_counts(server, growth_max, sanitized):
    """Calls that stay share what their connection has, wherever they are parsed; it is there again when they go."""
    tree = field(1, b"") * 6000  # 10 MiB
    peak = Peak(server)
    with Wire(server) as wire:
        streams = [send(wire, HOLD, tree) for _ in range(8)]
        assert wire.read(
            lambda: sum(wire.streams[stream].status == RESOURCE_EXHAUSTED for stream in streams) >= 5,
            "what does not fit is refused",
        )
        assert peak.growth() < growth_max
        for stream in streams:
            wire.reset(stream)
        eventually(lambda: wire.answer(send(wire, PLANT, tree)).status == OK, "there is room again")
    if not sanitized:
        comes_back(peak)


def bytes_request(tree, budget=None):
    return field(1, tree) + (b"\x10" + varint(budget) if budget else b"")


def test_a_handler_that_parses_is_bounded_too(server):
    """By what it says, or 64 bytes for each byte."""
    with Wire(server) as wire:
        for tree, budget, expected in (
            (field(1, b"") * 6000, None, 6000),
            (field(1, b"") * 6000, 1 << 20, None),
            (field(1, b"") * 6000, 16 << 20, 6000),
            (field(1, b"") * 400_000, None, None),
            (field(5, b"text") * 100_000, None, 100_000),
        ):
            answer = wire.answer(send(wire, PARSE, bytes_request(tree, budget)))
            assert answer.status == OK
            size = -1 if expected is None else expected
            assert answer.data == message(b"\x08" + varint(size & (2**64 - 1)))


# ---- nghttp2's memory ----


def silent(server):
    """A connection that has done nothing but begin."""
    opened = socket.create_connection(("127.0.0.1", server.port))
    opened.sendall(PREFACE + frames.SettingsFrame(settings={4: 0}).serialize())
    return opened


def header_block(size, generator):
    """Of a call that waits for its body: with values of about that size, some of them in the table."""
    block = b"".join(literal(name.encode(), value.encode()) for name, value in request_fields(ECHO))
    left = 6000
    while left > size + 40:
        name = b"x-%d" % generator.randrange(1000)
        block += literal(name, b"v" * size, is_indexed=generator.randrange(2))
        left -= size + 40
    return block


def literal(name, value, is_indexed=False):
    """RFC 7541 section 6.2."""
    first = b"\x40" if is_indexed else b"\x00"
    return first + integer(len(name)) + name + integer(len(value)) + value


def integer(value):
    if value < 127:
        return bytes([value])
    return b"\x7f" + varint(value - 127)


@pytest.mark.parametrize("stays", [False, True], ids=["reconnecting", "staying"])
def test_rounds_of_other_sizes(start, stays, sanitized):
    """Each round wants blocks of another size, and then no more of them."""
    server = start("test-server")
    connections, rounds, streams = 250, 28, 4
    generator = random.Random(7)
    peak = Peak(server)
    opened = []
    for number_of_round in range(rounds):
        if not stays or not opened:
            for one in opened:
                one.close()
            opened = [silent(server) for _ in range(connections)]
            first = 1
        block = header_block(16 + number_of_round * 60, generator)
        numbers = range(first, first + 2 * streams, 2)
        begin = [frames.HeadersFrame(number, block, flags=["END_HEADERS"]) for number in numbers]
        end = [frames.RstStreamFrame(number, CANCEL) for number in numbers]
        for several in begin, end:
            data = b"".join(frame.serialize() for frame in several)
            for one in opened:
                one.sendall(data)
            with Wire(server) as wire:  # what was sent before has been read
                assert works(wire)
        first += 2 * streams
    assert peak.growth() < (4 if sanitized else 1) * GROWTH_MAX
    for one in opened:
        one.close()
    if not sanitized:
        comes_back(peak, 6 * MIB)
