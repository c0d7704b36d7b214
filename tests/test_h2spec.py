# SPDX-License-Identifier: MIT
"""h2spec, strict. What fails is known, with its reason; docs/h2spec.md says it in full."""

import subprocess
import xml.etree.ElementTree as xml

import pytest

from toolchains import go_install

LARGE_HEADERS = "Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE"

# Case by the section of the specification and its text in h2spec: why it fails.
EXPLAINED = {
    ("http2/4.2", LARGE_HEADERS): "takes 20 KB for more than a frame of ours holds",
    ("http2/5.1", "idle: Sends a RST_STREAM frame"): "ignored, as grpc-go and gRPC C++ do",
    ("http2/6.4", "Sends a RST_STREAM frame on a idle stream"): "ignored, as grpc-go and gRPC C++ do",
    ("http2/5.1", "closed: Sends a DATA frame after sending RST_STREAM frame"): "dropped",
    ("http2/5.1", "closed: Sends a DATA frame"): "dropped",
    ("http2/5.3.1", "Sends PRIORITY frame that depend on itself"): "RFC 9113 knows no dependencies",
    (
        "http2/6.9.1",
        "Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream",
    ): "answered by GOAWAY, which is stricter",
}
# Fails where our answer, which closes the stream, is quicker than h2spec's next frame.
SOMETIMES = {
    ("http2/5.1", "half closed (remote): Sends a DATA frame"),
    (
        "http2/6.1",
        'Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state',
    ),
}


def test_the_reasons_are_written_down(root):
    page = (root / "docs" / "h2spec.md").read_text()
    assert [text for _, text in [*EXPLAINED, *SOMETIMES] if text not in page] == []


def run_h2spec(start, tmp_path, *arguments):
    """Its cases, and those of them that failed."""
    h2spec = go_install("github.com/summerwind/h2spec/cmd/h2spec", "v2.2.1+incompatible")
    server = start("quoit-api", "--port", 0)
    report = tmp_path / "report.xml"
    subprocess.run(
        [h2spec, "-h", "127.0.0.1", "-p", str(server.port), "--strict", *arguments]
        + ["--timeout", "2", "--junit-report", report],
        stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    cases = list(xml.parse(report).getroot().iter("testcase"))
    failed = {
        (case.get("package"), case.get("classname"))
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    return cases, failed


@pytest.mark.parametrize("path", ["/api.Api/sayHello", "/"])
def test_h2spec(start, tmp_path, path):
    cases, failed = run_h2spec(start, tmp_path, "--path", path)
    assert len(cases) >= 146
    assert failed - SOMETIMES == set(EXPLAINED)
    assert not [case for case in cases if case.find("skipped") is not None]


def test_headers_that_are_larger_than_a_frame(start, tmp_path):
    """Five fields of that length are."""
    cases, failed = run_h2spec(start, tmp_path, "http2/4.2", "--max-header-length", "40000")
    assert not failed and LARGE_HEADERS in [case.get("classname") for case in cases]
