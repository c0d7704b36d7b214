# SPDX-License-Identifier: MIT
"""quoit-interop-client with the interoperability servers of grpc-go and grpc-java, and with ours: the cases of grpc's "gRPC Interop
Test Case Descriptions"; and those of "Negative HTTP/2 Interop Test Case Descriptions"."""

import pathlib
import re
import subprocess
import time
import zipfile

import pytest

from certificates import Certificate
from dynamic import Protos
from negative_server import CASES as NEGATIVE_CASES
from negative_server import NegativeServer
from servers import PATIENCE, Server, eventually, free_port, with_engine
from strict_server import StrictServer
from test_interop import CASES, GRPC_GO, JAVA
from toolchains import go_install, java_jars, tool

# Servers of grpc-go and grpc-java have no id, and ignore what they are told of compression, but for grpc-java's unary answers.
FOREIGN_CASES = [case for case in CASES if case != "pick_first_unary"]
COMPRESSED_CASES = [
    "client_compressed_unary",
    "server_compressed_unary",
    "client_compressed_streaming",
    "server_compressed_streaming",
]
TEST_NAME = "foo.test.google.fr"  # of grpc-java's certificate


@pytest.fixture(scope="module")
def client(build):
    """client(case, port, options...): its exit status and what it said."""

    def run(case, port, *options):
        command = [build / "bin/quoit-interop-client", "--server_host=localhost"]
        command += [f"--server_port={port}", f"--test_case={case}", *options]
        return subprocess.run(
            with_engine(command), capture_output=True, text=True, timeout=2 * PATIENCE
        )

    return run


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA, and .server for this machine."""
    folder = tmp_path_factory.mktemp("pki")
    ca = Certificate(folder, "ca")
    ca.server = Certificate(folder, "server", ca, names=["localhost"])
    ca.stranger = Certificate(folder, "stranger")
    return ca


class Foreign:
    """Another implementation's server: @command of a port, and what a client needs to know of it."""

    def __init__(self, command, log, *options):
        self.port = free_port()
        self.options = options
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                list(map(str, command(self.port))), stdout=output, stderr=subprocess.STDOUT
            )
        eventually(self.listens, f"{log.name} listens", 2 * PATIENCE)

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        needle = f"{self.port:04X}"
        tables = [open(f"/proc/net/{name}").read() for name in ("tcp", "tcp6")]
        return any(re.search(rf":{needle} [0-9A-F:]+ 0A ", table) for table in tables)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module", params=["plain", "TLS"])
def secure(request):
    return request.param == "TLS"


@pytest.fixture(scope="module")
def go_server(secure, pki, tmp_path_factory):
    program = go_install("google.golang.org/grpc/interop/server", GRPC_GO)
    files = [f"--tls_cert_file={pki.server.file}", f"--tls_key_file={pki.server.key_file}"]
    options = ["--use_tls", "--use_test_ca=true", f"--ca_file={pki.file}"] if secure else []
    server = Foreign(
        lambda port: [program, f"--port={port}", *(["--use_tls=true", *files] if secure else [])],
        tmp_path_factory.mktemp("go") / "grpc-go",
        *options,
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def java_server(secure, tmp_path_factory):
    """It has its certificate with it, and whom to trust for it."""
    java, jars, folder = tool("java"), java_jars(), tmp_path_factory.mktemp("java")
    options = []
    if secure:
        ca = folder / "ca.pem"
        ca.write_bytes(resource(jars, "certs/ca.pem"))
        options = ["--use_tls=true", "--use_test_ca", f"--ca_file={ca}"]
        options += ["--server_host_override", TEST_NAME]
    main = [java, *JAVA, "-cp", jars, "io.grpc.testing.integration.TestServiceServer"]
    server = Foreign(
        lambda port: [*main, f"--port={port}", f"--use_tls={str(secure).lower()}"],
        folder / "grpc-java",
        *options,
    )
    yield server
    server.stop()


def resource(jars, name):
    """A file in one of the class path's jars."""
    for jar in pathlib.Path(jars).parent.glob("*.jar"):
        with zipfile.ZipFile(jar) as archive:
            if name in archive.namelist():
                return archive.read(name)
    raise AssertionError(f"{name} is in no jar")


@pytest.fixture(scope="module")
def own_server(secure, build, pki):
    options = []
    if secure:
        options = ["--use_tls=true", "--tls_cert_file", pki.server.file]
        options += ["--tls_key_file", pki.server.key_file]
    server = Server(build / "bin/quoit-interop-server", "--port=0", *options)
    server.options = ["--use_tls", "--use_test_ca=true", f"--ca_file={pki.file}"] if secure else []
    yield server
    server.stop()


def passes(done):
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# A busy machine, and a Java that is not warm yet, take longer than the defaults allow.
PATIENT = ["--soak_per_iteration_max_acceptable_latency_ms=20000", "--soak_overall_timeout_seconds=50"]


@pytest.mark.parametrize("case", FOREIGN_CASES)
def test_grpc_go(client, go_server, case):
    passes(client(case, go_server.port, *PATIENT, *go_server.options))


@pytest.mark.parametrize("case", [*FOREIGN_CASES, "server_compressed_unary"])
def test_grpc_java(client, java_server, case):
    passes(client(case, java_server.port, *PATIENT, *java_server.options))


@pytest.mark.parametrize("case", CASES + COMPRESSED_CASES)
def test_ours(client, own_server, case):
    passes(client(case, own_server.port, *PATIENT, *own_server.options))


# ---- servers that break HTTP/2, or use it to the full ----


@pytest.fixture(scope="module")
def protos(root, tmp_path_factory):
    return Protos(root / "proto", "grpc/testing/test.proto", tmp_path_factory.mktemp("interop"))


@pytest.fixture
def negative(protos):
    """negative(case): its server."""
    request = protos.message("grpc.testing.SimpleRequest")
    response = protos.message("grpc.testing.SimpleResponse")

    def begin(case):
        return NegativeServer(
            case,
            lambda body: request.FromString(body).response_size,
            lambda size: response(payload={"body": bytes(size)}).SerializeToString(),
        )

    return begin


@pytest.mark.parametrize("case", NEGATIVE_CASES)
def test_negative_http2(client, negative, case):
    with negative(case) as server:
        passes(client(case, server.port))
    assert server.faults == []
    assert server.pings == 0 and server.pings_sent == (4 if case == "ping" else 0)
    expected = {"goaway": [1, 1], "max_streams": [11]}
    assert server.served == expected.get(case, [1])
    if case == "max_streams":
        assert server.streams_most == 1


# ---- that a case can fail ----


# In two of these the client ends the call itself, and the others want just this answer.
WITHOUT_ANSWER = {"cancel_after_begin", "timeout_on_sleeping_server", "unimplemented_method", "unimplemented_service"}


@pytest.mark.parametrize("case", [case for case in CASES + COMPRESSED_CASES if case not in WITHOUT_ANSWER])
def test_a_server_without_the_service(client, start, case):
    server = start("quoit-api", "--port", 0)
    done = client(case, server.port)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(rf"quoit-interop-client: error: {case}: .+", last)
    assert "soak" in case or done.stderr.count("\n") == 1


@pytest.mark.parametrize("case", ["rst_after_header", "rst_during_data", "rst_after_data"])
def test_calls_that_should_fail_and_do_not(client, start, case):
    server = start("quoit-interop-server", "--port=0")
    done = client(case, server.port)
    assert done.returncode == 1 and "is OK" in done.stderr


def test_a_service_that_is_there(client, build):
    """unimplemented_method fails where something answers it with another status."""
    with StrictServer(window=65535, answer=lambda it, stream, _: it.answer_status(stream, 5)) as server:
        for case in ("unimplemented_method", "unimplemented_service"):
            done = client(case, server.port)
            assert done.returncode == 1 and "NOT_FOUND" in done.stderr


def test_nobody_listens(client):
    done = client("empty_unary", free_port())
    assert done.returncode == 1
    assert re.fullmatch(r"quoit-interop-client: error: empty_unary: [^\n]*UNAVAILABLE[^\n]*\n", done.stderr)


def test_a_stranger_s_certificate(client, build, pki):
    files = ["--tls_cert_file", pki.server.file, "--tls_key_file", pki.server.key_file]
    server = Server(build / "bin/quoit-interop-server", "--port=0", "--use_tls", *files)
    trusting = ["--use_tls", "--use_test_ca", f"--ca_file={pki.stranger.file}"]
    for options in (["--use_tls"], trusting, [*trusting, "--server_host_override=other"]):
        assert client("empty_unary", server.port, *options).returncode == 1
    server.stop()


def test_soak_counts_what_is_too_slow(client, start):
    server = start("quoit-interop-server", "--port=0")
    slow = [*PATIENT, "--soak_per_iteration_max_acceptable_latency_ms=0", "--soak_iterations=3"]
    slow += ["--soak_request_size=4000000", "--soak_response_size=4000000"]
    done = client("rpc_soak", server.port, *slow)
    assert done.returncode == 1 and "3 of 3 iterations failed" in done.stderr
    assert client("rpc_soak", server.port, *slow, "--soak_max_failures=3").returncode == 0


def test_soak_takes_its_time(client, start):
    server = start("quoit-interop-server", "--port=0")
    pace = [*PATIENT, "--soak_min_time_ms_between_rpcs=200", "--soak_iterations=4"]
    began = time.monotonic()
    passes(client("channel_soak", server.port, *pace))
    assert time.monotonic() - began >= 0.8
    done = client("rpc_soak", server.port, *pace, "--soak_iterations=100", "--soak_overall_timeout_seconds=1")
    assert done.returncode == 1 and re.search(r"\d of 100 iterations were done in 1 s", done.stderr)


def test_metadata_and_authority(client):
    seen = []

    def answer(server, stream, request):
        seen.append(request.fields)
        server.answer_echo(stream, request)

    with StrictServer(window=65535, answer=answer) as server:
        options = ["--additional_metadata=x-a:one:two;x-b:three", "--server_host_override=other.test"]
        passes(client("empty_unary", server.port, *options))
    assert seen[0]["x-a"] == "one:two" and seen[0]["x-b"] == "three"
    assert seen[0][":authority"] == "other.test"
    assert server.faults == []


# ---- the command line ----


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["extra"],
        ["--server_port"],
        ["--server_port=x"],
        ["--server_port", "0"],
        ["--use_tls=maybe"],
        ["--use_test_ca"],
        ["--soak_iterations=0"],
        ["--test_case=nonsense"],
        ["--additional_metadata=nothing"],
    ],
)
def test_a_bad_command_line(build, arguments):
    program = build / "bin/quoit-interop-client"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert re.fullmatch(r"quoit-interop-client: error: [^\n]+ --help\n", done.stderr)


def test_help_names_every_case(build):
    program = build / "bin/quoit-interop-client"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    for case in CASES + COMPRESSED_CASES + NEGATIVE_CASES:
        assert re.search(rf"\b{case}\b", told)
