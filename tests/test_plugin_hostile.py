# SPDX-License-Identifier: MIT
"""protoc-gen-quoit on requests that protoc would not send: it says what is wrong in one line, and never crashes."""

import itertools
import os
import random
import re
import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from google.protobuf.message import DecodeError

import plugin_kit
from plugin_kit import kit  # noqa: F401 (fixture)
from plugin_mutator import Mutator
from wire_messages import varint

SEED = int(os.environ.get("QUOIT_TEST_SEED", 1))
N_COMPILED = int(os.environ.get("QUOIT_TEST_COMPILED", 10))
EBADMSG = 2**32 - 74
FILES = ["mutated_open.proto", "mutated.proto"]


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


def compiles(kit, folder, answer, *arguments):
    """Writes what was generated, and gives all of it to a compiler. Returns what that says."""
    for file in answer.file:
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_text(file.content)
    sources = [file.name for file in answer.file if file.name.endswith(".c")]
    (folder / "all of it.c").write_text("".join(f'#include "{name}"\n' for name in sources))
    command = [plugin_kit.compilers("c")[-1], "-std=gnu11", "-fsyntax-only", *plugin_kit.C_WARNINGS, *arguments]
    command += [*kit.includes, f"-I{folder}", str(folder / "all of it.c")]
    return subprocess.run(command, capture_output=True, text=True).stderr


def answer_of(build, request):
    (answer,) = answers(build, [request.SerializePartialToString()])
    check_answer(answer)
    return answer


# ---- names and texts that are printed ------------------------------------------------------------

UNSAFE_NAMES = (
    "x*/y.proto", "x/*/y.proto", "*", "a\"b.proto", "a\\b.proto", "a\\", "a\nb.proto", "a\rb.proto", "a\tb.proto", "a??/b.proto",
    "\x00", "a\x7f", "\x1b[31m.proto", "\x85.proto", "\u2028.proto", "\u202e.proto", "\u2066.proto", "\ufeffa.proto",
    "/a.proto", "../a.proto", "a/../../b.proto", "a/./b.proto", "a//b.proto", "a/", "..", ".", "", "x" * 1025,
)  # fmt: skip
SAFE_NAMES = (
    "a b.proto", "it's.proto", "<a>.proto", "$file_name$.proto", "%s%n.proto", "#a.proto", "Grüße/名前.proto", "🥁.proto",
    "a.b/c-d.e.proto", ".proto", "..proto", "...", "-", "9.proto", "noending", "c;d.proto", "{}.proto", "`id`.proto",
    "x" * 200 + "/" + "y" * 200 + ".proto",
)  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE_NAMES, ids=ascii)
def test_a_file_name_that_cannot_be_printed_is_refused(build, name):
    """Also where it is only imported."""
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["b.proto"])
    request.proto_file.add(name=name)
    request.proto_file.add(name="b.proto", dependency=[name])
    error = answer_of(build, request).error
    assert re.search("rename the file|plain path|has no name|shorten it", error), error


def test_a_folder_with_a_star_is_refused_by_protoc(kit, tmp_path):
    (tmp_path / "x*").mkdir()
    (tmp_path / "x*" / "y.proto").write_text('syntax = "proto3";')
    done = kit.protoc(tmp_path / "out", ["x*/y.proto"], paths=[tmp_path], check=False)
    assert done.returncode != 0
    assert "protoc-gen-quoit: x*/y.proto: '*' in the file's name cannot be written into C: rename the file" in done.stderr


def test_other_file_names_are_printed_safely(kit, build, tmp_path):
    request = plugin_pb2.CodeGeneratorRequest()
    for name in SAFE_NAMES:
        request.proto_file.add(name=name)
    request.proto_file.add(name="all.proto", dependency=SAFE_NAMES)
    request.file_to_generate.extend(file.name for file in request.proto_file)
    answer = answer_of(build, request)
    assert not answer.error
    assert not compiles(kit, tmp_path, answer)


def test_a_name_in_an_error_is_one_line(build):
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["a\nb\u202e\x1b"])
    assert answer_of(build, request).error == r"protoc-gen-quoit: no descriptor of 'a\012b\342\200\256\033'"
    request = plugin_pb2.CodeGeneratorRequest(parameter="x\ny=3,z")
    assert answer_of(build, request).error == r"protoc-gen-quoit: unknown option 'x\012y=3': there are messages_only, services=off, stubs=off, symbol_prefix=PREFIX and elsewhere=PATH"


COMMENTS = (
    "*/ int evil; /*", "*", "/", "/*", "**/", "*\n/", "*\0/", "*\r/", "*\x0b/", "/\0*", "ends in a backslash \\", "\\\n/ x", "*\\\n/ int evil;",
    "ends in a trigraph ??/\n/", "*??/\n/", "\0", "\x1b[31m red", "\r\r", "\x85", "\u2028 x", "\u202e evil", "// x \\\n int evil;", "\n\n\n", "\t\t",
    "#define X", '"', "'", "$full_name$", "%s%n", "Grüße 🥁", "*" * 5000,
)  # fmt: skip


def test_comments_stay_comments(kit, build, base, tmp_path):
    answers_ = []
    for before, behind in zip(COMMENTS, reversed(COMMENTS)):
        request = plugin_pb2.CodeGeneratorRequest()
        request.CopyFrom(base)
        for file in request.proto_file:
            for location in file.source_code_info.location:
                location.leading_comments, location.trailing_comments = before, behind
                location.leading_detached_comments.append(before)
        answers_.append(answer_of(build, request))
        assert not answers_[-1].error
    for i, answer in enumerate(answers_[:: 1 + len(COMMENTS) // 6]):
        assert not compiles(kit, tmp_path / str(i), answer, "-Wtrigraphs", "-std=c11", "-D_GNU_SOURCE")
    for answer in answers_:
        for file in answer.file:
            code = re.sub(r"/\*.*?\*/", "", file.content, flags=re.S)
            assert "evil" not in code and "/*" not in code and "*/" not in code


# ---- requests that are not whole -----------------------------------------------------------------


def m(request):
    """mut.M: all kinds of fields."""
    return next(message for message in request.proto_file[1].message_type if message.name == "M")


def field(request, name):
    return next(f for f in m(request).field if f.name == name)


def entry(request, name="ByNameEntry"):
    return next(nested for nested in m(request).nested_type if nested.name == name)


def second_map(request):
    field(request, "by_number").type_name = ".mut.M.ByNameEntry"


def entry_elsewhere(request):
    request.proto_file[1].message_type.add().CopyFrom(entry(request))


def deep(request):
    message = request.proto_file[1].message_type.add(name="Nested")
    for _ in range(90):
        message = message.nested_type.add(name="Nested")


def circle(request):
    request.proto_file[0].dependency.append("mutated.proto")


F = descriptor_pb2.FieldDescriptorProto
DAMAGES = {
    "an entry without fields": (lambda r: entry(r).ClearField("field"), "key and a value"),
    "an entry with one field": (lambda r: entry(r).field.pop(), "key and a value"),
    "an entry with three fields": (lambda r: entry(r).field.add(name="x", number=3, type=F.TYPE_BOOL, label=1), "key and a value"),
    "an entry with another key": (lambda r: setattr(entry(r).field[0], "number", 3), "plain field `key = 1`"),
    "an entry in another order": (lambda r: entry(r).field.reverse(), "plain field `key = 1`"),
    "an entry's other names": (lambda r: setattr(entry(r).field[1], "name", "val"), "plain field `value = 2`"),
    "an entry's repeated value": (lambda r: setattr(entry(r).field[1], "label", F.LABEL_REPEATED), "plain field `value = 2`"),
    "an entry's required key": (lambda r: setattr(entry(r).field[0], "label", F.LABEL_REQUIRED), "plain field `key = 1`"),
    "an entry's key that is bytes": (lambda r: setattr(entry(r).field[0], "type", F.TYPE_BYTES), "integer, a bool or a string"),
    "an entry's key that is a double": (lambda r: setattr(entry(r).field[0], "type", F.TYPE_DOUBLE), "integer, a bool or a string"),
    "an entry's value that is a group": (lambda r: setattr(entry(r).field[1], "type", F.TYPE_GROUP), "plain field `value = 2`"),
    "an entry's default": (lambda r: setattr(entry(r).field[0], "default_value", "a"), "plain field `key = 1`"),
    "an entry with a nested type": (lambda r: entry(r).nested_type.add(name="N"), "key and a value"),
    "an entry with extensions": (lambda r: entry(r).extension_range.add(start=5, end=6), "key and a value"),
    "an entry that nobody has": (lambda r: m(r).field.remove(field(r, "by_name")), "nested in the message of the one field"),
    "an entry of two fields": (second_map, "another field's map"),
    "an entry that is not nested": (entry_elsewhere, "nested in the message of the one field"),
    "an entry with another name": (lambda r: setattr(field(r, "by_name"), "name", "other_name"), "another field's map"),
    "a map that is not repeated": (lambda r: setattr(field(r, "by_name"), "label", 1), "must be repeated"),
    "a map in an extension": (lambda r: setattr(r.proto_file[1].extension[0], "type_name", ".mut.M.ByNameEntry"), "cannot be maps"),
    "an entry for a request": (lambda r: setattr(r.proto_file[1].service[0].method[0], "input_type", ".mut.M.ByNameEntry"), "not a message"),
    "an enum's first value in a map": (lambda r: setattr(r.proto_file[1].enum_type[0].value[0], "number", 5), "must be 0"),
    "a oneof without fields": (lambda r: m(r).oneof_decl.add(name="empty"), "mut.M.empty: the oneof has no fields"),
    "a oneof that is not there": (lambda r: setattr(field(r, "yes"), "oneof_index", 7), "oneof 7"),
    "a oneof before the first": (lambda r: setattr(field(r, "yes"), "oneof_index", -1), "oneof -1"),
    "a type that is not there": (lambda r: setattr(field(r, "other"), "type_name", ".mut.Nothing"), "not in this file, nor"),
    "a type that is not imported": (lambda r: r.proto_file[1].ClearField("dependency"), "not in this file, nor"),
    "a type that is not in full": (lambda r: setattr(field(r, "other"), "type_name", "M"), "not a full one"),
    "a type that has no name": (lambda r: field(r, "other").ClearField("type_name"), "not a full one"),
    "a type that is a field": (lambda r: setattr(field(r, "other"), "type_name", ".mut.M.number"), "not a message"),
    "a type that is a service": (lambda r: setattr(field(r, "other"), "type_name", ".mut.S"), "not a message"),
    "a type that is an enum": (lambda r: setattr(field(r, "other"), "type_name", ".mut.Closed"), "not a message"),
    "an enum that is a message": (lambda r: setattr(field(r, "one"), "type_name", ".mut.M"), "not an enum"),
    "no type": (lambda r: field(r, "number").ClearField("type"), "mut.M.number: it has no type"),
    "no name": (lambda r: field(r, "number").ClearField("name"), "mut.M: a field in it is called '', which is not an identifier"),
    "a message without a name": (lambda r: m(r).ClearField("name"), "not an identifier"),
    "number 0": (lambda r: setattr(field(r, "text"), "number", 0), "1 to 536870911"),
    "a negative number": (lambda r: setattr(field(r, "text"), "number", -(2**31)), "1 to 536870911"),
    "a huge number": (lambda r: setattr(field(r, "text"), "number", 2**29), "1 to 536870911"),
    "a number twice": (lambda r: setattr(field(r, "text"), "number", 1), "duplicate field number"),
    "a name twice": (lambda r: setattr(field(r, "text"), "name", "number"), "mut.M.number: the name stands for two things"),
    "a field called as a type": (lambda r: setattr(field(r, "text"), "name", "Deep"), "mut.M.Deep: the name stands for two things"),
    "a field that extends": (lambda r: setattr(field(r, "text"), "extendee", ".mut.M"), "extends a message"),
    "an extension of nothing": (lambda r: r.proto_file[1].extension[0].ClearField("extendee"), "extended message"),
    "an extension of an enum": (lambda r: setattr(r.proto_file[1].extension[0], "extendee", ".mut.Closed"), "not a message"),
    "an extension outside": (lambda r: setattr(r.proto_file[1].extension[0], "number", 5), "no extension range"),
    "an extension's number": (lambda r: setattr(r.proto_file[1].extension[0], "number", -1), "positive"),
    "a required extension": (lambda r: setattr(r.proto_file[1].extension[0], "label", 2), "cannot be required"),
    "a set's extension": (lambda r: setattr(r.proto_file[1].extension[2], "label", 3), "optional messages only"),
    "a range reversed": (lambda r: setattr(m(r).extension_range[0], "end", 3), "Extension range"),
    "a reserved range reversed": (lambda r: setattr(m(r).reserved_range[0], "end", 3), "Reserved range"),
    "an enum without values": (lambda r: r.proto_file[1].enum_type[0].ClearField("value"), "must be 0"),
    "a public import too far": (lambda r: r.proto_file[1].public_dependency.append(1), "public import 1"),
    "a public import before": (lambda r: r.proto_file[1].public_dependency.append(-1), "public import -1"),
    "a weak import before": (lambda r: r.proto_file[1].weak_dependency.append(-7), "weak import -7"),
    "a circle": (circle, "is not in the request before it"),
    "an import of itself": (lambda r: r.proto_file[0].dependency.append("mutated_open.proto"), "is not in the request before it"),
    "an import twice": (lambda r: r.proto_file[1].dependency.append("mutated_open.proto"), "twice"),
    "a file twice": (lambda r: r.proto_file.add().CopyFrom(r.proto_file[0]), "in the request twice"),
    "files with one header": (lambda r: r.proto_file.add(name="mutated.txt"), "both be mutated.quoit.h"),
    "a package that is code": (lambda r: setattr(r.proto_file[0], "package", "a;b"), "not made of identifiers"),
    "a package that ends in a dot": (lambda r: setattr(r.proto_file[0], "package", "a."), "not made of identifiers"),
    "a method that is code": (lambda r: setattr(r.proto_file[1].service[0].method[0], "name", "a(); x"), "not an identifier"),
    "a value that is code": (lambda r: setattr(r.proto_file[1].enum_type[0].value[1], "name", "A=1,B"), "not an identifier"),
    "a very long name": (lambda r: setattr(m(r), "name", "M" * 2000), "more than 1024 bytes"),
    "a syntax": (lambda r: setattr(r.proto_file[0], "syntax", "proto9\n"), "Invalid syntax"),
    "an edition": (lambda r: setattr(r.proto_file[0], "edition", 99999), "dition"),
    "a default": (lambda r: setattr(field(r, "number"), "default_value", "x\n\x00"), "Invalid default"),
    "a default of bytes": (lambda r: setattr(field(r, "raw"), "default_value", "\\"), "unterminated escape"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_request_is_refused(build, base, damage):
    request = plugin_pb2.CodeGeneratorRequest()
    request.CopyFrom(base)
    change, expected = DAMAGES[damage]
    change(request)
    answer = answer_of(build, request)
    assert expected in answer.error, answer.error
    assert answer.error.startswith("protoc-gen-quoit: ")


def test_nesting_is_bounded(build, base):
    request = plugin_pb2.CodeGeneratorRequest()
    request.CopyFrom(base)
    deep(request)
    assert not answer_of(build, request).error
    data = b"\x0a\x00"
    for _ in range(150):
        data = b"\x1a" + varint(len(data)) + data
    data = b"\x22" + varint(len(data)) + data
    request = b"\x7a" + varint(len(data)) + data
    assert answers(build, [request]) == [None]


def test_public_imports_in_diamonds(build):
    """2^40 ways through 80 files."""
    request = plugin_pb2.CodeGeneratorRequest()
    last = []
    for i in range(40):
        for name in (f"a{i}.proto", f"b{i}.proto"):
            request.proto_file.add(name=name, dependency=last, public_dependency=range(len(last)))
        last = [f"a{i}.proto", f"b{i}.proto"]
    request.proto_file[0].message_type.add(name="M")
    top = request.proto_file.add(name="top.proto", dependency=last)
    top.message_type.add(name="Top").field.add(name="m", number=1, label=1, type=F.TYPE_MESSAGE, type_name=".M")
    assert not answer_of(build, request).error


def test_names_that_would_all_be_one_in_c(build):
    """Nested messages called A.A_A.A and the like, in each way that there is: no two have one name, and it does not take long."""
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["a.proto"])
    file = request.proto_file.add(name="a.proto")
    for dots in itertools.product((False, True), repeat=11):
        path = ["A"]
        for dot in dots:
            path[-1:] = [path[-1], "A"] if dot else [path[-1] + "_A"]
        messages = file.message_type
        for name in path:
            found = [message for message in messages if message.name == name]
            messages = (found[0] if found else messages.add(name=name)).nested_type
    answer = answer_of(build, request)
    names = re.findall(r"^typedef struct (\w+) ", answer.file[0].content, re.M)
    assert not answer.error
    assert len(names) == len(set(names)) > 2**11


def test_a_short_request_cannot_ask_for_everything(build):
    """A name of a megabyte that would be repeated for each of 100,000 fields, comments or names that clash."""
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=["a.proto"])
    file = request.proto_file.add(name="a.proto")
    message = file.message_type.add(name="M" * 1000000)
    message.field.add(name="f", number=1, label=1, type=F.TYPE_BOOL)
    for _ in range(100000):
        file.source_code_info.location.add(path=[4, 0], leading_comments="x")
    assert "more than 1024 bytes" in answer_of(build, request).error


# ---- damaged at random ---------------------------------------------------------------------------


def test_no_mutated_request_crashes(build, base, sanitized):
    mutator = Mutator(random.Random(SEED), base)
    requests = [mutator.mutated() for _ in range(2000 if sanitized else 5000)]
    n_taken = 0
    for request, answer in zip(requests, answers(build, requests)):
        if answer is None:
            with pytest.raises(DecodeError):
                plugin_pb2.CodeGeneratorRequest.FromString(request)
            continue
        check_answer(answer)
        n_taken += not answer.error
    assert len(requests) / 20 < n_taken < len(requests) / 1.1, n_taken


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
