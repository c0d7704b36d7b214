# SPDX-License-Identifier: MIT
"""docs/protocol.md names the test of each line: they are there."""

import re


def test_the_tests_that_it_names_are_there(root):
    text = (root / "docs" / "protocol.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|") and "::" in line]
    assert len(lines) > 50
    for file, name in re.findall(r"([\w/]+\.(?:py|c))::(\w+)", text):
        source = (root / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def|static void) {name}\(", source, re.MULTILINE), f"{file}::{name}"


def test_each_line_names_one(root):
    text = (root / "docs" / "protocol.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\|(?: source \|.*)\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert rows and all("::" in row for row in rows), [row for row in rows if "::" not in row]
