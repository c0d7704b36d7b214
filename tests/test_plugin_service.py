# SPDX-License-Identifier: MIT
"""Service glue: a server made of generated code, and Python's grpcio against it."""

import queue

import grpc
import pytest

from plugin_kit import kit, pb  # noqa: F401 (fixtures)
from plugin_kit import Kit, serving


@pytest.fixture(scope="module")
def channel(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    kit.protoc(folder, ["kinds.proto"])
    program = folder / "kinds_server"
    kit.program(folder, [kit.root / "tests" / "kinds_server.c", folder / "kinds.quoit.c"], program)
    with serving(program) as channel:
        yield channel


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
