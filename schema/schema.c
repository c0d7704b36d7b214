/* SPDX-License-Identifier: MIT */
#include "schema/schema.h"

#include <errno.h>
#include <stdlib.h>

#include "google/protobuf/descriptor.upb.h"
#include "schema/problem.h"
#include "upb/reflection/internal/def_pool.h"

struct type {
        const upb_MiniTable *table;
        const upb_MessageDef *message;
};

/* upb's definitions, which use the tables of the generated code, and a map from these tables to the definitions. */
struct quoit_schema {
        upb_DefPool *pool;
        const quoit_file_descriptor **files; /* in the pool */
        struct type *types; /* sorted by table */
        size_t n_files;
        size_t n_types;
};

const upb_DefPool *schema_pool(const quoit_schema *schema)
{
        return schema->pool;
}

/* ---- files ---- */

/* Another file with the same name is an error: messages of the two would be confused. */
static int check_is_same(
        const quoit_schema *schema, const quoit_file_descriptor *file, quoit_problem *problem)
{
        for (size_t i = 0; i < schema->n_files; i++)
                if (schema->files[i] == file)
                        return 0;
        return problem_set(problem, -EEXIST, "two files are called %s", file->name);
}

static int add_to_pool(
        quoit_schema *schema, const quoit_file_descriptor *file, quoit_problem *problem)
{
        upb_Arena *arena = upb_Arena_New();
        google_protobuf_FileDescriptorProto *proto;
        upb_Status status;
        int r = 0;

        if (!arena)
                return problem_set(problem, -ENOMEM, "out of memory");
        upb_Status_Clear(&status);
        proto = google_protobuf_FileDescriptorProto_parse_ex(
                file->bytes, file->size, NULL, kUpb_DecodeOption_AliasString, arena);
        if (!proto)
                r = problem_set(problem, -EINVAL, "%s: its descriptor is broken", file->name);
        else if (!_upb_DefPool_AddFile(schema->pool, proto, file->layout, &status))
                r = problem_set(
                        problem, -EEXIST, "%s: %s", file->name, upb_Status_ErrorMessage(&status));
        upb_Arena_Free(arena);
        return r;
}

static int remember(quoit_schema *schema, const quoit_file_descriptor *file, quoit_problem *problem)
{
        const quoit_file_descriptor **files = reallocarray(
                (void *)schema->files, schema->n_files + 1, sizeof(const quoit_file_descriptor *));

        if (!files)
                return problem_set(problem, -ENOMEM, "out of memory");
        schema->files = files;
        schema->files[schema->n_files++] = file;
        return 0;
}

/* Adds its imports first. */
static int add_file(quoit_schema *schema, const quoit_file_descriptor *file, quoit_problem *problem)
{
        int r = 0;

        if (upb_DefPool_FindFileByName(schema->pool, file->name))
                return check_is_same(schema, file, problem);
        for (size_t i = 0; r == 0 && i < file->dependency_count; i++)
                r = add_file(schema, file->dependencies[i], problem);
        if (r == 0)
                r = add_to_pool(schema, file, problem);
        return r == 0 ? remember(schema, file, problem) : r;
}

/* ---- types ---- */

static int compare_types(const void *a, const void *b)
{
        uintptr_t left = (uintptr_t)((const struct type *)a)->table;
        uintptr_t right = (uintptr_t)((const struct type *)b)->table;

        return (left > right) - (left < right);
}

/* Counts the types, and fills the array if there is one: run once without, once with it. */
static void add_type(quoit_schema *schema, const upb_MessageDef *message)
{
        if (schema->types)
                schema->types[schema->n_types] =
                        (struct type){ upb_MessageDef_MiniTable(message), message };
        schema->n_types++;
        for (int i = 0; i < upb_MessageDef_NestedMessageCount(message); i++)
                add_type(schema, upb_MessageDef_NestedMessage(message, i));
}

static void add_types(quoit_schema *schema)
{
        schema->n_types = 0;
        for (size_t i = 0; i < schema->n_files; i++) {
                const upb_FileDef *file =
                        upb_DefPool_FindFileByName(schema->pool, schema->files[i]->name);

                for (int j = 0; j < upb_FileDef_TopLevelMessageCount(file); j++)
                        add_type(schema, upb_FileDef_TopLevelMessage(file, j));
        }
}

static int make_types(quoit_schema *schema, quoit_problem *problem)
{
        add_types(schema);
        schema->types = calloc(schema->n_types + 1, sizeof(*schema->types));
        if (!schema->types)
                return problem_set(problem, -ENOMEM, "out of memory");
        add_types(schema);
        qsort(schema->types, schema->n_types, sizeof(*schema->types), compare_types);
        return 0;
}

int schema_find(const quoit_schema *schema, const upb_MiniTable *table,
        const upb_MessageDef **ret_type, quoit_problem *problem)
{
        struct type key = { .table = table };
        const struct type *found = bsearch(
                &key, schema->types, schema->n_types, sizeof(*schema->types), compare_types);

        if (!found)
                return problem_set(
                        problem, -ENOENT, "the message's type is of no file in the schema");
        *ret_type = found->message;
        return 0;
}

/* ---- life ---- */

void quoit_schema_free(quoit_schema *schema)
{
        if (!schema)
                return;
        if (schema->pool)
                upb_DefPool_Free(schema->pool);
        free((void *)schema->files);
        free(schema->types);
        free(schema);
}

/* What fails leaves nothing in the pool. */
static int add_spare(
        quoit_schema *schema, const quoit_file_descriptor *spare, quoit_problem *ret_problem)
{
        int r = spare ? add_file(schema, spare, ret_problem) : 0;

        return r == -EEXIST ? 0 : r;
}

int quoit_schema_new(const quoit_file_descriptor *const *files, size_t count,
        quoit_schema **ret_schema, quoit_problem *ret_problem)
{
        return schema_new_with(files, count, NULL, ret_schema, ret_problem);
}

int schema_new_with(const quoit_file_descriptor *const *files, size_t count,
        const quoit_file_descriptor *spare, quoit_schema **ret_schema, quoit_problem *ret_problem)
{
        quoit_schema *schema = calloc(1, sizeof(*schema));
        int r = 0;

        if (schema)
                schema->pool = upb_DefPool_New();
        if (!schema || !schema->pool) {
                quoit_schema_free(schema);
                return problem_set(ret_problem, -ENOMEM, "out of memory");
        }
        for (size_t i = 0; r == 0 && i < count; i++)
                r = add_file(schema, files[i], ret_problem);
        if (r == 0)
                r = add_spare(schema, spare, ret_problem);
        if (r == 0)
                r = make_types(schema, ret_problem);
        if (r < 0) {
                quoit_schema_free(schema);
                return r;
        }
        *ret_schema = schema;
        return 0;
}
