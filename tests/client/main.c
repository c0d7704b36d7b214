/* SPDX-License-Identifier: MIT */

/*
 * test-client [OPTION...] TARGET METHOD
 *
 * Calls METHOD of calls.Calls. Its requests are messages in hex, a line of stdin each. Prints one line of JSON a call, with replies and
 * metadata in hex.
 *
 *      --calls N               so many, one after the other
 *      --parallel N            so many at once, in place of that
 *      --for MS                one after the other, or with --parallel in so many rows, as long as this
 *      --blocking              by the blocking form
 *      --log                   the client's log goes to stderr
 *      --timeout MS            --wait-for-ready        --compression NAME      --metadata NAME=HEX
 *      --receive-max BYTES     --backoff MS            --connect MS            --engine NAME
 *      --cancel-after N        cancels when so many messages have come
 *      --service-config JSON   of the channel          --proxy URL
 *      --observe FILE          observe.h
 *      --connections N         --fail-when-full        --queue N, of calls     --spare MS
 *      --resolution MS         --resolution-min MS     --resolution-period MS
 *      --token TOKEN           of the channel          --call-token TOKEN
 *      --srv                   --txt                   looks them up
 *      --ca FILE, --cert FILE, --key FILE, --server-name NAME     TLS
 */

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <quoit/quoit.h>

#include "calls.quoit.h"
#include "observe.h"

#define METADATA_MAX 200
#define REQUESTS_MAX 1000

struct setting {
        quoit_client_options client;
        quoit_call_options call;
        quoit_metadata metadata[METADATA_MAX];
        quoit_channel_tls tls;
        quoit_channel_options channel;
        unsigned calls, parallel, cancel_after;
        uint32_t for_ms;
        bool blocking;
        const char *target;
        const char *observed; /* NULL: --observe is missing */
        const quoit_method *method;
        const struct upb_Message *requests[REQUESTS_MAX];
        int request_count;
};

static struct setting setting = { .calls = 1 };
static quoit_channel *channel;
static upb_Arena *arena; /* of what is there until the end */
static unsigned begun, over;
static struct timespec began; /* the first one */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_over = PTHREAD_COND_INITIALIZER;

static void __attribute__((noreturn)) die(const char *what, const char *which)
{
        fprintf(stderr, "test-client: %s: %s\n", what, which);
        exit(2);
}

/* ---- hex and JSON ---- */

static upb_StringView from_hex(const char *hex)
{
        size_t size = strlen(hex) / 2;
        char *bytes = upb_Arena_Malloc(arena, size + 1);

        for (size_t i = 0; i < size; i++) {
                char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

                bytes[i] = (char)strtoul(pair, NULL, 16);
        }
        return upb_StringView_FromDataAndSize(bytes, size);
}

static void put_hex(FILE *out, const char *bytes, size_t size)
{
        fputc('"', out);
        for (size_t i = 0; i < size; i++)
                fprintf(out, "%02x", (unsigned char)bytes[i]);
        fputc('"', out);
}

static void put_text(FILE *out, const char *text)
{
        fputc('"', out);
        for (; *text; text++) {
                if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
                        fprintf(out, "\\u%04x", (unsigned char)*text);
                else
                        fputc(*text, out);
        }
        fputc('"', out);
}

/* ---- one call ---- */

struct call {
        char *line;
        size_t line_bytes;
        FILE *out; /* to @line */
        unsigned messages;
};

static void call_begin(struct call *call)
{
        *call = (struct call){ 0 };
        call->out = open_memstream(&call->line, &call->line_bytes);
        fputs("{\"messages\": [", call->out);
}

static void put_message(struct call *call, const struct upb_Message *message)
{
        upb_Arena *scratch = upb_Arena_New();
        char *bytes;
        size_t size;

        if (upb_Encode(message, setting.method->reply, 0, scratch, &bytes, &size) !=
                kUpb_EncodeStatus_Ok)
                die("cannot encode", "a reply");
        if (call->messages++ > 0)
                fputs(", ", call->out);
        put_hex(call->out, bytes, size);
        upb_Arena_Free(scratch);
}

static void put_fields(FILE *out, const char *name, const quoit_outcall *outcall,
        bool (*next)(const quoit_outcall *, size_t *, upb_StringView *, upb_StringView *))
{
        upb_StringView key, value;
        size_t cursor = 0;
        const char *comma = "";

        fprintf(out, ", \"%s\": [", name);
        while (next(outcall, &cursor, &key, &value)) {
                fprintf(out, "%s[\"%.*s\", ", comma, (int)key.size, key.data);
                put_hex(out, value.data, value.size);
                fputc(']', out);
                comma = ", ";
        }
        fputc(']', out);
}

static void call_end(struct call *call, const quoit_error *error)
{
        quoit_handshake_statistics handshakes;

        quoit_channel_get_handshakes(channel, &handshakes);
        fprintf(call->out, ", \"handshakes\": %" PRIu64 ", \"resumed\": %" PRIu64,
                handshakes.handshakes, handshakes.resumed);
        fprintf(call->out, ", \"status\": \"%s\", \"text\": ", quoit_status_name(error->status));
        put_text(call->out, quoit_error_text(error));
        fputs("}\n", call->out);
        fclose(call->out);
        fputs(call->line, stdout);
        fflush(stdout);
        free(call->line);
        free(call);
}

static const struct upb_Message *parse_request(const char *hex)
{
        upb_StringView bytes = from_hex(hex);
        upb_Message *message;

        if (quoit_message_parse_checked(
                    bytes.data, bytes.size, setting.method->request, NULL, arena, &message) < 0)
                die("not a request", hex);
        return message;
}

/* ---- asynchronous ---- */

static void start(void);

static bool is_time_over(void)
{
        struct timespec now;
        int64_t ms;

        clock_gettime(CLOCK_MONOTONIC, &now);
        ms = (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
        return setting.for_ms > 0 && ms >= setting.for_ms;
}

/* Whether another call follows. */
static bool count_over(void)
{
        bool goes_on;

        pthread_mutex_lock(&mutex);
        over++;
        if (is_time_over())
                setting.calls = begun;
        goes_on = begun < setting.calls;
        pthread_cond_signal(&all_over);
        pthread_mutex_unlock(&mutex);
        return goes_on;
}

static void on_message(quoit_outcall *outcall, const struct upb_Message *message, void *user)
{
        struct call *call = user;

        put_message(call, message);
        if (call->messages == setting.cancel_after)
                quoit_outcall_cancel(outcall);
}

static void on_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        struct call *call = user;
        quoit_error error;

        (void)status;
        fputc(']', call->out);
        put_fields(call->out, "headers", outcall, quoit_outcall_header_next);
        put_fields(call->out, "trailers", outcall, quoit_outcall_trailer_next);
        quoit_outcall_get_error(outcall, &error);
        call_end(call, &error);
        if (count_over())
                start();
}

static void start(void)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        struct call *call = malloc(sizeof(*call));
        quoit_outcall *outcall;
        int r;

        call_begin(call);
        begun++;
        r = quoit_outcall_start(channel, setting.method, &setting.call, &handler, call, &outcall);
        if (r < 0)
                die("cannot start", strerror(-r));
        for (int i = 0; i < setting.request_count; i++) {
                r = quoit_outcall_send(outcall, setting.requests[i]);
                if (r < 0)
                        die("cannot send", strerror(-r));
        }
        quoit_outcall_half_close(outcall);
}

static void start_first(quoit_client *client, void *arg)
{
        (void)client;
        (void)arg;
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (unsigned i = 0; i < setting.parallel; i++)
                start();
}

static void call_asynchronously(quoit_client *client)
{
        quoit_client_post(client, start_first, NULL);
        pthread_mutex_lock(&mutex);
        while (over < setting.calls)
                pthread_cond_wait(&all_over, &mutex);
        pthread_mutex_unlock(&mutex);
}

/* ---- blocking ---- */

static void call_once(struct call *call, quoit_error *error)
{
        const struct upb_Message *reply;

        if (quoit_unary_blocking(channel, setting.method, arena, setting.requests[0], &setting.call,
                    &reply, error) == QUOIT_OK)
                put_message(call, reply);
}

static void *write_all(void *stream)
{
        for (int i = 0; i < setting.request_count; i++)
                (void)quoit_stream_write(stream, setting.requests[i]);
        quoit_stream_half_close(stream);
        return NULL;
}

/* Writes on one thread, reads on another. */
static void call_stream(struct call *call, quoit_error *error)
{
        quoit_stream *stream =
                quoit_stream_open(channel, setting.method, setting.requests[0], &setting.call);
        const struct upb_Message *reply;
        upb_Arena *own = upb_Arena_New();
        pthread_t writer;

        if (setting.method->kind != QUOIT_SERVER_STREAMING)
                pthread_create(&writer, NULL, write_all, stream);
        while (quoit_stream_read(stream, own, &reply)) {
                put_message(call, reply);
                if (call->messages == setting.cancel_after)
                        quoit_stream_cancel(stream);
        }
        if (setting.method->kind != QUOIT_SERVER_STREAMING)
                pthread_join(writer, NULL);
        quoit_stream_finish(stream, error);
        upb_Arena_Free(own);
}

static void call_blocking(void)
{
        for (unsigned i = 0; i < setting.calls; i++) {
                struct call *call = malloc(sizeof(*call));
                quoit_error error;

                call_begin(call);
                if (setting.method->kind == QUOIT_UNARY)
                        call_once(call, &error);
                else
                        call_stream(call, &error);
                fputc(']', call->out);
                call_end(call, &error);
        }
}

/* ---- the command line ---- */

static quoit_compression compression_named(const char *name)
{
        static const char *const names[] = { "identity", "deflate", "gzip", "zstd" };
        static const quoit_compression values[] = { QUOIT_IDENTITY, QUOIT_DEFLATE, QUOIT_GZIP,
                QUOIT_ZSTD };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (strcmp(name, names[i]) == 0)
                        return values[i];
        }
        die("no such compression", name);
}

static quoit_engine engine_named(const char *name)
{
        if (strcmp(name, "epoll") == 0)
                return QUOIT_ENGINE_EPOLL;
        return strcmp(name, "io_uring") == 0 ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_AUTO;
}

static void add_metadata(char *text)
{
        char *equals = strchr(text, '=');

        if (!equals || setting.call.metadata_count == METADATA_MAX)
                die("bad metadata", text);
        *equals = '\0';
        setting.metadata[setting.call.metadata_count++] =
                (quoit_metadata){ .name = text, .value = from_hex(equals + 1) };
}

static bool set_limit(const char *name, uint32_t number)
{
        quoit_client_limits *limits = &setting.client.limits;

        if (strcmp(name, "--receive-max") == 0)
                limits->message_receive_bytes_max = number;
        else if (strcmp(name, "--backoff") == 0)
                limits->backoff_initial_ms = limits->backoff_max_ms = number;
        else if (strcmp(name, "--queue") == 0)
                limits->calls_queued_max = number;
        else if (strcmp(name, "--spare") == 0)
                limits->connection_spare_ms = number;
        else if (strcmp(name, "--connect") == 0)
                limits->connect_ms = number;
        else if (strcmp(name, "--resolution") == 0)
                limits->resolution_ms = number;
        else if (strcmp(name, "--resolution-min") == 0)
                limits->resolution_ms_min = number;
        else if (strcmp(name, "--resolution-period") == 0)
                limits->resolution_period_ms = number;
        else
                return false;
        return true;
}

static quoit_call_credentials *bearer(const char *token)
{
        quoit_call_credentials *credentials;

        if (quoit_call_credentials_new_bearer(token, &credentials) < 0)
                die("no token", token);
        return credentials;
}

static bool set_option(const char *name, char *value)
{
        uint32_t number = (uint32_t)strtoul(value, NULL, 10);

        if (strcmp(name, "--calls") == 0)
                setting.calls = number;
        else if (strcmp(name, "--parallel") == 0)
                setting.calls = setting.parallel = number;
        else if (strcmp(name, "--cancel-after") == 0)
                setting.cancel_after = number;
        else if (strcmp(name, "--timeout") == 0)
                setting.call.timeout_ms = number;
        else if (strcmp(name, "--for") == 0)
                setting.for_ms = number;
        else if (strcmp(name, "--service-config") == 0)
                setting.channel.service_config = value;
        else if (strcmp(name, "--connections") == 0)
                setting.channel.connections_max = number;
        else if (strcmp(name, "--proxy") == 0)
                setting.channel.proxy = value;
        else if (strcmp(name, "--observe") == 0)
                setting.observed = value;
        else if (strcmp(name, "--engine") == 0)
                setting.client.engine = engine_named(value);
        else if (strcmp(name, "--compression") == 0)
                setting.call.compression = compression_named(value);
        else if (strcmp(name, "--ca") == 0)
                setting.tls.ca_file = value;
        else if (strcmp(name, "--cert") == 0)
                setting.tls.certificate_file = value;
        else if (strcmp(name, "--key") == 0)
                setting.tls.key_file = value;
        else if (strcmp(name, "--server-name") == 0)
                setting.tls.server_name = value;
        else if (strcmp(name, "--token") == 0)
                setting.channel.call_credentials = bearer(value);
        else if (strcmp(name, "--call-token") == 0)
                setting.call.credentials = bearer(value);
        else if (strcmp(name, "--metadata") == 0)
                add_metadata(value);
        else
                return set_limit(name, number);
        return true;
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        static const char *const names[] = { "error", "warning", "info", "debug" };

        (void)user;
        fprintf(stderr, "%s: %s\n", names[level], line);
}

static void read_arguments(int count, char **words)
{
        int i = 1;

        for (; i < count && strncmp(words[i], "--", 2) == 0; i++) {
                if (strcmp(words[i], "--blocking") == 0)
                        setting.blocking = true;
                else if (strcmp(words[i], "--log") == 0)
                        setting.client.on_log = on_log;
                else if (strcmp(words[i], "--fail-when-full") == 0)
                        setting.channel.fails_when_full = true;
                else if (strcmp(words[i], "--wait-for-ready") == 0)
                        setting.call.wait_for_ready = QUOIT_WAIT_FOR_READY;
                else if (strcmp(words[i], "--srv") == 0)
                        setting.channel.looks_up_srv = true;
                else if (strcmp(words[i], "--txt") == 0)
                        setting.channel.looks_up_service_config = true;
                else if (i + 1 >= count || !set_option(words[i], words[i + 1]))
                        die("bad option", words[i]);
                else
                        i++;
        }
        if (count - i != 2)
                die("missing", "TARGET METHOD");
        setting.target = words[i];
        setting.method = quoit_service_method(&quoit_calls__Calls_service, words[i + 1]);
        if (!setting.method)
                die("no such method", words[i + 1]);
        setting.call.metadata = setting.metadata;
        if (setting.tls.ca_file)
                setting.channel.tls = &setting.tls;
        if (setting.parallel == 0)
                setting.parallel = 1;
        if (setting.for_ms > 0)
                setting.calls = UINT_MAX;
}

static void read_requests(void)
{
        char *line = NULL;
        size_t bytes = 0;
        ssize_t size;

        while ((size = getline(&line, &bytes, stdin)) > 0) {
                line[size - 1] = '\0';
                if (setting.request_count == REQUESTS_MAX)
                        die("too many", "requests");
                setting.requests[setting.request_count++] = parse_request(line);
        }
        free(line);
}

int main(int count, char **words)
{
        quoit_client *client;
        int r;

        arena = upb_Arena_New();
        read_arguments(count, words);
        read_requests();
        r = quoit_client_new(&setting.client, &client);
        if (r < 0)
                die("no client", strerror(-r));
        r = quoit_channel_new(client, setting.target, &setting.channel, &channel);
        if (r < 0)
                die("bad target", strerror(-r));
        if (setting.observed)
                observe(channel, setting.observed);
        if (setting.blocking)
                call_blocking();
        else
                call_asynchronously(client);
        quoit_channel_free(channel);
        quoit_call_credentials_free(setting.channel.call_credentials);
        quoit_call_credentials_free(setting.call.credentials);
        quoit_client_free(client);
        observe_end();
        upb_Arena_Free(arena);
        return 0;
}
