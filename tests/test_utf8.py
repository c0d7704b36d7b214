# SPDX-License-Identifier: MIT
"""Text that is sent is UTF-8 where its .proto file wants that: in every place where text may be."""

import subprocess

import grpc
import pytest

from plugin_kit import C_WARNINGS, SERVE, serving
from plugin_kit import kit  # noqa: F401 (fixture)

EDITION = """
edition = "2023";
package t;
message M {
  string text = 1;
  repeated string texts = 2;
  map<string, int32> keys = 3;
  map<int32, string> values = 4;
  oneof choice { string chosen = 5; int32 other = 6; }
  M sub = 7;
  bytes raw = 8;
  map<int32, bytes> raws = 9;
  string any = 10 [features.utf8_validation = NONE];
  repeated string anys = 11 [features.utf8_validation = NONE];
  repeated M subs = 12;
  D group = 13 [features.message_encoding = DELIMITED];
  extensions 100 to 200;
}
message D { string text = 1; }
extend M { string more = 100; repeated string mores = 101; string any_more = 102 [features.utf8_validation = NONE]; }
"""

OLD = """
syntax = "proto2";
package old;
message M { optional string text = 1; repeated string texts = 2; map<string, string> map = 3; }
"""

NEW = """
syntax = "proto3";
package n;
import "edition.proto";
import "old.proto";
message M { string text = 1; optional string maybe = 2; t.M m = 3; old.M old = 4; }
message Wanted { string place = 1; bytes text = 2; }
service S {
  rpc Get(Wanted) returns (M);
  rpc Flat(Wanted) returns (stream M);
  rpc Put(M) returns (Wanted);
  rpc Finish(Wanted) returns (M);
}
"""

# What is set, and what its field is called if it must be UTF-8.
PLACES = {
    "n_M_set_text(m, text)": "n.M.text",
    "n_M_set_maybe(m, text)": "n.M.maybe",
    "t_M_set_text(t, text)": "t.M.text",
    "t_M_add_texts(t, text, arena)": "t.M.texts",
    "t_M_keys_set(t, text, 1, arena)": "t.M.KeysEntry.key",
    "t_M_values_set(t, 1, text, arena)": "t.M.ValuesEntry.value",
    "t_M_set_chosen(t, text)": "t.M.chosen",
    "t_M_set_text(t_M_mutable_sub(t, arena), text)": "t.M.text",
    "t_M_set_text(t_M_add_subs(t, arena), text)": "t.M.text",
    "t_D_set_text(t_M_mutable_group(t, arena), text)": "t.D.text",
    "t_set_more(t, text, arena)": "field 100 of t.M",
    "t_add_mores(t, text, arena)": "field 101 of t.M",
    "t_M_set_raw(t, text)": None,
    "t_M_raws_set(t, 1, text, arena)": None,
    "t_M_set_any(t, text)": None,
    "t_M_add_anys(t, text, arena)": None,
    "t_set_any_more(t, text, arena)": None,
    "old_M_set_text(o, text)": None,
    "old_M_add_texts(o, text, arena)": None,
    "old_M_map_set(o, text, text, arena)": None,
}

FILL = """
#include <stdio.h>
#include <string.h>
#include "new.quoit.h"

static n_M *fill(const char *place, upb_StringView text, upb_Arena *arena)
{
        n_M *m = n_M_new(arena);
        if (strstr(place, "(m,")) {
                n_M_set_maybe(m, upb_StringView_FromString("more text, so that there are several"));
        }
        t_M *t = strstr(place, "(m,") ? NULL : n_M_mutable_m(m, arena);
        old_M *o = strstr(place, "(m,") ? NULL : n_M_mutable_old(m, arena);
%s        return m;
}
""" % "".join(f'        if (!strcmp(place, "{place}"))\n                (void){place};\n' for place in PLACES)

SERIALIZE = FILL + """
int main(int argc, char **argv)
{
        upb_Arena *arena = upb_Arena_New();
        n_M *m = fill(argv[1], upb_StringView_FromDataAndSize(argv[2], strlen(argv[2])), arena);
        size_t size;
        char *plain = n_M_serialize(m, arena, &size);
        char *sorted = n_M_serialize_ex(m, kUpb_EncodeOption_Deterministic, arena, &size);
        (void)argc;
        printf("%d %d", !!plain, !!sorted);
        upb_Arena_Free(arena);
        return 0;
}
"""

SERVER = FILL + SERVE + """
static n_M *wanted(quoit_call *call, const n_Wanted *req)
{
        upb_StringView place = n_Wanted_place(req);
        char text[100] = "";
        memcpy(text, place.data, place.size);
        return fill(text, n_Wanted_text(req), quoit_call_arena(call));
}

static void get(quoit_call *call, const n_Wanted *req, void *user)
{
        (void)user;
        n_S_Get_reply(call, wanted(call, req));
}

/* A good one, behind which others are encoded in their place; then what is wanted, and a good one again. */
static void flat(quoit_call *call, const n_Wanted *req, void *user)
{
        n_M *good = n_M_new(quoit_call_arena(call));

        (void)user;
        n_M_set_text(good, upb_StringView_FromString("good"));
        n_S_Flat_send(call, good);
        n_S_Flat_send(call, good);
        n_S_Flat_send(call, wanted(call, req));
        n_S_Flat_send(call, good);
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static void put(quoit_call *call, const n_M *req, void *user)
{
        (void)req, (void)user;
        n_S_Put_reply(call, n_Wanted_new(quoit_call_arena(call)));
}

static void finish(quoit_call *call, const n_Wanted *req, void *user)
{
        upb_StringView text = n_Wanted_text(req);

        (void)user;
        quoit_call_finishf(call, QUOIT_ABORTED, "%.*s", (int)text.size, text.data);
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        (void)level;
        fprintf(stderr, "%s\\n", line);
}

int main(int argc, char **argv)
{
        upb_Arena *arena = upb_Arena_New();
        upb_ExtensionRegistry *extensions = upb_ExtensionRegistry_New(arena);
        quoit_server_options options = { .on_log = on_log, .extensions = extensions, .limits.peer_log_lines_per_second = 1000 };
        n_S_service service = { .Get = get, .Flat = flat, .Put = put, .Finish = finish };
        quoit_method_options offloaded = { .offload = argc > 1 };
        int r;

        (void)argv;
        if (!quoit_file_add_extensions(&edition_proto_quoit_file, extensions) || quoit_server_new(&options, &server) || n_S_register(server, &service, NULL) ||
                quoit_server_set_method(server, "/n.S/*", &offloaded))
                return 1;
        r = serve();
        upb_Arena_Free(arena);
        return r;
}
"""

GOOD = ["", "plain", "gr\u00fc\u00df", "\u65e5\u672c\u8a9e " * 20, "\U0001f600", "x" * 200, "x" * 63 + "\u00e9" + "y" * 63, "x" * 5000 + "\u20ac", "\x00"]
BAD = [
    b"\xff",
    b"\x80",
    b"ab\xc3",  # cut short
    b"gr\xfc\xdfe aus",  # Latin-1
    b"\xc0\x80",  # overlong
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",  # a surrogate
    b"\xf4\x90\x80\x80",  # beyond Unicode
    *(b"x" * n + b"\xff" + b"y" * (size - 1 - n) for size in (3, 4, 7, 8, 15, 16, 31, 32, 33) for n in {0, size // 2, size - 1}),
    b"x" * 63 + b"\xff",
    b"x" * 64 + b"\xff",
    b"x" * 5000 + b"\xff",
    b"\xff" + b"x" * 40000,
]


@pytest.fixture(scope="module")
def folder(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("utf8")
    files = {"edition.proto": EDITION, "old.proto": OLD, "new.proto": NEW}
    for name, text in files.items():
        (folder / name).write_text(text)
    kit.protoc(folder, list(files), paths=[folder])
    kit.protoc(folder / "bare", list(files), "--quoit_opt=messages_only", paths=[folder])
    return folder


def sources(folder, main, text):
    (folder / main).write_text(text)
    return [folder / main, *(folder / f"{name}.quoit.c" for name in ("edition", "old", "new"))]


@pytest.fixture(scope="module")
def serializer(kit, folder, installed):
    (folder / "bare" / "main.c").write_text(SERIALIZE)
    flags = installed.pkg_config("--cflags", "--libs", "quoit-message")
    files = [f"{name}.quoit.c" for name in ("edition", "old", "new")]
    installed.run("cc", *C_WARNINGS, "main.c", *files, "-o", "main", *flags, cwd=folder / "bare")
    return folder / "bare" / "main"


@pytest.fixture(scope="module", params=("ring", "worker"))
def server(kit, folder, request):
    program = folder / f"server-{request.param}"
    kit.program(folder, sources(folder, f"{request.param}.c", SERVER), program)
    log = folder / f"{request.param}.log"
    with log.open("w") as errors, serving(program, *["workers"] * (request.param == "worker"), stderr=errors) as channel:
        yield channel, log


def varint(value):
    head = b""
    while value > 0x7F:
        head += bytes([value & 0x7F | 0x80])
        value >>= 7
    return head + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def ask(channel, method, place, text):
    """The answers' bytes, and how the call ended."""
    answers, request = [], field(1, place.encode()) + field(2, text)
    try:
        if method == "Get":
            answers.append(channel.unary_unary("/n.S/Get")(request, timeout=20))
        else:
            answers += channel.unary_stream("/n.S/Flat")(request, timeout=20)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INTERNAL, error
        assert error.details() == "the answer has text that is not UTF-8"
        return answers, False
    return answers, True


@pytest.mark.parametrize("method", ("Get", "Flat"))
@pytest.mark.parametrize("place", PLACES)
def test_text_is_checked_where_it_must_be_text(server, method, place):
    channel, log = server
    before = log.stat().st_size
    answers, ok = ask(channel, method, place, b"ab\xc3\x28")
    must_be_text = PLACES[place] is not None
    assert ok != must_be_text
    if not must_be_text:
        assert b"ab\xc3\x28" in b"".join(answers)
    for text in ("plain", "gr\u00fc\u00df"):
        answers, ok = ask(channel, method, place, text.encode())
        assert ok and text.encode() in b"".join(answers)
    line = log.read_text()[before:]
    if must_be_text:
        mistake = f"its answer has text that is not UTF-8: {PLACES[place]}; ended INTERNAL"
        assert line == f"/n.S/{method}: a mistake of the handler: {mistake}\n"


def group(number, data):
    return bytes([number << 3 | 3]) + data + bytes([number << 3 | 4])


# A request n.M with this text in each of these places.
WIRE = {
    "n_M_set_text(m, text)": lambda text: field(1, text),
    "n_M_set_maybe(m, text)": lambda text: field(2, text),
    "t_M_set_text(t, text)": lambda text: field(3, field(1, text)),
    "t_M_add_texts(t, text, arena)": lambda text: field(3, field(2, b"good") + field(2, text)),
    "t_M_keys_set(t, text, 1, arena)": lambda text: field(3, field(3, field(1, text) + b"\x10\x01")),
    "t_M_values_set(t, 1, text, arena)": lambda text: field(3, field(4, b"\x08\x01" + field(2, text))),
    "t_M_set_chosen(t, text)": lambda text: field(3, field(5, text)),
    "t_M_set_text(t_M_mutable_sub(t, arena), text)": lambda text: field(3, field(7, field(1, text))),
    "t_M_set_text(t_M_add_subs(t, arena), text)": lambda text: field(3, field(12, b"") + field(12, field(1, text))),
    "t_D_set_text(t_M_mutable_group(t, arena), text)": lambda text: field(3, group(13, field(1, text))),
    "t_set_more(t, text, arena)": lambda text: field(3, field(100, text)),
    "t_add_mores(t, text, arena)": lambda text: field(3, field(101, text)),
    "t_M_set_raw(t, text)": lambda text: field(3, field(8, text)),
    "t_M_set_any(t, text)": lambda text: field(3, field(10, text)),
    "t_set_any_more(t, text, arena)": lambda text: field(3, field(102, text)),
    "old_M_set_text(o, text)": lambda text: field(4, field(1, text)),
    "unknown fields and groups": lambda text: field(90, text) + group(14, field(1, text) + group(2, field(3, text))),
}


@pytest.mark.parametrize("place", WIRE)
def test_who_sends_what_is_no_text_is_told_where(server, place):
    """Everything in front of it is passed over: numbers, bytes, unknown fields and groups."""
    channel, log = server
    before = log.stat().st_size
    front = field(90, b"\xff") + group(14, b"\x08\x05" + group(2, b"\x08\x05")) + b"\xa0\x06\x05" + b"\xa5\x06" + bytes(4)
    put = channel.unary_unary("/n.S/Put")
    put(front + WIRE[place]("gr\u00fc\u00df".encode()), timeout=20)
    assert log.read_text()[before:] == ""
    name = PLACES.get(place)
    if not name:
        put(front + WIRE[place](b"ab\xc3\x28"), timeout=20)
        return
    with pytest.raises(grpc.RpcError) as error:
        put(front + WIRE[place](b"ab\xc3\x28"), timeout=20)
    assert error.value.code() == grpc.StatusCode.INTERNAL
    text = f"the request message has text that is not UTF-8: {name}"
    assert error.value.details() == text
    line = log.read_text()[before:]
    assert line.startswith("ipv4:127.0.0.1:") and line.endswith(f": /n.S/Put: {text}\n") and line.count("\n") == 1


@pytest.mark.parametrize(
    "message, text",
    [(b"\xff", "does not parse"), (field(3, b"") + b"\x1a\x05", "does not parse"), (field(3, field(7, b"") * 2)[:-1], "does not parse")],
)
def test_what_does_not_parse_has_its_line(server, message, text):
    channel, log = server
    before = log.stat().st_size
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/n.S/Put")(message, timeout=20)
    assert error.value.details() == f"the request message {text}"
    assert f": /n.S/Put: the request message {text}\n" in log.read_text()[before:]


def test_what_is_nested_too_deeply_has_its_line(server):
    channel, log = server
    before = log.stat().st_size
    message = b""
    for _ in range(101):
        message = field(7, message)
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/n.S/Put")(field(3, message), timeout=20)
    assert error.value.details() == "the request message is nested over 100 deep"
    assert ": /n.S/Put: the request message is nested over 100 deep\n" in log.read_text()[before:]


@pytest.mark.parametrize(
    "text, sent",
    [
        (b"gr\xfc\xdfe aus", "gr\ufffde aus"),
        (b"\xff", "\ufffd"),
        (b"ab\xc3", "ab\ufffd"),
        (b"\x80" * 6000, "\ufffd"),
        ("\u20ac".encode() + b"\xff" + "\u20ac".encode(), "\u20ac\ufffd\u20ac"),
        (b"a\xff" * 300, "a\ufffd" * 300),
        (b"x" * 4095 + "\u20ac".encode(), "x" * 4095),
    ],
)
def test_a_status_is_text(server, text, sent):
    """It is cut to 4 KiB, between characters."""
    channel, log = server
    before = log.stat().st_size
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/n.S/Finish")(field(2, text), timeout=20)
    assert error.value.code() == grpc.StatusCode.ABORTED
    assert error.value.details() == sent
    mistake = "a mistake of the handler: the text of its status is not UTF-8; sent with U+FFFD instead"
    assert log.read_text()[before:] == (f"/n.S/Finish: {mistake}\n" if "\ufffd" in sent else "")


@pytest.mark.parametrize("method", ("Get", "Flat"))
@pytest.mark.parametrize("place", ("n_M_set_text(m, text)", "t_M_add_texts(t, text, arena)"))
def test_every_kind_of_text(server, method, place):
    channel, _ = server
    for text in GOOD:
        answers, ok = ask(channel, method, place, text.encode())
        assert ok and text.encode() in b"".join(answers), text
    for text in BAD:
        assert ask(channel, method, place, text)[1] is False, text


@pytest.mark.parametrize("place", PLACES)
def test_serialize_refuses_it(serializer, place):
    def run(text):
        return subprocess.run([serializer, place, text], check=True, stdout=subprocess.PIPE).stdout

    assert run(b"ab\xc3\x28") == (b"1 1" if PLACES[place] is None else b"0 0")
    assert run("gr\u00fc\u00df".encode()) == b"1 1"
