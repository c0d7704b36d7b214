# SPDX-License-Identifier: MIT
"""More calls at once than a server takes: they wait in the channel, and all of them finish."""

import json
import subprocess
import time

import pytest

from servers import PATIENCE, descriptors, with_engine

CALLS = 100_000
STREAMS = 100  # of a connection
KIB_A_CALL = 3  # what one takes while it waits: itself, and its first kibibyte of arena with what it sends
KIB_LEFT = 20_000  # of a client without calls


def sockets(server):
    return sum(link.startswith("socket:") for link in descriptors(server.pid))


def run(command, server):
    """What it says, and how many connections it had at most."""
    before, most, end = sockets(server), 0, time.monotonic() + 8 * PATIENCE
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        while client.poll() is None:
            assert time.monotonic() < end
            most = max(most, sockets(server) - before)
            time.sleep(0.01)
        assert client.returncode == 0
        return json.loads(client.stdout.read()), most


@pytest.mark.alone
@pytest.mark.parametrize("connections", [1, 4])
def test_calls_beyond_the_stream_limit_wait(build, start, sanitized, connections):
    """In their order; on one connection, or on as many as there can be."""
    server = start("test-server", "--limit", f"streams_max={STREAMS}")
    options = ["--connections", connections]
    command = with_engine([build / "tests/client/flood-client", *options, server.target, CALLS])
    told, most = run(command, server)
    assert told["ok"] == CALLS
    assert most == connections
    assert told["passed"] < STREAMS * connections
    if not sanitized:
        assert told["peak"] < CALLS * KIB_A_CALL, told
        assert told["left"] < KIB_LEFT, told
