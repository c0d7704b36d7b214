# SPDX-License-Identifier: MIT
"""quoit-interop-server under the interoperability clients of grpc-go and grpc-java: the cases of
grpc's "gRPC Interop Test Case Descriptions"."""

import gzip
import re
import subprocess
import threading
import time

import grpc
import pytest

from certificates import Certificate
from conftest import channel
from dynamic import Protos
from servers import PATIENCE, TIME, Server
from toolchains import go_install, java_jars, tool
from wire import Wire, message, request_fields

GRPC_GO = "v1.85.0"

CASES = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "pick_first_unary",
    "rpc_soak",
    "channel_soak",
]


@pytest.fixture(scope="module")
def server(build):
    server = Server(build / "bin" / "quoit-interop-server", "--port=0", "--rings", 2)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA, .server for this machine, and the CA for Java."""
    folder = tmp_path_factory.mktemp("pki")
    ca = Certificate(folder, "ca")
    ca.server = Certificate(folder, "server", ca, names=["localhost"])
    return ca


@pytest.fixture(scope="module")
def tls_server(build, pki):
    files = ["--tls_cert_file", pki.server.file, f"--tls_key_file={pki.server.key_file}"]
    server = Server(build / "bin" / "quoit-interop-server", "--port=0", "--use_tls=true", *files)
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["plain", "TLS"])
def served(request):
    """A server, and what its client needs to know of how it is served."""
    if request.param == "plain":
        return request.getfixturevalue("server"), None
    return request.getfixturevalue("tls_server"), request.getfixturevalue("pki")


@pytest.fixture(scope="module")
def trust_store(pki):
    """What Java knows a CA by."""
    store = pki.file.with_suffix(".p12")
    command = [tool("keytool"), "-importcert", "-noprompt", "-alias", "ca", "-file", pki.file]
    command += ["-keystore", store, "-storepass", "public"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=PATIENCE)
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=public"]


@pytest.fixture(scope="module")
def go_client():
    return [go_install("google.golang.org/grpc/interop/client", GRPC_GO)]


# grpc-go's client cancels and half-closes at once, and may find the answer to the half-close before
# its own cancellation; then it says this, and the case is run again.
ANSWERED_FIRST = "CloseAndRecv() got error code 0, want 1"


def run_case(client, case, server, *options):
    command = [*client, "--server_host=localhost", f"--server_port={server.port}"]
    command += [f"--test_case={case}", *options]
    for _ in range(5):
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=2 * PATIENCE
        )
        if ANSWERED_FIRST not in done.stderr:
            break
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("case", CASES)
def test_grpc_go(served, go_client, case):
    server, pki = served
    options = ["--use_tls=false"]
    if pki:
        options = ["--use_tls=true", "--use_test_ca=true", f"--ca_file={pki.file}"]
    run_case(go_client, case, server, *options)


# A JVM takes a second or two to be up: few cases, and what starts quickly.
JAVA = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
JAVA_CASES = [
    ("netty", "client_compressed_unary"),
    ("netty", "server_compressed_unary"),
    ("netty", "client_compressed_streaming"),
    ("netty", "server_compressed_streaming"),
    ("okhttp", "very_large_request"),
]


@pytest.mark.parametrize("transport, case", JAVA_CASES)
def test_grpc_java(request, served, case, transport):
    server, pki = served
    trust = request.getfixturevalue("trust_store") if pki else []
    client = [tool("java"), *JAVA, *trust, "-cp", java_jars()]
    client += ["io.grpc.testing.integration.TestServiceClient"]
    okhttp = f"--use_okhttp={str(transport == 'okhttp').lower()}"
    run_case(client, case, server, f"--use_tls={str(bool(pki)).lower()}", okhttp)


# ---- what those clients do not ask for ----


@pytest.fixture(scope="module")
def protos(root, tmp_path_factory):
    return Protos(root / "proto", "grpc/testing/test.proto", tmp_path_factory.mktemp("interop"))


@pytest.fixture
def stub(protos, server):
    with channel(server.target) as opened:
        yield protos.stub(opened, "grpc.testing.TestService")


@pytest.fixture(scope="module")
def asking(protos):
    """asking((size, microseconds), ...): a request for these answers."""
    request = protos.message("grpc.testing.StreamingOutputCallRequest")

    def build(*answers, **fields):
        answers = [{"size": size, "interval_us": us} for size, us in answers]
        return request(response_parameters=answers, **fields)

    return build


def sizes(answers):
    return [len(answer.payload.body) for answer in answers]


def test_answers_wait_for_their_interval(stub, asking):
    start = time.monotonic()
    answers = stub.StreamingOutputCall(asking((3, 0), (2, 100_000), (1, 100_000)), timeout=PATIENCE)
    assert sizes(answers) == [3, 2, 1]
    assert time.monotonic() - start >= 0.2


def test_an_interval_is_cut_short_by_the_deadline(stub, asking):
    answers = stub.StreamingOutputCall(asking((3, 0), (2, 2_000_000_000)), timeout=0.3)
    received = []
    with pytest.raises(grpc.RpcError) as caught:
        received.extend(answers)
    assert sizes(received) == [3]
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED



def test_full_duplex_answers_each_request(stub, asking):
    requests = [asking((1, 0), (2, 0)), asking(), asking((3, 1000))]
    assert sizes(stub.FullDuplexCall(iter(requests), timeout=PATIENCE)) == [1, 2, 3]


def test_half_duplex_answers_when_all_has_come(stub, asking):
    asked = threading.Event()

    def requests():
        yield asking((1, 0), (2, 0))
        asked.wait(PATIENCE)
        yield asking((3, 0))

    answers = stub.HalfDuplexCall(requests(), timeout=PATIENCE)
    early = []
    reader = threading.Thread(target=lambda: early.extend(answers))
    reader.start()
    assert early == []
    asked.set()
    reader.join(PATIENCE)
    assert sizes(early) == [1, 2, 3]


@pytest.mark.parametrize("method", ["StreamingOutputCall", "FullDuplexCall", "HalfDuplexCall"])
def test_a_stream_ends_as_asked(stub, asking, method):
    request = asking((1, 0), response_status={"code": 10, "message": "as asked"})
    takes_many = method != "StreamingOutputCall"
    call = getattr(stub, method)(iter([request]) if takes_many else request, timeout=PATIENCE)
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.ABORTED, "as asked")


@pytest.mark.parametrize(
    "size, code",
    [
        (-1, grpc.StatusCode.INVALID_ARGUMENT),
        (2**31 - 1, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_payloads_that_can_not_be(stub, protos, asking, size, code):
    request = protos.message("grpc.testing.SimpleRequest")(response_size=size)
    with pytest.raises(grpc.RpcError) as caught:
        stub.UnaryCall(request, timeout=PATIENCE)
    assert caught.value.code() == code
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamingOutputCall(asking((size, 0)), timeout=PATIENCE))
    assert caught.value.code() == code


def test_a_call_can_not_ask_for_answers_without_end(stub, asking):
    request = asking(*[(0, 0)] * 60_000)
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.HalfDuplexCall(iter([request, request]), timeout=PATIENCE))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_headers_are_headers_of_a_failed_call_too(stub, protos):
    request = protos.message("grpc.testing.SimpleRequest")(response_status={"code": 5})
    sent = [("x-grpc-test-echo-initial", "first"), ("x-grpc-test-echo-trailing-bin", b"last")]
    with pytest.raises(grpc.RpcError) as caught:
        stub.UnaryCall(request, metadata=sent, timeout=PATIENCE)
    error = caught.value
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert [tuple(pair) for pair in error.initial_metadata() if pair[0] == sent[0][0]] == sent[:1]
    assert [tuple(pair) for pair in error.trailing_metadata()] == sent[1:]


def call_with(wire, method, request, packed=False, **fields):
    """@request, as gzip or not, to a method of TestService: [whether it is compressed, ...], status."""
    body = request.SerializeToString()
    stream = wire.headers(request_fields(f"/grpc.testing.TestService/{method}", **fields))
    wire.data(stream, message(gzip.compress(body) if packed else body, int(packed)), end=True)
    answer = wire.answer(stream)
    flags, data = [], bytes(answer.data)
    while data:
        flags.append(data[0])
        data = data[5 + int.from_bytes(data[1:5], "big") :]
    return flags, answer.status


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("expected", [False, True])
def test_requests_are_compressed_as_expected_or_refused(server, protos, packed, expected):
    fields = {"expect_compressed": {"value": expected}}
    status = 0 if packed == expected else grpc.StatusCode.INVALID_ARGUMENT.value[0]
    for method, kind in (("UnaryCall", "Simple"), ("StreamingInputCall", "StreamingInputCall")):
        request = protos.message(f"grpc.testing.{kind}Request")(**fields)
        with Wire(server) as wire:
            assert call_with(wire, method, request, packed, grpc_encoding="gzip")[1] == status


def test_answers_are_compressed_as_asked(server, protos):
    unary = protos.message("grpc.testing.SimpleRequest")
    stream = protos.message("grpc.testing.StreamingOutputCallRequest")
    wanted = [{"size": 1000, "compressed": {"value": value}} for value in (False, True, False)]
    with Wire(server) as wire:
        for value in (False, True):
            request = unary(response_size=1000, response_compressed={"value": value})
            assert call_with(wire, "UnaryCall", request) == ([0], 0)  # it takes nothing else
            flags = call_with(wire, "UnaryCall", request, grpc_accept_encoding="gzip")
            assert flags == ([int(value)], 0)
        request = stream(response_parameters=wanted)
        for method in ("StreamingOutputCall", "FullDuplexCall", "HalfDuplexCall"):
            flags = call_with(wire, method, request, grpc_accept_encoding="gzip")
            assert flags == ([0, 1, 0], 0)


def test_the_server_has_one_id(stub, protos):
    request = protos.message("grpc.testing.SimpleRequest")(fill_server_id=True)
    ids = {stub.UnaryCall(request, timeout=PATIENCE).server_id for _ in range(3)}
    assert len(ids) == 1 and ids != {""}


# ---- the command line ----


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["extra"],
        ["--port"],
        ["--port=x"],
        ["--port", "65536"],
        ["--use_tls"],
        ["--use_tls=maybe"],
        ["--use_tls", "true", "--tls_key_file=x"],
    ],
)
def test_a_bad_command_line(build, arguments):
    done = subprocess.run(
        [build / "bin/quoit-interop-server", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert re.fullmatch(rf"({TIME})?quoit-interop-server: [^\n]+\n", done.stderr)


def test_files_that_are_not_there(build, pki):
    command = [build / "bin/quoit-interop-server", "--use_tls", "--tls_cert_file=absent"]
    command += [f"--tls_key_file={pki.server.key_file}", "--port=0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert re.fullmatch(rf"({TIME})?quoit-interop-server: [^\n]*absent[^\n]*\n", done.stderr)


def test_no_tls_is_no_tls(build):
    server = Server(build / "bin/quoit-interop-server", "--port=0", "--use_tls", "false")
    server.stop()
