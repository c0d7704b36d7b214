# SPDX-License-Identifier: MIT
"""SIGUSR2: a new process takes the sockets over and the old one drains, and no call fails."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import types

import grpc
import hyperframe.frame as frames
import pytest

from certificates import Certificate
from servers import PATIENCE, Server, eventually
from wire import Wire

PR_SET_CHILD_SUBREAPER = 36
SYSTEMD = {"NOTIFY_SOCKET": "@quoit-nobody-listens"}  # as under systemd: it will know of another main process


class Chain:
    """quoit-api and its successors, one after the other; the newest is .pid."""

    def __init__(self, program, *arguments, **options):
        # whose parent has ended becomes ours: its exit status is to be seen
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        options.setdefault("env", SYSTEMD)
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
    old = served.restart()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", heard())
    assert heard() == f"MAINPID={served.pid}\nREADY=1\nSTATUS="
    served.ended(old)
    served.stop()
    assert heard() == "STOPPING=1"


def parent_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"PPid:\s+(\d+)", status.read())[1])


def test_the_main_process_is_a_child_of_systemd(chain, notified):
    """Which is who gets the orphans. It does not wait for others' children, and is told when it is so."""
    address, heard = notified
    served = chain("--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": address})
    assert heard() == "READY=1"
    for _ in range(2):
        os.kill(served.pid, signal.SIGUSR2)
        assert heard().startswith("RELOADING=1")
        pid = int(re.match(r"MAINPID=(\d+)\n", heard())[1])
        assert parent_of(pid) == os.getpid()
        old, served.pid = served.pid, pid
        served.ended(old)


class StuckStream:
    """A call that runs until it is read, as its client has no window left."""

    def __init__(self, api, target):
        self.wire = Wire(types.SimpleNamespace(port=int(target.rpartition(":")[2])), window=4096)
        self.stream = self.wire.request("/api.Api/getStream", api.ApiRequest(length=2_000).SerializeToString())
        self.answer = self.wire.streams[self.stream]
        self.wire.read(lambda: len(self.answer.data) == 4096, "as much as it may send")

    def finish(self):
        assert not self.answer.is_over
        self.wire.frame(frames.WindowUpdateFrame(self.stream, window_increment=2**30))
        self.wire.read(lambda: self.answer.is_over, "the rest")
        assert (self.answer.reset, self.answer.status) == (None, 0)
        assert len(self.answer.data) > 20_000
        self.wire.socket.close()

    def is_cancelled(self):
        """By a status, a reset, or with its connection."""
        self.wire.read(lambda: self.answer.is_over, "its end")
        assert self.answer.status in (None, 14) and (self.answer.is_over or self.wire.closed)
        self.wire.socket.close()


def is_alive(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("kill_mode", ["control-group", "mixed"])
@pytest.mark.parametrize("restarts", [1, 2])
def test_a_stop_sees_out_the_calls_of_all_processes(api, chain, kill_mode, restarts):
    """As systemd stops a service: SIGTERM to all of it, or to its main process, for whose end it waits; then it kills."""
    served = chain("--listen", "127.0.0.1:0", "--drain", "5m")
    streams, processes = [], []
    for _ in range(restarts):
        streams.append(StuckStream(api, served.target))
        processes.append(served.restart())
    streams.append(StuckStream(api, served.target))
    processes.append(served.pid)
    for pid in processes if kill_mode == "control-group" else processes[-1:]:
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.2)
    assert all(is_alive(pid) for pid in processes)
    for stream in reversed(streams):  # the main process would be through first
        stream.finish()
    served.pid = None
    os.waitid(os.P_PID, processes[-1], os.WEXITED | os.WNOWAIT)
    # the last one waits for the others' pipes, which the kernel closes a moment before they are gone
    eventually(lambda: not any(is_alive(pid) for pid in processes), "all processes are gone", 1)
    for pid in processes:
        served.ended(pid)


def test_the_old_process_has_a_time_of_its_own(api, chain):
    """Longer than a stop's; but a stop is a stop for it too, and a second one its end."""
    served = chain("--listen", "127.0.0.1:0", "--drain", "200ms")
    stream = StuckStream(api, served.target)
    old = served.restart()
    time.sleep(0.6)
    stream.finish()
    served.ended(old)
    stream = StuckStream(api, served.target)
    old = served.restart()
    os.kill(old, signal.SIGTERM)
    stream.is_cancelled()
    served.ended(old)


def test_restart_drain(api, chain):
    served = chain("--listen", "127.0.0.1:0", "--restart-drain", "200ms", "--drain", "never")
    stream = StuckStream(api, served.target)
    old = served.restart()
    stream.is_cancelled()
    served.ended(old)


def test_drain(api, start):
    server = start("quoit-api", "--port", 0, "--drain", "200ms")
    stream = StuckStream(api, server.target)
    server.signal()
    stream.is_cancelled()
    assert server.wait() == 0


# ---- --reload ----


def reload(build, pid):
    return subprocess.run(
        [build / "bin/quoit-api", "--reload", str(pid)], capture_output=True, text=True, timeout=2 * PATIENCE
    )


def test_reload_tells_how_it_went(api, chain, installed, build):
    program, replace = installed
    served = chain("--listen", "127.0.0.1:0", program=program)
    result = reload(build, served.pid)
    assert (result.returncode, result.stderr) == (0, "")
    old = served.pid
    served.pid = int(re.search(r"process (\d+) has taken over", served.server.logged("taken over"))[1])
    served.ended(old)
    replace("#!/bin/sh\nexit 3\n")
    result = reload(build, served.pid)
    assert result.returncode == 1
    assert result.stderr == f"quoit-api: error: process {served.pid} was not replaced: it ended with status 3\n"
    replace("", mode=0o644)
    result = reload(build, served.pid)
    assert result.returncode == 1 and "Permission denied" in result.stderr
    with Load(api, served.target, 2) as load:
        load.goes_on()


def test_reload_of_nobody(build):
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
        result = reload(build, ended.pid)
        assert result.returncode == 1 and "No such" in result.stderr
    with subprocess.Popen(["sleep", "1000"]) as other:  # SIGUSR2 ends it
        result = reload(build, other.pid)
        assert result.returncode == 1 and "it has ended" in result.stderr


def test_a_failed_restart_is_systemds_to_know(chain, installed, notified):
    program, replace = installed
    address, heard = notified
    served = chain("--listen", "127.0.0.1:0", program=program, env={"NOTIFY_SOCKET": address})
    assert heard() == "READY=1"
    replace("#!/bin/sh\nexit 3\n")
    os.kill(served.pid, signal.SIGUSR2)
    assert heard().startswith("RELOADING=1")
    assert heard() == "READY=1\nSTATUS=no restart: it ended with status 3"
    os.kill(served.pid, signal.SIGHUP)  # of Type=notify-reload too
    assert heard().startswith("RELOADING=1")
    assert heard() == "READY=1\nSTATUS="


def test_systemd_is_told_by_an_abstract_socket(chain):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(f"\0quoit-notify-{os.getpid()}")
        inbox.settimeout(PATIENCE)
        chain("--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": f"@quoit-notify-{os.getpid()}"})
        assert inbox.recv(1000) == b"READY=1"
