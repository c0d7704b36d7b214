/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/json.h>
#include <quoit/text.h>

#include "kitchen/proto2.quoit.h"
#include "kitchen/proto3.quoit.h"
#include <quoit/google/protobuf/any.quoit.h>
#include <quoit/google/protobuf/duration.quoit.h>
#include <quoit/google/protobuf/field_mask.quoit.h>
#include <quoit/google/protobuf/struct.quoit.h>
#include <quoit/google/protobuf/timestamp.quoit.h>
#include <quoit/google/protobuf/wrappers.quoit.h>

/*
 * Documents that are read as messages. An error text is printable ASCII, with the place. A message that was read can be printed
 * and read again; then it prints the same text. The memory is a few times the size at most.
 *
 * Input: one byte for the type of message and whether unknown fields are ignored, then the document.
 */
static const upb_MiniTable *const types[] = {
        &quoit_kitchen__Proto3_msg_init,
        &quoit_kitchen__Proto2_msg_init,
        &quoit_kitchen__Many_msg_init,
        &quoit_kitchen__Set_msg_init,
        &quoit_google__protobuf__Any_msg_init,
        &quoit_google__protobuf__Duration_msg_init,
        &quoit_google__protobuf__FieldMask_msg_init,
        &quoit_google__protobuf__ListValue_msg_init,
        &quoit_google__protobuf__Struct_msg_init,
        &quoit_google__protobuf__Timestamp_msg_init,
        &quoit_google__protobuf__Value_msg_init,
        &quoit_google__protobuf__DoubleValue_msg_init,
        &quoit_google__protobuf__FloatValue_msg_init,
        &quoit_google__protobuf__Int64Value_msg_init,
        &quoit_google__protobuf__UInt64Value_msg_init,
        &quoit_google__protobuf__Int32Value_msg_init,
        &quoit_google__protobuf__UInt32Value_msg_init,
        &quoit_google__protobuf__BoolValue_msg_init,
        &quoit_google__protobuf__StringValue_msg_init,
        &quoit_google__protobuf__BytesValue_msg_init,
};

#define N_TYPES (sizeof(types) / sizeof(*types))
#define BUDGET_BYTES ((size_t)4 << 20)

static quoit_schema *schema;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        static const quoit_file_descriptor *const files[] = {
                &kitchen_proto2_proto_quoit_file,
                &kitchen_proto3_proto_quoit_file,
                &google_protobuf_any_proto_quoit_file,
                &google_protobuf_duration_proto_quoit_file,
                &google_protobuf_field_mask_proto_quoit_file,
                &google_protobuf_struct_proto_quoit_file,
                &google_protobuf_timestamp_proto_quoit_file,
                &google_protobuf_wrappers_proto_quoit_file,
        };
        int r = quoit_schema_new(files, sizeof(files) / sizeof(*files), &schema, NULL);

        (void)argc;
        (void)argv;
        assert(r == 0);
        return 0;
}

static void check_problem(const quoit_problem *problem)
{
        size_t size = strlen(problem->text);

        assert(!strncmp(problem->text, "line ", 5));
        for (size_t i = 0; i < size; i++)
                assert(' ' <= problem->text[i] && problem->text[i] <= '~');
}

static upb_Message *parse(
        upb_StringView text, const upb_MiniTable *type, unsigned options, upb_Arena *arena)
{
        upb_Message *message = NULL;
        quoit_problem problem = { "" };
        quoit_budget budget;

        quoit_budget_init(&budget, BUDGET_BYTES);
        upb_Arena_SetBudget(arena, &budget.upb);
        if (quoit_json_parse(schema, text, type, options, arena, &message, &problem) < 0)
                check_problem(&problem);
        upb_Arena_SetBudget(arena, NULL);
        return message;
}

/* False: it has a value that JSON cannot express, or is nested too deeply to be printed. */
static bool print(const upb_Message *message, const upb_MiniTable *type, unsigned options,
        upb_Arena *arena, upb_StringView *ret_text)
{
        upb_StringView text;
        int r = quoit_text_print(schema, message, type, 0, arena, &text, NULL);

        assert(r == 0);
        return quoit_json_print(schema, message, type, options, arena, ret_text, NULL) == 0;
}

static void check(
        upb_StringView text, const upb_MiniTable *type, unsigned options, upb_Arena *arena)
{
        upb_Message *message = parse(text, type, options, arena), *again;
        upb_StringView printed, printed_again;

        if (!message || !print(message, type, 0, arena, &printed))
                return;
        /* It can be nested more deeply than the input: an Any's "value". */
        again = parse(printed, type, 0, arena);
        if (!again)
                return;
        if (!print(again, type, 0, arena, &printed_again))
                abort();
        /* The order of maps is undefined. */
        assert(printed.size == printed_again.size);
        (void)print(message, type,
                QUOIT_JSON_DEFAULTS | QUOIT_JSON_PROTO_NAMES | QUOIT_JSON_ENUM_NUMBERS, arena,
                &printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        upb_Arena *arena;
        char *copy;

        if (!size)
                return 0;
        arena = upb_Arena_New();
        copy = malloc(size - 1 + (size == 1)); /* ASan finds a read of one byte too many */
        assert(arena && copy);
        memcpy(copy, data + 1, size - 1);
        check(upb_StringView_FromDataAndSize(copy, size - 1), types[data[0] % N_TYPES],
                data[0] / N_TYPES % 2 ? QUOIT_JSON_IGNORE_UNKNOWN : 0, arena);
        free(copy);
        upb_Arena_Free(arena);
        return 0;
}
