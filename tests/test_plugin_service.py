# SPDX-License-Identifier: MIT
"""Service glue: a server made of generated code, and Python's grpcio against it."""

import importlib
import queue
import signal
import subprocess
import sys

import grpc
import pytest

from plugin_kit import PROTOS, Kit


@pytest.fixture(scope="module")
def pb(tmp_path_factory):
    """The Python modules of kinds.proto: messages, stubs."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"--python_out={folder}"]
        + [f"--grpc_python_out={folder}", "kinds.proto"],
        check=True,
    )
    sys.path.insert(0, str(folder))
    yield importlib.import_module("kinds_pb2"), importlib.import_module("kinds_pb2_grpc")
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def channel(root, build, tmp_path_factory):
    kit, folder = Kit(root, build), tmp_path_factory.mktemp("server")
    kit.protoc(folder, ["kinds.proto"])
    program = folder / "kinds_server"
    kit.program(folder, [root / "tests" / "kinds_server.c", folder / "kinds.quoit.c"], program)
    server = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip()
        assert port, server.stderr.read()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=40) == 0, server.stderr.read()
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def kinds(pb, channel):
    return pb[1].KindsStub(channel)


@pytest.fixture
def number(pb):
    return lambda value: pb[0].Number(value=value)


def test_unary(kinds, number):
    assert kinds.Unary(number(14), timeout=10).value == 42


@pytest.mark.parametrize("n", (0, 1, 2000))
def test_server_stream(kinds, number, n):
    assert [m.value for m in kinds.ServerStream(number(n), timeout=20)] == list(range(1, n + 1))


@pytest.mark.parametrize("n", (0, 1, 2000))
def test_client_stream(kinds, number, n):
    assert kinds.ClientStream((number(i) for i in range(n)), timeout=20).value == n * (n - 1) // 2


def test_bidi(kinds, number):
    """Each answer is awaited before the next question is put."""
    questions = queue.Queue()
    call = kinds.Bidi(iter(questions.get, None), timeout=20)
    for i in range(50):
        questions.put(number(i))
        assert next(call).value == -3 * i
    questions.put(None)
    assert list(call) == []


def test_methods_without_a_handler_are_unimplemented(pb, channel, number):
    partial = pb[1].PartialStub(channel)
    assert partial.Second(number(2), timeout=10).value == 6
    with pytest.raises(grpc.RpcError) as unary:
        partial.First(number(1), timeout=10)
    assert unary.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with pytest.raises(grpc.RpcError) as bidi:
        list(partial.Third(iter([number(1)]), timeout=10))
    assert bidi.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_header_says_how_long_requests_live(root, build, tmp_path):
    """Users are not to read <quoit/service.h>, where else it stands."""
    Kit(root, build).protoc(tmp_path, ["kinds.proto"])
    header = " ".join((tmp_path / "kinds.quoit.h").read_text().split())
    assert "A @message lives until on_message returns." in header
    assert "A @req lives as long as its call." in header
