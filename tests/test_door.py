# SPDX-License-Identifier: MIT
"""./dev's own behaviour, and the checks in ci/: what they must accept and refuse."""

import json
import os
import shutil
import subprocess

import pytest


def run(*command, **options):
    return subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_dev_alone_tells_its_words(root):
    result = run(root / "dev")
    assert result.returncode == 0
    for word in ("setup", "undo-setup", "build", "serve", "test", "fuzz", "bench", "lint", "format", "clean"):
        assert f"\n  {word} " in result.stdout


def test_dev_refuses_an_unknown_word_in_one_line(root):
    result = run(root / "dev", "bulid")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1 and "'bulid'" in result.stderr


def test_dev_build_takes_no_argument(root):
    result = run(root / "dev", "build", "nonsense")
    assert result.returncode == 1
    assert result.stderr == "dev: build takes no argument: 'nonsense'\n"


def test_dev_clean_leaves_sources_and_downloads(root, tmp_path):
    shutil.copy(root / "dev", tmp_path)
    kept = {".cache/downloads", ".cache/venv/__pycache__", "subprojects/packagefiles", "tests"}
    made = {"build", "build-fuzz", "subprojects/nghttp2-1.70.0", "subprojects/upb-35.1", "subprojects/no-build/a/__pycache__"}
    for folder in kept | made:
        (tmp_path / folder).mkdir(parents=True)
    assert run(tmp_path / "dev", "clean").returncode == 0
    assert [folder for folder in kept if not (tmp_path / folder).exists()] == []
    assert [folder for folder in made if (tmp_path / folder).exists()] == []


DEB822 = """\
# the machine's mirror
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.example/debian
Suites: bookworm
Components: stable

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
# deb http://off.example/debian bookworm main
deb [ arch=amd64 signed-by=/usr/share/keyrings/a.gpg ] http://mirror.example/debian bookworm main
deb http://mirror.example/security bookworm-security main contrib # a remark
deb-src http://mirror.example/debian bookworm main
deb http://third.example/debian bookworm-pgdg main
"""


def next_suite(root, *files):
    awk = root / "ci" / "next-suite.awk"
    result = run("awk", "-v", "from=bookworm", "-v", "to=trixie", "-f", awk, *files, check=True)
    return result.stdout


def test_sources_of_the_next_suite_from_deb822(root, tmp_path):
    (tmp_path / "debian.sources").write_text(DEB822)
    assert next_suite(root, tmp_path / "debian.sources") == (
        "Types: deb\nSuites: trixie\nComponents: main\n"
        "URIs: http://mirror.example/debian\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n\n"
        "Types: deb\nSuites: trixie-security\nComponents: main\n"
        "URIs: http://mirror.example/security\n\n"
    )


def test_sources_of_the_next_suite_from_one_line_form(root, tmp_path):
    (tmp_path / "sources.list").write_text(ONE_LINE)
    assert next_suite(root, tmp_path / "sources.list") == (
        "Types: deb\nSuites: trixie\nComponents: main\n"
        "URIs: http://mirror.example/debian\nSigned-By: /usr/share/keyrings/a.gpg\n\n"
        "Types: deb\nSuites: trixie-security\nComponents: main\n"
        "URIs: http://mirror.example/security\n\n"
    )


@pytest.fixture
def tree(root, tmp_path):
    """A tree of nothing but the checks, for putting offences into."""
    shutil.copytree(root / "ci", tmp_path / "ci")

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write.root = tmp_path
    return write


@pytest.mark.parametrize(
    "path, header, allowed",
    [
        ("server/a.c", '"call/call.h"', True),
        ("server/a.c", "<quoit/server.h>", True),
        ("server/a.c", '"client/channel.h"', False),
        ("client/a.c", '"server/router.h"', False),
        ("core/a.c", '"codec/framing.h"', False),
        ("codec/a.c", '"core/ring.h"', True),
        ("codec/a.c", "<liburing.h>", False),
        ("core/a.c", "<liburing.h>", False),
        ("core/engine/a.c", "<liburing.h>", True),
        ("call/a.c", "<nghttp2/nghttp2.h>", False),
        ("services/a.c", '"call/call.h"', False),
        ("apps/a.c", '"api.quoit.h"', True),
        ("apps/a.c", '"server/server.h"', False),
    ],
)
def test_include_arrows(tree, path, header, allowed):
    tree(header.strip('<>"'), "")
    tree(path, f"#include {header}\n")
    assert (run(tree.root / "ci" / "check-includes").returncode == 0) == allowed


@pytest.mark.parametrize(
    "files, told",
    [
        ({"call/a.h": "call/b.h", "call/b.h": "call/c.h", "call/c.h": ""}, None),
        ({"call/a.h": "call/b.h", "call/b.h": "call/c.h", "call/c.h": "call/a.h"}, "call/a.h -> call/b.h -> call/c.h -> call/a.h"),
        ({"include/quoit/a.h": "quoit/b.h", "include/quoit/b.h": "quoit/a.h"}, "include/quoit/a.h -> include/quoit/b.h -> include/quoit/a.h"),
        ({"apps/x/a.h": "b.h", "apps/x/b.h": "a.h"}, "apps/x/a.h -> apps/x/b.h -> apps/x/a.h"),
    ],
)
def test_circles_of_includes(tree, files, told):
    for path, header in files.items():
        quoted = f"<{header}>" if header.startswith("quoit/") else f'"{header}"'
        tree(path, f"#include {quoted}\n" if header else "")
    result = run(tree.root / "ci" / "check-includes")
    assert result.returncode == (told is not None)
    assert (f"a circle: {told}" in result.stdout.splitlines()) == (told is not None)


def test_arrows_are_no_circle(tree):
    rooms = (tree.root / "ci" / "rooms.py").read_text()
    tree("ci/rooms.py", rooms.replace('"core": set()', '"core": {"call"}'))
    assert "a circle: call -> codec -> core -> call" in run(tree.root / "ci" / "check-includes").stdout


@pytest.fixture
def check_symbols(tree, tmp_path):
    """check_symbols(**sources): what ci/check-symbols says of these objects: call_a="..." is call/a.c."""

    def check(**sources):
        commands = []
        for name, text in sources.items():
            path = name.replace("_", "/") + ".c"
            tree(path, text)
            commands.append({"directory": str(tmp_path), "file": path, "output": f"{name}.o"})
            run("cc", "-w", "-c", "-o", tmp_path / f"{name}.o", tmp_path / path, check=True)
        tree("compile_commands.json", json.dumps(commands))
        return run(tree.root / "ci" / "check-symbols", tmp_path)

    return check


ENGINES = {
    "core_ring": "extern int engine_epoll, engine_uring; int *ring_engines[] = { &engine_epoll, &engine_uring };",
    "core_engine_a": "int engine_epoll, engine_uring;",
}


@pytest.mark.parametrize(
    "sources, told",
    [
        ({"server_a": "int server_go(void) { return call_go(); }", "call_a": "int call_go(void) { return 0; }"}, None),
        (
            {"server_a": "int server_go(void) { return call_go(); }", "call_a": "int call_go(void) { return server_go(); }"},
            "call/a.c: call/ may not use server_go of server/",
        ),
        (
            {"server_a": "int quoit_server_stop(void) { return 0; }", "call_a": "int call_go(void) { return quoit_server_stop(); }"},
            "call/a.c: call/ may not use quoit_server_stop of server/",
        ),
        (
            {"core_engine_b": "int engine_table;", "core_a": "extern int engine_table; int *table = &engine_table;"},
            "core/a.c: core/ may not use engine_table of core/engine/",
        ),
        ({"apps_x_a": "int main(void) { return parse(); }", "apps_x_b": "int parse(void) { return 0; }", "codec_plugin_a": "int parse(void) { return 0; }"}, None),
    ],
)
def test_calls_between_rooms(check_symbols, sources, told):
    result = check_symbols(**ENGINES, **sources)
    assert (result.returncode, result.stdout.splitlines()[0]) == (
        (1, told) if told else (0, "check-symbols: every call goes down, but for 2 symbols")
    )


def test_an_exception_that_nobody_needs(check_symbols):
    result = check_symbols(**ENGINES | {"core_ring": "extern int engine_uring; int *ring_engine = &engine_uring;"})
    assert result.returncode == 1
    assert result.stdout == "check-symbols: core/ring.c does without engine_epoll: no exception any more\n"


def test_calls_of_this_tree(root, build):
    result = run(root / "ci" / "check-symbols", build)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "text, allowed",
    [
        ("see /" + "work/somewhere/file", False),
        ("https://py" + "pi.org/simple", False),
        ("ask $DIR/work/file or a/tmp/b", True),
    ],
)
def test_stray_paths(tree, text, allowed):
    tree("docs/page.md", text + "\n")
    assert (run(tree.root / "ci" / "check-paths").returncode == 0) == allowed


BESIDE_AND_ALONE = """
import os, pytest
def test_beside(): assert "PYTEST_XDIST_WORKER" in os.environ
@pytest.mark.alone
def test_alone(): assert "PYTEST_XDIST_WORKER" not in os.environ
"""


@pytest.mark.parametrize(
    "more, options, passes, told",
    [
        ("", [], True, "2 passed, 0 failed"),
        ("", ["-k", "alone"], True, "1 passed, 0 failed"),
        ("def test_other(): assert False", ["tests/test_it.py::test_alone"], True, "1 passed, 0 failed"),
        ("def test_other(): assert False", [], False, "2 passed, 1 failed"),
    ],
)
def test_tests_run_side_by_side_or_alone(tree, root, more, options, passes, told):
    (tree.root / ".cache").mkdir()
    (tree.root / ".cache" / "venv").symlink_to(root / ".cache" / "venv")
    tree("pytest.ini", (root / "pytest.ini").read_text())
    tree("tests/test_it.py", BESIDE_AND_ALONE + more)
    (tree.root / "build" / "meson-logs").mkdir(parents=True)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    assert (run(tree.root / "ci" / "test-whole", "build", *options, env=outside).returncode == 0) == passes
    assert run(root / "ci/summary", tree.root / "build" / "meson-logs").stdout.splitlines()[-1] == told


def test_the_summary_says_why_tests_were_skipped(root, tmp_path):
    """One line for each reason, wherever it came from; what failed goes by its name."""
    unit = "[ RUN      ] test_a\n[       OK ] test_a\n[ RUN      ] test_b\nthe kernel has no vsock\n[  SKIPPED ] test_b\n"
    unit += "[ RUN      ] test_c\n[  SKIPPED ] test_c\n"
    again = "[  SKIPPED ] 2 test(s), listed below:\n[  SKIPPED ] test_b\n[  SKIPPED ] test_c\n"
    (tmp_path / "testlog.json").write_text(json.dumps({"name": "q / bind", "result": "OK", "stdout": unit, "stderr": again}) + "\n")
    cases = [f'<testcase classname="c" name="t{i}"><skipped message="go is missing"/></testcase>' for i in range(61)]
    cases.append('<testcase classname="l" name="v"><skipped message="the kernel has no vsock"/></testcase>')
    cases.append('<testcase classname="l" name="bad"><failure message="x"/></testcase>')
    for name, part in ("together", cases[:10]), ("alone", cases[10:]):
        (tmp_path / f"pytest-{name}.junit.xml").write_text(f"<testsuites>{''.join(part)}</testsuites>")
    done = run(root / "ci/summary", tmp_path)
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert told[-6:-2] == [
        "failed: l: bad",
        "go is missing: 61 skipped",
        "no reason given: 1 skipped",
        "the kernel has no vsock: 2 skipped",
    ]
    assert told[-1] == "1 passed, 1 failed, 64 skipped"
