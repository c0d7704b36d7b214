# SPDX-License-Identifier: MIT
"""Peers that are no attackers but gone, frozen, silent or slow: their calls end, what they held is
given back, and nobody else notices."""

import signal
import socket
import struct
import subprocess
import sys

import grpc
import pytest

from conftest import channel
from netns import network
from servers import PATIENCE, eventually
from wire import PREFACE, Wire, message, request_fields

CALLS = 20  # of one peer
WAIT, CHAT, COUNT, SUM = (f"/calls.Calls/{name}" for name in ("Wait", "Chat", "Count", "Sum"))

# A real client: waits, streams that it reads nothing of, and one whose requests do not end.
CLIENT = """
import sys, threading
import grpc

channel = grpc.insecure_channel(sys.argv[1])
raw = {"request_serializer": None, "response_deserializer": None}
waits = [channel.unary_unary("/calls.Calls/Wait", **raw).future(b"") for _ in range(int(sys.argv[2]))]
counts = [channel.unary_stream("/calls.Calls/Count", **raw)(b"\\x08\\x80\\x94\\xeb\\xdc\\x03") for _ in range(3)]
stop = threading.Event()
def endless():
    yield b""
    stop.wait()
chat = channel.stream_stream("/calls.Calls/Chat", **raw)(endless())
next(chat), [next(count) for count in counts]
print("calling", flush=True)
stop.wait()
"""


@pytest.fixture
def client(calls_server):
    """The real client in a process of its own, with its calls under way."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, calls_server.target, str(CALLS)], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"calling\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def stats(calls, calls_server):
    """stats(name): the server's counters, through a connection of its own."""
    with channel(calls_server.target) as opened:
        stub = calls.Stub(opened)
        yield lambda name: getattr(stub.Stats(calls.Empty(), timeout=PATIENCE), name)


def vanish(wire):
    """The connection ends in a RST, as when a process dies with data unread."""
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.socket.close()


# ---- gone ----


def test_a_client_that_is_killed(client, stats):
    eventually(lambda: stats("running") == CALLS + 4, "its calls run")
    client.send_signal(signal.SIGKILL)
    eventually(lambda: stats("running") == 0, "its calls have ended")
    eventually(lambda: stats("connections_open") == 1, "its connection has been closed")


@pytest.mark.parametrize("how", [vanish, lambda wire: wire.socket.close()], ids=["RST", "FIN"])
@pytest.mark.parametrize("where", ["headers", "message", "answers"])
def test_a_connection_that_ends_anywhere(calls_server, calls, stats, how, where):
    with Wire(calls_server, window=1000) as wire:
        if where == "headers":
            wire.ping()
            wire.send(bytes.fromhex("0000500104") + struct.pack(">I", wire.new_id()) + b"\x88")
        elif where == "message":
            stream = wire.headers(request_fields(SUM))
            wire.data(stream, message(b"x" * 100)[:50])
            eventually(lambda: stats("running") == 1, "its call runs")
        else:
            request = calls.CountRequest(count=10**9).SerializeToString()
            stream = wire.request(COUNT, request)
            assert wire.read(lambda: len(wire.streams[stream].data) == 1000, "its window's worth")
        how(wire)
    eventually(lambda: stats("running") == 0, "its call has ended")
    eventually(lambda: stats("connections_open") == 1, "its connection has been closed")


def test_many_clients_vanish_at_once(calls_server, stats):
    wires = [Wire(calls_server) for _ in range(50)]
    for wire in wires:
        for _ in range(CALLS):
            wire.request(WAIT)
    eventually(lambda: stats("running") == 50 * CALLS, "their calls run")
    for wire in wires:
        vanish(wire)
    eventually(lambda: stats("running") == 0, "their calls have ended")
    eventually(lambda: stats("connections_open") == 1, "their connections have been closed")


# ---- half-open: the peer is gone, and no packet says so ----


def test_a_machine_without_power(start, calls):
    with network() as net:
        options = ["--limit", "keepalive_ms=100", "--limit", "keepalive_timeout_ms=200"]
        server = net.run(lambda: start("test-server", *options))
        wire = net.run(lambda: Wire(server))
        wire.request(WAIT)
        wire.request(COUNT, calls.CountRequest(count=10**9).SerializeToString())
        assert wire.ping()
        net.plug(False)
        server.logged("no answer to a PING")
        net.plug(True)
        with net.run(lambda: Wire(server)) as other:
            answer = other.call("/calls.Calls/Stats")
        stats = calls.StatsReply.FromString(bytes(answer.data[5:]))
        assert (stats.running, stats.connections_open) == (0, 1)
        wire.socket.close()


# ---- frozen, silent, slow ----


def test_a_client_that_is_frozen_and_goes_on(client, stats):
    """It holds its own calls up and nobody else's; when it is thawed they go on."""
    eventually(lambda: stats("running") == CALLS + 4, "its calls run")
    client.send_signal(signal.SIGSTOP)
    eventually(lambda: stands_still(lambda: stats("sent")), "what it has room for has been sent")
    assert stats("running") == CALLS + 4
    client.send_signal(signal.SIGCONT)
    client.send_signal(signal.SIGTERM)
    eventually(lambda: stats("running") == 0, "its calls have ended")


def stands_still(read):
    first = read()
    return all(read() == first for _ in range(200))


def test_silence_within_a_message_is_ended_by_the_deadline(calls_server, stats):
    with Wire(calls_server) as wire:
        for path in (WAIT, SUM):
            stream = wire.headers(request_fields(path, grpc_timeout="100m"))
            wire.data(stream, message(b"x" * 1000)[:500])
            assert wire.answer(stream).status == 4
        assert wire.call("/calls.Calls/Echo", b"").status == 0
    eventually(lambda: stats("running") == 0, "nothing is left")


def test_silence_within_a_header_block_holds_up_only_its_own_connection(calls_server, stats):
    with Wire(calls_server, start=False) as silent:
        silent.send(PREFACE + bytes.fromhex("000000040000000000" "0000500104" "00000001") + b"\x88")
        assert all(stats("connections_open") == 2 for _ in range(20))


@pytest.mark.parametrize("first", [":authority", ":path", ":method", ":scheme"])
def test_pseudo_fields_may_come_in_any_order(calls_server, first):
    """RFC 9113 has none for them: grpcio begins with the path, Go with the authority."""
    fields = request_fields("/calls.Calls/Echo")
    fields.sort(key=lambda field: (not field[0].startswith(":"), field[0] != first))
    with Wire(calls_server) as wire:
        stream = wire.headers(fields)
        wire.data(stream, message(b"\x12\x01x"), end=True)
        assert wire.answer(stream).data == message(b"\x12\x01x")


def test_requests_may_trickle(calls_server, calls):
    """Byte by byte, each in a frame and a packet of its own."""
    body = message(calls.Payload(text="slow").SerializeToString())
    with Wire(calls_server) as wire:
        stream = wire.headers(request_fields("/calls.Calls/Echo"))
        for i in range(len(body)):
            wire.data(stream, body[i : i + 1], end=i == len(body) - 1)
        assert wire.answer(stream).data == body


def test_metadata_as_large_as_allowed(calls_server, calls):
    """8 KiB, counted as HTTP/2 counts it, is the limit that the server announces."""
    with channel(calls_server.target, max_metadata_size=1 << 20) as opened:
        stub = calls.Stub(opened)
        fits = [(f"x-{i}", "y" * 950) for i in range(7)]
        reply = stub.Metadata(calls.MetadataRequest(), metadata=fits, timeout=PATIENCE)
        assert len([field for field in reply.received if field.name.startswith("x-")]) == 7
        for count in (9, 40):  # answered; reset with ENHANCE_YOUR_CALM
            over = [(f"x-{i}", "y" * 950) for i in range(count)]
            with pytest.raises(grpc.RpcError) as caught:
                stub.Metadata(calls.MetadataRequest(), metadata=over, timeout=PATIENCE)
            assert caught.value.code().name == "RESOURCE_EXHAUSTED"
        assert stub.Echo(calls.Payload(text="on"), timeout=PATIENCE).text == "on"
