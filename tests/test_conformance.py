# SPDX-License-Identifier: MIT
"""The Connect conformance suite, the cases of gRPC over HTTP/2 with the suite's own client and with
grpc-go's: what tests/conformance/config.yaml names."""

import re
import subprocess

from servers import PATIENCE, with_engine
from toolchains import go_install

SUITE = "v1.0.7"


def test_connect_conformance(root, build):
    suite = go_install("connectrpc.com/conformance/cmd/connectconformance", SUITE)
    command = [suite, "--mode=server", f"--conf={root / 'tests/conformance/config.yaml'}"]
    command += ["--", build / "tests/conformance/conformance-server"]
    done = subprocess.run(with_engine(command), capture_output=True, text=True, timeout=4 * PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    passed, failed = re.search(r"^(\d+) passed, (\d+) failed$", said, re.M).groups()
    assert int(passed) >= 924 and int(failed) == 0, said
