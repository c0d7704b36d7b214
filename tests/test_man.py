# SPDX-License-Identifier: MIT
"""A man page for each program that is installed, which knows the options that --help knows."""

import re
import subprocess

import pytest


def pages(root):
    return sorted((root / "docs/man").glob("*.[17]"))


def installed_programs(root):
    for folder in ("bin", "codec/plugin"):
        text = (root / folder / "meson.build").read_text()
        for name, body in re.findall(r"executable\('([\w-]+)',(.*?)^\)", text, re.M | re.S):
            if "install: true" in body:
                yield name


def test_every_program_has_its_page_and_is_installed_with_it(root):
    names = {page.stem for page in pages(root) if page.suffix == ".1"}
    assert names == set(installed_programs(root))
    installed = (root / "docs/man/meson.build").read_text()
    assert [page.name for page in pages(root) if f"'{page.name}'" not in installed] == []


def test_the_pages_are_sound(root):
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *pages(root)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("program", ["protoc-gen-quoit", "quoit-api"])
def test_the_page_knows_every_option(root, build, program):
    text = subprocess.run([build / "bin" / program, "--help"], capture_output=True, text=True)
    told = set(re.findall(r"^  (--[\w-]+)", text.stdout, re.M))
    page = (root / f"docs/man/{program}.1").read_text()
    listed = {"-" + option for option in re.findall(r"^\.It Fl (?:h , Fl )?(-[\w-]+)", page, re.M)}
    assert told and told == listed
