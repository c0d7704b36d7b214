# SPDX-License-Identifier: MIT
"""Clients in other languages: each is made once, into .cache/, by its language's own tools and from
its package registry. Where these are missing, or can't be reached, the tests that need them are
skipped, and the reason names them."""

import os
import pathlib
import shutil
import subprocess

import pytest

CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache" / "clients"
BUILD_SECONDS = 900  # a cold cache and a busy machine


def tool(name):
    """The path of a program of the machine's, or the test is skipped."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"there is no {name} on this machine")
    return found


def make(what, command, **options):
    """Runs the @command that gets @what, or skips the test with the end of what it said."""
    done = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=BUILD_SECONDS,
        **options,
    )
    if done.returncode != 0:
        pytest.skip(f"{what} can't be had here: {' '.join(done.stdout.split())[-300:]}")


def go_install(package, version):
    """The program that the Go module proxy has as @package, compiled."""
    folder = CACHE / "go" / f"{package.replace('/', '-')}@{version}"
    program = folder / package.rpartition("/")[2]
    if not program.exists():
        make(
            f"{package}@{version}",
            [tool("go"), "install", f"{package}@{version}"],
            env={**os.environ, "GOBIN": str(folder)},
        )
    return program


def maven_jars(pom):
    """A class path of what the @pom depends on."""
    folder = CACHE / "java" / pom.parent.name
    copy = folder / "pom.xml"
    if not copy.exists() or copy.read_bytes() != pom.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        make(f"what {pom.parent.name}/pom.xml names", [tool("mvn"), "-q", "-B", "-f", pom, *goal])
        shutil.copy(pom, copy)  # last: an earlier attempt may have been cut short
    return f"{folder}/*"
