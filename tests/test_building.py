# SPDX-License-Identifier: MIT
"""README's first service, and quoit(7)'s, built with an installed Quoit by the very words of README and docs/building.md."""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import grpc
import pytest

from installed import needed
from servers import PATIENCE, eventually
from test_readme import block
from toolchains import python_package


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is missing")


def lines(readme, *starts):
    """README's lines of commands that begin so, in that order."""
    for start in starts:
        (line,) = re.findall(rf"^({re.escape(start)}.*)$", readme, re.M)
        yield line


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text()


@pytest.fixture(scope="module")
def building(root):
    return (root / "docs/building.md").read_text()


@pytest.fixture
def project(readme, tmp_path):
    """A folder with the first service, which listens on its ./socket."""
    (tmp_path / "sum.proto").write_text(block(readme, "proto"))
    main = block(readme, "c").replace("localhost:50052", "unix:socket")
    (tmp_path / "main.c").write_text(main)
    return tmp_path


@pytest.fixture(scope="module")
def stub(readme, tmp_path_factory):
    """SumStub's class and its messages, made as README says."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "sum.proto").write_text(block(readme, "proto"))
    (command,) = lines(readme, "python -m grpc_tools.protoc -I. ")
    subprocess.run([sys.executable, *command.split()[1:]], cwd=folder, check=True)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("sum_pb2"), importlib.import_module("sum_pb2_grpc").SumStub
    sys.path.remove(str(folder))


def check_serves(installed, stub, folder, program="sum"):
    messages, Stub = stub
    server = subprocess.Popen([folder / program], cwd=folder, env=installed.environment)
    try:
        eventually((folder / "socket").exists, "it listens")
        with grpc.insecure_channel(f"unix:{folder}/socket") as channel:
            assert Stub(channel).Add(messages.Pair(a=2, b=40), timeout=PATIENCE).value == 42
        server.terminate()
        assert server.wait(PATIENCE) == 0
    finally:
        server.kill()
        server.wait()


def test_by_readmes_own_commands(installed, readme, project, stub):
    for command in lines(readme, "protoc --quoit_out=. sum.proto", "cc -O2 main.c"):
        installed.run("sh", "-c", command, cwd=project)
    check_serves(installed, stub, project)


def test_the_python_of_readme_gets_its_answer(installed, readme, project, stub):
    """With the port of README in the call, and another in the server."""
    messages, _ = stub
    for command in lines(readme, "protoc --quoit_out=. sum.proto", "cc -O2 main.c"):
        installed.run("sh", "-c", command, cwd=project)
    (call,) = re.findall(r"^python -c '(import grpc, sum_pb2.*?)'$", readme, re.M | re.S)
    assert '"localhost:50052"' in call
    server = subprocess.Popen([project / "sum"], cwd=project)
    try:
        eventually((project / "socket").exists, "it listens")
        call = call.replace("localhost:50052", f"unix:{project}/socket")
        folder = messages.__file__.rpartition("/")[0]
        done = subprocess.run([sys.executable, "-c", call], cwd=folder, capture_output=True, text=True)
        assert done.stdout == "42\n", done.stderr
    finally:
        server.kill()
        server.wait()


def test_the_first_call_of_readme(readme, root, start, tmp_path):
    """Of Python to quoit-api, with another port; the environment is that of these tests."""
    server = start("quoit-api", "--port", 0)
    (script,) = re.findall(r"^(python -m grpc_tools[^\n]* api\.proto\n.*?)^```$", readme, re.M | re.S)
    assert "localhost:50051" in script and "$OLDPWD" in script
    script = script.replace("localhost:50051", f"localhost:{server.port}")
    shell = f'OLDPWD="{root}"; python() {{ "{sys.executable}" "$@"; }}; {script}'
    done = subprocess.run(["sh", "-c", shell], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "Hello Ann!\n", done.stderr


def test_an_example_by_readmes_words(installed, readme, root, tmp_path):
    shutil.copytree(root / "examples", tmp_path / "examples")
    ((cc, protoc),) = re.findall(r"`(cc unary\.c .*?)` after `(protoc .*?)`", readme)
    installed.run("sh", "-c", f"{protoc} && {cc}", cwd=tmp_path / "examples")
    assert (tmp_path / "examples/a.out").exists()


def test_make(installed, building, project, stub):
    tool("make")
    (project / "Makefile").write_text(block(building, "make"))
    installed.run("make", "-s", cwd=project)
    check_serves(installed, stub, project)
    (project / "sum.proto").touch()
    assert "protoc" in installed.run("make", "-n", cwd=project)


def test_meson(installed, building, project, stub):
    (project / "meson.build").write_text(block(building, "meson"))
    installed.run("meson", "setup", "build", cwd=project)
    installed.run("ninja", "-C", "build", cwd=project)
    check_serves(installed, stub, project, "build/sum")
    assert not {name for name in needed(project / "build/sum") if "quoit" in name}


def test_as_a_subproject_of_meson(root, building, project):
    """Up to ninja: the rest would be a build of all of Quoit."""
    (project / "meson.build").write_text(block(building, "meson"))
    (project / "subprojects").mkdir()
    (project / "subprojects" / "quoit").symlink_to(root)
    shutil.copy(root / "deploy/packages/quoit.wrap", project / "subprojects")
    environment = {**os.environ, "PKG_CONFIG_PATH": ""}
    for command in ["meson", "setup", "build", "-Dquoit:lto=disabled", "-Dquoit:pgo=off"], ["ninja", "-C", "build", "-n", "sum"]:
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    made = subprocess.run(["ninja", "-C", "build", "-t", "targets", "all"], cwd=project, capture_output=True, text=True).stdout
    assert "protoc-gen-quoit" in made and "quoit-api" not in made


def cmake(installed, folder, text=None, out="build"):
    tool("cmake")
    if text:
        (folder / "CMakeLists.txt").write_text(text)
    told = installed.run("cmake", "-S", ".", "-B", out, "-DCMAKE_BUILD_TYPE=Release", cwd=folder)
    return told + installed.run("cmake", "--build", out, cwd=folder)


def test_cmake(installed, building, project, stub):
    assert "Warning" not in cmake(installed, project, block(building, "cmake"))
    check_serves(installed, stub, project, "build/sum")
    assert not {name for name in needed(project / "build/sum") if "quoit" in name}
    # What is generated follows its .proto file.
    generated = project / "build/quoit/sum/sum.quoit.h"
    (project / "sum.proto").write_text(block_with_a_field(project))
    cmake(installed, project)
    assert "sum_Pair_late" in generated.read_text()


def block_with_a_field(project):
    return (project / "sum.proto").read_text().replace("int32 b = 2;", "int32 b = 2; int32 late = 3;")


def test_cmake_shared(installed, building, project, stub):
    text = block(building, "cmake").replace("quoit::quoit)", "quoit::quoit_shared)")
    cmake(installed, project, text)
    check_serves(installed, stub, project, "build/sum")
    assert "libquoit.so.0" in needed(project / "build/sum")


def test_cmake_messages_alone_from_several_folders(installed, tmp_path):
    """Files in folders, under two roots, that import one another and protoc's own, named in each way; a target of CMake's
    that others get the headers from; and no OpenSSL, which messages have no use for."""
    for path, text in {
        "api/app/v1/thing.proto": 'package app.v1; import "common/base.proto"; message Thing { common.Base base = 1; }',
        "third/common/base.proto": 'package common; import "google/protobuf/timestamp.proto";'
        " message Base { google.protobuf.Timestamp at = 1; }",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(f'syntax = "proto3"; {text}')
    (tmp_path / "main.c").write_text(
        '#include "app/v1/thing.quoit.h"\n'
        "int main(void)\n{\n        upb_Arena *arena = upb_Arena_New();\n"
        "        app_v1_Thing *thing = app_v1_Thing_new(arena);\n"
        "        google_protobuf_Timestamp *at =\n"
        "                common_Base_mutable_at(app_v1_Thing_mutable_base(thing, arena), arena);\n"
        "        google_protobuf_Timestamp_set_seconds(at, 7);\n"
        "        return google_protobuf_Timestamp_seconds(at) != 7;\n}\n"
    )
    cmake(
        installed,
        tmp_path,
        "cmake_minimum_required(VERSION 3.13)\nproject(things C)\n"
        "set(CMAKE_DISABLE_FIND_PACKAGE_OpenSSL TRUE)\n"
        "find_package(quoit 0.1 REQUIRED COMPONENTS message)\n"
        "add_library(things STATIC)\n"
        "quoit_generate(things app/v1/thing.proto ${CMAKE_CURRENT_SOURCE_DIR}/third/common/base.proto\n"
        "  google/protobuf/timestamp.proto IMPORTS api ${CMAKE_CURRENT_SOURCE_DIR}/third)\n"
        "target_link_libraries(things PUBLIC quoit::message)\n"
        "add_executable(main main.c)\ntarget_link_libraries(main things)\n",
    )
    installed.run(tmp_path / "build/main")
    assert needed(tmp_path / "build/main") == {"libc.so.6"}


def test_conan(root, building, project, stub, tmp_path_factory):
    """The recipe makes a package, with the machine's libraries and without optimization; README's service is built with that."""
    tool("cmake")
    environment = {**os.environ, "PYTHONPATH": str(python_package("conan", "2.34.0")), "CONAN_HOME": str(tmp_path_factory.mktemp("conan"))}
    (project / "conanfile.txt").write_text(block(building, "ini"))
    (project / "CMakeLists.txt").write_text(block(building, "cmake"))

    def run(command, folder):
        command = command.replace("PATH/TO/quoit", str(root)).replace("=Release", "=Debug")
        if command.startswith("conan "):
            debug = "" if command.endswith("detect") else " -s build_type=Debug"
            command = f"'{sys.executable}' -c 'from conans.conan import run; run()' {command[6:]}{debug}"
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    run("conan profile detect", project)
    (create,) = lines(building, "conan create ")
    run(create, root)
    for command in lines(building, "conan install ", "cmake -S . -B build -DCMAKE_TOOLCHAIN_FILE", "cmake --build build"):
        run(command, project)
    check_serves(SimpleNamespace(environment=os.environ), stub, project, "build/sum")
    assert not {name for name in needed(project / "build/sum") if "quoit" in name}


def test_the_port_of_vcpkg(root):
    """As far as vcpkg is not needed for it: its manifest has what meson asks for, and all that is built from is copied."""
    port = root / "deploy/packages/vcpkg/quoit"
    manifest = json.loads((port / "vcpkg.json").read_text())
    meson = (root / "meson.build").read_text()
    assert manifest["version"] == re.search(r"^    version: '(.*)',$", meson, re.M)[1]
    names = {"libzstd": "zstd", "libcares": "c-ares", "libllhttp": "llhttp"}
    wanted = {names.get(name, name) for name in re.findall(r"^\w+ = dependency\('([\w-]+)'", meson, re.M)} - {"threads"}
    assert {one for one in manifest["dependencies"] if isinstance(one, str)} == wanted
    (copied,) = re.findall(r"foreach\(room IN ITEMS (.*?)\)", (port / "portfile.cmake").read_text(), re.S)
    rooms = {room.partition("/")[0] for room in re.findall(r"^ *subdir\('([\w/-]+)'\)", meson, re.M)} - {"examples", "tests", "fuzz", "bench"}
    assert rooms <= set(copied.split())


@pytest.mark.parametrize(
    "asked, found",
    [("0.1", True), ("0.1.0", True), ("0", True), ("0.0.9", False), ("0.2", False), ("1", False)],
)
def test_cmake_versions(installed, tmp_path, asked, found):
    """As semver has it: before 1.0 another minor version is another interface."""
    text = f"cmake_minimum_required(VERSION 3.13)\nproject(v C)\nfind_package(quoit {asked})\nmessage(STATUS found=${{quoit_FOUND}})\n"
    told = cmake(installed, tmp_path, text)
    assert ("found=1" in told or "found=TRUE" in told) == found


def test_a_folder_of_your_own(installed, building, readme, project, stub, tmp_path_factory):
    """What is installed stands there for what the first two commands would install, in that folder of $HOME."""
    setup, install, export = block(building, "sh").splitlines()
    assert (setup, install) == ('meson configure build --prefix="$HOME/quoit"', "meson install -C build")
    home = tmp_path_factory.mktemp("home")
    (home / "quoit").symlink_to(installed.prefix)
    protoc, cc = lines(readme, "protoc --quoit_out=. sum.proto", "cc -O2 main.c")
    environment = {**os.environ, "HOME": str(home), "PKG_CONFIG_SYSROOT_DIR": str(installed.root)}
    subprocess.run(["sh", "-c", f"{export} && {protoc} && {cc}"], cwd=project, env=environment, check=True)
    check_serves(installed, stub, project)
    (project / "CMakeLists.txt").write_text(block(building, "cmake"))
    tool("cmake")
    subprocess.run(["sh", "-c", f"{export} && cmake -S . -B build"], cwd=project, env=environment, check=True)


def test_the_service_of_the_manual_works(installed, root, tmp_path):
    page = (root / "docs/man/quoit.7").read_text()
    (example,) = re.findall(r"^\.Bd -literal -offset indent\n(#include.*?)^\.Ed$", page, re.M | re.S)
    (tmp_path / "main.c").write_text(example.replace(r"\en", r"\n").replace("localhost:50051", "unix:socket"))
    shutil.copy(root / "proto/api.proto", tmp_path)
    protos = installed.pkg_config("--variable=protodir", "quoit")
    installed.run("protoc", "-I.", f"-I{protos[0]}", "--quoit_out=.", "api.proto", cwd=tmp_path)
    flags = installed.pkg_config("--cflags", "--libs", "quoit")
    installed.run("cc", "-Wall", "-Wextra", "-Werror", "main.c", "api.quoit.c", "-o", "hello", *flags, cwd=tmp_path)
    server = subprocess.Popen([tmp_path / "hello"], cwd=tmp_path)
    try:
        eventually((tmp_path / "socket").exists, "it listens")
        call = "/api.Api/sayHello"
        with grpc.insecure_channel(f"unix:{tmp_path}/socket") as channel:
            assert channel.unary_unary(call)(b"\x0a\x03Ann", timeout=PATIENCE) == b"\x0a\x0aHello Ann!"
    finally:
        server.kill()
        server.wait()
