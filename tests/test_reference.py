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


def test_every_page_is_of_a_name_of_ours(reference):
    """Neither one of a member's name, nor of a file of anybody's name, nor a link to nowhere."""
    pages = {path.name: path.read_text() for path in (reference / "man/man3").iterdir()}
    assert [name for name in pages if not re.match(r"(quoit_\w+(\.h)?|quoit\.h|QUOIT_\w+)\.3$", name)] == []
    for text in pages.values():
        link = re.match(r"\.so man3/(.*)\n$", text)
        assert link and link[1] in pages or re.search(r"^\.SH NAME\n.*quoit\S* .*\\- \S", text, re.M)


@pytest.mark.parametrize("name", ["quoit_call_post", "quoit_limits", "QUOIT_OK", "QUOIT_CHANNEL_READY", "quoit_call.h"])
def test_a_page_is_found_and_names_what_it_is_about(reference, name):
    page = subprocess.run(
        ["mandoc", "-Tutf8", f"man3/{name}.3"], cwd=reference / "man", check=True, stdout=subprocess.PIPE
    ).stdout.decode()
    page = re.sub(".\b", "", page)  # bold
    assert name in page.partition("SYNOPSIS")[0]


def test_lists_and_quotes_keep_their_shape(reference):
    page = (reference / "man/man3/quoit_call.h.3").read_text()
    assert re.search(r"^ *-EMSGSIZE  over", page, re.M), "a line of its own"
    page = page.replace("\\&", "")
    assert '"content-type"' in page and "a second answer" in page and "ring's thread" in page
    assert '#include "upb/base/string_view.h"' in page


def test_a_page_says_what_the_comment_says(reference):
    page = (reference / "html" / "server_8h.html").read_text()
    assert "Runs once." in page and "quoit_server_problem" in page
    assert "SPDX" not in page


def test_it_is_known_which_headers_quoit_h_has(root):
    """Each public header is included there or named at its top, and the man page names those that are left out."""
    text = (root / "include/quoit/quoit.h").read_text()
    comment, _, code = text.partition("*/\n\n#include")
    included = set(re.findall(r"<quoit/(\w+\.h)>", code))
    left_out = set(re.findall(r"<quoit/(\w+\.h)>", comment))
    headers = {path.name for path in (root / "include/quoit").glob("*.h")} | {"upb_config.h"}
    assert headers == included | left_out | {"quoit.h"}
    page = (root / "docs/man/quoit.7").read_text()
    inside = {"export.h", "upb.h", "upb_config.h", "upb_names.h"}
    assert left_out - included - inside == set(re.findall(r"\bIn quoit/(\w+\.h)", page)) - {"quoit.h"}
