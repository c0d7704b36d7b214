# SPDX-License-Identifier: MIT
"""quoit-api's command line, its environment, what it says, and what it says is wrong."""

import json
import os
import re
import signal
import socket
import subprocess

import grpc
import pytest

from servers import PATIENCE, TIME, eventually, free_port
from wire import Wire


@pytest.fixture
def run(build):
    """Runs quoit-api to its end."""

    def run_it(*arguments, env=None, preexec=None):
        return subprocess.run(
            [str(build / "bin" / "quoit-api"), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **(env or {})},
            preexec_fn=preexec,
        )

    return run_it


def one_line(text):
    assert re.fullmatch(rf"({TIME})?quoit-api: [^\n]+\n", text), text
    return text


def test_a_hangup_without_a_file_to_read_is_nothing(start):
    server = start("quoit-api", "--port", 0)
    server.signal(signal.SIGHUP)
    server.signal()
    assert server.wait() == 0


def test_help_names_every_option(run):
    result = run("--help")
    assert result.returncode == 0 and result.stderr == ""
    for word in ("--host", "--port", "--listen", "--unix-mode", "--rings", "--workers", "--tls-cert", "--help", "--version"):
        assert word in result.stdout
    assert "BACKEND_HOST" in result.stdout and "BACKEND_PORT" in result.stdout


def test_version(run):
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"quoit-api \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["-x"],
        ["-p50051"],
        ["--no-health=1"],
        ["extra"],
        ["--port"],
        ["--port", ""],
        ["--port", "http"],
        ["--port", "-1"],
        ["--port", "65536"],
        ["--port", "99999999999999999999"],
        ["--port", "80x"],
        ["--listen"],
        ["--listen", "[::]:0", "--port", "0"],
        ["--listen", "[::]:0", "--host", "::"],
        ["--listen", ""] * 17,
        ["--unix-mode", "0"],
        ["--unix-mode", "8"],
        ["--unix-mode", "rw"],
        ["--unix-mode", "1777"],
        ["--rings", "0"],
        ["--rings", "100000"],
        ["--workers", "-1"],
        ["--workers", "many"],
        ["--max-connections", "0"],
        ["--max-connections-per-address", "-3"],
        ["--max-calls", "4294967296"],
        ["--max-memory", "0"],
        ["--max-memory", "1023K"],
        ["--max-memory", "12X"],
        ["--max-memory", "1MB"],
        ["--max-memory", "-1G"],
        ["--max-memory", "8388608T"],
        ["--max-memory", "all"],
        ["--limit", ""],
        ["--limit", "streams_max"],
        ["--limit", "=5"],
        ["--limit", "streams_max="],
        ["--limit", "streams_max=0"],
        ["--limit", "streams_max=4294967296"],
        ["--limit", "streams_max=1K"],
        ["--limit", "header_bytes_max=0"],
        ["--limit", "header_bytes_max=4G"],
        ["--limit", "header_bytes_max=none"],
        ["--limit", "memory_bytes_max=-1"],
        ["--limit", "stall_ms=30"],
        ["--limit", "stall_ms=0"],
        ["--limit", "x" * 5000 + "=1"],
        ["--drain", "30"],
        ["--drain", "0"],
        ["--drain", "1d"],
        ["--drain", "-1s"],
        ["--drain", "s"],
        ["--drain", "1193046h"],
        ["--drain", "18446744073709551617s"],
        ["--lame-duck", "5 s"],
        ["--restart-drain", "forever"],
        ["--keepalive", "0s"],
        ["--keepalive-timeout", "1.5s"],
        ["--ping-interval", ""],
        ["--ping-interval-idle", "2H"],
        ["--ping-strikes", "0"],
        ["--max-connection-idle", "0ms"],
        ["--max-connection-age", "4294967295ms"],
        ["--max-connection-age-grace", "ms"],
        ["--log-level", "notice"],
        ["--log-format", "xml"],
        ["--access-log-format", "csv"],
        ["--tls-min", "1.1"],
        ["--tls-port", "tls"],
        ["--tls-threads", "0"],
        ["--engine", "kqueue"],
        ["--reload", "0"],
        ["--reload", "pid"],
    ],
    ids=" ".join,
)
def test_bad_options(run, arguments):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert arguments[0].split("=")[0] in one_line(result.stderr)


# ---- the environment and the file ----


def options(run):
    """Those that serve: [(name, the name of its value or "", its variable)]."""
    told = run("--help").stdout
    variables = {"host": "BACKEND_HOST", "port": "BACKEND_PORT"}
    found = re.findall(r"^  --([\w-]+)(?: ([A-Z=]+))?", told, re.M)
    serving = [(name, value) for name, value in found if name not in ONLY_ON_THE_COMMAND_LINE]
    return [(name, value, variables.get(name, "QUOIT_API_" + name.upper().replace("-", "_"))) for name, value in serving]


ONLY_ON_THE_COMMAND_LINE = {"help", "version", "reload", "health-check", "config"}
# Options whose value can be anything: what is wrong with it is found later.
ANYTHING = {"host", "listen", "tls-cert", "tls-key", "tls-client-ca", "tls-ticket-key", "access-log"}
ANYTHING |= {"admin", "cors-origin"}  # the server says what is wrong with these
ANYTHING |= {"otlp-endpoint", "health-target", "health-service", "health-tls-ca", "health-tls-name", "health-tls-cert", "health-tls-key"}


def test_every_option_is_in_the_environment_and_in_the_file(run, tmp_path):
    """Each says where its wrong value stands."""
    file = tmp_path / "config"
    known = options(run)
    assert len(known) > 35
    for name, value, variable in known:
        if name in ANYTHING:
            continue
        file.write_text(f"# a comment\n\n  {name} = nonsense\n")
        for told, where in (run(env={variable: "nonsense"}), variable), (run("--config", file), f"{file}:3: {name}"):
            assert (told.returncode, told.stdout) == (2, ""), name
            assert f"error: {where}" in one_line(told.stderr) and "nonsense" in told.stderr, name


@pytest.mark.parametrize(
    "text, problem",
    [
        ("rings 1\nfrobnicate 3\n", ":2: unknown option 'frobnicate'"),
        ("--rings 1\n", ":1: unknown option '--rings'"),
        ("# rings\n\trings\r\n", ":2: rings needs a value"),
        ("rings=2=3\n", ":1: rings: '2=3' is not a number from 1 to 1024"),
        ("rings 1 # one\n", ":1: rings: '1 # one' is not a number"),
        ("no-health yes", ":1: no-health: 'yes' is neither true nor false"),
        ("limit streams_max=none\n", ":1: limit streams_max: 'none' is not a number"),
        ("limit = max_streams=3\n", ":1: limit: there is no limit 'max_streams', the nearest is streams_max; --limit help lists them"),
        ("reload 1", ":1: reload cannot be set in a file"),
        ("config other", ":1: config cannot be set in a file"),
        ("listen [::]:0\nport 0\n", "--listen replaces --host and --port"),
        ("rings 1\0\n", ":1: it has a zero byte"),
        ("=\n", ":1: unknown option ''"),
    ],
)
def test_a_file_with_a_mistake(run, tmp_path, text, problem):
    file = tmp_path / "config"
    file.write_text(text)
    told = run("--config", file)
    assert (told.returncode, told.stdout) == (2, "")
    assert problem in one_line(told.stderr)


def test_a_file_that_is_none(run, tmp_path):
    for path, problem in (tmp_path / "none", "No such file"), (tmp_path, "Is a directory"):
        told = run(env={"QUOIT_API_CONFIG": str(path)})
        assert told.returncode == 2 and f"--config: {path}: {problem}" in one_line(told.stderr)


def settings(server):
    """Its SETTINGS_MAX_CONCURRENT_STREAMS and _MAX_HEADER_LIST_SIZE."""
    with Wire(server) as peer:
        peer.read(lambda: peer.settings, "SETTINGS")
        return peer.settings[3], peer.settings[6]


def test_which_place_counts(start, tmp_path):
    """The command line, then the environment, then the file; of limits each has its own."""
    file = tmp_path / "config"
    file.write_text("port 1\nlimit streams_max=5\nlimit=header_bytes_max=2K\nlog-level error\nno-health\n")
    env = {"QUOIT_API_CONFIG": str(file), "QUOIT_API_LIMIT": "streams_max=6,header_bytes_max=3K", "QUOIT_API_LOG_LEVEL": "info", "BACKEND_PORT": "0"}
    assert settings(start("quoit-api", env=env)) == (6, 3072)
    assert settings(start("quoit-api", "--limit", "streams_max=7", env=env)) == (7, 3072)
    assert settings(start("quoit-api", "--config", file, "--port", 0, "--log-level", "info")) == (5, 2048)


def test_a_switch_can_be_switched_back(start, tmp_path):
    file = tmp_path / "config"
    file.write_text("port = 0\nno-health\nno-reflection true\n")
    for env, code in ({}, grpc.StatusCode.UNIMPLEMENTED), ({"QUOIT_API_NO_HEALTH": "false"}, None):
        server = start("quoit-api", "--config", file, env=env)
        with grpc.insecure_channel(server.target) as channel:
            if not code:
                assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=PATIENCE) == b"\x08\x01"
                continue
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=PATIENCE)
            assert error.value.code() == code


@pytest.mark.parametrize("place", ["environment", "file"])
def test_addresses_of_another_place(start, tmp_path, place):
    """--port on the command line replaces them; and they, there, a host and a port of before."""
    file = tmp_path / "config"
    file.write_text(f"listen unix:{tmp_path}/a\nlisten unix:{tmp_path}/b\n" if place == "file" else "host 192.0.2.1\nport x\n")
    env = {"QUOIT_API_LISTEN": f"unix:{tmp_path}/a,unix:{tmp_path}/b"} if place == "environment" else {}
    server = start("quoit-api", "--config", file, env=env)
    assert server.address == f"unix:{tmp_path}/a" and server.logged(f"listening on unix:{tmp_path}/b")
    assert start("quoit-api", "--config", file, "--host", "127.0.0.1", "--port", 0, env=env).address.startswith("127.0.0.1:")
    assert start("quoit-api", "--config", file, "--listen", f"unix:{tmp_path}/c", env=env).address == f"unix:{tmp_path}/c"


def test_a_changed_file_counts_with_a_new_process(api, start, tmp_path):
    file = tmp_path / "config"
    file.write_text("port 0\nlimit streams_max=5\n")
    server = start("quoit-api", "--config", file)
    assert settings(server)[0] == 5
    file.write_text("port 0\nlimit streams_max=6\n")
    server.signal(signal.SIGUSR2)
    eventually(lambda: settings(server)[0] == 6, "the new process's limit")


# ---- the log ----


def test_a_log_of_json(start, tmp_path):
    address = f"unix:{tmp_path}/socket"
    server = start("quoit-api", "--listen", address, "--log-format", "json")
    server.stop()
    lines = [json.loads(line) for line in server.log]
    assert all(list(line) == ["time", "level", "program", "message"] for line in lines)
    assert all(re.fullmatch(TIME, line["time"] + " ") and line["program"] == "quoit-api" for line in lines)
    assert [(line["level"], line["message"]) for line in lines] == [("info", f"listening on {address}"), ("info", "stopped")]


def test_wrong_options_are_told_as_json_too(run):
    told = json.loads(run("--log-format", "json", "--rings", '"').stderr)
    assert told["level"] == "error" and told["message"].startswith("--rings: '\"' is not a number")


def test_levels_of_the_log(run):
    """The warning that a variable is ignored is left out."""
    for level, lines in ("warning", 2), ("error", 1):
        told = run("--log-level", level, "--host", "192.0.2.1", env={"BACKEND_PORT": "tcp://10.0.0.1:1"})
        assert told.returncode == 1
        assert len(told.stderr.splitlines()) == lines and "error: " in told.stderr


def limits(root):
    """The members of quoit_limits."""
    return re.findall(r"^ {8}(?:uint32_t|size_t) (\w+);", (root / "include/quoit/limits.h").read_text(), re.M)


def test_every_limit_is_listed_and_explained(root, run):
    listed = run("--limit", "help")
    found = re.findall(r"^(\w+)=(SIZE|TIME|N)\n((?:    .*\n)+)", listed.stdout, re.M)
    assert listed.returncode == 0 and [name for name, _, _ in found] == limits(root) and len(found) > 50
    for name, unit, about in found:
        assert "Default" in about, name
        assert not re.search(r"UINT32_MAX|SIZE_MAX|[KMG]iB|\d \d{3}\b", about), name
        assert unit == ("TIME" if name.endswith("_ms") else "SIZE" if "bytes" in name else "N"), name
    assert max(map(len, listed.stdout.splitlines())) <= 100
    assert "UINT32_MAX" not in listed.stdout


def test_defaults_are_listed_as_they_are_typed(run):
    """Each can be given as it stands there."""
    listed = run("--limit", "help").stdout
    typed = re.findall(r"^(\w+)=(\w+)\n((?:    .*\n)+)", listed, re.M)
    given = []
    for name, unit, about in typed:
        value = re.search(r"Default:?\s+((?:\d+(?:ms|[KMGTsmh])?|never)\b(?! - 1))", about)
        assert value or re.search(r"Default:? (2G - 1|half of|connections_max)", " ".join(about.split())), name
        if value:
            assert unit != "TIME" or re.fullmatch(r"never|\d+(ms|s|m|h)", value[1]), name
            given += ["--limit", f"{name}={value[1]}"]
    assert len(given) > 100
    assert run(*given, "--limit", "help").returncode == 0


def test_a_limit_that_is_none_is_told_the_nearest(run):
    told = run("--limit", "max_streams=5")
    assert (told.returncode, told.stdout) == (2, "")
    assert "--limit: there is no limit 'max_streams', the nearest is streams_max; --limit help lists them; see quoit-api --help\n" in told.stderr
    assert "the nearest is header_bytes_max;" in run("--limit", "heder_byte_max=1").stderr


@pytest.mark.parametrize(
    "limit, range",
    [
        ("frame_bytes_max=1K", "frame_bytes_max is from 16384 to 16777215"),
        ("frame_bytes_max=16M", "frame_bytes_max is from 16384 to 16777215"),
        ("window_bytes_max=2G", "a window has at most 2147483647 bytes"),
    ],
)
def test_what_no_server_has_is_told_in_one_line(run, limit, range):
    told = run("--limit", limit)
    assert (told.returncode, told.stdout) == (2, "")
    assert one_line(told.stderr) == f"quoit-api: error: limits: {range}; see quoit-api --help\n"


def test_a_limit_is_set(start):
    server = start("quoit-api", "--port", 0, "--limit", "header_bytes_max=1K", "--limit", "streams_max=7", "--limit", "header_fields_max=12")
    with Wire(server) as peer:
        peer.read(lambda: peer.settings, "SETTINGS")
        assert (peer.settings[3], peer.settings[6]) == (7, 1024)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        hello = channel.unary_unary("/api.Api/sayHello")
        for metadata, limit in ([("x", "y" * 1000)], "header_bytes_max"), ([(f"x{i}", "y") for i in range(9)], "header_fields_max"):
            with pytest.raises(grpc.RpcError) as error:
                hello(b"", metadata=metadata, timeout=20)
            assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert error.value.details() == f"request metadata is over the limit ({limit})"
        hello(b"", timeout=20)


def test_bad_port_in_the_environment(run):
    result = run(env={"BACKEND_PORT": "fifty"})
    assert (result.returncode, result.stdout) == (2, "")
    assert "BACKEND_PORT" in one_line(result.stderr)


# What Kubernetes sets beside a Service called "backend", and Docker for a link of that name.
OTHERS = {
    "BACKEND_SERVICE_HOST": "10.0.0.1",
    "BACKEND_SERVICE_PORT": "50051",
    "BACKEND_PORT_50051_TCP_ADDR": "10.0.0.1",
    "BACKEND_NAME": "/web/backend",
}


@pytest.mark.parametrize("value", ["tcp://10.0.0.1:50051", "tcp://[fd00::1]:443", "udp://172.17.0.5:53", "sctp://10.0.0.1:9"])
@pytest.mark.parametrize("name", ["BACKEND_PORT", "BACKEND_HOST"])
def test_a_service_called_backend(start, name, value):
    """It is one line, and what would be without the variable."""
    given = ["--host", "127.0.0.1"] if name == "BACKEND_PORT" else ["--port", 0]
    with socket.socket() as probe:
        if name == "BACKEND_PORT" and probe.connect_ex(("127.0.0.1", 50051)) == 0:
            pytest.skip("port 50051 is taken")
    server = start("quoit-api", *given, env={**OTHERS, name: value})
    assert server.address.endswith(":50051") == (name == "BACKEND_PORT")
    assert len([line for line in server.log if f"{name}='{value}' is ignored" in line]) == 1


@pytest.mark.parametrize("value", ["tcp://10.0.0.1:50051", "fifty", "-1", "70000"])
@pytest.mark.parametrize("given", [["--port", 0], ["--listen", "127.0.0.1:0"]], ids=lambda words: words[0])
def test_an_option_goes_before_the_environment(start, given, value):
    """Which nobody looks at then."""
    server = start("quoit-api", *given, "--rings", 1, env={**OTHERS, "BACKEND_PORT": value})
    server.signal()
    assert server.wait() == 0
    assert "BACKEND" not in "".join(server.log)


def test_the_host_of_the_environment_is_not_looked_at(start):
    server = start("quoit-api", "--host", "127.0.0.1", "--port", 0, env={"BACKEND_HOST": "tcp://10.0.0.1:1"})
    assert server.address.startswith("127.0.0.1:") and "BACKEND" not in "".join(server.log)


def test_listen_in_place_of_host_and_port(api, start, tmp_path):
    addresses = [f"unix:{tmp_path}/socket", "127.0.0.1:0"]
    arguments = [word for address in addresses for word in ("--listen", address)]
    server = start("quoit-api", *arguments, "--unix-mode", 600, env={"BACKEND_PORT": "1"})
    assert server.address == addresses[0]
    assert (tmp_path / "socket").stat().st_mode & 0o7777 == 0o600
    assert hello(api, server.target)
    assert hello(api, server.logged("127.0.0.1:").split()[-1])


def test_an_address_that_is_none(run):
    result = run("--listen", "127.0.0.1:0", "--listen", "nonsense")
    assert result.returncode == 1 and "'nonsense' is not an address" in one_line(result.stderr)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", ""])
def test_port_in_use(run, host):
    with socket.socket(socket.AF_INET6 if host in ("::", "") else socket.AF_INET) as taken:
        taken.bind((host, 0))
        taken.listen()
        result = run("--host", host, "--port", taken.getsockname()[1])
    assert (result.returncode, result.stdout) == (1, "")
    assert "in use" in one_line(result.stderr)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "300.1.2.3", "a:b"])
def test_a_host_that_is_not_here(run, host):
    result = run("--host", host, "--port", 0)
    assert result.returncode != 0 and result.stdout == ""
    assert host in one_line(result.stderr)


def hello(api, target):
    with grpc.insecure_channel(target) as opened:
        reply = api.Stub(opened).sayHello(api.HelloRequest(name="you"), timeout=PATIENCE)
    return reply.message == "Hello you!"


def test_host_and_port_from_the_environment(api, start):
    port = free_port()
    server = start("quoit-api", env={"BACKEND_HOST": "127.0.0.1", "BACKEND_PORT": str(port)})
    assert server.address == f"127.0.0.1:{port}"
    assert hello(api, server.address)


def test_options_beat_the_environment(api, start):
    env = {"BACKEND_HOST": "192.0.2.1", "BACKEND_PORT": "1"}
    server = start("quoit-api", "--host", "localhost", "--port", 0, env=env)
    assert server.port not in (0, 1)
    assert hello(api, f"localhost:{server.port}")


@pytest.mark.parametrize(
    "host, clients",
    [
        ("", ["127.0.0.1", "[::1]"]),
        ("::", ["127.0.0.1", "[::1]"]),
        ("::1", ["[::1]"]),
        ("[::1]", ["[::1]"]),
        ("127.0.0.1", ["127.0.0.1"]),
    ],
)
def test_addresses_to_listen_on(api, start, host, clients):
    server = start("quoit-api", "--host", host, "--port", 0)
    for client in clients:
        assert hello(api, f"{client}:{server.port}")


def test_unix_socket(calls, start, tmp_path):
    path = tmp_path / "socket"
    server = start("test-server", "--address", f"unix:{path}")
    with grpc.insecure_channel(f"unix:{path}") as opened:
        reply = calls.Stub(opened).Metadata(calls.MetadataRequest(), timeout=PATIENCE)
    assert reply.peer.startswith("unix:")
    server.stop()


def test_it_logs_when_it_listens_and_when_it_stops(start):
    server = start("quoit-api", "--port", 0)
    server.stop()
    assert [re.sub(r":\d+$", ":PORT", re.sub(f"^{TIME}", "TIME ", line)) for line in server.log] == [
        "TIME quoit-api: listening on [::]:PORT",
        "TIME quoit-api: stopped",
    ]


@pytest.mark.parametrize(
    "options, problem",
    [
        (["--admin", "nonsense"], "'nonsense' is not an address"),
        (["--cors-origin", "nonsense"], "CORS: 'nonsense' is no origin"),
        (["--cors-origin", "https://a/b"], "CORS: 'https://a/b' has more than an origin"),
        (["--cors-origin", "*", "--cors-credentials"], "CORS: '*' is every origin"),
        (["--cors-credentials"], "--cors-credentials needs a --cors-origin"),
    ],
    ids=str,
)
def test_what_the_server_says_of_plain_http(run, options, problem):
    result = run("--port", 0, *options)
    assert result.returncode in (1, 2) and problem in one_line(result.stderr)
