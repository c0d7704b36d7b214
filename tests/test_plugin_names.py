# SPDX-License-Identifier: MIT
"""Names in C: no two things of several files have one, and none is a name of the headers that come with it."""

import collections
import itertools
import re
import subprocess

import pytest

import plugin_kit
from plugin_kit import kit  # noqa: F401 (fixture)


def write(folder, name, text):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def one_unit(kit, folder, names, language="c", source=""):
    """All headers in one unit, and for C all sources too."""
    cpp = language == "c++"
    unit = folder / f"unit.{'cc' if cpp else 'c'}"
    unit.write_text("".join(f'#include "{name[:-6]}.quoit.{"h" if cpp else "c"}"\n' for name in names) + source)
    for compiler in plugin_kit.compilers(language):
        standard = "-std=c++17" if cpp else "-std=gnu11"
        warnings = plugin_kit.WARNINGS if cpp else plugin_kit.C_WARNINGS
        kit.compile([compiler, standard, *warnings], unit, folder / "unit.o", f"-I{folder}")


# ---- several files -------------------------------------------------------------------------------

TWIN = """
syntax = "proto2";
package {package};
message {message} {{
  optional int32 number = 1 [default = {number}];
  enum Kind {{ NO = 0; YES = {number}; }}
  message Inner {{ optional Kind kind = 1; }}
  oneof o {{ string text = 2; Inner inner = 3; }}
  map<string, Inner> inners = 4;
  extensions 10 to 20;
}}
enum {message}_Closed {{ ANY_{message} = {number}; }}
extend {message} {{ optional int32 more_{message} = 10 [default = {number}]; }}
service {message}_S {{ rpc R({message}) returns (stream {message}); }}
"""
FILES = ["a/b.proto", "a_b.proto", "a-b.proto", "a.b.proto", "a/b/proto.proto", "a__b.proto", "a%2db.proto", "3.proto", "_3.proto"]
TWINS = ["A.B_C", "A_B.C", "A.B.C", "A_B_C", "A__B.C", "A_.B_C", "A._B_C", "A.B__C", "A.B_.C"]


@pytest.fixture(scope="module")
def twins(kit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("twins")
    for number, (name, full_name) in enumerate(zip(FILES, TWINS), 1):
        package, _, message = full_name.rpartition(".")
        package = f"package {package};" if package else ""
        text = TWIN.replace("package {package};", package).format(message=message, number=number)
        write(folder, name, text)
    imports = "".join(f'import "{name}";\n' for name in FILES)
    fields = "".join(f"optional .{twin} f{i} = {i};\n" for i, twin in enumerate(TWINS, 1))
    write(folder, "all.proto", f'syntax = "proto2"; {imports} message All {{ {fields} }}')
    kit.protoc(folder, [*FILES, "all.proto"], paths=[folder])
    return folder


MAIN = """
#include <string.h>
int main(void)
{
        static const char *const names[] = { %(names)s };
        static const quoit_file_descriptor *const files[] = { %(files)s };
        upb_Arena *arena = upb_Arena_New();
        All *all = All_new(arena);
        int sum = 0;

        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
                if (strcmp(files[i]->name, names[i]))
                        return 1;
%(sums)s
        upb_Arena_Free(arena);
        return sum == %(sum)d ? 0 : 2;
}
"""


def test_files_and_messages_with_similar_names_are_in_one_program(kit, twins):
    """Each is its own: defaults tell them apart."""
    headers = {name: (twins / f"{name[:-6]}.quoit.h").read_text() for name in FILES}
    files = [re.search(r"extern const quoit_file_descriptor (\w+);", headers[name]).group(1) for name in FILES]
    types = [re.search(r"typedef struct (\w+) \{", headers[name]).group(1) for name in FILES]
    assert len(set(files)) == len(set(types)) == len(FILES)
    sums = "".join(f"        sum += {t}_number(All_mutable_f{i}(all, arena));\n" for i, t in enumerate(types, 1))
    main = twins / "main.c"
    main.write_text('#include "all.quoit.h"\n' + MAIN % {
        "names": ", ".join(f'"{name}"' for name in FILES), "files": ", ".join(f"&{file}" for file in files),
        "sums": sums, "sum": sum(range(1, len(FILES) + 1)),
    })  # fmt: skip
    sources = [twins / f"{name[:-6]}.quoit.c" for name in [*FILES, "all.proto"]]
    kit.program(twins, [main, *sources], twins / "program")
    assert subprocess.run([twins / "program"]).returncode == 0


@pytest.mark.parametrize("language", ("c", "c++"))
def test_files_with_similar_names_are_in_one_unit(kit, twins, language):
    one_unit(kit, twins, [*FILES, "all.proto"], language)
    one_unit(kit, twins, [*reversed(FILES), "all.proto"], language)


def test_a_short_name_of_a_file_is_good_for_one(kit, twins):
    use = "const quoit_file_descriptor *f(void); const quoit_file_descriptor *f(void) { return &a_b_proto_quoit_file; }\n"
    one_unit(kit, twins, ["a_b.proto"], source=use)
    for several in (["a/b.proto", "a_b.proto"], ["a/b.proto", "a_b.proto", "a-b.proto"]):
        with pytest.raises(AssertionError, match="a_b_proto_stands_for_two_files"):
            one_unit(kit, twins, several, source=use)


def test_all_ways_to_cut_a_name_are_different(kit, tmp_path):
    """X_Y_Z with dots, or more underscores, for its underscores: as packages, and as messages in messages."""
    joints = (".", "_", "__", "_.", "._", "_._")
    names = [f"X{a}Y{b}Z" for a, b in itertools.product(joints, joints)]
    for i, name in enumerate(names):
        package, _, last = name.rpartition(".")
        package = f"package {package};" if package else ""
        write(tmp_path, f"f{i}.proto", f'syntax = "proto3"; {package} message {last} {{ int32 x = 1; }} enum {last}E {{ {last.upper()}V_W = 0; }}')
        message = f"message {last} {{ int32 x = 1; message W {{}} }}"
        for part in reversed(name.split(".")[:-1]):
            message = f"message {part} {{ {message} }}"
        write(tmp_path, f"n{i}.proto", f'syntax = "proto3"; package nested{i}; {message}')
        write(tmp_path, f"m{i}.proto", f'syntax = "proto3"; package more; {message}'.replace("X", f"N{i}X"))
    files = [f"{kind}{i}.proto" for kind in "fnm" for i in range(len(names))]
    kit.protoc(tmp_path, files, paths=[tmp_path])
    one_unit(kit, tmp_path, files)
    types = [re.findall(r"^} (\w+);", (tmp_path / f"f{i}.quoit.h").read_text(), re.M) for i in range(len(names))]
    assert len({t for list_ in types for t in list_}) == 2 * len(names)


SUFFIXES = {
    "Unary": "reply start on_done blocking",
    "Down": "send start receiver open read",
    "Up": "reply start receiver handler send_request open write finish",
    "Both": "send start receiver handler send_request open write read",
}


@pytest.mark.parametrize("language", ("c", "c++"))
def test_functions_of_methods_meet_extensions(kit, tmp_path, language):
    """Whose accessors are in the scope of their package, and methods called as functions of other ones."""
    clashes = [f"S_{method}_{suffix}" for method in SUFFIXES for suffix in SUFFIXES[method].split()]
    extensions = "".join(f"optional int32 {name} = {n};\n" for n, name in enumerate([*clashes, "S_service", "S_register"], 10))
    methods = "".join(f"rpc {method}_{suffix}(M) returns (stream M);\n" for method in SUFFIXES for suffix in SUFFIXES[method].split())
    write(tmp_path, "t.proto", f"""syntax = "proto2"; package p; message M {{ extensions 10 to 100; }} extend M {{ {extensions} }}
        service S {{ rpc Unary(M) returns (M); rpc Down(M) returns (stream M); rpc Up(stream M) returns (M); rpc Both(stream M) returns (stream M);
        {methods} }}""")
    write(tmp_path, "s.proto", 'syntax = "proto3"; message call {} message stream {} message target {} message receiver {} service channel { rpc status(call) returns (stream stream); rpc on_done(stream target) returns (receiver); }')
    kit.protoc(tmp_path, ["t.proto", "s.proto"], paths=[tmp_path])
    one_unit(kit, tmp_path, ["t.proto", "s.proto"], language)
    for option in ("services=off", "stubs=off"):  # a name does not depend on what is left out
        kit.protoc(tmp_path / option, ["t.proto"], f"--quoit_opt={option}", paths=[tmp_path])
        names = [set(re.findall(r"\bp_\w+", (folder / "t.quoit.h").read_text())) for folder in (tmp_path, tmp_path / option)]
        assert names[1] < names[0]


def test_names_without_underscores_are_upbs(kit, tmp_path):
    write(tmp_path, "t.proto", """syntax = "proto2"; package my.deep.pkg; message Msg { optional int32 a_b = 1; message In {} enum E { V_W = 0; } }
        enum F { F_ONE_2 = 0; } message in_c {} enum G { small_one = 0; }""")
    kit.protoc(tmp_path, ["t.proto"], paths=[tmp_path])
    header = (tmp_path / "t.quoit.h").read_text()
    for name in ("my_deep_pkg_Msg", "my_deep_pkg_Msg_set_a_b", "my_deep_pkg_Msg_In", "my_deep_pkg_Msg_V_W", "my_deep_pkg_F_ONE_2", "my_deep_pkg_in__c", "my_deep_pkg_small__one"):
        assert re.search(rf"\b{name}\b", header), name


def test_linkers_see_names_of_ours_only(kit, twins):
    for name in FILES:
        kit.compile(["gcc", "-std=gnu11"], twins / f"{name[:-6]}.quoit.c", twins / "one.o", f"-I{twins}")
        symbols = subprocess.run(["nm", "-g", "--defined-only", twins / "one.o"], capture_output=True, text=True, check=True).stdout.split("\n")
        defined = [line.split()[2] for line in symbols if line]
        assert len(defined) >= 8
        assert all(symbol.startswith("quoit_") for symbol in defined), defined

# ---- names of headers ----------------------------------------------------------------------------

USUAL = """assert ctype dirent dlfcn endian errno fcntl float getopt inttypes limits locale math netdb poll pthread sched signal stdatomic
    stdbool stdint stdio stdlib string strings sys/epoll sys/ioctl sys/mman sys/param sys/resource sys/select sys/socket sys/stat sys/time
    sys/types sys/uio sys/un sys/wait syslog time unistd wchar arpa/inet netinet/in netinet/tcp""".split()
INCLUDES = "".join(f"#include <{name}.h>\n" for name in USUAL) + "#include <quoit/quoit.h>\n"
ISSUE = ["LITTLE_ENDIAN", "ulong", "getline", "uint", "stat", "quad_t", "index", "sigset_t", "timer_t", "thrd_t", "quoit_call", "upb_Arena", "QUOIT_OK"]


def macros_of(kit):
    done = subprocess.run(
        ["gcc", "-D_GNU_SOURCE", "-dM", "-E", "-xc", "-", *kit.includes], input=INCLUDES, capture_output=True, text=True, check=True
    )
    return set(re.findall(r"^#define (\w+)", done.stdout, re.M))


def functions_of_libc():
    done = subprocess.run(
        ["gcc", "-print-file-name=libc.so.6"], capture_output=True, text=True, check=True
    )
    symbols = subprocess.run(["nm", "-D", "--defined-only", done.stdout.strip()], capture_output=True, text=True, check=True)
    return {line.split()[-1].split("@")[0] for line in symbols.stdout.splitlines() if line.split()[-2] in "TWi"}


@pytest.mark.parametrize("language", ("c", "c++"))
def test_nothing_is_called_as_what_headers_define(kit, tmp_path, language):
    """Without a package: values, types and extensions, whose getter has a `_` before its name."""
    names = macros_of(kit) | functions_of_libc() | set(ISSUE)
    names = sorted(n for n in names if re.fullmatch(r"[A-Za-z]\w*", n) and not n.startswith("quoit_file"))
    assert len(names) > 4000
    enums = {}  # protoc wants those of one to differ in more than in case
    places = collections.Counter()
    for i, name in enumerate(names):
        bare = name.lower().replace("_", "")
        enums.setdefault(places[bare], []).append(f"  {name} = {i};\n")
        places[bare] += 1
    values = "".join(f"enum Values{place} {{\n{''.join(list_)}}}\n" for place, list_ in enums.items())
    write(tmp_path, "values.proto", f'syntax = "proto2";\n{values}')
    types = [n for n in names if n.islower()][::25] + ISSUE
    types = "".join(f"message {name} {{ int32 {name} = 1; }}\n" for name in sorted(set(types)))
    write(tmp_path, "types.proto", f'syntax = "proto3";\n{types}')
    behind = sorted({n[1:] for n in functions_of_libc() if re.fullmatch(r"_[A-Za-z]\w*", n)} | {"Exit", "exit", "Bool", "Alignas"})
    extensions = "".join(f"optional int32 {name} = {i};\n" for i, name in enumerate(behind, 10))
    write(tmp_path, "extensions.proto", f'syntax = "proto2"; message M {{ extensions 10 to max; }} extend M {{\n{extensions}}}')
    for name in ("values", "types", "extensions"):
        kit.protoc(tmp_path, [f"{name}.proto"], paths=[tmp_path])
        unit = tmp_path / f"{name}.unit.{'c' if language == 'c' else 'cc'}"
        unit.write_text(f'{INCLUDES if language == "c" else ""}#include "{name}.quoit.h"\n{INCLUDES}')
        for compiler in plugin_kit.compilers(language):
            standard = "-std=gnu17" if language == "c" else "-std=c++17"
            kit.compile([compiler, standard, "-D_GNU_SOURCE", *plugin_kit.WARNINGS], unit, tmp_path / "unit.o", f"-I{tmp_path}")
