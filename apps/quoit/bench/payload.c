/* SPDX-License-Identifier: MIT */
#include "payload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <quoit/google/protobuf/empty.quoit.h>

#include "../message.h"
#include "upb/json/decode.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

/* Encoded. */
struct fixed {
        const upb_Message *message;
        size_t bytes;
};

struct payload_message {
        struct template template;
        const struct fixed
                *fixed; /* @fixed_count of them, for a row each; NULL: made anew for each call */
        size_t fixed_count;
};

static int fail(quoit_problem *problem, int error, const char *text)
{
        snprintf(problem->text, sizeof(problem->text), "%s", text);
        return error;
}

static int fail_memory(quoit_problem *problem)
{
        return fail(problem, -ENOMEM, "out of memory");
}

quoit_method payload_method(const quoit_method *method)
{
        quoit_method result = *method;

        result.request = result.reply = &quoit_google__protobuf__Empty_msg_init;
        return result;
}

size_t payload_bytes(const upb_Message *message)
{
        uintptr_t cursor = kUpb_Message_UnknownBegin;
        upb_StringView part;
        size_t bytes = 0;

        while (upb_Message_NextUnknown(message, &part, &cursor))
                bytes += part.size;
        return bytes;
}

/* ---- encoding ---- */

/* @message of the requests' type becomes one without fields. */
static int encode(const struct payload *payload, const upb_Message *message, upb_Arena *arena,
        struct fixed *ret_fixed, quoit_problem *ret_problem)
{
        const upb_MiniTable *type = upb_MessageDef_MiniTable(payload->type);
        upb_Message *empty = UPB_UPCAST(google_protobuf_Empty_new(arena));
        upb_EncodeStatus status;
        size_t size;
        char *bytes;

        status = upb_Encode(message, type, kUpb_EncodeOption_CheckRequired, arena, &bytes, &size);
        if (status == kUpb_EncodeStatus_MissingRequired)
                return fail(ret_problem, -EINVAL, "a required field is not set");
        if (status == kUpb_EncodeStatus_MaxDepthExceeded)
                return fail(ret_problem, -EINVAL, "it is nested too deeply");
        if (status != kUpb_EncodeStatus_Ok || !empty ||
                upb_Decode(bytes, size, empty, &quoit_google__protobuf__Empty_msg_init, NULL,
                        kUpb_DecodeOption_AliasString, arena) != kUpb_DecodeStatus_Ok)
                return fail_memory(ret_problem);
        *ret_fixed = (struct fixed){ empty, size };
        return 0;
}

/* As message_parse_json(), but without asking the server for what is not known: other threads do the same. */
static int parse_json(const struct payload *payload, upb_StringView text, upb_Arena *arena,
        upb_Message **ret_message, quoit_problem *ret_problem)
{
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(payload->type), arena);
        upb_Status status;

        upb_Status_Clear(&status);
        if (!message)
                return fail_memory(ret_problem);
        if (!upb_JsonDecode(text.data, text.size, message, payload->type,
                    source_pool(payload->source), 0, arena, &status))
                return fail(ret_problem, -EINVAL, upb_Status_ErrorMessage(&status));
        *ret_message = message;
        return 0;
}

static upb_StringView expanded(
        const struct payload_message *message, uint64_t seq, struct payload_maker *maker)
{
        const struct template_call call = { .seq = seq, .chance = &maker->chance };

        return template_expand(&message->template, &call, &maker->buffer)
                       ? upb_StringView_FromDataAndSize(maker->buffer.data, maker->buffer.size)
                       : upb_StringView_FromDataAndSize(NULL, 0);
}

/* For this call alone. */
static int make(const struct payload *payload, const struct payload_message *from, uint64_t seq,
        struct payload_maker *maker, upb_Arena *arena, struct fixed *ret_fixed,
        quoit_problem *ret_problem)
{
        upb_Message *message;
        int r = arena ? parse_json(
                                payload, expanded(from, seq, maker), arena, &message, ret_problem)
                      : fail_memory(ret_problem);

        return r < 0 ? r : encode(payload, message, arena, ret_fixed, ret_problem);
}

int payload_get(const struct payload *payload, size_t index, uint64_t seq,
        struct payload_maker *maker, quoit_outcall *call, const upb_Message **ret_message,
        size_t *ret_bytes, quoit_problem *ret_problem)
{
        /* most have one message, and a division takes as long as all else here */
        const struct payload_message *from =
                &payload->messages[payload->count == 1 ? 0 : index % payload->count];
        struct fixed made;
        const struct fixed *fixed = &made;
        int r = 0;

        if (from->fixed)
                fixed = &from->fixed[from->fixed_count == 1 ? 0 : seq % from->fixed_count];
        else
                r = make(payload, from, seq, maker, quoit_outcall_arena(call), &made, ret_problem);
        if (r < 0)
                return r;
        *ret_message = fixed->message;
        *ret_bytes = fixed->bytes;
        return 0;
}

/* ---- making ---- */

/* Where the JSON value at @text ends, in which {{seq}} may stand. What is not JSON is somebody else's matter. */
static const char *end_of_value(const char *text)
{
        bool in_string = false;
        unsigned depth = 0;

        for (; *text; text++) {
                if (in_string && *text == '\\' && text[1])
                        text++;
                else if (*text == '"')
                        in_string = !in_string;
                else if (!in_string && (*text == '{' || *text == '['))
                        depth++;
                else if (!in_string && (*text == '}' || *text == ']') && depth > 0)
                        depth--;
                if (depth > 0 || in_string)
                        continue;
                /* a number or word goes on up to what cannot be in it */
                return strchr("}]\"", *text) ? text + 1 : text + strcspn(text, " \t\r\n{[\"");
        }
        return text;
}

/* The first one as users hear of it, with the place and the nearest names; types that its Anys need are known from then on. */
static int try_first(const struct payload *payload, const struct payload_message *message,
        quoit_problem *ret_problem)
{
        struct payload_maker maker = { .chance.state = 1 };
        upb_Arena *arena = upb_Arena_New();
        upb_Message *parsed;
        int r = arena ? message_parse_json(payload->source, payload->type,
                                expanded(message, 0, &maker), false, arena, &parsed, ret_problem)
                      : fail_memory(ret_problem);

        buffer_deinit(&maker.buffer);
        upb_Arena_Free(arena);
        return r;
}

/* For each row, or once. */
static int encode_all(const struct payload *payload, struct payload_message *message,
        upb_Arena *arena, quoit_problem *ret_problem)
{
        const struct template *template = &message->template;
        size_t count = template->differs_by_row ? template->table->row_count : 1;
        struct fixed *fixed = upb_Arena_Malloc(arena, count * sizeof(*fixed));
        struct payload_maker maker = { 0 };
        quoit_problem problem;
        int r = fixed ? 0 : fail_memory(ret_problem);

        for (size_t row = 0; r == 0 && row < count; row++) {
                upb_Message *parsed;

                r = parse_json(payload, expanded(message, row, &maker), arena, &parsed, &problem);
                if (r == 0)
                        r = encode(payload, parsed, arena, &fixed[row], &problem);
                if (r < 0 && count > 1)
                        snprintf(ret_problem->text, sizeof(ret_problem->text),
                                "with row %zu of --data-csv: %.400s", row + 1, problem.text);
                else if (r < 0)
                        *ret_problem = problem;
        }
        buffer_deinit(&maker.buffer);
        if (r < 0)
                return r;
        message->fixed = fixed;
        message->fixed_count = count;
        return 0;
}

static int message_init(struct payload_message *message, const struct payload *payload,
        upb_StringView text, const struct table *table, upb_Arena *arena,
        quoit_problem *ret_problem)
{
        const char *problem = template_parse(text, table, arena, &message->template);
        int r;

        if (problem)
                return fail(ret_problem, -EINVAL, problem);
        r = try_first(payload, message, ret_problem);
        if (r == 0 && !message->template.differs_by_call)
                r = encode_all(payload, message, arena, ret_problem);
        return r;
}

/* Room for one more message. NULL: no memory. */
static struct payload_message *grow(
        struct payload_message *messages, size_t count, size_t *capacity, upb_Arena *arena)
{
        size_t bytes = *capacity * sizeof(*messages);

        if (count < *capacity)
                return messages;
        *capacity = 2 * *capacity + 1;
        return upb_Arena_Realloc(arena, messages, bytes, *capacity * sizeof(*messages));
}

static const char *behind_space(const char *text)
{
        return text + strspn(text, " \t\r\n");
}

int payload_init(struct payload *payload, struct source *source, const upb_MessageDef *type,
        const char *text, const struct table *table, upb_Arena *arena, quoit_problem *ret_problem)
{
        struct payload_message *messages = NULL;
        size_t capacity = 0;
        int r = 0;

        text = behind_space(text);
        *payload = (struct payload){ .source = source, .type = type };
        for (const char *at = *text ? text : "{}"; r == 0 && *at;) {
                const char *end = end_of_value(at);
                struct payload_message *message;

                messages = grow(messages, payload->count, &capacity, arena);
                if (!messages)
                        return fail_memory(ret_problem);
                message = &messages[payload->count++];
                *message = (struct payload_message){ 0 };
                r = message_init(message, payload,
                        upb_StringView_FromDataAndSize(at, (size_t)(end - at)), table, arena,
                        ret_problem);
                at = behind_space(end);
        }
        payload->messages = messages;
        return r;
}
