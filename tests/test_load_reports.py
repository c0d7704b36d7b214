# SPDX-License-Identifier: MIT
"""What test-server says about its load, byte by byte."""

import signal
import struct
import time

import grpc
import pytest

from servers import PATIENCE, eventually

STREAM = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics"
DISK = b"\x0a\x04disk\x11" + struct.pack("<d", 0.25)
REPORT = b"\x09" + struct.pack("<d", 0.5) + b"\x2a\x0f" + DISK + b"\x31" + struct.pack("<d", 100)
MODES = {"plain": [], "rings": ["--rings", 3], "offloaded": ["--offload-all", "--rings", 2]}


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", *MODES[request.param], "--load", "0.5", "--limit", "drain_ms=60000")


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def wish(seconds, nanos=0):
    """OrcaLoadReportRequest: report_interval."""
    duration = b"\x08" + varint(seconds % (1 << 64)) + b"\x10" + varint(nanos)
    return b"\x0a" + varint(len(duration)) + duration


@pytest.fixture
def stream(server, connect):
    return lambda request: connect(server).unary_stream(STREAM)(request, timeout=PATIENCE)


@pytest.mark.parametrize("asked", [b"", wish(0, 1_000_000), wish(-5), wish(1 << 62)], ids=["none", "1ms", "-5s", "aeons"])
def test_reports(stream, asked):
    """Again and again; but not more often than the server likes, whatever is asked for."""
    call = stream(asked)
    began = time.monotonic()
    assert [next(call) for _ in range(5)] == [REPORT] * 5
    assert time.monotonic() - began >= 0.07
    call.cancel()


def test_wish(stream):
    call = stream(wish(0, 300_000_000))
    assert next(call) == REPORT
    began = time.monotonic()
    assert next(call) == REPORT
    assert time.monotonic() - began >= 0.2
    call.cancel()


def test_stop(server, stream):
    """Streams do not delay it, however long their pauses are."""
    call = stream(wish(100_000))
    assert next(call) == REPORT
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises(grpc.RpcError) as error:
        next(call)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "the server is stopping"
    eventually(lambda: server.process.poll() is not None, "the server's end")


@pytest.mark.parametrize("load, expected", [("0.5", []), ("0.5,calls", [REPORT])])
def test_with_calls(start, client, calls, load, expected):
    """In the trailers of each call, if the program wants that. (grpcio's client keeps this field for itself.)"""
    target = start("test-server", "--load", load).target
    (call,) = client.run(target, "Echo", calls.Payload(text="x"))
    assert [value for key, value in call.trailers if key == "endpoint-load-metrics-bin"] == expected
