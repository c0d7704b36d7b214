# SPDX-License-Identifier: MIT
"""The Connect conformance suite over HTTP/1.1 and HTTP/2. A server with the suite's own client and with grpc-go's; a client
with the suite's own server and with grpc-go's. What tests/conformance/config.yaml and client.yaml name."""

import re
import subprocess

import pytest

from servers import PATIENCE, with_engine
from toolchains import go_install

SUITE = "v1.0.7"


# gRPC's "HTTP to gRPC Status Code Mapping" has INTERNAL for HTTP's 431, the suite still has UNKNOWN.
KNOWN_FAILING = {
    "server": [],
    "client": ["HTTP to RPC Code Mapping/**/request-header-fields-too-large"],
}


@pytest.mark.parametrize(
    "mode, config, program, cases",
    [("server", "config.yaml", "conformance-server", 7288), ("client", "client.yaml", "conformance-client", 1060)],
)
def test_connect_conformance(root, build, mode, config, program, cases):
    suite = go_install("connectrpc.com/conformance/cmd/connectconformance", SUITE)
    command = [suite, f"--mode={mode}", f"--conf={root / 'tests/conformance' / config}"]
    command += [f"--known-failing={pattern}" for pattern in KNOWN_FAILING[mode]]
    command += ["--", build / "tests/conformance" / program]
    done = subprocess.run(with_engine(command), capture_output=True, text=True, timeout=4 * PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    passed, failed = re.search(r"^(\d+) passed, (\d+) failed$", said, re.M).groups()
    assert int(passed) >= cases and int(failed) == 0, said
