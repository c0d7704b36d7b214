# SPDX-License-Identifier: MIT
"""Every decoder and encoder of ours against Python's protobuf, on bytes made and damaged at random.

QUOIT_TEST_SEED tries others than those of every day, QUOIT_TEST_MESSAGES says how many. What fails is printed as bytes:
put it into REGRESSIONS.
"""

import enum
import os
import random
import re
import struct
import subprocess

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from explained import are_reordered, has_field_zero
from message_filler import Filler
from plugin_kit import KITCHEN, WELL_KNOWN, Kit
from wire_messages import Maker

FILES = KITCHEN + WELL_KNOWN
SEED = os.environ.get("QUOIT_TEST_SEED", "1")
BATCH = 5000
N_VERY_LONG = 24
N_MADE_BY_PYTHON = 2000

# (type, bytes): what has once been decoded or encoded wrongly.
REGRESSIONS = [
    ("google.protobuf.FieldMask", "0a01610a81800062"),
    ("google.protobuf.FieldMask", "0a01610a80" + "8001" + "78" * 16384),
    ("kitchen.Proto2", "aa01033a0161"),
    ("kitchen.Proto2.OptGroup", "120114"),
    ("kitchen.Editions", "7a010478feffffffffffffffff01"),
    ("kitchen.Editions", "7a0c0480808080f8ffffffff0104"),
    ("kitchen.Proto2", "c2010f80808001e807808080808080808001"),
    ("kitchen.Needy", "333433080134"),
    ("kitchen.Needy", "22002801"),
    ("kitchen.Needy", "1a020801"),
    ("kitchen.Required", "088080808088001201781a0008baf40f1a020801"),
]


class Verdict(enum.IntEnum):
    """As in differential_driver.c."""

    PARSED = 0
    NOT_PARSED = 1
    WITHOUT_REQUIRED = 2
    SLOW_DECODER_DIFFERS = 3
    ALIASING_DECODER_DIFFERS = 4
    SERVER_DECODER_DIFFERS = 5
    SERVER_ENCODER_DIFFERS = 6
    SECOND_TIME_DIFFERS = 7
    UNKNOWN_EXTENSIONS_DIFFER = 8
    NOT_ENCODED = 9
    CRASHED = 10


def mangled(full_name):
    """How a message's table is called."""
    return "quoit_" + full_name.replace("_", "_0").replace(".", "__") + "_msg_init"


class Subject:
    """The program under test, and the same types in Python."""

    DRIVER = "differential_driver.c"

    def __init__(self, kit, folder):
        kit.protoc(folder, FILES, f"--descriptor_set_out={folder}/set", "--include_imports")
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes()).file:
            self.pool.Add(file)
        self.descriptors = []
        for name in FILES:
            for descriptor in self.pool.FindFileByName(name).message_types_by_name.values():
                self.collect(descriptor)
        self.classes = [message_factory.GetMessageClass(d) for d in self.descriptors]
        self.index = {d.full_name: i for i, d in enumerate(self.descriptors)}
        self.program = self.compile(kit, folder)

    def collect(self, descriptor):
        if not descriptor.GetOptions().map_entry:
            self.descriptors.append(descriptor)
        for nested in descriptor.nested_types:
            self.collect(nested)

    def compile(self, kit, folder):
        text = "".join(f'#include "{name[:-6]}.quoit.h"\n' for name in FILES)
        text += "\nstatic const upb_MiniTable *const types[] = {\n"
        text += "".join(f"        &{mangled(d.full_name)},\n" for d in self.descriptors)
        text += "};\n\nstatic const quoit_file_descriptor *const files[] = {\n"
        text += "".join(f"        &{name.replace('/', '_').replace('.', '_')}_quoit_file,\n" for name in FILES)
        (folder / "differential_types.h").write_text(text + "};\n")
        sources = [folder / f"{name[:-6]}.quoit.c" for name in FILES]
        self.link(kit, folder, [*sources, kit.root / "tests" / self.DRIVER])
        return folder / "differential"

    def link(self, kit, folder, sources):
        kit.program(folder, [*sources, kit.internal], folder / "differential", warnings=kit.inside)

    def extensions_of(self, descriptor):
        found = [e for e in self.pool.FindAllExtensions(descriptor) if e.file.name in FILES]
        return sorted(found, key=lambda e: e.number)

    def answers(self, cases):
        """(index of type, bytes) each; (verdict, bytes) each. A crash ends them."""
        data = b"".join(struct.pack("II", i, len(b)) + b for i, b in cases)
        done = subprocess.run([self.program], input=data, capture_output=True)
        at = 0
        for _ in cases:
            if at == len(done.stdout):
                yield Verdict.CRASHED, done.stderr[-3000:]
                return
            verdict, size = struct.unpack_from("II", done.stdout, at)
            at += 8 + size
            yield Verdict(verdict), done.stdout[at - size : at]


@pytest.fixture(scope="module")
def subject(root, build, tmp_path_factory):
    return Subject(Kit(root, build), tmp_path_factory.mktemp("differential"))


@pytest.fixture(scope="module")
def n_messages(sanitized):
    return int(os.environ.get("QUOIT_TEST_MESSAGES", 20000 if sanitized else 100000))


def canonical(class_, data):
    return class_.FromString(data).SerializePartialToString(deterministic=True)


def difference(class_, data, verdict, answer):
    """What is wrong with the answer, or None."""
    try:
        message = class_.FromString(data)
    except DecodeError:
        return None if verdict == Verdict.NOT_PARSED else f"{verdict.name}; Python does not parse it"
    if verdict == Verdict.NOT_PARSED and has_field_zero(class_.DESCRIPTOR, data):
        return None
    if verdict not in (Verdict.PARSED, Verdict.WITHOUT_REQUIRED):
        return f"{verdict.name}; Python parses it"
    if (verdict == Verdict.PARSED) != message.IsInitialized():
        return f"{verdict.name}; Python does not agree on what is required"
    expected = message.SerializePartialToString(deterministic=True)
    # Extensions and unknown fields may be in another order.
    if answer != expected and not are_reordered(canonical(class_, answer), expected):
        return f"encoded to {answer.hex()}; by Python to {expected.hex()}"
    return None


def check(subject, cases, where):
    """Compares, and fails with a list of the shortest that differ."""
    found = []
    for (index, data), (verdict, answer) in zip(cases, subject.answers(cases)):
        problem = difference(subject.classes[index], data, verdict, answer)
        if verdict == Verdict.CRASHED:
            problem = answer.decode("utf-8", "replace")
        if problem:
            found.append((len(data), subject.descriptors[index].full_name, data.hex(), problem))
    found.sort()
    lines = [f"{name} {hex_[:4000]}\n    {problem[:4000]}" for _, name, hex_, problem in found[:5]]
    assert not found, f"{len(found)} of {len(cases)} differ ({where}), seed {SEED}:\n" + "\n".join(lines)


def made(subject, name, n):
    """Batches of (index of type, bytes), and the maker that they are from."""
    for batch in range(-(-n // BATCH)):
        maker = Maker(subject.extensions_of, random.Random(f"{SEED} {name} {batch}"))
        cases = []
        for _ in range(min(BATCH, n - batch * BATCH)):
            index = maker.random.randrange(len(subject.descriptors))
            cases.append((index, maker.message(subject.descriptors[index])))
        yield batch, maker, cases


def test_what_was_wrong_once(subject):
    cases = [(subject.index[name], bytes.fromhex(hex_)) for name, hex_ in REGRESSIONS]
    check(subject, cases, "regressions")


def test_seeds_of_fuzzing(subject, root):
    """What fuzz_decode.c begins with, and what it has found: its first byte says of which type."""
    names = re.findall(r'"(kitchen\.\w+)"', (root / "fuzz" / "fuzz_decode.c").read_text())
    inputs = [path.read_bytes() for kind in ("corpus", "regressions") for path in sorted((root / "fuzz" / kind / "decode").glob("*"))]
    assert len(names) > 1 and len(inputs) > len(names)
    check(subject, [(subject.index[names[data[0] % len(names)]], data[1:]) for data in inputs], "seeds of fuzzing")


def test_random_messages(subject, n_messages):
    n_parsed = 0
    for batch, _, cases in made(subject, "random", n_messages):
        check(subject, cases, f"batch {batch}")
        n_parsed += sum(verdict != Verdict.NOT_PARSED for verdict, _ in subject.answers(cases[:100]))
    assert n_parsed > 0.5 * n_messages / BATCH * 100  # or it would be a test of errors


def test_mutated_messages(subject, n_messages):
    for batch, maker, cases in made(subject, "mutated", n_messages):
        check(subject, [(i, maker.mutated(data)) for i, data in cases], f"batch {batch}")


def test_messages_made_by_python(subject):
    cases = []
    for seed in range(N_MADE_BY_PYTHON // len(subject.descriptors)):
        for i, descriptor in enumerate(subject.descriptors):
            filler = Filler(subject.extensions_of, f"{SEED} {seed} {i}")
            cases.append((i, filler.fill(subject.classes[i](), descriptor).SerializeToString()))
    check(subject, cases, "made by Python")


def test_very_long_fields(subject):
    maker = Maker(subject.extensions_of, random.Random(f"{SEED} very long"))
    indices = [maker.random.randrange(len(subject.descriptors)) for _ in range(N_VERY_LONG)]
    check(subject, [(i, maker.very_long(subject.descriptors[i])) for i in indices], "very long")
