/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "codec/plugin/check_parts.h"
#include "codec/plugin/spelling.h"

/*
 * Files: their names, which are written into comments, #includes and identifiers and name the output, and their imports.
 */

enum { FILE_NAME_BYTES_MAX = 1024 };

/* ---- names ------------------------------------------------------------------------------------ */

/*
 * Printable characters that a name must not contain: a quote or a backslash in an #include, a star that can end or begin a
 * comment, a question mark that can begin a trigraph.
 */
static const char unwanted[] = "\"\\*?";

static bool sources_check_characters(struct check *check, upb_StringView name)
{
        for (size_t i = 0, n; i < name.size; i += n) {
                bool printable;

                n = text_char(name.data + i, name.size - i, &printable);
                if (!printable || (n == 1 && strchr(unwanted, name.data[i])))
                        return check_fail(check, NULL,
                                "'%s' in the file's name cannot be written into C: rename the file",
                                text_line(check->arena, name.data + i, n));
        }
        return true;
}

/* Output must stay inside the folder that the user has chosen. */
static bool sources_check_path(struct check *check, upb_StringView name)
{
        for (size_t i = 0, end; i <= name.size; i = end + 1) {
                const char *part = name.data + i, *slash = memchr(part, '/', name.size - i);
                size_t size;

                end = slash ? (size_t)(slash - name.data) : name.size;
                size = end - i;
                if (!size || (size == 1 && part[0] == '.') ||
                        (size == 2 && part[0] == '.' && part[1] == '.'))
                        return check_fail(check, NULL,
                                "the file's name is not a plain path from a folder of "
                                "--proto_path: "
                                "no part of it may be '', '.' or '..'");
        }
        return true;
}

static bool sources_check_name(struct check *check, upb_StringView name)
{
        if (!name.size)
                return check_fail(check, NULL, "a file has no name");
        if (name.size > FILE_NAME_BYTES_MAX)
                return check_fail(check, NULL, "the file's name has more than %d bytes: shorten it",
                        FILE_NAME_BYTES_MAX);
        return sources_check_characters(check, name) && sources_check_path(check, name);
}

/* ---- several files ---------------------------------------------------------------------------- */

/* Checks that no other file has @key in @table, because both would have the same @what. */
static bool sources_claim(
        struct check *check, upb_strtable *table, const char *key, const char *what)
{
        upb_StringView name = upb_StringView_FromString(key);
        const struct source *other = check_lookup(table, name);
        upb_StringView other_name;

        if (!other) {
                check_insert(check, table, name, check->source);
                return true;
        }
        other_name = google_protobuf_FileDescriptorProto_name(other->proto);
        return check_fail(check, NULL, "%s of this file and of %s would both be %s: rename one",
                what, text_line(check->arena, other_name.data, other_name.size), key);
}

static bool sources_check_unique(struct check *check, upb_StringView name)
{
        const char *text = memory_copy(check->arena, name.data, name.size);

        if (check_lookup(&check->sources, name))
                return check_fail(check, NULL, "the file is in the request twice");
        check_insert(check, &check->sources, name, check->source);
        return sources_claim(check, &check->outputs,
                spelling_output(check->arena, text, ".quoit.h"), "the header");
}

/* ---- imports ---------------------------------------------------------------------------------- */

static void sources_see(struct source *by, struct source *seen, struct source **list)
{
        if (seen->seen_by == by)
                return;
        seen->seen_by = by;
        seen->next_seen = *list;
        *list = seen;
}

static bool sources_find_imports(struct check *check, struct source **list)
{
        struct source *source = check->source;
        const upb_StringView *names =
                google_protobuf_FileDescriptorProto_dependency(source->proto, &source->n_imports);

        source->imports = memory_alloc(check->arena, (source->n_imports + 1) * sizeof(*list));
        for (size_t i = 0; i < source->n_imports; i++) {
                struct source *import = (struct source *)check_lookup(&check->sources, names[i]);
                const char *name = text_line(check->arena, names[i].data, names[i].size);

                if (!import || import == source)
                        return check_fail(check, NULL,
                                "it imports %s, which is not in the request before it: protoc "
                                "--include_imports "
                                "sends files in order",
                                name);
                if (import->seen_by == source)
                        return check_fail(check, NULL, "it imports %s twice", name);
                sources_see(source, import, list);
                source->imports[i] = import;
        }
        return true;
}

static bool sources_check_indices(
        struct check *check, const char *kind, const int32_t *indices, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (indices[i] < 0 || (size_t)indices[i] >= check->source->n_imports)
                        return check_fail(check, NULL,
                                "its %s import %d is not one of the %zu that it has", kind,
                                indices[i], check->source->n_imports);
        return true;
}

/* In addition to its imports, a file sees their public imports, and so on. */
static void sources_see_public(struct check *check, struct source *list)
{
        while (list) {
                struct source *source = list;
                size_t n;
                const int32_t *indices =
                        google_protobuf_FileDescriptorProto_public_dependency(source->proto, &n);

                list = source->next_seen;
                for (size_t i = 0; i < n; i++)
                        sources_see(check->source, source->imports[indices[i]], &list);
        }
}

static bool sources_check_imports(struct check *check)
{
        struct source *list = NULL;
        const google_protobuf_FileDescriptorProto *proto = check->source->proto;
        const int32_t *public, *weak;
        size_t n_public, n_weak;

        public = google_protobuf_FileDescriptorProto_public_dependency(proto, &n_public);
        weak = google_protobuf_FileDescriptorProto_weak_dependency(proto, &n_weak);
        if (!sources_find_imports(check, &list) ||
                !sources_check_indices(check, "public", public, n_public) ||
                !sources_check_indices(check, "weak", weak, n_weak))
                return false;
        sources_see_public(check, list);
        check->source->seen_by = check->source;
        return true;
}

bool check_source(struct check *check, const google_protobuf_FileDescriptorProto *file)
{
        upb_StringView name = google_protobuf_FileDescriptorProto_name(file);

        check->source = memory_alloc(check->arena, sizeof(*check->source));
        *check->source = (struct source){ .proto = file };
        return sources_check_name(check, name) && sources_check_unique(check, name) &&
               sources_check_imports(check);
}
