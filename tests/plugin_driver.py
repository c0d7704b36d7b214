# SPDX-License-Identifier: MIT
"""Writes a C program that copies messages, field by field, through their generated accessors.

Names and types are worked out here from the descriptors, by upb's rules, and not from what the
plugin wrote: where the two disagree the program does not compile, or copies wrongly.
"""

from google.protobuf.descriptor import FieldDescriptor as F

SCALARS = {
    F.CPPTYPE_INT32: "int32_t",
    F.CPPTYPE_INT64: "int64_t",
    F.CPPTYPE_UINT32: "uint32_t",
    F.CPPTYPE_UINT64: "uint64_t",
    F.CPPTYPE_DOUBLE: "double",
    F.CPPTYPE_FLOAT: "float",
    F.CPPTYPE_BOOL: "bool",
    F.CPPTYPE_ENUM: "int32_t",
    F.CPPTYPE_STRING: "upb_StringView",
}

PRELUDE = """\
#include <stdio.h>
#include <stdlib.h>

%(includes)s

#define CHECK(condition)                                                             \\
        do {                                                                         \\
                if (!(condition)) {                                                  \\
                        fprintf(stderr, "%%s:%%d: %%s\\n", __FILE__, __LINE__, #condition); \\
                        abort();                                                     \\
                }                                                                    \\
        } while (0)

enum { PARSED, COPIED, CLEARED, DEFAULTS };
"""

MAIN = """
/* Frames of { type, mode, size, bytes } in; { size or -1, bytes } out. */
int main(void)
{
        uint32_t frame[3];

        while (fread(frame, sizeof(frame), 1, stdin)) {
                upb_Arena *arena = upb_Arena_New();
                upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
                char *in = malloc(frame[2] + 1), *out;
                size_t size = 0;
                uint32_t out_size;

                CHECK(fread(in, 1, frame[2], stdin) == frame[2]);
                CHECK(add_extensions(registry));
                CHECK(frame[0] < sizeof(types) / sizeof(*types));
                out = types[frame[0]](in, frame[2], (int)frame[1], registry, arena, &size);
                out_size = out ? (uint32_t)size : UINT32_MAX;
                fwrite(&out_size, sizeof(out_size), 1, stdout);
                if (out)
                        fwrite(out, 1, size, stdout);
                free(in);
                upb_Arena_Free(arena);
        }
        return 0;
}
"""


def c_name(full_name):
    return full_name.replace("_", "__").replace(".", "_")


def c_type(field):
    if field.message_type:
        return f"{c_name(field.message_type.full_name)} *"
    return SCALARS[field.cpp_type] + " "


def const_type(field):
    return ("const " if field.message_type else "") + c_type(field)


def is_map(field):
    return field.message_type and field.message_type.GetOptions().map_entry


def scope(field):
    """What stands before an accessor's name."""
    if not field.is_extension:
        return c_name(field.containing_type.full_name)
    if field.extension_scope:
        return c_name(field.extension_scope.full_name)
    return c_name(field.file.package)


def copy_map(f, s):
    key, value = (f.message_type.fields_by_name[n] for n in ("key", "value"))
    copied, make = "v", ""
    if value.message_type:
        sub = c_name(value.message_type.full_name)
        copied, make = "sub", f"{sub} *sub = {sub}_new(a);"
        make += f"\n                copy_{sub}(v, sub, a);"
    return f"""\
        for (size_t i = kUpb_Map_Begin;;) {{
                {c_type(key)}k;
                {const_type(value)}v;
                {c_type(value)}found;

                if (!{s}_{f.name}_next(src, &k, &v, &i))
                        break;
                CHECK({s}_{f.name}_get(src, k, &found));
                CHECK(!{s}_{f.name}_get(dst, k, NULL));
                {make}
                CHECK({s}_{f.name}_set(dst, k, {copied}, a));
                CHECK({s}_{f.name}_delete(dst, k));
                CHECK(!{s}_{f.name}_delete(dst, k));
                CHECK({s}_{f.name}_set(dst, k, {copied}, a));
        }}
        CHECK({s}_{f.name}_size(dst) == {s}_{f.name}_size(src));
"""


def copy_repeated(f, s):
    if f.message_type:
        sub = c_name(f.message_type.full_name)
        copy = f"copy_{sub}(list[i], {s}_add_{f.name}(dst, a), a);"
    elif f.number % 2:
        copy = f"CHECK({s}_add_{f.name}(dst, list[i], a));"
    else:
        copy = f"{s}_resize_{f.name}(dst, i + 1, a)[i] = list[i];"
    return f"""\
        {{
                size_t n, m;
                {const_type(f)}const *list = {s}_{f.name}(src, &n);

                for (size_t i = 0; i < n; i++)
                        {copy}
                {s}_mutable_{f.name}(dst, &m);
                CHECK(m == n);
        }}
"""


def copy_singular(f, s):
    arena = ", a" if f.is_extension else ""
    if f.message_type:
        sub = c_name(f.message_type.full_name)
        act = f"copy_{sub}({s}_{f.name}(src), {s}_mutable_{f.name}(dst, a), a)"
    else:
        act = f"{s}_set_{f.name}(dst, {s}_{f.name}(src){arena})"
    if not f.has_presence:
        return f"        {act};\n"
    return f"""\
        CHECK(!{s}_has_{f.name}(dst));
        if ({s}_has_{f.name}(src)) {{
                {act};
                CHECK({s}_has_{f.name}(dst));
        }}
"""


def copy_field(f):
    if is_map(f):
        return copy_map(f, scope(f))
    return (copy_repeated if f.is_repeated else copy_singular)(f, scope(f))


def default_field(f):
    if f.is_repeated or f.message_type or f.containing_oneof:
        return ""
    arena = ", a" if f.is_extension else ""
    return f"        {scope(f)}_set_{f.name}(dst, {scope(f)}_{f.name}(dst){arena});\n"


def real_oneofs(message):
    return [o for o in message.oneofs if not (len(o.fields) == 1 and o.name.startswith("_"))]


def write_message(message, extensions):
    m = c_name(message.full_name)
    fields = list(message.fields) + extensions
    oneofs = [f"CHECK({m}_{o.name}_case(src) == {m}_{o.name}_case(dst));" for o in real_oneofs(message)]
    clear = "".join(f"        {scope(f)}_clear_{f.name}(dst);\n" for f in fields)
    clear += "".join(f"        CHECK({m}_{o.name}_case(dst) == {m}_{o.name}_NOT_SET);\n" for o in real_oneofs(message))
    newline = "\n        "
    return f"""
static void copy_{m}(const {m} *src, {m} *dst, upb_Arena *a)
{{
        (void)src, (void)dst, (void)a;
{''.join(copy_field(f) for f in fields)}        {newline.join(oneofs)}
}}

static void clear_{m}({m} *dst)
{{
        (void)dst;
{clear}}}

static void default_{m}({m} *dst, upb_Arena *a)
{{
        (void)dst, (void)a;
{''.join(default_field(f) for f in fields)}}}

static char *run_{m}(const char *in, size_t size, int mode,
        const upb_ExtensionRegistry *registry, upb_Arena *a, size_t *ret_size)
{{
        {m} *src = {m}_parse_ex(in, size, registry, 0, a), *dst = {m}_new(a);

        if (!src)
                return NULL;
        if (mode == PARSED)
                return {m}_serialize(src, a, ret_size);
        copy_{m}(src, dst, a);
        if (mode == CLEARED)
                clear_{m}(dst);
        if (mode == DEFAULTS)
                default_{m}(dst, a);
        return {m}_serialize_ex(dst, kUpb_EncodeOption_Deterministic, a, ret_size);
}}
"""


def write_driver(files, messages, extensions_of):
    """The text of the program. A type goes by its place in @messages."""
    names = [c_name(m.full_name) for m in messages]
    text = PRELUDE % {"includes": "\n".join(f'#include "{f[:-6]}.quoit.h"' for f in files)}
    text += "\n" + "".join(f"static void copy_{n}(const {n} *src, {n} *dst, upb_Arena *a);\n" for n in names)
    text += "".join(write_message(m, extensions_of(m)) for m in messages)
    text += """
typedef char *run_fn(const char *in, size_t size, int mode,
        const upb_ExtensionRegistry *registry, upb_Arena *a, size_t *ret_size);

static run_fn *const types[] = {
"""
    text += "".join(f"        run_{n},\n" for n in names) + "};\n"
    text += "\nstatic bool add_extensions(upb_ExtensionRegistry *registry)\n{\n        bool ok = true;\n\n"
    for f in files:
        ident = f.replace("/", "_").replace(".", "_")
        text += f"        ok &= quoit_file_add_extensions(&{ident}_quoit_file, registry);\n"
    return text + "        return ok;\n}\n" + MAIN
