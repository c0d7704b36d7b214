/* SPDX-License-Identifier: MIT */

/* Handlers that do wrong: the server is to survive them, and to say so. */

#include "test_server.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

static void sleep_ms(int64_t ms)
{
        struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

        nanosleep(&time, NULL);
}

static void nothing(quoit_call *call, void *arg)
{
        (void)call;
        (void)arg;
        abort(); /* what was refused must not run */
}

/* ---- on a thread that does not own the call ---- */

struct trespass {
        quoit_call *call;
        char wrong[1024]; /* what did not return its failure value */
};

static void expect(struct trespass *trespass, bool ok, const char *what)
{
        size_t used = strlen(trespass->wrong);

        if (!ok)
                snprintf(trespass->wrong + used, sizeof(trespass->wrong) - used, "%s ", what);
}

#define EXPECT(condition) expect(trespass, condition, #condition)

static void read_there(struct trespass *trespass, const quoit_call *call)
{
        upb_StringView name = { "untouched", 9 }, value = name;
        quoit_peer_credentials credentials;
        size_t cursor = 0;

        EXPECT(quoit_call_path(call)[0] == '\0');
        EXPECT(quoit_call_peer(call)[0] == '\0');
        EXPECT(quoit_call_local_address(call)[0] == '\0');
        EXPECT(quoit_call_authority(call).size == 0);
        EXPECT(!quoit_call_metadata(call, "user-agent", &value) && value.size == 9);
        EXPECT(!quoit_call_metadata_next(call, &cursor, &name, &value) && name.size == 9);
        EXPECT(quoit_call_deadline_ns(call) == UINT64_MAX);
        EXPECT(quoit_call_peer_credentials(call, &credentials) == -EPERM);
        EXPECT(!quoit_call_peer_tls(call));
        EXPECT(!quoit_call_method(call));
        EXPECT(quoit_call_ring(call) == 0);
        EXPECT(quoit_call_protocol(call) == QUOIT_PROTOCOL_GRPC);
        EXPECT(!quoit_call_attachment(call, trespass));
        EXPECT(quoit_call_request_compression(call) == QUOIT_IDENTITY);
        EXPECT(quoit_call_compression(call) == QUOIT_IDENTITY);
        EXPECT(quoit_call_read_credits(call) == 0);
        EXPECT(!quoit_call_writable(call));
        EXPECT(!quoit_call_cancelled(call)); /* this one may be asked */
}

static void write_there(struct trespass *trespass, quoit_call *call)
{
        upb_Arena *arena = upb_Arena_New();
        calls_Payload *payload = calls_Payload_new(arena);
        const quoit_detail detail = { "calls.Payload", UPB_UPCAST(payload),
                &quoit_calls__Payload_msg_init };
        upb_StringView value = upb_StringView_FromString("x");

        EXPECT(!quoit_call_arena(call));
        EXPECT(!quoit_call_scratch(call));
        EXPECT(!quoit_call_alloc(call, 8));
        EXPECT(quoit_call_format(call, "%d", 1).size == 0);
        EXPECT(quoit_call_add_header(call, "x-there", value) == -EPERM);
        EXPECT(quoit_call_add_trailer(call, "x-there", value) == -EPERM);
        quoit_call_send_headers(call);
        EXPECT(quoit_call_set_compression(call, QUOIT_GZIP) == -EPERM);
        quoit_call_set_message_compression(call, false);
        quoit_call_set_read_credits(call, 0);
        EXPECT(quoit_call_attach(call, trespass, NULL) == -EPERM);
        EXPECT(quoit_call_set_trace(call, NULL, 0) == -EPERM);
        EXPECT(quoit_call_after(call, 0, nothing, NULL) == -EPERM);
        EXPECT(quoit_call_at_stop(call, nothing, NULL) == -EPERM);
        quoit_call_hold(call);
        quoit_call_proceed(call);
        quoit_call_pump(call, nothing, NULL);
        quoit_call_on_cancel(call, nothing, NULL);
        quoit_call_on_done(call, nothing, NULL);
        EXPECT(quoit_call_send(call, UPB_UPCAST(payload), &quoit_calls__Payload_msg_init) ==
                -EPERM);
        EXPECT(quoit_call_send_bytes(call, "x", 1) == -EPERM);
        EXPECT(quoit_call_finish_details(call, QUOIT_ABORTED, "no", &detail, 1) == -EPERM);
        quoit_call_finish(call, QUOIT_ABORTED, "no");
        quoit_call_finishf(call, QUOIT_ABORTED, "no %d", 1);
        quoit_call_reply(call, UPB_UPCAST(payload), &quoit_calls__Payload_msg_init);
        upb_Arena_Free(arena);
}

static void tell_trespass(quoit_call *call, void *arg)
{
        struct trespass *trespass = arg;
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));

        calls_Payload_set_text(reply, upb_StringView_FromString(trespass->wrong));
        calls_Calls_Misuse_reply(call, reply);
        free(trespass);
}

static void *trespass_thread(void *arg)
{
        struct trespass *trespass = arg;

        /* more than once: the log is told once */
        for (int i = 0; i < 3; i++) {
                read_there(trespass, trespass->call);
                write_there(trespass, trespass->call);
        }
        if (quoit_call_post(trespass->call, tell_trespass, trespass) < 0)
                abort();
        return NULL;
}

static void start_thread(void *(*run)(void *arg), void *arg)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, run, arg) != 0)
                abort();
        pthread_detach(thread);
}

static void trespass(quoit_call *call)
{
        struct trespass *trespass = calloc(1, sizeof(*trespass));

        trespass->call = call;
        quoit_call_hold(call);
        start_thread(trespass_thread, trespass);
}

/* ---- behind the end ---- */

static void answer(quoit_call *call, const char *text)
{
        calls_Payload *reply = calls_Payload_new(quoit_call_arena(call));

        if (reply)
                calls_Payload_set_text(reply, upb_StringView_FromString(text));
        calls_Calls_Misuse_reply(call, reply);
}

static void finish(quoit_call *call)
{
        quoit_call_finish(call, QUOIT_ABORTED, "first");
}

static void finish_with_no_status(quoit_call *call)
{
        quoit_call_finish(call, (quoit_status)77, "first");
}

static void finish_below(quoit_call *call)
{
        if (quoit_call_finish_details(call, (quoit_status)-1, "first", NULL, 0) < 0)
                abort();
}

static void hold_behind(quoit_call *call)
{
        quoit_call_hold(call);
}

static void answer_again(quoit_call *call)
{
        answer(call, "second");
}

static void send_behind(quoit_call *call)
{
        (void)calls_Calls_MisuseStream_send(call, calls_Payload_new(quoit_call_arena(call)));
}

static void send_bytes(quoit_call *call)
{
        answer(call, quoit_call_send_bytes(call, "x", 1) == -EINVAL ? "refused" : "sent");
}

static void detail_behind(quoit_call *call)
{
        if (quoit_call_finish_details(call, QUOIT_ABORTED, NULL, NULL, 0) != -EALREADY)
                abort();
}

/* The same where the call was answered later. */
static void again_later(quoit_call *call, void *arg)
{
        (void)arg;
        answer(call, "first");
        answer_again(call);
}

static void late_twice(quoit_call *call)
{
        if (quoit_call_after(call, 1, again_later, NULL) < 0)
                abort();
}

/* ---- holds ---- */

struct keeper {
        quoit_call *call;
        int64_t ms;
        int result; /* of the post */
};

static void finish_kept(quoit_call *call, void *arg)
{
        quoit_call_finish(call, QUOIT_ABORTED, "kept");
        free(arg);
}

/* Posts when the server has long ended, if it does. */
static void *keep(void *arg)
{
        struct keeper *keeper = arg;
        int r;

        sleep_ms(keeper->ms);
        r = quoit_call_post(keeper->call, finish_kept, keeper);
        fprintf(stderr, "test-server: a late post: %d\n", r);
        if (r < 0)
                free(keeper);
        return NULL;
}

static void keep_for(quoit_call *call, int64_t ms)
{
        struct keeper *keeper = calloc(1, sizeof(*keeper));

        *keeper = (struct keeper){ .call = call, .ms = ms };
        quoit_call_hold(call);
        start_thread(keep, keeper);
}

/* ---- from a loop, outside of a step: which is right, it is the ring's thread ---- */

static struct {
        int fd;
        quoit_call *call;
        bool again;
} outside = { .fd = -1 };

int misuse_timer(void)
{
        if (outside.fd < 0)
                outside.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        return outside.fd;
}

static void start_timer(void)
{
        const struct itimerspec in_50_ms = { .it_value.tv_nsec = 50 * 1000000 };

        if (timerfd_settime(misuse_timer(), 0, &in_50_ms, NULL) < 0)
                abort();
}

static void answer_in_a_step(quoit_call *call, void *arg)
{
        (void)arg;
        answer(call, "from a step");
}

void misuse_outside(void)
{
        const struct itimerspec never = { 0 };

        timerfd_settime(outside.fd, 0, &never, NULL);
        if (!outside.again)
                answer(outside.call, "from outside");
        else if (quoit_call_after(outside.call, 50, answer_in_a_step, NULL) < 0)
                abort();
}

static void use_outside(quoit_call *call)
{
        quoit_call_hold(call);
        outside.call = call;
        outside.again = false;
        start_timer();
}

static void delay_outside(quoit_call *call)
{
        use_outside(call);
        outside.again = true;
}

/* ---- all of them ---- */

static const struct way {
        const char *name;
        void (*first)(quoit_call *call);
        void (*second)(quoit_call *call); /* NULL: none */
} ways[] = {
        { "reply, reply", answer_again, answer_again },
        { "reply, finish", answer_again, finish },
        { "reply, details", answer_again, detail_behind },
        { "reply, send", answer_again, send_behind },
        { "reply, hold", answer_again, hold_behind },
        { "finish, reply", finish, answer_again },
        { "finish, finish", finish, finish },
        { "finish 77", finish_with_no_status, NULL },
        { "details -1", finish_below, NULL },
        { "later, reply twice", late_twice, NULL },
        { "thread", trespass, NULL },
        { "hold", hold_behind, NULL },
        { "bytes", send_bytes, NULL },
        { "outside", use_outside, NULL },
        { "outside, after", delay_outside, NULL },
};

static void misuse(quoit_call *call, const calls_MisuseRequest *request, void *user)
{
        upb_StringView name = calls_MisuseRequest_way(request);

        watch(call, user);
        if (upb_StringView_IsEqual(name, upb_StringView_FromString("block"))) {
                sleep_ms(calls_MisuseRequest_amount(request));
                answer(call, "blocked");
                return;
        }
        if (upb_StringView_IsEqual(name, upb_StringView_FromString("keep"))) {
                keep_for(call, calls_MisuseRequest_amount(request));
                return;
        }
        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
                if (!upb_StringView_IsEqual(name, upb_StringView_FromString(ways[i].name)))
                        continue;
                ways[i].first(call);
                if (ways[i].second)
                        ways[i].second(call);
                return;
        }
        quoit_call_finish(call, QUOIT_INVALID_ARGUMENT, "unknown way");
}

/* Sends 16 KiB each, and never asks whether there is room: as many as the amount says, or until it is told that it fails. */
static void flood(quoit_call *call, const calls_MisuseRequest *request, void *user)
{
        static char part[16 << 10];
        calls_Payload *payload = calls_Payload_new(quoit_call_arena(call));
        struct test_server *test = user;

        watch(call, user);
        calls_Payload_set_data(payload, upb_StringView_FromDataAndSize(part, sizeof(part)));
        for (int64_t i = 0; i < calls_MisuseRequest_amount(request); i++) {
                if (calls_Calls_MisuseStream_send(call, payload) < 0)
                        break;
                atomic_fetch_add(&test->sent, 1);
        }
        quoit_call_finish(call, QUOIT_OK, NULL);
}

void misuse_add(calls_Calls_service *service)
{
        service->Misuse = misuse;
        service->MisuseStream = flood;
}
