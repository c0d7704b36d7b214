/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <quoit/quoit.h>

#include "fuzz/input.h"
#include "fuzz/mutator.h"
#include "grpc/testing/test.quoit.h"

/*
 * Any bytes of a server for a client with calls of all kinds: the real client on its thread, over a unix socket whose other end is
 * ours. Each call has its end once, and nothing of it is heard later; what comes of messages and metadata is read to its last byte.
 *
 * Input: steps, each a byte for its kind and its operand. The first byte says how many calls are open at the beginning, and whether
 * the server's SETTINGS have been sent (below 0x80).
 */
enum step {
        STEP_FEED,      /* one byte of size, the bytes */
        STEP_FEED_MANY, /* two bytes of size, the bytes */
        STEP_TURN,      /* the client reads all of them, and does what there is to do */
        STEP_CALL,      /* one byte: of which kind, and compressed or not */
        STEP_SEND,      /* one byte: which call sends one more message */
        STEP_HALF_CLOSE, /* one byte: which call */
        STEP_CANCEL,    /* one byte: which call */
        STEP_CREDITS,   /* one byte: which call, and how many */
        STEP_HANG_UP,
        STEP_ACCEPT, /* the connection that follows is the one that is fed; the one before is closed */
        STEPS,
};

static const uint8_t operands[STEPS] = {
        [STEP_FEED] = OPERAND_UNITS,
        [STEP_FEED_MANY] = OPERAND_MANY_UNITS,
        [STEP_CALL] = OPERAND_BYTE,
        [STEP_SEND] = OPERAND_BYTE,
        [STEP_HALF_CLOSE] = OPERAND_BYTE,
        [STEP_CANCEL] = OPERAND_BYTE,
        [STEP_CREDITS] = OPERAND_BYTE,
};

const struct mutator_form mutator_form = { operands, STEPS, .start = 1, MUTATOR_HTTP2 };

#define CALLS_MAX 16
#define WAIT_MS 5000 /* for what must come */
/* Of waiting until all was read: a client that has closed, or is full, does not read. */
#define ROUNDS_MAX 50
#define STEPS_MAX 100 /* of one input: each wakes the client's thread */
#define SETTINGS_BYTES 9

struct call {
        const quoit_method *method;
        quoit_outcall *outcall; /* NULL: it is over */
        bool done;
        unsigned messages;
};

/* One input's. */
struct host {
        quoit_channel *channel;
        int listener, fd; /* -1: none */
        struct call calls[CALLS_MAX];
        unsigned count; /* calls that were begun */
        unsigned operand; /* of the step that runs on the client's thread */
        volatile uint8_t sum; /* of all bytes that the client gave us, so that they are read */
};

static quoit_client *client;
static sem_t ran;

/* ---- what callers hear, on the client's thread ---- */

static struct host *now; /* of the input that runs */

static void read_all(upb_StringView bytes)
{
        for (size_t i = 0; i < bytes.size; i++)
                now->sum ^= (uint8_t)bytes.data[i];
}

static void read_fields(const quoit_outcall *outcall,
        bool (*next)(const quoit_outcall *, size_t *, upb_StringView *, upb_StringView *))
{
        upb_StringView name, value;
        size_t cursor = 0;

        while (next(outcall, &cursor, &name, &value)) {
                read_all(name);
                read_all(value);
        }
}

static void on_headers(quoit_outcall *outcall, void *user)
{
        struct call *call = user;

        assert(!call->done && call->messages == 0);
        read_fields(outcall, quoit_outcall_header_next);
}

static void on_message(quoit_outcall *outcall, const upb_Message *message, void *user)
{
        struct call *call = user;
        upb_Arena *arena = upb_Arena_New();
        size_t size;
        char *bytes;

        assert(!call->done);
        call->messages++;
        (void)quoit_outcall_reply_compression(outcall);
        if (upb_Encode(message, call->method->reply, 0, arena, &bytes, &size) ==
                kUpb_EncodeStatus_Ok)
                read_all(upb_StringView_FromDataAndSize(bytes, size));
        upb_Arena_Free(arena);
}

static void on_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        struct call *call = user;
        quoit_error error;

        assert(!call->done);
        call->done = true;
        call->outcall = NULL;
        read_fields(outcall, quoit_outcall_header_next);
        read_fields(outcall, quoit_outcall_trailer_next);
        read_all(quoit_outcall_status_message(outcall));
        quoit_outcall_get_error(outcall, &error);
        assert(error.status == status);
}

/* ---- steps, on the client's thread ---- */

static void nothing(struct host *host)
{
        (void)host;
}

static struct call *call_of(struct host *host)
{
        return host->calls + host->operand % CALLS_MAX;
}

static void send_to(struct call *call)
{
        static char body[300 + 3] = { 0x7a, (char)0xac, 0x02 }; /* a field that no type knows */
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message;
        int r = quoit_message_parse_checked(
                body, sizeof(body), call->method->request, NULL, arena, &message);

        assert(r == 0);
        (void)quoit_outcall_send(call->outcall, message);
        (void)quoit_outcall_writable(call->outcall);
        upb_Arena_Free(arena);
}

static void start(struct host *host)
{
        static const quoit_outcall_handler handler = { on_headers, on_message, NULL, on_done };
        static const char *const names[] = { "UnaryCall", "StreamingInputCall",
                "StreamingOutputCall", "FullDuplexCall", "EmptyCall" };
        const quoit_metadata metadata = { "x-a", upb_StringView_FromString("b") };
        const quoit_call_options options = {
                .compression = host->operand & 0x80 ? QUOIT_GZIP : QUOIT_IDENTITY,
                .wait_for_ready = host->operand & 0x40,
                .metadata = &metadata,
                .metadata_count = 1,
        };
        struct call *call = host->calls + host->count;
        int r;

        if (host->count == CALLS_MAX)
                return;
        host->count++;
        call->method = quoit_service_method(&quoit_grpc__testing__TestService_service,
                names[(host->operand & 0x3f) % (sizeof(names) / sizeof(*names))]);
        r = quoit_outcall_start(
                host->channel, call->method, &options, &handler, call, &call->outcall);
        assert(r == 0);
        if (call->method->kind == QUOIT_UNARY || call->method->kind == QUOIT_SERVER_STREAMING)
                send_to(call);
}

/* One of each kind in turn, as many as the operand says. */
static void start_first(struct host *host)
{
        unsigned count = host->operand;

        for (host->operand = 0; host->operand < count; host->operand++)
                start(host);
}

static void send_more(struct host *host)
{
        struct call *call = call_of(host);

        if (call->outcall)
                send_to(call);
}

static void half_close(struct host *host)
{
        struct call *call = call_of(host);

        if (call->outcall)
                quoit_outcall_half_close(call->outcall);
}

static void cancel(struct host *host)
{
        struct call *call = call_of(host);

        if (call->outcall)
                quoit_outcall_cancel(call->outcall);
}

/* Three bits say how many: 7 is all. */
static void set_credits(struct host *host)
{
        struct call *call = call_of(host);
        uint32_t credits = host->operand >> 5;

        if (call->outcall)
                quoit_outcall_set_read_credits(
                        call->outcall, credits == 7 ? QUOIT_CREDITS_UNLIMITED : credits);
}

static void find_unfinished(struct host *host)
{
        host->operand = 0;
        for (unsigned i = 0; i < host->count; i++)
                host->operand += !host->calls[i].done;
}

/* ---- on ours ---- */

struct errand {
        struct host *host;
        void (*run)(struct host *host);
};

static void on_errand(quoit_client *of, void *arg)
{
        struct errand *errand = arg;

        (void)of;
        now = errand->host;
        errand->run(errand->host);
        sem_post(&ran);
}

/* On the client's thread, and waits for it. */
static void run(struct host *host, void (*fn)(struct host *host))
{
        struct errand errand = { host, fn };
        int r = quoit_client_post(client, on_errand, &errand);

        assert(r == 0);
        while (sem_wait(&ran) < 0)
                assert(errno == EINTR);
}

/* What the client sends is of no interest, but must not stay in its way. */
static void drain(struct host *host)
{
        char bytes[4096];

        while (host->fd >= 0 && recv(host->fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ;
}

static void hang_up(struct host *host)
{
        if (host->fd >= 0)
                close(host->fd);
        host->fd = -1;
}

static void feed(struct host *host, const uint8_t *bytes, size_t size)
{
        while (host->fd >= 0 && size > 0) {
                ssize_t sent = send(host->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (sent <= 0)
                        return;
                bytes += sent;
                size -= (size_t)sent;
        }
}

static void feed_input(struct host *host, struct input *input, size_t size)
{
        const uint8_t *bytes;

        size = take_bytes(input, size, &bytes);
        feed(host, bytes, size);
}

static void turn(struct host *host)
{
        for (int i = 0, unread = 1; i < ROUNDS_MAX && unread > 0; i++) {
                drain(host);
                run(host, nothing);
                if (host->fd < 0 || ioctl(host->fd, SIOCOUTQ, &unread) < 0)
                        unread = 0;
        }
        run(host, nothing);
}

/* The next connection, if there is one within that time. */
static void accept_next(struct host *host, int wait_ms)
{
        struct pollfd poll_fd = { host->listener, POLLIN, 0 };

        if (poll(&poll_fd, 1, wait_ms) <= 0)
                return;
        hang_up(host);
        host->fd = accept4(host->listener, NULL, NULL, SOCK_CLOEXEC);
}

static void take_step(struct host *host, struct input *input)
{
        static void (*const on_call[])(struct host *) = {
                [STEP_CALL] = start,
                [STEP_SEND] = send_more,
                [STEP_HALF_CLOSE] = half_close,
                [STEP_CANCEL] = cancel,
                [STEP_CREDITS] = set_credits,
        };
        enum step step = take_byte(input) % STEPS;
        size_t size;

        switch (step) {
        case STEP_FEED:
                feed_input(host, input, take_byte(input));
                break;
        case STEP_FEED_MANY:
                size = take_byte(input) << 8;
                feed_input(host, input, size | take_byte(input));
                break;
        case STEP_TURN:
                turn(host);
                break;
        case STEP_CALL:
        case STEP_SEND:
        case STEP_HALF_CLOSE:
        case STEP_CANCEL:
        case STEP_CREDITS:
                host->operand = (unsigned)take_byte(input);
                run(host, on_call[step]);
                break;
        case STEP_HANG_UP:
                hang_up(host);
                break;
        case STEP_ACCEPT:
                accept_next(host, 0);
                break;
        case STEPS:
                break;
        }
}

/* ---- life ---- */

/* Small enough for a fuzzer to reach them. */
static const quoit_client_limits limits = {
        .message_receive_bytes_max = 1000,
        .message_send_bytes_max = 5000,
        .compress_bytes_min = 1,
        .call_queue_bytes_max = 1000,
        .call_queue_bytes_hard_max = 2000,
        .replay_bytes_max = 700,
        .calls_queued_max = 12,
        .header_fields_max = 16,
        .header_bytes_max = 1000,
        .header_bytes_hard_max = 1500,
        .streams_max = 8,
        .stream_window_bytes = 2000,
        .frame_bytes_max = 20000,
        .connection_receive_bytes_max = 3000,
        .backoff_initial_ms = 1,
        .backoff_max_ms = 1,
};

static void end(void)
{
        quoit_client_free(client);
        sem_destroy(&ran);
}

static void begin(void)
{
        const quoit_client_options options = { .engine = QUOIT_ENGINE_EPOLL, .limits = limits };
        int r;

        sem_init(&ran, 0, 0);
        r = quoit_client_new(&options, &client);
        assert(r == 0);
        atexit(end);
}

/* A listener at an address of its own, and a channel to it. */
static void host_init(struct host *host)
{
        static unsigned number;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char target[80];
        int size, r;

        *host = (struct host){ .fd = -1 };
        size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "quoit-fuzz-%d-%u",
                (int)getpid(), ++number);
        snprintf(target, sizeof(target), "unix-abstract:%s", address.sun_path + 1);
        host->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        r = bind(host->listener, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size));
        assert(r == 0);
        r = listen(host->listener, CALLS_MAX);
        assert(r == 0);
        r = quoit_channel_new(client, target, NULL, &host->channel);
        assert(r == 0);
        r = quoit_channel_connect(host->channel);
        assert(r == 0);
        accept_next(host, WAIT_MS);
        assert(host->fd >= 0);
}

static void host_deinit(struct host *host)
{
        host->channel = quoit_channel_free(host->channel);
        host->operand = 1;
        for (int i = 0; host->operand > 0 && i < ROUNDS_MAX; i++)
                run(host, find_unfinished);
        assert(host->operand == 0);
        hang_up(host);
        close(host->listener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t settings[SETTINGS_BYTES] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };
        struct input input = { data, size };
        size_t first = take_byte(&input);
        struct host host;

        if (!client)
                begin();
        host_init(&host);
        if (first < 0x80)
                feed(&host, settings, sizeof(settings));
        host.operand = (unsigned)first % CALLS_MAX;
        run(&host, start_first);
        turn(&host);
        for (int i = 0; i < STEPS_MAX && input.size > 0; i++)
                take_step(&host, &input);
        turn(&host);
        host_deinit(&host);
        return 0;
}
