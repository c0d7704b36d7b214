# SPDX-License-Identifier: MIT
"""protoc-gen-quoit on requests that protoc would not send: it says what is wrong in one line, and never crashes."""

import os
import random
import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from google.protobuf.message import DecodeError

import plugin_kit
from plugin_kit import Kit
from plugin_mutator import Mutator

SEED = int(os.environ.get("QUOIT_TEST_SEED", 1))
N_COMPILED = int(os.environ.get("QUOIT_TEST_COMPILED", 20))
EBADMSG = 2**32 - 74
FILES = ["mutated_open.proto", "mutated.proto"]


@pytest.fixture(scope="module")
def kit(root, build):
    return Kit(root, build)


@pytest.fixture(scope="module")
def base(kit, tmp_path_factory):
    """A request as protoc makes it."""
    folder = tmp_path_factory.mktemp("base")
    kit.protoc(folder, FILES, f"--descriptor_set_out={folder}/set", "--include_imports", "--include_source_info")
    files = descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes())
    return plugin_pb2.CodeGeneratorRequest(file_to_generate=FILES, proto_file=files.file)


def answers(build, requests):
    """What the plugin makes of each: a response, or None if it does not take that for a request."""
    program = build / "tests" / "plugin-requests"
    data = b"".join(struct.pack("I", len(r)) + r for r in requests)
    done = subprocess.run([program], input=data, capture_output=True)
    found, at = [], 0
    while at < len(done.stdout):
        result, size = struct.unpack_from("II", done.stdout, at)
        at += 8
        assert result in (0, EBADMSG)
        found.append(None if result else plugin_pb2.CodeGeneratorResponse.FromString(done.stdout[at : at + size]))
        at += size
    if len(found) < len(requests):
        pytest.fail(f"exit status {done.returncode} at {requests[len(found)].hex()}\n{done.stderr.decode()[-2000:]}")
    assert done.returncode == 0, done.stderr
    return found


def check_answer(answer):
    if answer.error:
        assert not answer.file
        assert answer.error.startswith("protoc-gen-quoit: ") and answer.error.isprintable(), answer.error
        assert len(answer.error) < 3000
    for file in answer.file:
        text = file.content.replace("\n", "").replace("\t", "")
        assert text.isprintable() and file.name.isprintable()


def test_no_mutated_request_crashes(build, base, sanitized):
    mutator = Mutator(random.Random(SEED), base)
    requests = [mutator.mutated() for _ in range(3000 if sanitized else 10000)]
    n_taken = 0
    for request, answer in zip(requests, answers(build, requests)):
        if answer is None:
            with pytest.raises(DecodeError):
                plugin_pb2.CodeGeneratorRequest.FromString(request)
            continue
        check_answer(answer)
        n_taken += not answer.error
    assert len(requests) / 20 < n_taken < len(requests) / 1.1, n_taken


def compiles(kit, folder, answer):
    """Writes what was generated, and gives all of it to a compiler. Returns what that says."""
    for file in answer.file:
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_text(file.content)
    said = ""
    for source in (file.name for file in answer.file if file.name.endswith(".c")):
        command = [plugin_kit.compilers("c")[-1], "-std=gnu11", "-fsyntax-only", *plugin_kit.C_WARNINGS]
        command += [*kit.includes, f"-I{folder}", str(folder / source)]
        said += subprocess.run(command, capture_output=True, text=True).stderr
    return said


def test_what_is_generated_compiles(kit, build, base, tmp_path):
    """Also from damaged requests: what cannot become C is refused."""
    mutator = Mutator(random.Random(SEED + 1000), base)
    n_compiled = 0
    requests = [mutator.mutated() for _ in range(N_COMPILED * 10)]
    for i, (request, answer) in enumerate(zip(requests, answers(build, requests))):
        if answer is None or len(answer.file) < 2 * len(FILES) or n_compiled == N_COMPILED:
            continue
        said = compiles(kit, tmp_path / str(i), answer)
        assert not said, f"{request.hex()}\n{said}"
        n_compiled += 1
    assert n_compiled == N_COMPILED
