# SPDX-License-Identifier: MIT
"""libquoit as `meson install` leaves it: its names, its headers, its pkg-config file."""

import os
import re
import shutil
import subprocess

import pytest

PROGRAM = """
#include <quoit/quoit.h>
#include <stdio.h>

int main(void)
{
        upb_Arena *arena = upb_Arena_New();
        int arena_works = upb_Arena_Malloc(arena, 100) != NULL;

        upb_Arena_Free(arena);
        puts(quoit_version());
        return !arena_works;
}
"""


@pytest.fixture(scope="module")
def prefix(build, tmp_path_factory):
    if b"__asan_init" in (build / "libquoit" / "libquoit.so").read_bytes():
        pytest.skip("a sanitized libquoit is not one to install")
    folder = tmp_path_factory.mktemp("installed")
    environment = {**os.environ, "DESTDIR": str(folder)}
    log = build / "meson-logs" / "install-log.txt"  # what `ninja uninstall` goes by: not ours to overwrite
    kept = log.read_bytes() if log.exists() else None
    subprocess.run(
        ["meson", "install", "-C", build, "--no-rebuild", "--quiet"], env=environment, check=True
    )
    log.unlink()
    if kept is not None:
        log.write_bytes(kept)
    return folder / "usr" / "local"


def library(prefix, name):
    (path,) = prefix.glob(f"lib/**/{name}")
    return path


def defined_symbols(*nm_options):
    output = subprocess.run(
        ["nm", "--defined-only", "--format=posix", *nm_options],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    # "name type value size"; an archive's member titles have one word, version nodes type A
    rows = [line.split() for line in output.splitlines()]
    return [row[0] for row in rows if len(row) > 1 and row[1] != "A"]


def pkg_config(prefix, *options):
    folder = library(prefix, "quoit.pc").parent
    environment = {
        **os.environ,
        "PKG_CONFIG_PATH": str(folder),
        "PKG_CONFIG_SYSROOT_DIR": str(prefix.parent.parent),
    }
    return subprocess.run(
        ["pkg-config", *options, "quoit"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split()


def test_shared_library_shows_only_its_own_names(prefix):
    names = defined_symbols("-D", library(prefix, "libquoit.so"))
    assert len(names) > 100
    assert [name for name in names if not name.startswith("quoit_")] == []


def test_shared_library_keeps_upb_in_a_node_of_its_version(prefix):
    names = defined_symbols("-D", library(prefix, "libquoit.so"))
    ours = [name for name in names if name.endswith("@QUOIT_0")]
    assert "quoit_version@@QUOIT_0" in ours
    assert [name for name in ours if re.match("quoit_+(k?[Uu]pb|utf8)", name)] == []


def test_shared_library_has_one_soname(prefix):
    dynamic = subprocess.run(
        ["readelf", "-d", library(prefix, "libquoit.so")], check=True, stdout=subprocess.PIPE
    ).stdout.decode()
    assert "[libquoit.so.0]" in dynamic


def test_static_library_shows_our_names_only(prefix):
    names = defined_symbols("-g", library(prefix, "libquoit.a"))
    assert "quoit_version" in names
    assert len([name for name in names if "upb_" in name.lower()]) > 100
    assert [name for name in names if not name.startswith("quoit_")] == []


@pytest.mark.parametrize("compiler", ["gcc", "g++", "clang-19", "clang++-19"])
@pytest.mark.parametrize("kind", ["shared", "static"])
def test_installed_library_serves_a_program(prefix, tmp_path, compiler, kind):
    plus = "++" in compiler
    source = tmp_path / ("program.cc" if plus else "program.c")
    source.write_text(PROGRAM)
    program = tmp_path / "program"
    language = ["-std=c++17"] if plus else ["-std=gnu11"]
    flags = pkg_config(prefix, "--cflags")
    if kind == "shared":
        libraries = pkg_config(prefix, "--libs")
    else:
        dependencies = pkg_config(prefix, "--libs", "--static")
        dependencies.remove("-lquoit")
        libraries = [library(prefix, "libquoit.a"), *dependencies, "-pthread"]
    subprocess.run(
        [compiler, *language, "-Wall", "-Wextra", "-Werror", *flags, source, *libraries]
        + ["-o", program],
        check=True,
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library(prefix, "libquoit.so").parent)}
    output = subprocess.run([program], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    assert output.stdout.split() == pkg_config(prefix, "--modversion")


def test_programs_are_installed_and_say_the_same_version(prefix):
    version = pkg_config(prefix, "--modversion")[0]
    for name in ("protoc-gen-quoit", "quoit-api"):
        program = shutil.which(name, path=prefix / "bin")
        assert program, f"{name} is not installed"
        output = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True)
        assert version in output.stdout
