# SPDX-License-Identifier: MIT
"""How large the frames of a client may be: SETTINGS_MAX_FRAME_SIZE (RFC 9113, sections 4.2 and 6.5.2)."""

import subprocess

import pytest
import hyperframe.frame as frames

from servers import PATIENCE
from wire import Wire, message

ECHO = "/calls.Calls/Echo"
MAX_FRAME_SIZE = 5
FRAME_SIZE_ERROR = 6
DEFAULT = 128 * 1024


def connect(server):
    wire = Wire(server)
    assert wire.read(lambda: wire.settings, "SETTINGS")
    return wire


def send_in_one_frame(wire, stream, size):
    """A message that fills a DATA frame of that size; what its only field holds."""
    content = bytes(i * 7 % 251 for i in range(size - len(message(b"")) - 4))
    head = bytes([0x0A, len(content) & 127 | 128, len(content) >> 7 & 127 | 128, len(content) >> 14])
    wire.frame(frames.DataFrame(stream, message(head + content), flags=["END_STREAM"]))
    return content


@pytest.mark.parametrize("limit", [None, 16384, 200_000])
def test_a_frame_may_be_as_large_as_announced(start, limit):
    server = start("test-server", *(["--limit", f"frame_bytes_max={limit}"] if limit else []))
    largest = limit or DEFAULT
    with connect(server) as wire:
        assert wire.settings[MAX_FRAME_SIZE] == largest
        stream = wire.request(ECHO, None, end=False)
        content = send_in_one_frame(wire, stream, largest)
        answer = wire.answer(stream)
        assert answer.status == 0 and answer.data.endswith(content)


def test_a_larger_frame_ends_the_connection(start):
    server = start("test-server")
    with connect(server) as wire:
        stream = wire.request(ECHO, None, end=False)
        send_in_one_frame(wire, stream, DEFAULT + 1)
        assert wire.read(lambda: wire.goaways, "GOAWAY")
        assert wire.goaways[-1][1] == FRAME_SIZE_ERROR
    server.logged("HTTP/2: FRAME_SIZE_ERROR: too large frame size (frame_bytes_max); closed")


@pytest.mark.parametrize("limit", [16383, 1 << 24])
def test_what_is_no_size_of_frames(build, limit):
    program = build / "tests" / "services" / "test-server"
    done = subprocess.run(
        [program, "--limit", f"frame_bytes_max={limit}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode != 0 and "Invalid argument" in done.stderr
