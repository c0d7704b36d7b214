# SPDX-License-Identifier: MIT
"""./dev docs makes a reference of the public headers in which every function can be found."""

import os
import re
import subprocess

import pytest


@pytest.fixture(scope="module")
def reference(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("reference")
    environment = {**os.environ, "QUOIT_BUILD": str(out)}
    subprocess.run([root / "dev", "docs"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return out / "reference"


def exported(root):
    """What the public headers declare for users, by grep rather than by the tool under test."""
    for header in sorted((root / "include/quoit").glob("*.h")):
        public = header.read_text().partition("/* ---- from here on: for generated code only")[0]
        yield from re.findall(r"^QUOIT_API [^;(]*?\b(quoit_\w+)\(", public, re.M)


def test_every_function_has_a_man_page(root, reference):
    names = list(exported(root))
    assert "quoit_server_run" in names and "quoit_call_finish" in names
    pages = {path.stem for path in (reference / "man/man3").iterdir()}
    assert [name for name in names if name not in pages] == []


def test_a_page_says_what_the_comment_says(reference):
    page = (reference / "html" / "server_8h.html").read_text()
    assert "Runs once." in page and "quoit_server_problem" in page
    assert "SPDX" not in page
