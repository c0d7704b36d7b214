/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <quoit/json.h>
#include <quoit/text.h>

#include "differential_types.h"

/*
 * Messages to and from text, for tests/test_json.py. In: the number of a type, what to do, a size, and as many bytes. Out: what came of
 * it, 0 or a positive errno, a size, and as many bytes: the answer, or the problem.
 */

enum work { TO_JSON, TO_JSON_WITH_DEFAULTS, FROM_JSON, FROM_JSON_WITH_UNKNOWN, TO_TEXT, TO_LINE };

struct trial {
        const quoit_schema *schema;
        const upb_MiniTable *table;
        const upb_ExtensionRegistry *registry;
        upb_Arena *arena;
};

static int from_json(const struct trial *t, upb_StringView in, unsigned options,
        upb_StringView *ret_out, quoit_problem *problem)
{
        upb_Message *message;
        char *bytes;
        int r = quoit_json_parse(t->schema, in, t->table, options, t->arena, &message, problem);

        if (r < 0)
                return r;
        bytes = quoit_message_serialize(
                message, t->table, kUpb_EncodeOption_Deterministic, t->arena, &ret_out->size);
        assert(bytes);
        ret_out->data = bytes;
        return 0;
}

static int run(const struct trial *t, enum work work, upb_StringView in, upb_StringView *ret_out,
        quoit_problem *problem)
{
        upb_Message *message;

        if (work == FROM_JSON || work == FROM_JSON_WITH_UNKNOWN)
                return from_json(
                        t, in, work == FROM_JSON ? 0 : QUOIT_JSON_IGNORE_UNKNOWN, ret_out, problem);
        message = quoit_message_parse(in.data, in.size, t->table, t->registry, 0, t->arena);
        assert(message);
        if (work == TO_TEXT || work == TO_LINE)
                return quoit_text_print(t->schema, message, t->table,
                        work == TO_TEXT ? 0 : QUOIT_TEXT_ONE_LINE, t->arena, ret_out, problem);
        return quoit_json_print(t->schema, message, t->table,
                work == TO_JSON ? 0 : QUOIT_JSON_DEFAULTS, t->arena, ret_out, problem);
}

static void answer(const struct trial *t, enum work work, upb_StringView in)
{
        upb_StringView out = { 0 };
        quoit_problem problem = { "" };
        int r = run(t, work, in, &out, &problem);
        uint32_t head[2];

        if (r < 0)
                out = upb_StringView_FromString(problem.text);
        head[0] = (uint32_t)-r;
        head[1] = (uint32_t)out.size;
        fwrite(head, sizeof(head), 1, stdout);
        fwrite(out.data, 1, out.size, stdout);
}

int main(void)
{
        upb_Arena *known = upb_Arena_New();
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(known);
        size_t n_files = sizeof(files) / sizeof(*files);
        quoit_schema *schema;
        quoit_problem problem;
        uint32_t head[3];

        if (quoit_schema_new(files, n_files, &schema, &problem) < 0) {
                fprintf(stderr, "%s\n", problem.text);
                return EXIT_FAILURE;
        }
        for (size_t i = 0; i < n_files; i++)
                assert(quoit_file_add_extensions(files[i], registry));
        while (fread(head, sizeof(head), 1, stdin)) {
                struct trial trial = { schema, types[head[0]], registry, upb_Arena_New() };
                char *data = malloc(head[2] + !head[2]); /* a byte too far is ASan's */

                assert(fread(data, 1, head[2], stdin) == head[2]);
                answer(&trial, (enum work)head[1], upb_StringView_FromDataAndSize(data, head[2]));
                free(data);
                upb_Arena_Free(trial.arena);
        }
        quoit_schema_free(schema);
        upb_Arena_Free(known);
        return EXIT_SUCCESS;
}
