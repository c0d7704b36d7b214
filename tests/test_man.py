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


def long_commands(root):
    """quoit-COMMAND, for those of quoit's commands that have a page of their own."""
    commands = re.findall(r"command_(\w+);", (root / "apps/quoit/command_list.h").read_text())
    return {f"quoit-{name}" for name in commands if (root / f"docs/man/quoit-{name}.1").exists()}


def test_every_program_has_its_page_and_is_installed_with_it(root):
    names = {page.stem for page in pages(root) if page.suffix == ".1"}
    assert names == set(installed_programs(root)) | long_commands(root) | set(OTHERS)
    installed = (root / "docs/man/meson.build").read_text()
    listed = re.findall(r"'(\S+\.[17])'", installed)
    pages_due = {f"{name}.1" for name in set(installed_programs(root)) | long_commands(root)}
    assert sorted(listed) == sorted(pages_due | {"quoit.7", "quoit-load.1"})


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


def test_quoits_pages_know_the_flags_of_all_commands(root, build):
    def page(name):
        file = root / f"docs/man/{name}.1"
        return file.read_text() if file.exists() else ""

    def help_of(*words):
        done = subprocess.run([build / "bin/quoit", "help", *words], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    commands = re.findall(r"^  quoit (\w+)", help_of(), re.M)
    assert "call" in commands
    for command in commands:
        told = set(re.findall(r"^  (?:   |-\w,) --([\w-]+)", help_of(command), re.M))
        text = page("quoit") + page(f"quoit-{command}")
        listed = set(re.findall(r"^\.It Fl (?:\w , Fl )?-([\w-]+)", text, re.M))
        assert told and told <= listed, command
        assert re.search(rf"^\.It Cm {command}\b", page("quoit"), re.M), command
