/* SPDX-License-Identifier: MIT */

/* The results of quoit_call_finish_details(). tests/test_*.py check what clients read. */

#include "harness.h"

#include <errno.h>

#include <quoit/details.h>

#include "codec/node.h"
#include "upb/message/accessors.h"

static struct quoit_call *started_call(struct bench *bench)
{
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);

        call->ring.started = true;
        return call;
}

static void end(struct bench *bench, struct quoit_call *call)
{
        assert_int_equal(call->ring.state, CALL_FINISHED);
        call_set_state(call, CALL_DONE);
        bench_close(call);
        bench_free(bench);
}

/* A detail, whose message has @size bytes. */
static quoit_detail detail_of(upb_Arena *arena, size_t size)
{
        const upb_MiniTable *table = node_table_new(arena);
        upb_Message *message = upb_Message_New(table, arena);
        char *blob = upb_Arena_Malloc(arena, size + 1);

        memset(blob, 'b', size);
        upb_Message_SetBaseFieldString(message, upb_MiniTable_FindFieldByNumber(table, NODE_BLOB),
                upb_StringView_FromDataAndSize(blob, size));
        return (quoit_detail){ "t.Node", message, table };
}

static const struct field *details_of(const struct quoit_call *call)
{
        const struct field *field = call->handler.trailer_fields.first;

        while (field && strncmp(field->name, "grpc-status-details-bin", field->name_size) != 0)
                field = field->next;
        return field;
}

static void test_within_the_limit(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);
        upb_Arena *arena = upb_Arena_New();
        quoit_detail detail = detail_of(arena, 1000);

        (void)state;
        bench->limits.metadata_out_bytes_max = 4096;
        assert_int_equal(quoit_call_finish_details(call, QUOIT_ABORTED, "no", &detail, 1), 0);
        assert_non_null(details_of(call));
        assert_int_equal(details_of(call)->value_size % 4 == 1, 0);
        assert_int_equal(call->handler.status, QUOIT_ABORTED);
        assert_int_equal(
                quoit_call_finish_details(call, QUOIT_UNKNOWN, "again", &detail, 1), -EALREADY);
        assert_int_equal(call->handler.status, QUOIT_ABORTED);
        assert_int_equal(call->handler.trailer_fields.count, 1);
        upb_Arena_Free(arena);
        end(bench, call);
}

/* The call ends with its status all the same. */
static void test_over_the_limit(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);
        upb_Arena *arena = upb_Arena_New();
        quoit_detail detail = detail_of(arena, 3000);

        (void)state;
        bench->limits.metadata_out_bytes_max = 4096; /* base64 makes it 4000, and names count */
        assert_int_equal(
                quoit_call_add_trailer(call, "x", upb_StringView_FromDataAndSize("1", 1)), 0);
        assert_int_equal(quoit_call_finish_details(call, QUOIT_ABORTED, "no", &detail, 1), -E2BIG);
        assert_null(details_of(call));
        assert_int_equal(call->handler.status, QUOIT_ABORTED);
        assert_int_equal(call->handler.status_text_size, 2);
        upb_Arena_Free(arena);
        end(bench, call);
}

/* Details that cannot be sent are left out, and the call ends with @status. @name: of the node in the details; NULL: it has none. */
static void assert_left_out(quoit_status status, const char *text, const char *name, int error)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = started_call(bench);
        upb_Arena *arena = upb_Arena_New();
        quoit_detail detail = detail_of(arena, 10);

        bench->limits.metadata_out_bytes_max = 4096;
        if (name)
                upb_Message_SetBaseFieldString((upb_Message *)detail.message,
                        upb_MiniTable_FindFieldByNumber(detail.table, NODE_NAME),
                        upb_StringView_FromString(name));
        assert_int_equal(quoit_call_finish_details(call, status, text, &detail, 1), error);
        assert_null(details_of(call));
        assert_int_equal(call->handler.status, status);
        upb_Arena_Free(arena);
        end(bench, call);
}

static void test_success_has_none(void **state)
{
        (void)state;
        assert_left_out(QUOIT_OK, NULL, NULL, -EINVAL);
}

/* NODE_NAME is text, the other field is bytes; in details, and in the status's own text. */
static void test_text_is_utf8(void **state)
{
        (void)state;
        assert_left_out(QUOIT_ABORTED, "no", "gr\xfc", -EILSEQ);
}

static void test_status_text_is_utf8(void **state)
{
        (void)state;
        assert_left_out(QUOIT_ABORTED, "gr\xfc", NULL, -EILSEQ);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_within_the_limit),
                cmocka_unit_test(test_over_the_limit),
                cmocka_unit_test(test_success_has_none),
                cmocka_unit_test(test_text_is_utf8),
                cmocka_unit_test(test_status_text_is_utf8),
        };

        return cmocka_run_group_tests_name("call/details", tests, NULL, NULL);
}
