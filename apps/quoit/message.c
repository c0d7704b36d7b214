/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8_range.h>

#include "any.h"
#include "fields.h"
#include "nearest.h"
#include "upb/json/decode.h"
#include "upb/json/encode.h"
#include "upb/text/encode.h"

static int set_problem(quoit_problem *problem, int error, const char *text)
{
        snprintf(problem->text, sizeof(problem->text), "%s", text);
        return error;
}

/* ---- in ---- */

/* "line 1, column 12: No such field: nmae": with what was probably meant. */
static int explain(quoit_problem *problem, const char *text, const upb_MessageDef *type)
{
        static const char no_field[] = "No such field: ", no_value[] = "Unknown enumerator: '";
        const char *field = strstr(text, no_field), *value = strstr(text, no_value);
        char name[NEAREST_NAME_BYTES], hint[NEAREST_HINT_BYTES] = "";
        struct nearest nearest;

        if (field || value) {
                snprintf(name, sizeof(name), "%s",
                        field ? field + strlen(no_field) : value + strlen(no_value));
                name[strcspn(name, "'")] = '\0';
                nearest_init(&nearest, name);
                if (field)
                        fields_try(&nearest, type);
                else
                        enumerators_try(&nearest, type);
                nearest_hint(&nearest, hint);
        }
        snprintf(problem->text, sizeof(problem->text), "%s%s", text, hint);
        return -EINVAL;
}

int message_parse_json(struct source *source, const upb_MessageDef *type, upb_StringView text,
        bool ignores_unknown, upb_Arena *arena, upb_Message **ret_message,
        quoit_problem *ret_problem)
{
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), arena);
        upb_Status status;

        if (!message)
                return set_problem(ret_problem, -ENOMEM, "out of memory");
        if (!utf8_range_IsValid(text.data, text.size))
                return set_problem(ret_problem, -EINVAL, "it is not UTF-8");
        upb_Status_Clear(&status);
        switch (upb_JsonDecodeDetectingNonconformance(text.data, text.size, message, type,
                source_pool(source), ignores_unknown ? upb_JsonDecode_IgnoreUnknown : 0, arena,
                &status)) {
        case kUpb_JsonDecodeResult_Ok:
                *ret_message = message;
                return 0;
        case kUpb_JsonDecodeResult_OutOfMemory:
                return set_problem(ret_problem, -ENOMEM, "out of memory");
        default:
                return explain(ret_problem, upb_Status_ErrorMessage(&status), type);
        }
}

/* ---- out ---- */

int message_print_json(struct source *source, const upb_MessageDef *type, upb_Message *message,
        int options, upb_Arena *arena, upb_StringView *ret_text, quoit_problem *ret_problem)
{
        upb_Status status;
        size_t size;
        char *text;

        if (any_resolve(source, type, message, arena) < 0)
                return set_problem(ret_problem, -ENOMEM, "out of memory");
        upb_Status_Clear(&status);
        size = upb_JsonEncode(message, type, source_pool(source), options, arena, NULL, 0, &status);
        if (size == SIZE_MAX)
                return set_problem(ret_problem, -EINVAL, upb_Status_ErrorMessage(&status));
        text = upb_Arena_Malloc(arena, size + 1);
        if (!text)
                return set_problem(ret_problem, -ENOMEM, "out of memory");
        upb_JsonEncode(message, type, source_pool(source), options, arena, text, size + 1, &status);
        if (!utf8_range_IsValid(text, size))
                return set_problem(ret_problem, -EINVAL, "a string in it is not UTF-8");
        *ret_text = upb_StringView_FromDataAndSize(text, size);
        return 0;
}

int message_print_text(struct source *source, const upb_MessageDef *type,
        const upb_Message *message, upb_Arena *arena, upb_StringView *ret_text)
{
        size_t size =
                upb_TextEncode(message, type, source_pool(source), UPB_TXTENC_SKIPUNKNOWN, NULL, 0);
        char *text = upb_Arena_Malloc(arena, size + 1);

        if (!text)
                return -ENOMEM;
        upb_TextEncode(message, type, source_pool(source), UPB_TXTENC_SKIPUNKNOWN, text, size + 1);
        *ret_text = upb_StringView_FromDataAndSize(text, size);
        return 0;
}
