# SPDX-License-Identifier: MIT
"""More calls at once than a server takes: they wait in the channel, and all of them finish."""

import json
import subprocess

import pytest

from servers import PATIENCE, with_engine

CALLS = 100_000
KIB_A_CALL = 3  # what one takes while it waits: itself, and its first kibibyte of arena with what it sends
KIB_LEFT = 20_000  # of a client without calls


@pytest.mark.alone
def test_calls_beyond_the_stream_limit_wait(build, start, sanitized):
    server = start("test-server", "--limit", "streams_max=100")
    command = with_engine([build / "tests/client/flood-client", server.target, CALLS])
    done = subprocess.run(command, capture_output=True, text=True, timeout=8 * PATIENCE)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] == CALLS
    if not sanitized:
        assert told["peak"] < CALLS * KIB_A_CALL, told
        assert told["left"] < KIB_LEFT, told
