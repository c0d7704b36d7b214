# SPDX-License-Identifier: MIT
"""Messages as JSON and as text, both ways, against Python's protobuf. QUOIT_TEST_SEED and QUOIT_TEST_TEXTS as in test_differential.py."""

import errno
import json
import os
import random
import re
import struct
import subprocess

import pytest
from google.protobuf import json_format, text_format

from message_filler import Filler
from plugin_kit import Kit
from test_differential import SEED, Subject, made

TO_JSON, TO_JSON_WITH_DEFAULTS, FROM_JSON, FROM_JSON_WITH_UNKNOWN, TO_TEXT, TO_LINE = range(6)
N_TEXTS = int(os.environ.get("QUOIT_TEST_TEXTS", "700"))
FIRST, LAST = -62135596800, 253402300799
LONGEST = 315576000000
FAILED = object()
EXPLAINED = (
    b"No value set in Value proto",  # struct.proto: "Absence of any variant indicates an error"; Python prints null
    b" is not UTF-8",  # of proto2; Python prints "b'\\xed'"
)


class TextFiller(Filler):
    """Well-known types are filled with what JSON can say, most of the time."""

    def __init__(self, extensions_of, seed, classes):
        super().__init__(extensions_of, seed)
        self.classes = classes

    def timestamp(self, message, depth):
        message.seconds = self.random.choice((FIRST, LAST, 0, -1, self.random.randint(FIRST, LAST)))
        message.nanos = self.nanos()

    def duration(self, message, depth):
        sign = self.random.choice((1, -1))
        message.seconds = sign * self.random.choice((LONGEST, 0, 1, self.random.randint(0, LONGEST)))
        message.nanos = sign * self.nanos() if abs(message.seconds) < LONGEST else 0

    def nanos(self):
        return self.random.choice((0, 1, 10, 1000, 120000000, 999999999, self.random.randrange(10**9)))

    def field_mask(self, message, depth):
        message.paths.extend(self.random.choices(("a", "some_field.b", "foo_bar_baz"), k=3))

    def any(self, message, depth):
        class_ = self.random.choice(self.classes)
        if depth < 4 and self.random.random() < 0.8:
            message.Pack(self.fill(class_(), class_.DESCRIPTOR, depth + 1), deterministic=True)

    def value_(self, message, depth):
        r = self.random
        kind = r.randrange(6 if depth < 5 else 4)
        if kind == 0:
            message.null_value = 0
        elif kind == 1:
            message.number_value = r.choice((0, -1.5, 1e300, r.random()))
        elif kind == 2:
            message.string_value = r.choice(("", "a\"b", "Grüße\n"))
        elif kind == 3:
            message.bool_value = r.random() < 0.5
        elif kind == 4:
            self.struct(message.struct_value, depth + 1)
        else:
            self.list_value(message.list_value, depth + 1)

    def struct(self, message, depth):
        message.SetInParent()
        for key in self.random.choices(("", "a", "Ü", '"'), k=2):
            self.value_(message.fields[key], depth + 1)

    def list_value(self, message, depth):
        message.SetInParent()
        for _ in range(self.random.randint(0, 3)):
            self.value_(message.values.add(), depth + 1)

    def fill(self, message, descriptor, depth=0):
        special = {
            "Any": self.any,
            "Duration": self.duration,
            "FieldMask": self.field_mask,
            "ListValue": self.list_value,
            "Struct": self.struct,
            "Timestamp": self.timestamp,
            "Value": self.value_,
        }
        package, _, name = descriptor.full_name.rpartition(".")
        if package != "google.protobuf" or name not in special:
            return super().fill(message, descriptor, depth)
        special[name](message, depth)
        return message


class Texts(Subject):
    DRIVER = "text_driver.c"

    def link(self, kit, folder, sources):
        kit.program(folder, [*sources, kit.json_archive], folder / "differential")

    def answers(self, cases):
        """(index of type, what to do, bytes) each; (errno, bytes) each."""
        data = b"".join(struct.pack("III", i, work, len(b)) + b for i, work, b in cases)
        done = subprocess.run([self.program], input=data, capture_output=True)
        at, found = 0, []
        while at < len(done.stdout):
            code, size = struct.unpack_from("II", done.stdout, at)
            at += 8 + size
            found.append((code, done.stdout[at - size : at]))
        assert len(found) == len(cases), f"{cases[len(found)]}: {done.stderr[-3000:].decode()}"
        assert done.returncode == 0, done.stderr
        return found

    def one(self, name, work, data):
        ((code, text),) = self.answers([(self.index[name], work, data)])
        return code, text

    def error(self, name, text, work=FROM_JSON):
        code, answer = self.one(name, work, text if isinstance(text, bytes) else text.encode())
        assert code == errno.EINVAL, (code, answer)
        return answer.decode("ascii")


@pytest.fixture(scope="module")
def texts(root, build, tmp_path_factory):
    return Texts(Kit(root, build), tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="module")
def messages(texts):
    """(index of type, message) each: made by Python, and what Python reads of bytes made at random."""
    found = []
    for i in range(N_TEXTS):
        index = i % len(texts.classes)
        filler = TextFiller(texts.extensions_of, f"{SEED} text {i}", texts.classes)
        class_ = texts.classes[index]
        found.append((index, filler.fill(class_(), class_.DESCRIPTOR)))
    for _, _, cases in made(texts, "text", N_TEXTS):
        for index, data in cases:
            try:
                message = texts.classes[index].FromString(data)
            except Exception:  # noqa: BLE001 - whatever Python has against it
                continue
            message.DiscardUnknownFields()
            found.append((index, message))
    return found


def to_bytes(message):
    return message.SerializePartialToString(deterministic=True)


def as_json(texts, message, **options):
    """What Python makes of it, or FAILED."""
    try:
        return json_format.MessageToDict(message, descriptor_pool=texts.pool, **options)
    except (json_format.SerializeToJsonError, json_format.Error, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return FAILED


def from_json(texts, index, dictionary):
    """What Python reads, or None: it takes the largest float that it prints for one too large."""
    try:
        return json_format.ParseDict(dictionary, texts.classes[index](), descriptor_pool=texts.pool)
    except json_format.ParseError:
        return None


def is_equal(texts, one, other):
    """The bytes in an Any have maps in any order."""
    return to_bytes(one) == to_bytes(other) or as_json(texts, one) == as_json(texts, other)


def is_same(ours, pythons):
    """As JSON, but a float may be spelled with other digits."""
    if isinstance(pythons, dict):
        return isinstance(ours, dict) and ours.keys() == pythons.keys() and all(is_same(ours[k], v) for k, v in pythons.items())
    if isinstance(pythons, list):
        return isinstance(ours, list) and len(ours) == len(pythons) and all(map(is_same, ours, pythons))
    if isinstance(pythons, bool) or not isinstance(pythons, (int, float)):
        return ours == pythons
    if isinstance(ours, bool) or not isinstance(ours, (int, float)):
        return False
    return ours == pythons or (abs(pythons) < 3.5e38 and abs(ours - pythons) <= 1e-6 * abs(pythons) + 1e-45)


def has_empty_path(text):
    """A FieldMask with an empty path: it has no place between commas."""
    return re.search(r'paths: ""', str(text))


def fail(found, what):
    found.sort(key=lambda one: len(one[1]))
    lines = [f"{name} {str(message)[:1500]}\n    {answer[:1500]}" for name, message, answer in found[:4]]
    assert not found, f"{len(found)} {what}, seed {SEED}:\n" + "\n".join(lines)


@pytest.mark.parametrize("work", [TO_JSON, TO_JSON_WITH_DEFAULTS])
def test_to_json(texts, messages, work):
    """Our JSON is what Python's is, and Python makes the same message of it."""
    options = {"always_print_fields_with_no_presence": work == TO_JSON_WITH_DEFAULTS}
    answers = texts.answers([(i, work, to_bytes(m)) for i, m in messages])
    found, n_same = [], 0
    for (index, message), (code, text) in zip(messages, answers):
        expected = as_json(texts, message, **options)
        problem = None
        if any(words in text for words in EXPLAINED):
            continue
        if (code == 0) != (expected is not FAILED):
            problem = f"{code} {text.decode()}; by Python {expected}"
        elif code == 0:
            ours = json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))
            again, own = (from_json(texts, index, text) for text in (ours, expected))
            if not is_same(ours, expected):
                problem = f"{text.decode()}; by Python {json.dumps(expected)}"
            elif own and not (again and is_equal(texts, again, own)):
                problem = f"{text.decode()}; Python reads {again}"
            n_same += not problem
        if problem:
            found.append((texts.descriptors[index].full_name, str(message), problem))
    fail(found, "differ")
    assert n_same > len(messages) / 2  # or it would be a test of errors


def test_from_json(texts, messages):
    """We read Python's JSON as Python does."""
    cases, expected = [], []
    for index, message in messages:
        dictionary = as_json(texts, message)
        if dictionary is not FAILED and not has_empty_path(message):
            cases.append((index, FROM_JSON, json.dumps(dictionary, indent=len(cases) % 3 or None).encode()))
            expected.append(message)
    found = []
    for (index, _, text), message, (code, answer) in zip(cases, expected, texts.answers(cases)):
        again = texts.classes[index].FromString(answer) if code == 0 else None
        if code or not is_equal(texts, again, message):
            found.append((texts.descriptors[index].full_name, text.decode(), f"{code} {answer!r}: {again}"))
    fail(found, "are read otherwise")
    assert len(cases) > len(messages) / 2


def damaged(r, text):
    at = r.randrange(len(text) + 1)
    kind = r.randrange(5)
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + r.randbytes(1) + text[at + 1 :]
    if kind == 2:
        return text[:at] + r.choice(b'{}[]",:0-.e\\ntf\n\xff').to_bytes(1, "little") + text[at:]
    if kind == 3:
        return text[:at] + text[at + r.randint(1, 9) :]
    return text[:at] + text[r.randrange(len(text)) :][: r.randint(1, 40)] + text[at:]


def test_damaged_json(texts, messages):
    """Whatever it is, it is read as Python reads it, or there is an error that says where."""
    r = random.Random(f"{SEED} damaged")
    cases = []
    for index, message in messages:
        dictionary = as_json(texts, message)
        if dictionary not in (FAILED, {}):
            text = json.dumps(dictionary, ensure_ascii=r.random() < 0.5, indent=r.choice((None, 1))).encode()
            cases.append((index, r.choice((FROM_JSON, FROM_JSON_WITH_UNKNOWN)), damaged(r, text)))
    n_errors = 0
    found = []
    for (index, work, text), (code, answer) in zip(cases, texts.answers(cases)):
        if code:
            assert code == errno.EINVAL
            assert re.fullmatch(r"line \d+, column \d+: [ -~]+", answer.decode("ascii")), answer
            n_errors += 1
            continue
        if b"[kitchen.SetItem." in text:
            continue  # Python takes a MessageSet's extension whatever its last word is
        try:
            message = json_format.Parse(
                text, texts.classes[index](), ignore_unknown_fields=work == FROM_JSON_WITH_UNKNOWN, descriptor_pool=texts.pool
            )
        except Exception:  # noqa: BLE001 - Python is stricter in places: fields that come twice
            continue
        ours = texts.classes[index].FromString(answer)
        if not is_equal(texts, ours, message) and not has_empty_path(message):
            found.append((texts.descriptors[index].full_name, text.decode(), f"{ours}; by Python {message}"))
    fail(found, "are read otherwise")
    assert n_errors > len(cases) / 4


@pytest.mark.parametrize("work", [TO_TEXT, TO_LINE])
def test_to_text(texts, messages, work):
    """Python reads our text as the same message."""
    found, n_unreadable = [], 0
    for (index, message), (code, text) in zip(messages, texts.answers([(i, work, to_bytes(m)) for i, m in messages])):
        assert code == 0
        assert work == TO_TEXT or b"\n" not in text
        try:
            again = text_format.Parse(text, texts.classes[index](), descriptor_pool=texts.pool)
        except text_format.ParseError as error:
            assert "codec can't decode" in str(error)  # strings of proto2 are any bytes, but not for Python
            n_unreadable += 1
            continue
        if to_bytes(again) != to_bytes(message) and str(again) != str(message):  # NaNs are many
            found.append((texts.descriptors[index].full_name, str(message), text.decode()))
    fail(found, "are printed otherwise")
    assert n_unreadable < len(messages) / 10


NAME = re.compile(r"^ *([\w.\[\]]+)(?=:| \{$)", re.M)


def names_in(text):
    """Python leaves out a map's key or value that is the default."""
    return sorted(name for name in NAME.findall(text) if name not in ("key", "value"))


def test_names_in_text(texts, messages):
    """They are Python's, of groups and of extensions too: those of `text_format`, as str() prints groups otherwise."""
    found, groups = [], set()
    for (index, message), (_, text) in zip(messages, texts.answers([(i, TO_TEXT, to_bytes(m)) for i, m in messages])):
        expected = text_format.MessageToString(message, descriptor_pool=texts.pool)
        names = names_in(text.decode("utf-8", "replace"))
        groups.update(name for name in names if name[0].isupper())
        if "type.googleapis.com" not in expected and names != names_in(expected):
            found.append((texts.descriptors[index].full_name, expected, text.decode()))
    fail(found, "have other names")
    assert {"OptGroup", "Deep", "RepGroup", "ChoiceGroup", "Same", "Two_Words", "Same2Day", "Chosen"} <= groups


# ---- what is wrong is told ----


@pytest.mark.parametrize(
    "text, where, what",
    [
        ("", "line 1, column 1", "empty"),
        (" \n ", "line 2, column 2", "EOF"),
        ("{", "line 1, column 2", "EOF"),
        ("[]", "line 1, column 1", "'{'"),
        ('{"nope": 1}', "line 1, column 9", "No such field: nope"),
        ('{\n  "timestamp":\n  17}', "line 3, column 4", "Expected string"),
        ('{\n\n"any": {"value": "",\n "@type": "x/google.protobuf.Int32Value", "value": {}}}', "line 3, column 20", "number"),
        ('{"any": {"seconds": 1,\n "nope": 2, "@type": "x/kitchen.WellKnown"}}', "line 1, column 20", "seconds"),
        ('{"string": "\xff"}'.encode("latin-1"), "line 1, column 13", "UTF-8"),
        ('{"string":\n"\xc3\xa9\xed\xa0\x80"}'.encode("latin-1"), "line 2, column 4", "UTF-8"),
        ('{"string": "\\ud800"}', "line 1", "\\u"),
        ('{"string": "a\nb"}', "line 1", "Invalid char"),
        ('{"bytes": "é"}', "line 1", "base64"),
        ('{"bytes": "AAAAAAA\x7f"}', "line 1", "base64"),
        ('{"bytes": "-___é-__"}', "line 1", "base64"),
        ('{"timestamp": "2024-13-01T00:00:00Z"}', "line 1", "timestamp"),
        ('{"timestamp": "2023-02-29T00:00:00Z"}', "line 1", "timestamp"),
        ('{"timestamp": "1900-02-29T00:00:00Z"}', "line 1", "timestamp"),
        ('{"timestamp": "2024-02-01T24:00:00Z"}', "line 1", "timestamp"),
        ('{"timestamp": "2024-02-01T00:60:00Z"}', "line 1", "timestamp"),
        ('{"timestamp": "2024-02-01T00:00:00.Z"}', "line 1", "digits"),
        ('{"timestamp": "9999-12-31T23:59:59-00:01"}', "line 1", "out of range"),
        ('{"timestamp": "0001-01-01T00:00:00+00:01"}', "line 1", "out of range"),
        ('{"duration": "s"}', "line 1", "duration"),
        ('{"duration": "-s"}', "line 1", "duration"),
        ('{"duration": "1.s"}', "line 1", "digits"),
        ('{"duration": "315576000001s"}', "line 1", "out of range"),
        ('{"int64": 9223372036854775808}', "line 1", "overflow"),
        ('{"int64": ""}', "line 1", "Empty string"),
        ('{"double": ""}', "line 1", "Empty string"),
        ('{"double": "1x"}', "line 1", "Non-number"),
        ('{"any": {"seconds": 1}}', "line 1", "@type"),
        ('{"int64": "1x"}', "line 1", "Non-number"),
        ('{"int64": "0x1"}', "line 1", "Non-number"),
        ('{"int64": "+1"}', "line 1", "Non-number"),
        ('{"int64": " 1"}', "line 1", "Non-number"),
        ('{"int64": "1.5"}', "line 1", "not integral"),
        ('{"int64": "1e19"}', "line 1", "out of range"),
        ('{"int64": 1, "int64": 1}', "line 1", "occurs twice: kitchen.WellKnown.int64"),
        ('{"int64": null, "int64": 1}', "line 1", "occurs twice"),
        ('{"any": {"int64": 1, "@type": "x/kitchen.WellKnown",\n "int64": 2}}', "line 2", "occurs twice"),
        ('{"any": {"@type": "x/no.such.Type"}}', "line 1", "Type was not found"),
        ("{} {}", "line 1, column 4", "trailing"),
    ],
)
def test_an_error_says_where(texts, text, where, what):
    problem = texts.error("kitchen.WellKnown", text)
    assert problem.startswith(where) and what in problem, problem


@pytest.mark.parametrize(
    "text",
    [
        b'{"\x1b[31m\xf0\x9f\xa5\x81": 1}',
        b'{"' + b"x" * 100000 + b'": 1}',
        b'{"string": \xe2\x80\xa8}',
    ],
)
def test_an_error_is_safe_to_log(texts, text):
    """A line of ASCII, however long and strange what is wrong."""
    problem = texts.error("kitchen.WellKnown", text)
    assert re.fullmatch("line 1, column [0-9]+: [ -~]+", problem)
    assert len(problem) < 512


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_integers_are_exact(texts, number):
    for text in f'{{"int64": {number}}}', f'{{"int64": "{number}"}}':
        code, answer = texts.one("kitchen.WellKnown", FROM_JSON, text.encode())
        assert code == 0, answer
        assert texts.classes[texts.index["kitchen.WellKnown"]].FromString(answer).int64.value == number


@pytest.mark.parametrize("text, number", [("1e5", 100000), ("-1.5e1", -15), ("7.0", 7), ("1E+3", 1000), ("-0", 0)])
def test_integers_in_other_spellings(texts, text, number):
    for quoted in text, f'"{text}"':
        code, answer = texts.one("kitchen.WellKnown", FROM_JSON, f'{{"int64": {quoted}}}'.encode())
        assert code == 0, answer
        assert texts.classes[texts.index["kitchen.WellKnown"]].FromString(answer).int64.value == number


# ---- what it may cost ----

ANY = "google.protobuf.Any"


def any_in_any(depth):
    url = b"type.googleapis.com/" + ANY.encode()
    head, data = b"\x0a" + bytes([len(url)]) + url, b""
    for _ in range(depth):
        data = head + (b"\x12" + varint(len(data)) + data if data else b"")
    return data


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def test_anys_in_each_other_end(texts):
    """4 MB are 80,000 of them: as many frames of the stack."""
    code, text = texts.one(ANY, TO_JSON, any_in_any(20))
    assert code == 0 and text.count(b"@type") == 20
    code, text = texts.one(ANY, TO_JSON, any_in_any(3000))
    assert (code, text) == (errno.EINVAL, b"Nested too deeply")


def nested(depth):
    return '{"list":' + "[" * depth + "]" * depth + "}"


def test_depth_is_bounded(texts):
    assert texts.one("kitchen.WellKnown", FROM_JSON, nested(30).encode())[0] == 0
    for depth in 64, 100000:
        assert "Recursion limit" in texts.error("kitchen.WellKnown", nested(depth))
    deep = '{"any":' * 3 + '{"@type": "x/google.protobuf.Any", "value":' * 100000
    assert "column" in texts.error("kitchen.WellKnown", deep)
