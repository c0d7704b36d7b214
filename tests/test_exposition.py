# SPDX-License-Identifier: MIT
"""/metrics: the syntax, by the parsers of Prometheus' own client, and what is in it."""

import math
import re

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus

from servers import eventually
from test_http import get
from wire import Wire

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
# what Prometheus 2 and 3 send
SCRAPERS = [
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
]
BOTH = pytest.mark.parametrize("accept", ["text/plain", SCRAPERS[1]], ids=["prometheus", "openmetrics"])
ECHO = "calls.Calls/Echo"


@pytest.fixture(params=[1, 2], ids=["ring", "rings"])
def server(request, start):
    return start("test-server", "--http", "--metrics", "--rings", request.param)


@pytest.fixture
def wire(server):
    with Wire(server) as wire:
        yield wire


def scrape(wire, accept):
    """{name: family}, strictly parsed; all samples of a family stand together, and each only once."""
    answer = get(wire, "/metrics", accept=accept)
    text = answer.data.decode()
    assert answer.http_status == "200"
    is_open = "openmetrics" in accept
    assert answer.headers["content-type"] == (OPENMETRICS if is_open else PROMETHEUS)
    assert text.endswith("# EOF\n") == is_open and text.endswith("\n") and "\n\n" not in text
    parse = openmetrics if is_open else prometheus
    families = list(parse.text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        assert family.documentation and family.type != "unknown"
        samples = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(samples) == len(set(samples))
    return dict(zip(names, families))


def value(families, family, sample=None, **labels):
    """The one sample of that name with these labels; None: there is none."""
    found = [
        one.value
        for one in families[family].samples
        if one.name == (sample or family) and all(one.labels.get(k) == v for k, v in labels.items())
    ]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("accept, type", [(SCRAPERS[0], OPENMETRICS), (SCRAPERS[1], OPENMETRICS), (None, PROMETHEUS),
    ("*/*", PROMETHEUS), ("text/html,*/*;q=0.8", PROMETHEUS), ("application/json", PROMETHEUS),
    ("application/openmetrics-text;q=0", PROMETHEUS)])
def test_the_format_is_what_the_scraper_prefers(wire, accept, type):
    answer = get(wire, "/metrics", accept=accept)
    assert answer.headers["content-type"] == type
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("accept", "no-store")


@BOTH
def test_calls_are_counted(wire, accept):
    for _ in range(3):
        assert wire.call("/" + ECHO, b"\x0a\x05hello").status == 0
    assert wire.call("/calls.Calls/Nothing").status == 12

    def counted():
        families = scrape(wire, accept)
        durations = "grpc_server_call_duration_seconds"
        count = value(families, durations, durations + "_count", grpc_method=ECHO, grpc_status="OK")
        return families if count == 3 else None

    families = eventually(counted, "three calls")
    assert value(families, "grpc_server_call_started", "grpc_server_call_started_total", grpc_method=ECHO) == 3
    assert value(families, "quoit_server_calls_started", "quoit_server_calls_started_total", grpc_method=ECHO, protocol="grpc") == 3
    assert value(families, "grpc_server_call_started", "grpc_server_call_started_total", grpc_method="other") == 1
    sizes = "grpc_server_call_rcvd_total_compressed_message_size_bytes"
    assert value(families, sizes, sizes + "_sum", grpc_method=ECHO, grpc_status="OK") == 21
    assert value(families, sizes, sizes + "_bucket", grpc_method=ECHO, le="0.0") == 0
    assert value(families, sizes, sizes + "_bucket", grpc_method=ECHO, le="1024.0") == 3
    assert value(families, sizes, sizes + "_bucket", grpc_method=ECHO, le="4294967296.0") == 3
    assert value(families, sizes, sizes + "_bucket", grpc_method=ECHO, le="+Inf") == 3


@BOTH
def test_histograms_are_whole(wire, accept):
    wire.call("/" + ECHO)
    families = eventually(
        lambda: (found := scrape(wire, accept))["grpc_server_call_duration_seconds"].samples and found, "a call"
    )
    family = families["grpc_server_call_duration_seconds"]
    assert family.type == "histogram"
    buckets = [one for one in family.samples if one.name.endswith("_bucket") and one.labels["grpc_method"] == ECHO]
    bounds = [float(one.labels["le"]) for one in buckets]
    assert len(bounds) == 42 and bounds == sorted(bounds) and bounds[-1] == math.inf
    assert {0.0, 1e-05, 0.00005, 0.0003, 0.065, 0.65, 100.0} <= set(bounds)
    counts = [one.value for one in buckets]
    assert counts == sorted(counts) and counts[-1] == 1


@BOTH
def test_server_rings_and_process(server, wire, accept):
    families = scrape(wire, accept)
    rings = {sample.labels["ring"] for sample in families["quoit_ring_turns"].samples}
    assert rings in ({"0"}, {"0", "1"})
    assert families["quoit_ring_turns"].type == "counter"
    assert sum(sample.value for sample in families["quoit_ring_cpu_seconds"].samples) > 0
    assert sum(sample.value for sample in families["quoit_ring_connections"].samples) == 1
    assert value(families, "quoit_server_connections") == 1
    assert value(families, "quoit_server_connections_accepted", "quoit_server_connections_accepted_total") == 1
    assert value(families, "quoit_server_memory_bytes") >= 0
    assert value(families, "quoit_build_info", engine="io_uring") or value(families, "quoit_build_info", engine="epoll")
    assert value(families, "process_cpu_seconds", "process_cpu_seconds_total") > 0
    assert abs(value(families, "process_resident_memory_bytes") - server.rss()) < 64 << 20
    assert abs(value(families, "process_open_fds") - server.descriptors()) <= 2
    assert value(families, "process_max_fds") > 0
    assert value(families, "process_start_time_seconds") > 1.7e9


@BOTH
def test_probes_and_pages_are_no_calls(wire, accept):
    for path in ("/echo", "/nope", "/healthz", "/metrics"):
        get(wire, path)
    families = scrape(wire, accept)
    assert families["grpc_server_call_started"].samples == []


def test_head(wire):
    answer = get(wire, "/metrics", method="HEAD")
    assert answer.http_status == "200" and answer.data == b"" and int(answer.headers["content-length"]) > 1000


def test_quoit_api_has_an_admin_listener(start):
    server = start(
        "quoit-api", "--host", "127.0.0.1", "--port", 0, "--admin", "127.0.0.1:0", "--cors-origin", "https://a.example"
    )
    port = re.search(r":(\d+)$", server.logged("admin: listening on")).group(1)
    with Wire(server) as wire:
        assert get(wire, "/healthz").http_status == get(wire, "/readyz?service=api.Api").http_status == "200"
        assert get(wire, "/metrics").http_status == "404"
        assert wire.call("/api.Api/sayHello").status == 0
        assert get(wire, "/healthz", origin="https://a.example").headers["access-control-allow-origin"]
    server.port = int(port)
    with Wire(server) as wire:
        assert get(wire, "/readyz").http_status == "200"
        assert "grpc_server_call_started" in scrape(wire, SCRAPERS[1])
        assert wire.call("/api.Api/sayHello").http_status == "404"


def test_quoit_api_shows_metrics_where_it_serves_if_told_to(start):
    with Wire(start("quoit-api", "--port", 0, "--metrics")) as wire:
        assert get(wire, "/metrics").http_status == "200"


def test_many_scrapes_at_once_are_bounded(server, wire):
    """A scraper that does not read: what waits for it is bounded, and others are answered."""
    with Wire(server, window=0) as slow:
        for _ in range(50):
            slow.headers(
                [(":method", "GET"), (":scheme", "http"), (":path", "/metrics"), (":authority", "x")], end=True
            )
        slow.ping()
        before = server.rss()
        assert before < 200 << 20
        assert get(wire, "/echo").http_status == "200"
