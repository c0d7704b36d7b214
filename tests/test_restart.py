# SPDX-License-Identifier: MIT
"""SIGUSR2: a new process takes the sockets over and the old one drains, and no call fails."""

import ctypes
import os
import re
import shutil
import signal
import socket
import threading

import grpc
import pytest

from certificates import Certificate
from servers import PATIENCE, Server, eventually

PR_SET_CHILD_SUBREAPER = 36


class Chain:
    """quoit-api and its successors, one after the other; the newest is .pid."""

    def __init__(self, program, *arguments, **options):
        # whose parent has ended becomes ours: its exit status is to be seen
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        self.server = Server(program, *arguments, **options)
        self.pid, self.address, self.target = self.server.pid, self.server.address, self.server.target

    def restart(self):
        """Until the new process serves; the pid of the old one, which drains."""
        old = self.pid
        os.kill(old, signal.SIGUSR2)
        line = self.server.logged(f"has taken over from {old}")
        self.pid = int(re.search(r"process (\d+) has taken over", line).group(1))
        return old

    def ended(self, pid):
        """Waits until process @pid has, well."""
        if pid == self.server.pid:
            status = self.server.process.wait(PATIENCE)
        else:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0, "\n".join(self.server.log)

    def stop(self):
        if not self.pid:
            return
        os.kill(self.pid, signal.SIGTERM)
        pid, self.pid = self.pid, None
        self.ended(pid)
        self.server.wait()  # the last one of them has shut stderr


@pytest.fixture
def chain(build):
    chains = []

    def start(*arguments, program=build / "bin" / "quoit-api", **options):
        chains.append(Chain(program, *arguments, **options))
        return chains[-1]

    yield start
    for each in chains:
        each.stop()


class Load:
    """Threads that call without a pause; what fails is in .failures."""

    def __init__(self, api, target, threads=6, fresh=False, certificate=None):
        self.api, self.target, self.fresh, self.certificate = api, target, fresh, certificate
        self.calls, self.failures, self.over = 0, [], False
        self.threads = [threading.Thread(target=self._work, args=(n,)) for n in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()

    def _channel(self):
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        if self.certificate:
            credentials = grpc.ssl_channel_credentials(self.certificate.pem)
            return grpc.secure_channel(self.target, credentials, options)
        return grpc.insecure_channel(self.target, options=options)

    def _work(self, number):
        channel = self._channel()
        try:
            while not self.over:
                self._call(channel, number)
                if self.fresh:
                    channel.close()
                    channel = self._channel()
        except grpc.RpcError as error:
            self.failures.append(error)
        finally:
            channel.close()

    def _call(self, channel, number):
        stub = self.api.Stub(channel)
        if number % 3 == 2 and not self.fresh:
            assert len(list(stub.getStream(self.api.ApiRequest(length=300), timeout=PATIENCE))) == 300
        else:
            reply = stub.sayHello(self.api.HelloRequest(name=str(number)), timeout=PATIENCE)
            assert reply.message == f"Hello {number}!"
        self.calls += 1

    def goes_on(self, calls=50):
        end = self.calls + calls
        eventually(lambda: self.calls >= end or self.failures, f"{calls} more calls")
        assert self.failures == []


LISTENERS = {
    "tcp": ["--listen", "127.0.0.1:0"],
    "rings": ["--listen", "127.0.0.1:0", "--rings", 2],
    "workers": ["--listen", "127.0.0.1:0", "--workers", 2],
    "port": ["--host", "127.0.0.1", "--port", 0],
}


def five_restarts(chain, load):
    drained = []
    load.goes_on()
    for _ in range(5):
        drained.append(chain.restart())
        load.goes_on()
    for pid in drained:
        chain.ended(pid)
    load.goes_on()


@pytest.mark.parametrize("mode", LISTENERS)
def test_no_call_fails(api, chain, mode):
    served = chain(*LISTENERS[mode])
    with Load(api, served.target) as load:
        five_restarts(served, load)


@pytest.mark.parametrize("rings", [1, 2])
def test_no_connection_is_lost(api, chain, rings):
    """Each call by a connection of its own: some wait in the queue whenever one process hands over to the next."""
    served = chain("--listen", "127.0.0.1:0", "--rings", rings)
    with Load(api, served.target, fresh=True) as load:
        five_restarts(served, load)


@pytest.mark.parametrize("fresh", [False, True])
def test_tls(api, chain, tmp_path, fresh):
    own = Certificate(tmp_path, "server", names=["localhost", "IP:127.0.0.1"])
    with_tls = ["--tls-cert", own.file, "--tls-key", own.key_file, "--tls-port", 0]
    served = chain("--host", "127.0.0.1", "--port", 0, *with_tls, "--rings", 2)
    port = served.server.logged("TLS: listening on").rpartition(":")[2]
    clear = served.server.logged("quoit-api: listening on").rpartition(" ")[2]
    with Load(api, f"127.0.0.1:{port}", 3, fresh, own) as load, Load(api, clear, 2) as other:
        five_restarts(served, load)
        other.goes_on()


def test_unix_and_others_at_once(api, chain, tmp_path):
    path = f"unix:{tmp_path}/socket"
    name = f"unix-abstract:quoit-restart-{os.getpid()}"
    served = chain("--listen", path, "--listen", name, "--listen", "localhost:0", "--rings", 2)
    port = served.server.logged("127.0.0.1:").rpartition(":")[2]
    with Load(api, path, 2) as unix, Load(api, name, 2) as abstract, Load(api, f"localhost:{port}", 2) as tcp:
        for _ in range(3):
            served.ended(served.restart())
            for load in (unix, abstract, tcp):
                load.goes_on(20)
    assert (tmp_path / "socket").is_socket()


def test_a_stream_ends_where_it_began(api, chain):
    served = chain("--listen", "127.0.0.1:0")
    with grpc.insecure_channel(served.target) as channel:
        stream = api.Stub(channel).getStream(api.ApiRequest(length=30_000))
        assert next(stream).id == 1
        old = served.restart()
        assert sum(1 for _ in stream) == 29_999
    served.ended(old)


def test_an_inherited_socket_is_passed_on(api, chain):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = chain("--listen", f"fd:{listener.fileno()}", pass_fds=[listener.fileno()])
        with Load(api, f"127.0.0.1:{listener.getsockname()[1]}", 2) as load:
            for _ in range(2):
                served.ended(served.restart())
                load.goes_on()


# ---- a new process that does not come up ----


@pytest.fixture
def installed(build, tmp_path):
    """quoit-api in a place where its file can be put in another one's."""
    program = tmp_path / "quoit-api"
    shutil.copy(build / "bin" / "quoit-api", program)

    def replace(text, mode=0o755):
        program.unlink()
        program.write_text(text)
        program.chmod(mode)

    return program, replace


def test_the_old_one_goes_on_where_the_new_one_fails(api, chain, installed, build):
    program, replace = installed
    served = chain("--listen", "127.0.0.1:0", program=program)
    with Load(api, served.target, 2) as load:
        replace("#!/bin/sh\necho 'no library' >&2\nexit 3\n")
        os.kill(served.pid, signal.SIGUSR2)
        assert served.server.logged("no restart: it ended with status 3")
        assert served.server.logged("no library")
        load.goes_on()
        replace("#!/bin/sh\nkill -9 $$\n")
        os.kill(served.pid, signal.SIGUSR2)
        assert served.server.logged("no restart: it was ended by signal 9")
        replace("", mode=0o644)
        os.kill(served.pid, signal.SIGUSR2)
        assert served.server.logged("no restart: Permission denied")
        load.goes_on()
        program.unlink()
        shutil.copy(build / "bin" / "quoit-api", program)
        served.ended(served.restart())
        load.goes_on()


def test_a_stop_ends_a_new_process_that_is_not_up_yet(chain, installed, tmp_path):
    program, replace = installed
    served = chain("--listen", "127.0.0.1:0", program=program)
    replace(f"#!/bin/sh\necho $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 1000\n")
    os.kill(served.pid, signal.SIGUSR2)
    eventually(lambda: (tmp_path / "pid").exists(), "it hangs")
    pid = int((tmp_path / "pid").read_text())
    served.stop()
    eventually(lambda: not os.path.exists(f"/proc/{pid}"), "it is gone")


def test_a_predecessor_that_has_gone_is_not_missed(api, build):
    def orphan():
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 9)

    variable = {"QUOIT_API_PREDECESSOR": "9\n"}
    served = Server(build / "bin" / "quoit-api", "--port", 0, env=variable, preexec=orphan, close_fds=False)
    try:
        with grpc.insecure_channel(served.target) as channel:
            api.Stub(channel).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE)
    finally:
        served.process.terminate()
        assert served.process.wait(PATIENCE) == 0


# ---- systemd ----


@pytest.fixture
def notified(tmp_path):
    """Where systemd would hear from its service: ($NOTIFY_SOCKET's value, next message)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(tmp_path / "notify"))
        inbox.settimeout(PATIENCE)
        yield str(tmp_path / "notify"), lambda: inbox.recv(1000).decode()


def test_systemd_is_told(chain, notified):
    address, heard = notified
    served = chain("--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": address})
    assert heard() == "READY=1"
    served.ended(served.restart())
    assert heard() == f"MAINPID={served.pid}"
    served.stop()
    assert heard() == "STOPPING=1"


def test_systemd_is_told_by_an_abstract_socket(chain):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(f"\0quoit-notify-{os.getpid()}")
        inbox.settimeout(PATIENCE)
        chain("--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": f"@quoit-notify-{os.getpid()}"})
        assert inbox.recv(1000) == b"READY=1"
