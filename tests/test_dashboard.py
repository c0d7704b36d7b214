# SPDX-License-Identifier: MIT
"""deploy/grafana-dashboard.json asks for what a server's /metrics has."""

import itertools
import json
import re

import grpc
import pytest

from servers import PATIENCE, Server
from test_http import get
from wire import Wire

OF_PROMETHEUS = {"job", "instance", "le"}  # labels that a scrape adds, and that of a histogram's buckets
NAME = r"[a-z_]+"
SELECTOR = re.compile(rf"\b({NAME})\{{([^}}]*)\}}")


@pytest.fixture(scope="module")
def dashboard(root):
    return json.loads((root / "deploy/grafana-dashboard.json").read_text())


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries(dashboard):
    """Of its panels and its variables."""
    for panel in panels(dashboard):
        yield from (target["expr"] for target in panel["targets"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])[1]


@pytest.fixture(scope="module")
def exposed(build):
    """{the name of a sample: its labels}, of a server that has had calls that succeeded and that failed."""
    server = Server(build / "bin/quoit-api", "--port", 0, "--metrics", "--max-memory", "64M")
    with grpc.insecure_channel(server.target) as channel:
        channel.unary_unary("/api.Api/sayHello")(b"", timeout=PATIENCE)
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/api.Api/nothing")(b"", timeout=PATIENCE)
    with Wire(server) as wire:
        text = get(wire, "/metrics").data.decode()
    server.stop()
    samples = re.findall(rf"^({NAME})(?:\{{(.*)\}})? \S+$", text, re.M)
    assert len(samples) > 50
    labels = {}
    for name, pairs in samples:
        labels.setdefault(name, set()).update(re.findall(rf"({NAME})=\"", pairs))
    return labels


def test_every_name_and_label_is_there(dashboard, exposed):
    for query in queries(dashboard):
        selectors = SELECTOR.findall(query)
        assert selectors, query
        for name, conditions in selectors:
            assert name in exposed, f"{name} in {query}"
            asked = set(re.findall(rf"({NAME})=~?\"", conditions))
            assert asked <= exposed[name] | OF_PROMETHEUS, query
        kept = {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", query) for label in labels.split(",")}
        assert kept <= set.union(*(exposed[name] for name, _ in selectors)) | OF_PROMETHEUS, query


def test_what_is_exposed_is_shown(dashboard, exposed):
    """But what nobody looks at by itself."""
    asked = {name for query in queries(dashboard) for name, _ in SELECTOR.findall(query)}
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed if name.startswith(("grpc_server", "quoit_"))}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert ours - shown == set()


def test_legends_name_labels_that_are_kept(dashboard):
    for panel in panels(dashboard):
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            if kept:
                assert named <= {label.strip() for label in kept[0].split(",")}, target["expr"]


def test_it_is_sound(dashboard):
    """Each panel has a place of its own, every number once, and the data source that is chosen above."""
    everything = dashboard["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for one, other in itertools.combinations([panel["gridPos"] for panel in everything], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]\w*)\}?", json.dumps(dashboard))) <= variables
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 and panel["datasource"]["uid"] == "${datasource}" for panel in panels(dashboard))
    assert {len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) for panel in panels(dashboard)} == {True}
