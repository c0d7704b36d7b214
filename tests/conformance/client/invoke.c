/* SPDX-License-Identifier: MIT */
#include "invoke.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REQUEST(field) CONFORMANCE(ClientCompatRequest_##field)
#define CANCEL(field) CONFORMANCE(ClientCompatRequest_Cancel_##field)
#define FILE_NAME_BYTES 32
#define HTTP_2 2
#define GRPC 2
#define PROTO 1
#define MS_PER_S 1000
#define NS_PER_MS 1000000

/* ---- on the client's thread ---- */

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        struct invocation *invocation = user;

        pthread_mutex_lock(&invocation->mutex);
        result_add_payload(invocation, message);
        invocation->replies++;
        if (invocation->replies == invocation->cancel_after)
                quoit_outcall_cancel(call);
        pthread_cond_signal(&invocation->changed);
        pthread_mutex_unlock(&invocation->mutex);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct invocation *invocation = user;

        (void)call;
        pthread_mutex_lock(&invocation->mutex);
        result_finish(invocation, status);
        invocation->call = NULL;
        invocation->is_over = true;
        pthread_cond_signal(&invocation->changed);
        pthread_mutex_unlock(&invocation->mutex);
}

static const quoit_metadata *metadata_of(struct invocation *invocation, size_t *ret_count)
{
        size_t count, value_count, all = 0;
        const CONFORMANCE(Header) *const *headers =
                REQUEST(request_headers)(invocation->request, &count);
        quoit_metadata *metadata;

        for (size_t i = 0; i < count; i++) {
                CONFORMANCE(Header_value)(headers[i], &value_count);
                all += value_count;
        }
        metadata = upb_Arena_Malloc(invocation->arena, (all + 1) * sizeof(*metadata));
        *ret_count = 0;
        for (size_t i = 0; i < count; i++) {
                upb_StringView given = CONFORMANCE(Header_name)(headers[i]);
                const upb_StringView *values = CONFORMANCE(Header_value)(headers[i], &value_count);
                char *name = upb_Arena_Malloc(invocation->arena, given.size + 1);

                for (size_t j = 0; j < given.size; j++) {
                        bool upper = given.data[j] >= 'A' && given.data[j] <= 'Z';

                        name[j] = upper ? (char)(given.data[j] - 'A' + 'a') : given.data[j];
                }
                name[given.size] = '\0';
                for (size_t j = 0; j < value_count; j++)
                        metadata[(*ret_count)++] = (quoit_metadata){ name, values[j] };
        }
        return metadata;
}

static quoit_compression compression_of(const compat_request *request)
{
        switch (REQUEST(compression)(request)) {
        case CONFORMANCE(COMPRESSION_GZIP):
                return QUOIT_GZIP;
        case CONFORMANCE(COMPRESSION_DEFLATE):
                return QUOIT_DEFLATE;
        case CONFORMANCE(COMPRESSION_ZSTD):
                return QUOIT_ZSTD;
        default:
                return QUOIT_IDENTITY;
        }
}

static void start(struct invocation *invocation)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        const compat_request *request = invocation->request;
        quoit_call_options options = { .compression = compression_of(request),
                .message_receive_bytes_max = REQUEST(message_receive_limit)(request) };
        uint32_t timeout_ms = REQUEST(timeout_ms)(request);

        if (REQUEST(has_timeout_ms)(request))
                options.timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
        options.metadata = metadata_of(invocation, &options.metadata_count);
        if (quoit_outcall_start(invocation->channel, invocation->method, &options, &handler,
                    invocation, &invocation->call) < 0)
                invocation->problem = "the call cannot begin";
}

static void send_next(struct invocation *invocation)
{
        if (!invocation->call)
                return;
        if (quoit_outcall_send(invocation->call, invocation->messages[invocation->sent]) < 0)
                quoit_outcall_cancel(invocation->call);
        else
                invocation->sent++;
}

static void half_close(struct invocation *invocation)
{
        if (invocation->call)
                quoit_outcall_half_close(invocation->call);
}

static void cancel(struct invocation *invocation)
{
        if (invocation->call)
                quoit_outcall_cancel(invocation->call);
}

/* ---- on its own thread ---- */

struct errand {
        struct invocation *invocation;
        void (*run)(struct invocation *invocation);
};

static void on_errand(quoit_client *client, void *arg)
{
        struct errand *errand = arg;
        struct invocation *invocation = errand->invocation;

        (void)client;
        errand->run(invocation);
        pthread_mutex_lock(&invocation->mutex);
        invocation->errand_done = true;
        pthread_cond_signal(&invocation->changed);
        pthread_mutex_unlock(&invocation->mutex);
}

/* On the client's thread, and waits for it. */
static void run(struct invocation *invocation, void (*fn)(struct invocation *invocation))
{
        struct errand errand = { invocation, fn };

        invocation->errand_done = false;
        if (quoit_client_post(invocation->client, on_errand, &errand) < 0) {
                invocation->problem = "out of memory";
                return;
        }
        pthread_mutex_lock(&invocation->mutex);
        while (!invocation->errand_done)
                pthread_cond_wait(&invocation->changed, &invocation->mutex);
        pthread_mutex_unlock(&invocation->mutex);
}

/* Until there are so many, or the call is over. True: it goes on. */
static bool wait_for_replies(struct invocation *invocation, size_t count)
{
        bool goes_on;

        pthread_mutex_lock(&invocation->mutex);
        while (!invocation->is_over && invocation->replies < count)
                pthread_cond_wait(&invocation->changed, &invocation->mutex);
        goes_on = !invocation->is_over;
        pthread_mutex_unlock(&invocation->mutex);
        return goes_on;
}

static void wait_ms(uint32_t ms)
{
        const struct timespec time = { .tv_sec = ms / MS_PER_S,
                .tv_nsec = ms % MS_PER_S * (long)NS_PER_MS };

        if (ms > 0)
                nanosleep(&time, NULL);
}

/* Requests, a reply to each of them where both sides take turns. True: the call goes on. */
static bool send_all(struct invocation *invocation)
{
        const compat_request *request = invocation->request;
        bool takes_turns =
                REQUEST(stream_type)(request) == CONFORMANCE(STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM);

        for (size_t i = 0; i < invocation->message_count; i++) {
                wait_ms(REQUEST(request_delay_ms)(request));
                run(invocation, send_next);
                if (!wait_for_replies(invocation, takes_turns ? i + 1 : 0))
                        return false;
        }
        return true;
}

static void converse(struct invocation *invocation)
{
        const CONFORMANCE(ClientCompatRequest_Cancel) *cancelled =
                REQUEST(cancel)(invocation->request);

        run(invocation, start);
        if (invocation->problem)
                return;
        if (invocation->cancel_after == 0)
                run(invocation, cancel);
        if (send_all(invocation)) {
                if (cancelled && CANCEL(has_before_close_send)(cancelled)) {
                        run(invocation, cancel);
                } else {
                        run(invocation, half_close);
                        if (cancelled && !CANCEL(has_after_num_responses)(cancelled)) {
                                wait_ms(CANCEL(after_close_send_ms)(cancelled));
                                run(invocation, cancel);
                        }
                }
        }
        wait_for_replies(invocation, SIZE_MAX);
}

/* ---- what it needs ---- */

/* A file with these bytes: its name, which is good while it is open. Its descriptor. */
static int file_of(upb_StringView bytes, char *name)
{
        int descriptor = memfd_create("pem", MFD_CLOEXEC);

        if (descriptor >= 0 && write(descriptor, bytes.data, bytes.size) < (ssize_t)bytes.size) {
                close(descriptor);
                return -1;
        }
        snprintf(name, FILE_NAME_BYTES, "/proc/self/fd/%d", descriptor);
        return descriptor;
}

static int open_channel(struct invocation *invocation)
{
        const compat_request *request = invocation->request;
        const CONFORMANCE(ClientCreds) *creds = REQUEST(client_tls_creds)(request);
        upb_StringView host = REQUEST(host)(request), trusted = REQUEST(server_tls_cert)(request);
        upb_StringView pems[3] = { trusted };
        char names[3][FILE_NAME_BYTES], target[300];
        int files[3], r;
        quoit_channel_tls tls = { .ca_file = names[0] };
        quoit_channel_options options = { .tls = trusted.size > 0 ? &tls : NULL };

        if (creds) {
                pems[1] = CONFORMANCE(ClientCreds_cert)(creds);
                pems[2] = CONFORMANCE(ClientCreds_key)(creds);
                tls.certificate_file = names[1];
                tls.key_file = names[2];
        }
        for (int i = 0; i < 3; i++)
                files[i] = file_of(pems[i], names[i]);
        snprintf(target, sizeof(target), "%.*s:%u", (int)host.size, host.data,
                REQUEST(port)(request));
        r = quoit_channel_new(invocation->client, target, &options, &invocation->channel);
        for (int i = 0; i < 3; i++)
                close(files[i]);
        return r;
}

static void parse_messages(struct invocation *invocation)
{
        const google_protobuf_Any *const *anys =
                REQUEST(request_messages)(invocation->request, &invocation->message_count);
        size_t count = invocation->message_count;

        invocation->messages = upb_Arena_Malloc(invocation->arena, (count + 1) * sizeof(void *));
        for (size_t i = 0; i < count; i++) {
                upb_StringView bytes = google_protobuf_Any_value(anys[i]);
                upb_Message *message;

                if (quoit_message_parse_checked(bytes.data, bytes.size, invocation->method->request,
                            NULL, invocation->arena, &message) < 0)
                        invocation->problem = "a request does not parse";
                else
                        invocation->messages[i] = message;
        }
}

static void prepare(struct invocation *invocation)
{
        const compat_request *request = invocation->request;
        const CONFORMANCE(ClientCompatRequest_Cancel) *cancelled = REQUEST(cancel)(request);
        upb_StringView method = REQUEST(method)(request);
        char name[100];

        snprintf(name, sizeof(name), "%.*s", (int)method.size, method.data);
        invocation->method = quoit_service_method(
                &quoit_connectrpc__conformance__v1__ConformanceService_service, name);
        invocation->result = CONFORMANCE(ClientResponseResult_new)(invocation->arena);
        invocation->cancel_after = UINT_MAX;
        if (cancelled && CANCEL(has_after_num_responses)(cancelled))
                invocation->cancel_after = CANCEL(after_num_responses)(cancelled);
        if (!invocation->method)
                invocation->problem = "there is no such method";
        else if (REQUEST(http_version)(request) != HTTP_2 || REQUEST(protocol)(request) != GRPC ||
                 REQUEST(codec)(request) != PROTO)
                invocation->problem = "only gRPC with proto over HTTP/2 is offered";
        else
                parse_messages(invocation);
}

void invoke(struct invocation *invocation)
{
        prepare(invocation);
        if (!invocation->problem && open_channel(invocation) < 0)
                invocation->problem = "no channel";
        if (invocation->problem)
                return;
        pthread_mutex_init(&invocation->mutex, NULL);
        pthread_cond_init(&invocation->changed, NULL);
        converse(invocation);
        quoit_channel_free(invocation->channel);
        pthread_mutex_destroy(&invocation->mutex);
        pthread_cond_destroy(&invocation->changed);
}
