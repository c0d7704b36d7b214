/* SPDX-License-Identifier: MIT */

/* How a request's header block is answered, as a client sees it. */

#include "client.h"

#include <string.h>

/* A good request with some fields changed: NULL leaves a field as it is, "" removes it. */
struct request_case {
        const char *method, *path, *te, *type;
        const char *name, *value; /* one more */
        const char *http, *status;
};

static const struct request_case cases[] = {
        { .http = "200", .status = "0" },
        { .type = "application/grpc+proto", .http = "200", .status = "0" },
        { .type = "application/grpc;charset=utf-8", .http = "200", .status = "0" },
        { .type = "application/grpc+json", .http = "200", .status = "13" }, /* it is protobuf */
        { .type = "application/grpc+xml", .http = "415", .status = "" },
        { .type = "application/grpcx", .http = "415", .status = "" },
        { .type = "text/html", .http = "415", .status = "" },
        { .type = "", .http = "415", .status = "" },
        { .method = "GET", .http = "405", .status = "" },
        { .te = "", .http = "200", .status = "0" },
        { .te = "deflate", .http = "400", .status = "" },
        { .path = "/script.Script/Nothing", .http = "200", .status = "12" },
        { .path = "/script.Script/unary", .http = "200", .status = "12" },
        { .path = "/no.Such/Unary", .http = "200", .status = "12" },
        { .path = "/", .http = "200", .status = "12" },
        { .name = "grpc-timeout", .value = "1S", .http = "200", .status = "0" },
        { .name = "grpc-timeout", .value = "99999999H", .http = "200", .status = "0" },
        { .name = "grpc-timeout", .value = "1", .http = "200", .status = "13" },
        { .name = "grpc-timeout", .value = "-1S", .http = "200", .status = "13" },
        { .name = "grpc-timeout", .value = "123456789S", .http = "200", .status = "13" },
        { .name = "grpc-encoding", .value = "identity", .http = "200", .status = "0" },
        { .name = "grpc-encoding", .value = "gzip", .http = "200", .status = "0" },
        { .name = "grpc-encoding", .value = "deflate", .http = "200", .status = "0" },
        { .name = "grpc-encoding", .value = "zstd", .http = "200", .status = "0" },
        { .name = "grpc-encoding", .value = "snappy", .http = "200", .status = "12" },
        { .name = "grpc-encoding", .value = "GZIP", .http = "200", .status = "12" },
        { .name = "grpc-encoding", .value = "", .http = "200", .status = "12" },
        { .name = "grpc-unknown", .value = "x", .http = "200", .status = "0" },
        { .name = "x-bin", .value = "no base64!", .http = "200", .status = "0" },
        { .name = "x", .value = "caf\xc3\xa9", .http = "200", .status = "0" },
};

static const char *or_else(const char *text, const char *otherwise)
{
        return text ? text : otherwise;
}

static struct reply *send_case(struct client *client, const struct request_case *request)
{
        const char *fields[8][2] = {
                { ":method", or_else(request->method, "POST") },
                { ":scheme", "http" },
                { ":path", or_else(request->path, "/script.Script/Unary") },
                { ":authority", "localhost" },
        };
        size_t count = 4;
        struct reply *reply;

        if (!request->te || *request->te) {
                fields[count][0] = "te";
                fields[count++][1] = or_else(request->te, "trailers");
        }
        if (!request->type || *request->type) {
                fields[count][0] = "content-type";
                fields[count++][1] = or_else(request->type, "application/grpc");
        }
        if (request->name) {
                fields[count][0] = request->name;
                fields[count++][1] = request->value;
        }
        reply = client_request(client, (const char *const(*)[2])fields, false);
        client_act(client, reply, SCRIPT_ANSWER, 0, 10);
        client_run(client);
        return reply;
}

static void test_verdicts(void **state)
{
        struct client *client = client_new(NULL);

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct reply *reply = send_case(client, cases + i);

                if (strcmp(cases[i].http, "400") ==
                        0) { /* nghttp2's own: the stream is malformed */
                        assert_int_equal(reply->error_code, NGHTTP2_PROTOCOL_ERROR);
                        continue;
                }
                if (strcmp(reply->http_status, cases[i].http) != 0 ||
                        strcmp(reply->status, cases[i].status) != 0)
                        fail_msg("case %zu: HTTP %s, grpc-status %s (%s)", i, reply->http_status,
                                reply->status, reply->text);
                assert_true(reply->closed);
                if (strcmp(cases[i].http, "200") != 0)
                        continue; /* its body is plain text */
                assert_int_equal(reply_messages(reply), strcmp(reply->status, "0") == 0);
                assert_int_equal(reply->headers_came,
                        strcmp(reply->status, "0") == 0); /* else trailers-only */
        }
        assert_int_equal(client->host->script.done, client->host->script.started);
        client_free(client);
}

static void test_texts(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = send_case(client, &(struct request_case){ .path = "/x/y" });

        (void)state;
        assert_string_equal(reply->text, "unknown service: /x/y");
        reply = send_case(client, &(struct request_case){ .path = "/x%/y" });
        assert_string_equal(reply->text, "unknown service: /x%25/y");
        reply = send_case(client, &(struct request_case){ .name = "grpc-encoding", .value = "br" });
        assert_string_equal(reply->text, "grpc-encoding is not supported");
        assert_string_equal(reply->accept_encoding, "identity,deflate,gzip,zstd");
        client_free(client);
}

static void check_oversize(const quoit_limits *limits, const char *value, const char *text)
{
        const char *const fields[][2] = { { ":method", "POST" }, { ":scheme", "http" },
                { ":path", "/script.Script/Unary" }, { ":authority", "localhost" },
                { "x-a", value }, { "x-b", "2" }, { "x-c", "3" }, { "te", "trailers" },
                { "content-type", "application/grpc" }, { NULL, NULL } };
        struct client *client = client_new(limits);
        struct reply *reply = client_request(client, fields, true);

        client_run(client);
        assert_status(reply, "8");
        assert_string_equal(reply->text, text);
        assert_int_equal(client->host->script.started, 0);
        client_free(client);
}

static void test_oversize(void **state)
{
        char value[600];

        (void)state;
        memset(value, 'x', sizeof(value) - 1);
        value[sizeof(value) - 1] = '\0';
        check_oversize(&(quoit_limits){ .header_fields_max = 8 }, "1",
                "request metadata is over the limit (header_fields_max)");
        check_oversize(&(quoit_limits){ .header_bytes_max = 900 }, value,
                "request metadata is over the limit (header_bytes_max)");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verdicts),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_oversize),
        };

        return cmocka_run_group_tests_name("server/request", tests, NULL, NULL);
}
