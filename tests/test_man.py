# SPDX-License-Identifier: MIT
"""A man page for each program, which knows the options that --help knows."""

import re
import subprocess

import pytest

# Programs that are not installed, and where they are built.
OTHERS = {"quoit-interop-client": "bin", "quoit-interop-server": "bin", "quoit-load": "bench"}


def pages(root):
    return sorted((root / "docs/man").glob("*.[17]"))


def installed_programs(root):
    for folder in ("bin", "codec/plugin", "bench"):
        text = (root / folder / "meson.build").read_text()
        for name, body in re.findall(r"executable\('([\w-]+)',(.*?)^\)", text, re.M | re.S):
            if "install: true" in body:
                yield name


def test_every_program_has_its_page_and_is_installed_with_it(root):
    names = {page.stem for page in pages(root) if page.suffix == ".1"}
    assert names == set(installed_programs(root)) | set(OTHERS)
    installed = (root / "docs/man/meson.build").read_text()
    listed = set(re.findall(r"'(\S+)\.[17]'", installed))
    assert listed == set(installed_programs(root)) | {"quoit"}


def test_the_pages_are_sound(root):
    done = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *pages(root)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("program", ["protoc-gen-quoit", "quoit-api", "quoit-web", *OTHERS])
def test_the_page_knows_every_option(root, build, program):
    folder = OTHERS.get(program, "bin")
    text = subprocess.run([build / folder / program, "--help"], capture_output=True, text=True)
    told = set(re.findall(r"^  (--[\w-]+)", text.stdout, re.M))
    page = (root / f"docs/man/{program}.1").read_text()
    listed = {"-" + option for option in re.findall(r"^\.It Fl (?:h , Fl )?(-[\w-]+)", page, re.M)}
    assert told and told == listed
