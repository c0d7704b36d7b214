# SPDX-License-Identifier: MIT
"""The Connect conformance suite over HTTP/1.1 and HTTP/2. A server with the suite's own client and with grpc-go's; a client
with the suite's own server and with grpc-go's. What tests/conformance/config.yaml and client.yaml name. And protobuf's own."""

import re
import subprocess

import pytest

from plugin_kit import GOOGLE, Kit
from servers import PATIENCE, with_engine
from toolchains import go_install, protobuf_runner

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


def protobuf_testee(kit, protos, folder):
    """tests/conformance/protobuf.c with generated code."""
    names = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    kit.protoc(folder, names, paths=(protos, GOOGLE))
    sources = [kit.root / "tests" / "conformance" / "protobuf.c"]
    sources += [folder / f"{name[:-6]}.quoit.c" for name in names]
    kit.program(folder, [*sources, kit.json_archive], folder / "testee")
    return folder / "testee"


def test_protobuf_conformance(root, build, tmp_path):
    """protobuf's runner: messages in binary, as JSON, and printed as text; also what it only recommends. No case is known to fail."""
    runner, protos = protobuf_runner()
    testee = protobuf_testee(Kit(root, build), protos, tmp_path)
    command = [*runner, "--enforce_recommended", "--maximum_edition", "2023", "--output_dir", f"{tmp_path}/", testee]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20 * PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    found = [tuple(map(int, counts)) for counts in re.findall(r"PASSED: (\d+) successes, (\d+) skipped", said)]
    assert len(found) == 2, said
    (successes, skipped), (text_successes, _) = found
    assert successes >= 5567 and skipped == 0, said
    assert text_successes > 0, said
