/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/json.h>
#include <quoit/text.h>

#include "conformance/conformance.quoit.h"
#include "google/protobuf/test_messages_edition2023.quoit.h"
#include "google/protobuf/test_messages_proto2.quoit.h"
#include "google/protobuf/test_messages_proto2_editions.quoit.h"
#include "google/protobuf/test_messages_proto3.quoit.h"
#include "google/protobuf/test_messages_proto3_editions.quoit.h"

/*
 * What protobuf's own conformance runner tests: messages of generated code, in binary and as JSON; as text they are printed alone. On
 * stdin and stdout: a size of four bytes, little-endian, and a conformance.ConformanceRequest; the same of its ConformanceResponse.
 * What this library does not do (it reads no text, and prints no unknown fields) is answered "skipped".
 */

#define RUNNER(name) conformance_##name
typedef RUNNER(ConformanceRequest) request;
typedef RUNNER(ConformanceResponse) response;

struct testee {
        quoit_schema *schema;
        upb_ExtensionRegistry *registry; /* the extensions of the messages under test */
};

static const quoit_file_descriptor *const files[] = {
        &google_protobuf_test_messages_proto2_proto_quoit_file,
        &google_protobuf_test_messages_proto3_proto_quoit_file,
        &google_protobuf_test_messages_edition2023_proto_quoit_file,
        &google_protobuf_test_messages_proto2_editions_proto_quoit_file,
        &google_protobuf_test_messages_proto3_editions_proto_quoit_file,
};
#define FILE_COUNT (sizeof(files) / sizeof(*files))

#define TYPE(package, name)                                                                        \
        &quoit_protobuf_0test_0messages__##package##__TestAllTypes##name##_msg_init
static const struct {
        const char *name;
        const upb_MiniTable *table;
} types[] = {
        { "proto2.TestAllTypesProto2", TYPE(proto2, Proto2) },
        { "proto3.TestAllTypesProto3", TYPE(proto3, Proto3) },
        { "editions.TestAllTypesEdition2023", TYPE(editions, Edition2023) },
        { "editions.proto2.TestAllTypesProto2", TYPE(editions__proto2, Proto2) },
        { "editions.proto3.TestAllTypesProto3", TYPE(editions__proto3, Proto3) },
};

static const upb_MiniTable *find_type(upb_StringView name)
{
        static const char package[] = "protobuf_test_messages.";
        size_t skipped = sizeof(package) - 1;

        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
                if (name.size == skipped + strlen(types[i].name) &&
                        memcmp(name.data, package, skipped) == 0 &&
                        memcmp(name.data + skipped, types[i].name, name.size - skipped) == 0)
                        return types[i].table;
        }
        return NULL;
}

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static unsigned json_options(const request *asked)
{
        return RUNNER(ConformanceRequest_test_category)(asked) ==
                               RUNNER(JSON_IGNORE_UNKNOWN_PARSING_TEST)
                       ? QUOIT_JSON_IGNORE_UNKNOWN
                       : 0;
}

/* The message that @asked carries; NULL: @answer says why there is none. */
static upb_Message *take(const struct testee *t, const request *asked, const upb_MiniTable *table,
        upb_Arena *arena, response *answer, quoit_problem *problem)
{
        upb_Message *message = NULL;

        if (RUNNER(ConformanceRequest_has_protobuf_payload)(asked)) {
                upb_StringView in = RUNNER(ConformanceRequest_protobuf_payload)(asked);

                strcpy(problem->text, "not such a message");
                message = quoit_message_parse(in.data, in.size, table, t->registry, 0, arena);
        } else if (RUNNER(ConformanceRequest_has_json_payload)(asked)) {
                (void)quoit_json_parse(t->schema, RUNNER(ConformanceRequest_json_payload)(asked),
                        table, json_options(asked), arena, &message, problem);
        } else {
                RUNNER(ConformanceResponse_set_skipped)(answer, view("it is text"));
                return NULL;
        }
        if (!message)
                RUNNER(ConformanceResponse_set_parse_error)(answer, view(problem->text));
        return message;
}

static void give_binary(
        const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena, response *answer)
{
        size_t size;
        char *bytes = quoit_message_serialize(message, table, 0, arena, &size);

        if (bytes)
                RUNNER(ConformanceResponse_set_protobuf_payload)(
                        answer, upb_StringView_FromDataAndSize(bytes, size));
        else
                RUNNER(ConformanceResponse_set_serialize_error)(answer, view("not encoded"));
}

static void give(const struct testee *t, const request *asked, const upb_Message *message,
        const upb_MiniTable *table, upb_Arena *arena, response *answer, quoit_problem *problem)
{
        upb_StringView text;
        int r;

        switch (RUNNER(ConformanceRequest_requested_output_format)(asked)) {
        case RUNNER(PROTOBUF):
                give_binary(message, table, arena, answer);
                return;
        case RUNNER(JSON):
                r = quoit_json_print(t->schema, message, table, 0, arena, &text, problem);
                if (r == 0)
                        RUNNER(ConformanceResponse_set_json_payload)(answer, text);
                break;
        case RUNNER(TEXT_FORMAT):
                if (RUNNER(ConformanceRequest_print_unknown_fields)(asked)) {
                        RUNNER(ConformanceResponse_set_skipped)(answer, view("unknown fields"));
                        return;
                }
                r = quoit_text_print(t->schema, message, table, 0, arena, &text, problem);
                if (r == 0)
                        RUNNER(ConformanceResponse_set_text_payload)(answer, text);
                break;
        default:
                RUNNER(ConformanceResponse_set_skipped)(answer, view("another format"));
                return;
        }
        if (r < 0)
                RUNNER(ConformanceResponse_set_serialize_error)(answer, view(problem->text));
}

/* Before all tests the runner asks for those that are known to fail. */
static bool is_failure_set(upb_StringView type)
{
        return upb_StringView_IsEqual(type, view("conformance.FailureSet"));
}

static upb_StringView run(const struct testee *t, upb_StringView in, upb_Arena *arena)
{
        request *asked = RUNNER(ConformanceRequest_parse)(in.data, in.size, arena);
        response *answer = RUNNER(ConformanceResponse_new)(arena);
        quoit_problem problem = { "" };
        upb_StringView type, out;
        const upb_MiniTable *table;

        assert(asked);
        type = RUNNER(ConformanceRequest_message_type)(asked);
        table = find_type(type);
        if (is_failure_set(type)) {
                RUNNER(ConformanceResponse_set_protobuf_payload)(answer, view(""));
        } else if (!table) {
                RUNNER(ConformanceResponse_set_skipped)(answer, view("another type"));
        } else {
                upb_Message *message = take(t, asked, table, arena, answer, &problem);

                if (message)
                        give(t, asked, message, table, arena, answer, &problem);
        }
        out.data = RUNNER(ConformanceResponse_serialize)(answer, arena, &out.size);
        assert(out.data);
        return out;
}

static void testee_init(struct testee *t, upb_Arena *arena)
{
        quoit_problem problem;

        if (quoit_schema_new(files, FILE_COUNT, &t->schema, &problem) < 0) {
                fprintf(stderr, "%s\n", problem.text);
                exit(EXIT_FAILURE);
        }
        t->registry = upb_ExtensionRegistry_New(arena);
        for (size_t i = 0; i < FILE_COUNT; i++) {
                bool is_added = quoit_file_add_extensions(files[i], t->registry);

                assert(is_added);
        }
}

int main(void)
{
        upb_Arena *known = upb_Arena_New();
        struct testee testee;
        uint32_t size; /* little-endian, as this machine is */

        testee_init(&testee, known);
        while (fread(&size, sizeof(size), 1, stdin)) {
                upb_Arena *arena = upb_Arena_New();
                char *data = malloc(size + !size); /* a byte too far is ASan's */
                upb_StringView out;

                if (fread(data, 1, size, stdin) != size)
                        return EXIT_FAILURE;
                out = run(&testee, upb_StringView_FromDataAndSize(data, size), arena);
                size = (uint32_t)out.size;
                fwrite(&size, sizeof(size), 1, stdout);
                fwrite(out.data, 1, out.size, stdout);
                fflush(stdout);
                free(data);
                upb_Arena_Free(arena);
        }
        quoit_schema_free(testee.schema);
        upb_Arena_Free(known);
        return EXIT_SUCCESS;
}
