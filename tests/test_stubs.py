# SPDX-License-Identifier: MIT
"""Generated stubs: a client made of them, against a server of generated code and Python's grpcio."""

import subprocess

import pytest

from grpcio_server import grpcio_server
from plugin_kit import kit, pb  # noqa: F401 (fixtures)
from servers import ENGINE, PATIENCE

MANY = 20000


@pytest.fixture(scope="module")
def programs(kit, tmp_path_factory):
    """Those of kinds_server.c and stubs_client.c."""
    folder = tmp_path_factory.mktemp("stubs")
    kit.protoc(folder, ["kinds.proto"])
    kit.protoc(folder / "client", ["kinds.proto"], "--quoit_opt=services=off")
    for name, code in ("kinds_server", folder), ("stubs_client", folder / "client"):
        kit.program(code, [kit.root / "tests" / f"{name}.c", code / "kinds.quoit.c"], folder / name)
    return folder


def servicer(number, base):
    class Kinds(base):
        def Unary(self, request, context):
            return number(value=3 * request.value)

        def ServerStream(self, request, context):
            return (number(value=n) for n in range(1, request.value + 1))

        def ClientStream(self, requests, context):
            return number(value=sum(request.value for request in requests))

        def Bidi(self, requests, context):
            return (number(value=-3 * request.value) for request in requests)

    return Kinds()


@pytest.fixture(scope="module", params=["quoit", "grpcio"])
def target(request, programs, pb):
    if request.param == "quoit":
        server = subprocess.Popen([programs / "kinds_server"], stdout=subprocess.PIPE, text=True)
        yield f"127.0.0.1:{server.stdout.readline().strip()}"
        server.kill()
        server.wait()
        return
    kinds = servicer(pb[0].Number, pb[1].KindsServicer)
    with grpcio_server(pb[1].add_KindsServicer_to_server, kinds, threads=100) as target:
        yield target


@pytest.fixture
def client(programs):
    def run(target, test):
        words = [programs / "stubs_client", target, test, *[ENGINE] * (ENGINE == "epoll")]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


SUM = MANY * (MANY - 1) // 2


@pytest.mark.parametrize(
    "test, heard",
    [
        ("unary", "OK 42\n"),
        ("server_stream", f"OK {MANY} {SUM + MANY}\n"),
        ("client_stream", f"OK {SUM}\n"),
        ("bidi", f"OK {MANY} {-3 * SUM}\n"),
        ("unheard", "OK 42\n"),
        ("vain", "OK 42\n"),
        ("blocking", ""),
        ("threads", ""),
    ],
)
def test_calls(client, target, test, heard):
    assert client(target, test) == heard


@pytest.mark.parametrize(
    "test, heard",
    [("unary", "-1"), ("client_stream", "-1"), ("server_stream", "0 0"), ("bidi", "0 0")],
)
def test_a_call_without_a_server(client, tmp_path, test, heard):
    said = client(f"unix:{tmp_path}/none", test)
    assert said.startswith("UNAVAILABLE: ") and said.endswith(f" {heard}\n")


def test_a_thread_that_must_not_wait_is_told(client, tmp_path):
    """On the client's own thread, and the other way round."""
    said = client(f"unix:{tmp_path}/none", "wrong").splitlines()
    assert len(said) == 2 and all("INTERNAL: a blocking call on a ring's thread" in line for line in said)
