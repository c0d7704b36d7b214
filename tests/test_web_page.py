# SPDX-License-Identifier: MIT
"""quoit-web's pages and files as they are sent: what is in them without a script, and what they allow a browser."""

import gzip
import html
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from servers import PATIENCE, eventually, free_port
from test_exposition import SCRAPERS, scrape
from test_http import get
from test_tracing import Collector
from tls import Pki
from wire import Wire, request_fields

NASTY = "<script>alert(1)</script>\"'&amp;<img src=x onerror=alert(1)>"


@pytest.fixture
def backend(start):
    return start("quoit-api", "--listen", "127.0.0.1:0")


@pytest.fixture
def front(start, backend):
    return start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target)


@pytest.fixture
def wire(front):
    with Wire(front) as wire:
        yield wire


def part(page, id):
    """What is in the element of that id, as HTML."""
    return re.search(rf'id="{id}"[^>]*>(.*?)</(?:p|ol)>', page.data.decode(errors="replace"), re.S)[1]


def rows(page, id):
    return [(int(number), html.unescape(name)) for number, name in re.findall(r'<li value="(\d+)">(.*?)</li>', part(page, id))]


def expected(length):
    return [(i, f"name {i}") for i in range(1, length + 1)]


def policy(answer):
    return dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))


# ---- the page without a script


def test_the_page_has_the_three_answers(wire):
    page = get(wire, "/")
    assert page.http_status == "200"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert part(page, "hello") == "Hello Gonzalo!"
    assert rows(page, "all") == rows(page, "stream") == expected(10)
    assert part(page, "all-note") == "10 items in one answer"
    assert part(page, "stream-note") == "10 items, one by one"
    assert "{{" not in page.data.decode()


def test_the_form_asks_for_others(wire):
    page = get(wire, "/?name=Zo%C3%AB+%F0%9F%98%80&length=200")
    assert part(page, "hello") == "Hello Zoë 😀!"
    assert rows(page, "all") == rows(page, "stream") == expected(200)
    assert 'value="Zoë 😀"' in page.data.decode() and 'value="200"' in page.data.decode()


@pytest.mark.parametrize(
    "length, shown",
    [("0", 0), ("1001", 1000), ("2147483647", 1000), ("2147483648", 10), ("-1", 10), ("x", 10), ("1e3", 10), ("", 10)],
)
def test_lengths(wire, length, shown):
    assert rows(get(wire, f"/?length={length}"), "stream") == expected(shown)


@pytest.mark.parametrize("path", ["/", "/direct"])
def test_markup_in_a_name_is_text(wire, path):
    query = "".join(f"%{byte:02x}" for byte in NASTY.encode())
    page = get(wire, f"{path}?name={query}&length=1").data.decode()
    assert NASTY not in page and "<img" not in page and "alert(1)</script>" not in page
    assert html.unescape(re.search(r'id="name"[^>]* value="([^"]*)"', page)[1]) == NASTY
    assert page.count("<script") == 1  # its own


def test_a_name_that_is_not_text(wire):
    page = get(wire, "/?name=%ff%3Cb%3E")
    assert part(page, "hello-note") == "the name is not text in UTF-8"
    assert b"<b>" not in page.data
    assert rows(page, "stream") == expected(10)


def test_a_backend_that_is_away(start):
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", f"127.0.0.1:{free_port()}")
    with Wire(front) as wire:
        page = get(wire, "/")
        assert page.http_status == "200"
        for id in ("hello-note", "all-note", "stream-note"):
            assert part(page, id).startswith("UNAVAILABLE: ") and "refused" in part(page, id)
        assert page.data.count(b'data-kind="error"') == 3


def test_a_backend_that_does_not_answer(start, backend):
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target)
    with Wire(front) as wire:
        assert part(get(wire, "/"), "hello") == "Hello Gonzalo!"
        backend.process.send_signal(19)  # SIGSTOP
        try:
            assert part(get(wire, "/"), "hello-note").startswith("DEADLINE_EXCEEDED")
        finally:
            backend.process.send_signal(18)  # SIGCONT
        eventually(lambda: part(get(wire, "/"), "hello") == "Hello Gonzalo!", "it answers again")


# ---- what a browser may do


@pytest.mark.parametrize("path", ["/", "/direct", "/style.css", "/page.js", "/connect.js", "/icon.svg"])
def test_nothing_but_its_own_files_runs(wire, path):
    answer = get(wire, path)
    assert answer.http_status == "200"
    rules = policy(answer)
    assert rules["default-src"] == "'none'" and rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/direct"])
def test_pages_hold_no_script_and_no_style(wire, path):
    page = get(wire, path).data.decode()
    assert not re.search(r"\s(on\w+|style)=|<style|javascript:", page)
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', page)) <= {"/", "/direct", "/style.css", "/page.js", "/icon.svg"}


@pytest.mark.parametrize(
    "authority, origin",
    [
        ("example.org:5000", "http://example.org:50051"),
        ("example.org", "http://example.org:50051"),
        ("[::1]:5000", "http://[::1]:50051"),
        ("a;script-src *", "http://localhost:50051"),
        ('"><script>', "http://localhost:50051"),
    ],
)
def test_the_page_may_call_the_backend_on_its_host(wire, authority, origin):
    page = get(wire, "/direct", authority=authority)
    assert policy(page)["connect-src"] == f"'self' {origin}"
    assert f'data-backend="{origin}"' in page.data.decode()


def test_the_page_may_call_the_backend_that_it_is_told(start):
    front = start("quoit-web", "--listen", "127.0.0.1:0", env={"BACKEND_URL": "https://api.example.org"})
    with Wire(front) as wire:
        page = get(wire, "/direct")
    assert policy(page)["connect-src"] == "'self' https://api.example.org"
    assert 'data-backend="https://api.example.org"' in page.data.decode()


@pytest.mark.parametrize("url", ["example.org", "ftp://x", "http://", "http://x y", "http://x;y", "https://" + "x" * 300])
def test_what_is_no_origin(build, url):
    result = subprocess.run(
        [build / "bin/quoit-web", "--backend-url", url], capture_output=True, text=True, timeout=PATIENCE
    )
    assert result.returncode == 2 and "--backend-url" in result.stderr


# ---- files


FILES = {
    "/style.css": "text/css; charset=utf-8",
    "/page.js": "text/javascript; charset=utf-8",
    "/connect.js": "text/javascript; charset=utf-8",
    "/icon.svg": "image/svg+xml",
}


@pytest.mark.parametrize("path, kind", FILES.items())
def test_a_file_in_both_forms(wire, root, path, kind):
    content = (root / f"apps/quoit-web/www{path}").read_bytes()
    plain, packed = get(wire, path), get(wire, path, accept_encoding="br, gzip")
    assert plain.headers["content-type"] == packed.headers["content-type"] == kind
    assert plain.data == gzip.decompress(bytes(packed.data)) == content
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert len(packed.data) < len(plain.data)
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    assert plain.headers["etag"] != packed.headers["etag"]


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_the_browser_has(wire, path):
    for accepted in ("identity", "gzip"):
        tag = get(wire, path, accept_encoding=accepted).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            answer = get(wire, path, accept_encoding=accepted, if_none_match=known)
            assert (answer.http_status, answer.data) == ("304", b"")
            assert answer.headers["etag"] == tag
    assert get(wire, path, if_none_match='"other"').http_status == "200"


@pytest.mark.parametrize(
    "accepted, packed",
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        (" gzip ; q=1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("deflate, br", False),
        ("", False),
        ("," * 1000, False),
        ("x" * 1000 + ",gzip", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0.5, identity", False),
    ],
)
def test_who_takes_gzip(wire, accepted, packed):
    assert ("content-encoding" in get(wire, "/style.css", accept_encoding=accepted).headers) == packed


def test_a_browser_that_takes_neither_form(wire):
    assert get(wire, "/style.css", accept_encoding="identity;q=0, br").http_status == "406"


def test_the_head_of_a_page(wire):
    head, page = get(wire, "/", method="HEAD"), get(wire, "/")
    assert head.http_status == "200" and head.data == b""
    assert head.headers["content-length"] == str(len(page.data))


def test_other_paths(wire):
    assert get(wire, "/favicon.ico").http_status == "404"
    assert get(wire, "/../etc/passwd").http_status == "404"


def test_probes(wire):
    for path in ("/healthz", "/readyz"):
        answer = get(wire, path)
        assert (answer.http_status, answer.data) == ("200", b"ok\n")


# ---- what it costs


# ---- for its operator


def test_health_check(build, start, front):
    """By the options with which it was started; and of one that is not there."""

    def check(*arguments, **env):
        command = [build / "bin/quoit-web", "--health-check", *map(str, arguments)]
        return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE)

    for done in check("--port", front.port), check(FRONTEND_PORT=str(front.port)), check("--health-target", front.target):
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = check("--port", free_port())
    assert told.returncode == 1 and "health check of 127.0.0.1:" in told.stderr and "Connection refused" in told.stderr


def test_a_file_of_options_and_an_access_log_that_is_rotated(start, backend, tmp_path):
    log, file = tmp_path / "log", tmp_path / "config"
    file.write_text(f"port = 0\nhost 127.0.0.1\nbackend-port {backend.port}\naccess-log {log}\naccess-log-format = json\nlog-format=json\n")
    front = start("quoit-web", "--config", file, env={"BACKEND_HOST": "127.0.0.1", "QUOIT_WEB_LOG_FORMAT": "text"})

    def seen():
        return [(line["protocol"], line["method"]) for line in map(json.loads, log.read_text().splitlines())] if log.exists() else []

    with Wire(front) as wire:
        assert get(wire, "/").http_status == "200" and wire.call("/api.Api/sayHello").status == 0
        eventually(lambda: sorted(seen()) == [("grpc", "/api.Api/sayHello"), ("http", "/")], "two lines")
        log.rename(tmp_path / "old")
        front.signal(signal.SIGHUP)
        eventually(log.exists, "a new file")
        assert get(wire, "/direct").http_status == "200"
        eventually(lambda: seen() == [("http", "/direct")], "one line in it")


def test_certificates_are_read_again(start, backend, tmp_path):
    pki = Pki(tmp_path)
    pem, key = tmp_path / "pem", tmp_path / "key"

    def use(certificate):
        pem.write_bytes(certificate.pem)
        key.write_bytes(certificate.key_pem)

    def shown():
        with socket.create_connection(("127.0.0.1", front.port), PATIENCE) as raw, pki.context().wrap_socket(raw, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]

    use(pki.server)
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target, "--tls-cert", pem, "--tls-key", key)
    before = shown()
    use(pki.make("other", names=["localhost"]))
    front.signal(signal.SIGHUP)
    eventually(lambda: shown() != before, "the other certificate")


def test_it_tells_systemd(start, backend, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        front = start("quoit-web", "--listen", "127.0.0.1:0", "--backend", backend.target, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert systemd.recv(100).startswith(b"READY=1")
        front.signal(signal.SIGHUP)
        assert systemd.recv(100).startswith(b"RELOADING=1") and systemd.recv(100).startswith(b"READY=1")
        front.signal()
        assert systemd.recv(100).startswith(b"STOPPING=1")
        assert front.wait() == 0


def test_metrics_and_spans_of_both_sides(start, backend):
    """On the admin listener; and an exemplar leads to the span of a call to the backend."""
    collector = Collector()
    env = {"OTEL_BSP_SCHEDULE_DELAY": "1"}
    front = start("quoit-web", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--backend", backend.target, "--otlp-endpoint", collector.endpoint, env=env)
    with Wire(front) as wire:
        assert wire.call("/api.Api/sayHello").status == 0
        assert get(wire, "/metrics").http_status == "404"
    inner, outer = sorted(collector.wait(2), key=lambda span: -span.kind)  # a client's kind is 3, a server's 2
    assert inner.parent_span_id == outer.span_id and inner.trace_id == outer.trace_id
    front.port = int(front.logged("admin: listening on").rpartition(":")[2])
    with Wire(front) as wire:
        families = scrape(wire, SCRAPERS[1])
    for name, span in ("client_call", inner), ("client_attempt", inner), ("server_call", outer):
        samples = families[f"grpc_{name}_duration_seconds"].samples
        (exemplar,) = [sample.exemplar for sample in samples if sample.exemplar]
        assert exemplar.labels == {"trace_id": span.trace_id.hex(), "span_id": span.span_id.hex()}
    collector.server.stop(0).wait()


@pytest.mark.parametrize("name, option", [("BACKEND_PORT", "--backend-port"), ("FRONTEND_PORT", "--port")])
def test_services_of_kubernetes_with_these_names(start, backend, name, option):
    """Their variables are addresses of others."""
    given = ["--host", "127.0.0.1", "--backend-host", "127.0.0.1"]
    given += ["--port", 0] if name == "BACKEND_PORT" else ["--backend-port", backend.port]
    if name == "FRONTEND_PORT":
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", 5000)) == 0:
                pytest.skip("port 5000 is taken")
    front = start("quoit-web", *given, env={name: "tcp://10.0.0.1:1"})
    assert front.logged(f"warning: {name}='tcp://10.0.0.1:1' is ignored: it is the address of another service; use {option}")


def test_the_backend_of_the_place_that_counts(start, backend, tmp_path):
    """A host and a port of a later place than --backend's take its place."""
    file = tmp_path / "config"
    file.write_text("backend 192.0.2.1:1\n")
    for arguments, env in (["--backend-port", backend.port], {}), ([], {"BACKEND_PORT": str(backend.port)}), (["--backend", backend.target], {"BACKEND_PORT": "1"}):
        front = start("quoit-web", "--config", file, "--listen", "127.0.0.1:0", *arguments, env=env)
        with Wire(front) as wire:
            assert wire.call("/api.Api/sayHello").status == 0


# ---- what it costs


def cpu_ms(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def test_a_page_load_takes_few_milliseconds(front, wire, sanitized):
    """The page, with its three calls, and all its files, on one connection: CPU time, as others use the machine too."""
    paths = ["/", *FILES]
    for path in paths:
        get(wire, path, accept_encoding="gzip")
    before, loads = cpu_ms(front.pid), 50
    for _ in range(loads):
        streams = [
            wire.headers(request_fields(path, method="GET", te=None, content_type=None, accept_encoding="gzip"), end=True)
            for path in paths
        ]
        assert [wire.answer(stream).http_status for stream in streams] == ["200"] * len(paths)
    assert (cpu_ms(front.pid) - before) / loads < (50 if sanitized else 5)
