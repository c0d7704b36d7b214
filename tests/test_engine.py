# SPDX-License-Identifier: MIT
"""What the rings run on: io_uring, and epoll where there is none. Where that was chosen one line says why, and what helps."""

import itertools
import subprocess

import grpc
import pytest

from servers import PATIENCE, Server, descriptors

CALLS = ["io_uring_setup", "io_uring_enter", "io_uring_register"]
ERRORS = ["EPERM", "EACCES", "ENOSYS", "EOPNOTSUPP", "EINVAL"]
REMEDY = "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile"


@pytest.fixture
def forbidden(build):
    """forbidden(WHAT..., arguments=...): quoit-api, serving, where that is really forbidden."""
    servers = []

    def begin(*what, arguments=()):
        words = ["--", build / "bin/quoit-api", "--listen", "127.0.0.1:0", "--engine", "auto", *arguments]
        servers.append(Server(build / "tests/forbid", *what, *words))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def engines(server):
    """What its descriptors show: the names of the engines that it has rings of."""
    kinds = {"anon_inode:[io_uring]": "io_uring", "anon_inode:[eventpoll]": "epoll"}
    return {kinds[link] for link in descriptors(server.pid) if link in kinds}


def serves(api, server):
    """Small calls, many at once, and a large answer."""
    with grpc.insecure_channel(server.target, options=[("grpc.max_receive_message_length", -1)]) as channel:
        stub = api.Stub(channel)
        futures = [stub.sayHello.future(api.HelloRequest(name=str(i))) for i in range(200)]
        assert [future.result(PATIENCE).message for future in futures] == [f"Hello {i}!" for i in range(200)]
        assert len(stub.getAll(api.ApiRequest(length=20000), timeout=PATIENCE).items) == 20000
        assert sum(1 for _ in stub.getStream(api.ApiRequest(length=2000), timeout=PATIENCE)) == 2000


def about_engines(server):
    """The last thing that is asked of it."""
    return [line for line in server.whole_log() if "epoll" in line or "io_uring" in line]


@pytest.mark.parametrize("call, error", list(itertools.product(CALLS, ERRORS)))
def test_epoll_where_io_uring_is_refused(api, forbidden, call, error):
    server = forbidden(f"{call}={error}", arguments=["--rings", "2"])
    serves(api, server)
    assert engines(server) == {"epoll"}
    (said,) = about_engines(server)
    assert "serving on epoll" in said and call in said and REMEDY in said


def test_in_a_container(api, forbidden):
    server = forbidden("container", arguments=["--rings", "2", "--workers", "2"])
    serves(api, server)
    assert engines(server) == {"epoll"}
    (said,) = about_engines(server)
    assert "serving on epoll" in said and REMEDY in said


@pytest.mark.parametrize(
    "asked, engine", [([], "io_uring"), (["--engine", "io_uring"], "io_uring"), (["--engine=epoll"], "epoll")]
)
def test_what_is_asked_for(api, build, asked, engine):
    """Without a word about it."""
    arguments = asked or ["--engine", "auto"]
    server = Server(build / "bin/quoit-api", *arguments, "--port", 0)
    try:
        serves(api, server)
        assert engines(server) == {engine}
        assert about_engines(server) == []
    finally:
        server.stop()


@pytest.mark.parametrize("program", ["quoit-api", "quoit-interop-server"])
def test_no_such_engine(build, program):
    done = subprocess.run([build / "bin" / program, "--engine", "kqueue"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "'kqueue' is neither auto, io_uring nor epoll" in done.stderr
