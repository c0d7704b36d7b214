# SPDX-License-Identifier: MIT
"""Where a server can listen, what it knows of who comes, and what it says of addresses that are none."""

import errno
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import grpc
import pytest

from netns import network
from servers import PATIENCE, Server, eventually

VSOCK_ANY = 0xFFFFFFFF

# LISTEN_PID is the process's own: it has to be set where that is known
ACTIVATED = ["/bin/sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh"]


@pytest.fixture
def refused(build):
    """Runs test-server with addresses that it can't take, and returns the one line that it says."""

    def run(*addresses, **options):
        arguments = [word for address in addresses for word in ("--address", address)]
        result = subprocess.run(
            [build / "tests/services/test-server", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            **options,
        )
        assert result.returncode == 1, result
        lines = [line for line in result.stderr.splitlines() if "listening on" not in line]
        assert len(lines) == 1, result.stderr
        return lines[0]

    return run


@pytest.fixture
def abstract():
    """A name that no other test has."""
    return f"quoit-test-{os.getpid()}-{os.urandom(4).hex()}"


def addresses(server, count):
    """Where it says that it listens."""

    def said():
        lines = [line for line in server.log if "listening on" in line]
        return len(lines) == count and [line.split("listening on ")[1] for line in lines]

    return eventually(said, f"{count} listeners")


def peer(calls, target):
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        return calls.Stub(channel).Peer(calls.Empty(), timeout=PATIENCE)


def test_unix_tells_who_comes(calls, start, tmp_path):
    address = f"unix:{tmp_path}/socket"
    server = start("test-server", "--address", address)
    assert server.address == address
    reply = peer(calls, address)
    assert (reply.result, reply.pid, reply.uid, reply.gid) == (0, os.getpid(), os.getuid(), os.getgid())
    assert (reply.address, reply.local) == ("unix:", address)


def test_unix_with_slashes(calls, start, tmp_path):
    server = start("test-server", "--address", f"unix://{tmp_path}/socket")
    assert server.address == f"unix:{tmp_path}/socket"
    assert peer(calls, f"unix://{tmp_path}/socket").result == 0


def test_unix_abstract(calls, start, refused, abstract):
    address = f"unix-abstract:{abstract}"
    server = start("test-server", "--address", address)
    assert server.address == address
    reply = peer(calls, address)
    assert (reply.result, reply.pid, reply.local) == (0, os.getpid(), address)
    assert "in use" in refused(address)


def test_a_name_of_the_peer_is_escaped(calls, start, tmp_path):
    """It is the peer's choice, and goes into logs."""
    server = start("test-server", "--address", f"unix:{tmp_path}/socket", "--limit", "handshake_ms=50")
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(b"\0line\nfeed \xff")
        client.connect(f"{tmp_path}/socket")
        assert server.logged("no HTTP/2 preface").count("unix-abstract:line%0Afeed%20%FF: ") == 1


def test_tcp_has_no_credentials(calls, start):
    server = start("test-server", "--address", "*:0")
    reply = peer(calls, f"127.0.0.1:{server.port}")
    assert reply.result == -errno.ENODATA and (reply.pid, reply.uid, reply.gid) == (0, 0, 0)
    assert reply.local == f"ipv4:127.0.0.1:{server.port}"
    assert re.fullmatch(r"ipv4:127\.0\.0\.1:\d+", reply.address)
    reply = peer(calls, f"[::1]:{server.port}")
    assert reply.local == f"ipv6:[::1]:{server.port}"


def test_several(calls, start, tmp_path, abstract):
    given = [f"unix:{tmp_path}/one", f"unix-abstract:{abstract}", "127.0.0.1:0", "[::1]:0"]
    server = start("test-server", "--rings", 2, *[word for each in given for word in ("--address", each)])
    for address in addresses(server, 4):
        assert peer(calls, address).local.endswith(address)


# ---- what is printed can be given again ----


def peer_in(net, calls, target):
    """What the server says of a client in @net. A process of its own: gRPC's threads stay where they began."""
    script = (
        "import os, sys; sys.path[:0] = sys.argv[2].split(os.pathsep); import grpc, calls_pb2 as c, calls_pb2_grpc as g\n"
        "with grpc.insecure_channel(sys.argv[1]) as channel:\n"
        f"    reply = g.CallsStub(channel).Peer(c.Empty(), timeout={PATIENCE}); print(reply.address, reply.local)"
    )
    command = [sys.executable, "-c", script, target, os.path.dirname(calls.__file__)]
    out = net.run(lambda: subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True))
    return out.stdout.split()


@pytest.mark.parametrize(
    "name, zone", [(b"lo", "lo"), (b"eth-0._~x", "eth-0._~x"), (b"br@]#x", "1"), (b"\x01\xff", "1"), (b"7", "7")]
)
def test_zones(calls, start, name, zone):
    """An address of one link is none without its interface. A name that could be misread gives way to its number."""
    with network() as net:
        net.rename(name)
        net.add_address("fe80::1")
        server = net.run(lambda: start("test-server", "--address", "[fe80::1%1]:0"))
        assert server.address == f"[fe80::1%{zone}]:{server.port}"
        address, local = peer_in(net, calls, f"ipv6:[fe80::1%251]:{server.port}")
        assert local == f"ipv6:[fe80::1%25{zone}]:{server.port}"
        assert re.fullmatch(rf"ipv6:\[fe80::1%25{re.escape(zone)}\]:\d+", address)
        said = server.address
        for again in said, local:
            server.stop()
            server = net.run(lambda: start("test-server", "--address", again))
            assert server.address == said


@pytest.mark.parametrize("given", ["127.0.0.1:0", "[::1]:0", ":0", "unix:{}/a b%41", "unix-abstract:{} %0A%FF"])
def test_what_is_printed_is_taken(calls, start, tmp_path, given):
    """By --listen, and by clients."""
    escaped = given.format(tmp_path).replace("%41", "%2541").replace(" ", "%20")
    server = start("test-server", "--address", escaped)
    said = server.address
    assert said == escaped or server.port > 0
    local = peer(calls, said).local
    assert local.endswith(said) or said.startswith("[::]:")
    server.stop()
    assert start("test-server", "--address", said).address == said


def has_vsock_family():
    try:
        socket.socket(socket.AF_VSOCK).close()
    except OSError:
        return False
    return True


def has_vsock():
    """Whether bytes travel between two vsocks of this machine: its kernel may have no vsock_loopback."""
    try:
        with socket.socket(socket.AF_VSOCK) as listener, socket.socket(socket.AF_VSOCK) as client:
            listener.bind((VSOCK_ANY, VSOCK_ANY))
            listener.listen()
            client.settimeout(0.5)
            client.connect((1, listener.getsockname()[1]))
            return True
    except OSError:
        return False


def test_vsock(calls, start):
    if not has_vsock_family():
        pytest.skip("the kernel has no vsock")
    server = start("test-server", "--address", "vsock:any:any")
    assert re.fullmatch(rf"vsock:{VSOCK_ANY}:\d+", server.address)
    if not has_vsock():
        pytest.skip("the kernel has no vsock_loopback: it listens, but nobody can come")
    reply = peer(calls, f"vsock:1:{server.address.rpartition(':')[2]}")
    assert reply.result == -errno.ENODATA
    assert reply.address.startswith("vsock:1:") and reply.local.startswith("vsock:1:")


# ---- what others have opened ----


def listening(family=socket.AF_INET, address=("127.0.0.1", 0)):
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    return listener


def test_an_inherited_descriptor(calls, start, tmp_path):
    with listening() as tcp, listening(socket.AF_UNIX, str(tmp_path / "socket")) as unix:
        tcp.setblocking(False)  # as a program with a loop of its own has it
        fds = [tcp.fileno(), unix.fileno()]
        arguments = [word for fd in fds for word in ("--address", f"fd:{fd}")]
        server = start("test-server", *arguments, pass_fds=fds)
        assert addresses(server, 2) == [f"127.0.0.1:{tcp.getsockname()[1]}", f"unix:{tmp_path}/socket"]
        for address in addresses(server, 2):
            assert peer(calls, address).local.endswith(address)


def test_a_connection_that_waits_in_an_inherited_queue_is_served(calls, start):
    with listening() as tcp:
        with grpc.insecure_channel(f"127.0.0.1:{tcp.getsockname()[1]}") as channel:
            future = calls.Stub(channel).Echo.future(calls.Payload(text="early"), timeout=PATIENCE)
            start("test-server", "--address", f"fd:{tcp.fileno()}", pass_fds=[tcp.fileno()])
            assert future.result().text == "early"


def test_descriptors_that_are_none(refused, tmp_path):
    assert "no such descriptor" in refused("fd:77")
    with open(tmp_path / "file", "w") as file:
        assert "not a socket" in refused(f"fd:{file.fileno()}", pass_fds=[file.fileno()])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        assert "not a stream socket" in refused(f"fd:{udp.fileno()}", pass_fds=[udp.fileno()])
    with socket.socket() as idle:
        assert "does not listen" in refused(f"fd:{idle.fileno()}", pass_fds=[idle.fileno()])
    with listening() as twice:
        address = f"fd:{twice.fileno()}"
        assert "already" in refused(address, address, pass_fds=[twice.fileno()])


@pytest.fixture
def activated(build):
    """activated(count, *arguments, names=None): test-server as systemd starts it, with @count sockets from 3 on."""
    servers, opened = [], []

    def run(count, *arguments, names=None):
        opened.extend(listening() for _ in range(count))
        fds = [listener.fileno() for listener in opened[-count:]]

        def place():  # in the child: out of the way of each other, then to 3 and up
            spare = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
            for i, fd in enumerate(spare):
                os.dup2(fd, 3 + i)

        environment = {"LISTEN_FDS": str(count), **({"LISTEN_FDNAMES": names} if names else {})}
        ports = [listener.getsockname()[1] for listener in opened[-count:]]
        program = build / "tests/services/test-server"
        servers.append(
            Server(*ACTIVATED, program, *arguments, env=environment, preexec=place, close_fds=False)
        )
        return servers[-1], ports

    yield run
    for server in servers:
        server.stop()
    for listener in opened:
        listener.close()


def test_systemd(calls, activated):
    server, ports = activated(2, "--address", "systemd")
    assert addresses(server, 2) == [f"127.0.0.1:{port}" for port in ports]
    for port in ports:
        assert peer(calls, f"127.0.0.1:{port}").local == f"ipv4:127.0.0.1:{port}"


def test_systemd_by_name(activated):
    arguments = ["--address", "systemd:b", "--address", "systemd:a"]
    server, ports = activated(3, *arguments, names="a:b:a")
    assert addresses(server, 3) == [f"127.0.0.1:{ports[i]}" for i in (1, 0, 2)]


def test_systemd_that_is_none(refused):
    assert "systemd passed no sockets" in refused("systemd")
    assert "systemd passed no sockets" in refused("systemd:grpc", env={**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"})


def test_systemd_socket_activate(build, calls, tmp_path):
    """systemd's own tool, where there is one."""
    tool = "/usr/bin/systemd-socket-activate"
    if not os.access(tool, os.X_OK):
        pytest.skip("systemd-socket-activate is missing")
    path = f"{tmp_path}/socket"
    program = str(build / "tests/services/test-server")
    process = subprocess.Popen(
        [tool, "--listen", path, "--fdname=grpc", program, "--address", "systemd:grpc"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert "Listening on" in process.stderr.readline()
        assert peer(calls, f"unix:{path}").local == f"unix:{path}"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        process.stderr.close()


# ---- addresses that are none ----


@pytest.mark.parametrize(
    "address, said",
    [
        ("nonsense", "is not an address"),
        ("unix:", "is not an address"),
        ("vsock:x:1", "is not an address"),
        ("fd:", "is not an address"),
        ("unix:/no/such/folder/socket", "folder does not exist"),
        ("unix:" + "a" * 108, "107 bytes"),
        ("unix-abstract:" + "a" * 108, "107 bytes"),
        ("192.0.2.1:0", "this machine does not have that address"),
        ("no-such-host.invalid:0", "does not resolve"),
        ("127.0.0.1:99999", "a port is at most 65535"),
        ("[::1]:18446744073709551617", "a port is at most 65535"),
        ("vsock:4294967296:1", "at most 4294967295"),
        ("fd:2147483648", "at most 2147483647"),
        ("[fe80::1]:0", "needs its interface"),
        ("[fe80::1%99999]:0", "no such network interface"),
        ("[fe80::1%nope]:0", "no such network interface"),
        ("[fe80::1%]:0", "no such network interface"),
        ("[::1%lo]:0", "only an address of one link"),
        ("[2001:db8::1%lo]:0", "only an address of one link"),
        ("[ff02::1%lo]:0", "not an address that a TCP socket can have"),
        ("[::ffff:192.0.2.1]:0", "this machine does not have that address"),
        ("unix:/dev/null/socket", "a part of its path is not a folder"),
    ],
)
def test_bad_addresses(refused, address, said):
    line = refused(address)
    assert said in line and address in line


@pytest.mark.parametrize(
    "forbidden, address, said, unsaid",
    [
        ("landlock", "127.0.0.1:50051", "Landlock", "1024"),
        ("landlock", "[::1]:65535", "Landlock", "seccomp"),
        ("bind=EACCES", "127.0.0.1:50051", "a seccomp filter or a security policy", "1024"),
        ("bind=EACCES", "localhost:0", "a seccomp filter or a security policy", "1024"),
        ("bind=EACCES", "unix:{folder}/socket", "a seccomp filter or a security policy", "its folder"),
        ("bind=EACCES", "unix-abstract:{name}", "a seccomp filter or a security policy", "1024"),
        ("bind=EACCES", "vsock:any:50051", "a seccomp filter or a security policy", "1024"),
        ("bind=EPERM", "127.0.0.1:50051", "BPF program of the cgroup", "1024"),
        ("bind=ENOSYS", "127.0.0.1:50051", "a seccomp filter", "kernel"),
        ("listen=EPERM", "127.0.0.1:0", "a seccomp filter", "1024"),
        ("setsockopt=EPERM", "127.0.0.1:0", "a seccomp filter", "1024"),
        ("capability=10", "127.0.0.1:{port}", "ports below {first} need the capability", "policy"),
        ("capability=10", "[::1]:{port}", "ports below {first} need the capability", "policy"),
        ("socket=EAFNOSUPPORT", "[::1]:0", "IPv6", "CAP_"),
        ("socket=EAFNOSUPPORT", "127.0.0.1:0", "RestrictAddressFamilies", "IPv6"),
        ("socket=EAFNOSUPPORT", "unix:{folder}/socket", "RestrictAddressFamilies", "IPv6"),
        ("socket=EMFILE", "127.0.0.1:0", "RLIMIT_NOFILE", "machine"),
        ("socket=ENFILE", "127.0.0.1:0", "fs.file-max", "RLIMIT"),
        ("socket=ENOBUFS", "127.0.0.1:0", "no memory for a socket", "policy"),
        ("bind=EROFS", "unix:{folder}/socket", "read-only", "policy"),
        ("bind=ENODEV", "[fe80::1%lo]:0", "no such network interface", "policy"),
    ],
)
def test_what_forbids_it_is_told(build, tmp_path, abstract, forbidden, address, said, unsaid):
    """Each is really forbidden, by a filter, by Landlock, by the lack of a capability."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    address = address.format(folder=tmp_path, name=abstract, port=first - 1, first=first)
    if forbidden.startswith("capability") and (os.getuid() != 0 or first == 0):
        pytest.skip("every port is for everybody here, or this is not root")
    if address.startswith("vsock") and not has_vsock_family():
        pytest.skip("the kernel has no vsock")
    result = subprocess.run(
        [build / "tests/forbid", forbidden, "--", build / "bin/quoit-api", "--listen", address],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if forbidden == "landlock" and "forbid: landlock" in result.stderr:
        pytest.skip("the kernel has no Landlock that knows TCP")
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result
    assert address in result.stderr
    reason = result.stderr.replace(address, "")  # whose name or path may have any digits in it
    assert said.format(first=first) in reason and unsaid not in reason


def test_a_folder_that_is_not_this_users(other_user):
    folder, run = other_user
    assert "this user may not write to its folder" in run("--listen", f"unix:{folder}/socket")


def test_a_dead_socket_of_another_user(other_user):
    folder, run = other_user
    (folder / "shared").mkdir()
    os.chmod(folder / "shared", 0o1777)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "shared" / "socket"))
        os.chmod(folder / "shared" / "socket", 0o777)
    assert "an unused socket of another user is there" in run("--listen", f"unix:{folder}/shared/socket")


def test_an_ipv4_address_as_ipv6_writes_it(calls, start):
    server = start("test-server", "--address", "[::ffff:127.0.0.1]:0")
    assert server.address == f"127.0.0.1:{server.port}"
    assert peer(calls, server.address).local == f"ipv4:127.0.0.1:{server.port}"


def test_too_many(refused, abstract):
    assert "at most 32 listening sockets" in refused(*[f"unix-abstract:{abstract}-{i}" for i in range(33)])


def test_a_file_that_is_no_socket_stays(refused, tmp_path):
    (tmp_path / "file").write_text("precious")
    assert "not a socket" in refused(f"unix:{tmp_path}/file")
    assert (tmp_path / "file").read_text() == "precious"


def test_a_path_that_is_served_is_not_taken(start, refused, tmp_path):
    start("test-server", "--address", f"unix:{tmp_path}/socket")
    assert "another process" in refused(f"unix:{tmp_path}/socket")


@pytest.mark.parametrize("kind", ["tcp", "unix", "abstract"])
def test_again_right_after_a_kill(start, tmp_path, abstract, kind, build):
    """The kernel closes what a ring had a little after the process is gone."""
    address = {"tcp": "127.0.0.1:0", "unix": f"unix:{tmp_path}/socket", "abstract": f"unix-abstract:{abstract}"}[kind]
    for _ in range(10):
        server = Server(build / "tests/services/test-server", "--address", address)
        address = server.address
        server.signal(signal.SIGKILL)
        server.wait()
    start("test-server", "--address", address)
