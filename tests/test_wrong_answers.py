# SPDX-License-Identifier: MIT
"""Messages that lack a required field, and answers of another method's type: the client gets INTERNAL, the log says what and where."""

import grpc
import pytest

from plugin_kit import SERVE, serving
from plugin_kit import kit  # noqa: F401 (fixture)
from test_utf8 import field, group

FILES = {
    "a.proto": """
syntax = "proto2";
package a;
import "b.proto";
message Needs {
  optional int32 spare = 1;
  required int32 first = 2;
  required bytes second = 3;
  optional Needs sub = 4;
  repeated Needs subs = 5;
  map<string, Needs> map = 6;
  repeated group Group = 7 { required b.Other inner = 1; }
  oneof o { b.Other chosen = 8; }
  extensions 100 to 200;
}
extend Needs { optional b.Other more = 100; repeated b.Other mores = 101; }
message Way { optional string way = 1; }
service S {
  rpc Get(Way) returns (Needs);
  rpc List(Way) returns (stream Needs);
  rpc Put(Needs) returns (Way);
}
""",
    "b.proto": """
syntax = "proto2";
package b;
message Other { message In { required int32 x = 5; } optional In in = 1; }
""",
    "c.proto": """
syntax = "proto3";
package c;
message Answer { int32 a = 1; }
service T { rpc Get(Answer) returns (Answer); }
""",
    "d.proto": """
syntax = "proto3";
package d;
message Stray { int32 a = 1; }
""",
}

# What a handler does to the whole message @m, and the field that it lacks then.
LACKS = {
    "a_Needs_clear_first(m)": "a.Needs.first",
    "a_Needs_clear_second(m)": "a.Needs.second",
    "(void)a_Needs_mutable_sub(m, arena)": "a.Needs.first",
    "a_Needs_set_first(a_Needs_add_subs(m, arena), 1)": "a.Needs.second",
    "a_Needs_map_set(m, upb_StringView_FromString(\\\"k\\\"), a_Needs_new(arena), arena)": "a.Needs.first",
    "(void)a_Needs_add_group(m, arena)": "a.Needs.Group.inner",
    "(void)b_Other_mutable_in(a_Needs_mutable_chosen(m, arena), arena)": "b.Other.In.x",
    "(void)b_Other_mutable_in(a_mutable_more(m, arena), arena)": "b.Other.In.x",
    "(void)b_Other_mutable_in(a_add_mores(m, arena), arena)": "b.Other.In.x",
}

# How a handler sends another type, and how that is called.
STRANGERS = {
    "a_S_Put_reply(call, a_Way_new(arena))": "a.Way",
    "c_T_Get_reply(call, c_Answer_new(arena))": "c.Answer",
    "quoit_call_reply(call, UPB_UPCAST(d_Stray_new(arena)), &quoit_d__Stray_msg_init)": "a type that no service has",
}


def steps(texts):
    return "".join(
        f'        if (upb_StringView_IsEqual(way, upb_StringView_FromString("{text}"))) {{\n'
        f'                {text.replace(chr(92), "")};\n                return true;\n        }}\n'
        for text in texts
    )


SERVER = """
#include "a.quoit.h"
#include "c.quoit.h"
#include "d.quoit.h"
""" + SERVE + r"""
static bool spoil(a_Needs *m, upb_StringView way, upb_Arena *arena)
{
%s        return false;
}

static bool send_other(quoit_call *call, upb_StringView way, upb_Arena *arena)
{
%s        return false;
}

static a_Needs *whole(quoit_call *call)
{
        a_Needs *m = a_Needs_new(quoit_call_arena(call));

        a_Needs_set_first(m, 1);
        a_Needs_set_second(m, upb_StringView_FromString("s"));
        return m;
}

static void get(quoit_call *call, const a_Way *req, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        a_Needs *m = whole(call);

        (void)user;
        if (send_other(call, a_Way_way(req), arena))
                return;
        (void)spoil(m, a_Way_way(req), arena);
        a_S_Get_reply(call, m);
}

/* A good one in front, behind which others are encoded in their place. */
static void list(quoit_call *call, const a_Way *req, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        a_Needs *m = whole(call);

        (void)user;
        a_S_List_send(call, m);
        a_S_List_send(call, m);
        if (send_other(call, a_Way_way(req), arena))
                return; /* it has finished the call, too */
        (void)spoil(m, a_Way_way(req), arena);
        a_S_List_send(call, m);
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static void put(quoit_call *call, const a_Needs *req, void *user)
{
        (void)req, (void)user;
        a_S_Put_reply(call, a_Way_new(quoit_call_arena(call)));
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user, (void)level;
        fprintf(stderr, "%%s\n", line);
}

int main(int argc, char **argv)
{
        upb_Arena *arena = upb_Arena_New();
        upb_ExtensionRegistry *extensions = upb_ExtensionRegistry_New(arena);
        quoit_server_options options = { .on_log = on_log, .extensions = extensions, .limits.peer_log_lines_per_second = 1000 };
        a_S_service service = { .Get = get, .List = list, .Put = put };
        c_T_service others = { 0 };
        quoit_method_options offloaded = { .offload = argc > 1 };
        int r;

        (void)argv;
        if (!quoit_file_add_extensions(&a_proto_quoit_file, extensions) || quoit_server_new(&options, &server) ||
                a_S_register(server, &service, NULL) || c_T_register(server, &others, NULL) ||
                quoit_server_set_method(server, "/a.S/*", &offloaded))
                return 1;
        r = serve();
        upb_Arena_Free(arena);
        return r;
}
""" % (steps(LACKS), steps(STRANGERS))


@pytest.fixture(scope="module")
def program(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    kit.protoc(folder, list(FILES), paths=[folder])
    (folder / "main.c").write_text(SERVER)
    sources = [folder / "main.c", *(folder / name.replace(".proto", ".quoit.c") for name in FILES)]
    kit.program(folder, sources, folder / "main")
    return folder / "main"


@pytest.fixture(scope="module", params=("ring", "worker"))
def server(program, request):
    log = program.with_name(f"{request.param}.log")
    with log.open("w") as errors, serving(program, *["workers"] * (request.param == "worker"), stderr=errors) as channel:
        yield channel, log


def ask(channel, method, way):
    """How the call ended, and how many answers came before."""
    request, count = field(1, way.replace("\\", "").encode()), 0
    try:
        if method == "Get":
            channel.unary_unary("/a.S/Get")(request, timeout=20)
            return None, 1
        for _ in channel.unary_stream("/a.S/List")(request, timeout=20):
            count += 1
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INTERNAL, error
        return error.details(), count
    return None, count


@pytest.mark.parametrize("method", ("Get", "List"))
def test_right_answers(server, method):
    channel, log = server
    before = log.stat().st_size
    assert ask(channel, method, "right") == (None, 1 if method == "Get" else 3)
    assert log.read_text()[before:] == ""


@pytest.mark.parametrize("method", ("Get", "List"))
@pytest.mark.parametrize("way", LACKS)
def test_an_answer_that_lacks_a_required_field(server, method, way):
    channel, log = server
    before = log.stat().st_size
    assert ask(channel, method, way)[0] == "the answer lacks a required field"
    mistake = f"its answer lacks a required field: {LACKS[way]}; ended INTERNAL"
    assert log.read_text()[before:] == f"/a.S/{method}: a mistake of the handler: {mistake}\n"


@pytest.mark.parametrize("method", ("Get", "List"))
@pytest.mark.parametrize("way", STRANGERS)
def test_an_answer_of_another_methods_type(server, method, way):
    channel, log = server
    before = log.stat().st_size
    assert ask(channel, method, way)[0] == "the answer is of another method's type"
    mistake = f"it sent {STRANGERS[way]}, but its answers are a.Needs; ended INTERNAL"
    assert log.read_text()[before:] == f"/a.S/{method}: a mistake of the handler: {mistake}\n"


WHOLE = b"\x10\x01" + field(3, b"s")
OTHER = field(1, b"")  # its `in` lacks x


@pytest.mark.parametrize(
    "request_bytes, name",
    [
        (b"", "a.Needs.first"),
        (b"\x10\x01", "a.Needs.second"),
        (WHOLE + field(4, field(3, b"s")), "a.Needs.first"),
        (WHOLE + field(5, WHOLE) + field(5, b"\x10\x01"), "a.Needs.second"),
        (WHOLE + field(6, field(1, b"key") + field(2, WHOLE)) + field(6, b""), "a.Needs.first"),
        (WHOLE + group(7, b""), "a.Needs.Group.inner"),
        (WHOLE + group(7, field(1, OTHER)), "b.Other.In.x"),
        (WHOLE + field(8, OTHER), "b.Other.In.x"),
        (WHOLE + field(100, OTHER), "b.Other.In.x"),
        (WHOLE + field(101, b"") + field(101, OTHER), "b.Other.In.x"),
    ],
)
def test_a_request_that_lacks_a_required_field(server, request_bytes, name):
    channel, log = server
    before = log.stat().st_size
    put = channel.unary_unary("/a.S/Put")
    put(WHOLE + field(4, WHOLE) + field(4, b""), timeout=20)
    assert log.read_text()[before:] == ""
    with pytest.raises(grpc.RpcError) as error:
        put(request_bytes, timeout=20)
    assert error.value.code() == grpc.StatusCode.INTERNAL
    text = f"the request message lacks a required field: {name}"
    assert error.value.details() == text
    line = log.read_text()[before:]
    assert line.startswith("ipv4:127.0.0.1:") and line.endswith(f": /a.S/Put: {text}\n") and line.count("\n") == 1
