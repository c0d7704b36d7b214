/* SPDX-License-Identifier: MIT */
#include <quoit/text.h>

#include <errno.h>

#include "schema/output.h"
#include "schema/problem.h"
#include "schema/schema.h"
#include "upb/text/encode.h"

struct print {
        const upb_DefPool *pool;
        const upb_MessageDef *type;
        const upb_Message *message;
        int options;
};

/* Without unknown fields: upb would guess which of them are messages, as deep as a peer has nested them. */
static size_t print_text(void *context, char *buf, size_t size)
{
        const struct print *p = context;

        return upb_TextEncode(
                p->message, p->type, p->pool, p->options | UPB_TXTENC_SKIPUNKNOWN, buf, size);
}

int quoit_text_print(const quoit_schema *schema, const upb_Message *message,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem)
{
        struct print print = { .pool = schema_pool(schema),
                .message = message,
                .options = options & QUOIT_TEXT_ONE_LINE ? UPB_TXTENC_SINGLELINE : 0 };
        int r = schema_find(schema, table, &print.type, ret_problem);

        if (r < 0)
                return r;
        if (output_print(print_text, &print, message, table, arena, ret_text) < 0)
                return problem_set(
                        ret_problem, -ENOMEM, "out of memory, or over the budget for it");
        return 0;
}
