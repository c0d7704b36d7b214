# SPDX-License-Identifier: MIT
"""subprojects/fetch mends what it unpacks, or says that it cannot."""

import importlib.machinery
import importlib.util
import sys

import pytest

PATCH = """\
Why it is so.

--- a/file.c
+++ b/file.c
@@ -1,3 +1,3 @@
 one
-two
+deux
 three
"""


@pytest.fixture
def fetch(root, tmp_path, monkeypatch):
    """The program as a module, with a subprojects/ of its own."""
    loader = importlib.machinery.SourceFileLoader("fetch", str(root / "subprojects" / "fetch"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch", loader))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setitem(sys.modules, "fetch", module)  # dataclasses look for it
    loader.exec_module(module)
    monkeypatch.setattr(module, "HERE", tmp_path)
    (tmp_path / "packagefiles" / "thing").mkdir(parents=True)
    return module


def source(fetch):
    return fetch.Source(name="thing", version="1", requirement="", sha256="", wanted={})


def add_patch(fetch, name, text):
    patch = source(fetch).recipe / name
    patch.write_text(text)
    return patch


def test_a_patch_is_applied(fetch, tmp_path):
    (tmp_path / "file.c").write_text("one\ntwo\nthree\n")
    fetch.apply(add_patch(fetch, "01-french.patch", PATCH), tmp_path)
    assert (tmp_path / "file.c").read_text() == "one\ndeux\nthree\n"


@pytest.mark.parametrize("text", ["one\ntwo\nfour\n", "one\ndeux\nthree\n", ""])
def test_a_patch_that_does_not_apply_is_an_error(fetch, tmp_path, text):
    (tmp_path / "file.c").write_text(text)
    with pytest.raises(SystemExit, match="01-french.patch does not apply"):
        fetch.apply(add_patch(fetch, "01-french.patch", PATCH), tmp_path)


def test_the_stamp_covers_the_patches(fetch):
    seen = {fetch.recipe_hash(source(fetch))}
    for name, text in [("01-a.patch", PATCH), ("02-b.patch", PATCH), ("02-b.patch", PATCH + "\n")]:
        add_patch(fetch, name, text)
        seen.add(fetch.recipe_hash(source(fetch)))
    assert len(seen) == 4


def test_patches_have_an_order(fetch):
    for name in ["10-c.patch", "02-b.patch", "01-a.patch"]:
        add_patch(fetch, name, PATCH)
    assert [patch.name[:2] for patch in source(fetch).patches] == ["01", "02", "10"]
