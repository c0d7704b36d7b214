# SPDX-License-Identifier: MIT
"""README's first service, exactly as it is printed there, answers as README says."""

import re
import signal
import subprocess

import grpc
import pytest

from plugin_kit import C_WARNINGS, Kit
from python_stubs import python_stubs
from servers import PATIENCE, eventually


def block(readme, language, part=""):
    """The first block of code in @language with @part in it."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", readme, re.M | re.S)
    return next(block for block in blocks if part in block)


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text()


def test_what_is_copied_from_it_runs(readme):
    """No block is indented, and what Python runs is Python."""
    assert re.findall(r"\n\n    .*", re.sub(r"^```.*?^```$", "", readme, flags=re.M | re.S)) == []
    programs = [program for text in re.findall(r"^```sh\n(.*?)^```$", readme, re.M | re.S) for program in re.findall(r"python -c '([^']*)'", text)]
    assert len(programs) == 2
    for program in programs:
        compile(program, "README.md", "exec")


def test_the_first_service_is_short(readme):
    assert len(block(readme, "c").splitlines()) < 64


def test_the_first_client_is_short(readme):
    assert len(block(readme, "c", 'printf("%lld').splitlines()) < 40


def test_the_first_client_works(readme, root, build, tmp_path):
    """Against nobody, and then against the first service."""
    kit = Kit(root, build)
    (tmp_path / "sum.proto").write_text(block(readme, "proto"))
    address = f"unix:{tmp_path}/socket"
    for name, program in ("server", block(readme, "c")), ("client", block(readme, "c", 'printf("%lld')):
        text = program.replace("localhost:50052", address).replace("127.0.0.1:50052", address)
        (tmp_path / f"{name}.c").write_text(text)
    kit.protoc(tmp_path, ["sum.proto"], paths=[tmp_path])
    for name in "server", "client":
        sources = [tmp_path / f"{name}.c", tmp_path / "sum.quoit.c"]
        kit.program(tmp_path, sources, tmp_path / name, warnings=["-Wall", "-Werror"])

    def run():
        return subprocess.run([tmp_path / "client"], capture_output=True, text=True, timeout=PATIENCE)

    alone = run()
    assert alone.returncode == 1
    assert f"UNAVAILABLE: {address}: connect: No such file or directory (ENOENT)" in alone.stderr
    server = subprocess.Popen([tmp_path / "server"])
    try:
        eventually((tmp_path / "socket").exists, "it listens")
        assert run().stdout == "42\n" + "".join(f"{n} " for n in range(2, 41))
    finally:
        server.kill()
        server.wait()


def test_the_first_service_works(readme, root, build, tmp_path):
    address = f"unix:{tmp_path}/socket"
    kit = Kit(root, build)
    (tmp_path / "sum.proto").write_text(block(readme, "proto"))
    program = block(readme, "c")
    assert '"localhost:50052"' in program
    (tmp_path / "main.c").write_text(program.replace("localhost:50052", address))
    kit.protoc(tmp_path, ["sum.proto"], paths=[tmp_path])
    sources = [tmp_path / "main.c", tmp_path / "sum.quoit.c"]
    kit.program(tmp_path, sources, tmp_path / "sum", warnings=C_WARNINGS)

    pb, stubs = python_stubs(tmp_path, "sum", tmp_path)
    server = subprocess.Popen([tmp_path / "sum"], stderr=subprocess.PIPE, text=True)
    try:
        eventually((tmp_path / "socket").exists, "it listens")
        with grpc.insecure_channel(address) as channel:
            stub = stubs.SumStub(channel)
            assert stub.Add(pb.Pair(a=2, b=40), timeout=PATIENCE).value == 42
            counted = stub.Count(pb.Pair(a=-1, b=20000), timeout=PATIENCE)
            assert [total.value for total in counted] == list(range(-1, 20001))
            pairs = (pb.Pair(a=i, b=1) for i in range(1000))
            assert stub.Collect(pairs, timeout=PATIENCE).value == sum(range(1000)) + 1000
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0, server.stderr.read()
    finally:
        server.kill()
        server.wait()
