/* SPDX-License-Identifier: MIT */
#include "seen.h"

#include <errno.h>
#include <stdio.h>

struct seen seen;

static void note(const char *what, const char *who)
{
        size_t size = strlen(seen.text);

        snprintf(seen.text + size, sizeof(seen.text) - size, "%s%s %s", size > 0 ? ", " : "", what,
                who);
}

static void see_start(quoit_outcall *call, void *user)
{
        assert_non_null(quoit_outcall_method(call));
        assert_int_equal(quoit_outcall_attach(call, user, user), 0);
        note("start", user);
}

static void see_sent(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        seen.sent_size = info->size;
        assert_true(
                info->message ? info->type && !info->bytes.data : info->bytes.size == info->size);
        note("sent", user);
}

static void see_headers(quoit_outcall *call, void *user)
{
        const quoit_metadata late = { "x-test", upb_StringView_FromString("late") };

        assert_int_equal(quoit_outcall_add_metadata(call, &late), -EALREADY);
        assert_int_equal(quoit_outcall_set_timeout(call, 1), -EALREADY);
        quoit_outcall_hold(call); /* which has started */
        note("headers", user);
}

static void see_received(quoit_outcall *call, const quoit_message_info *info, void *user)
{
        (void)call;
        seen.received_size = info->size;
        assert_true(
                info->message ? info->type && !info->bytes.data : info->bytes.size == info->size);
        note("received", user);
}

static void see_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        assert_ptr_equal(quoit_outcall_attachment(call, user), summary->start_seen ? user : NULL);
        seen.summary = *summary;
        note(summary->start_seen ? "end" : "unseen", user);
        __atomic_fetch_add(&seen.ends, 1, __ATOMIC_RELEASE);
}

static void see_attempt(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        assert_true(attempt->started_ns > 0);
        seen.attempts++;
}

static void see_attempt_end(const quoit_outcall *call, const quoit_attempt *attempt, void *user)
{
        (void)call;
        (void)user;
        assert_int_equal(seen.ends, 0);
        seen.attempt = *attempt;
        seen.has_address = attempt->address;
        seen.attempt_ends++;
}

const quoit_client_interceptor observer = { .on_start = see_start,
        .on_sent = see_sent,
        .on_headers = see_headers,
        .on_received = see_received,
        .on_end = see_end };
const quoit_client_interceptor attempts_observer = { .on_attempt = see_attempt,
        .on_attempt_end = see_attempt_end };

void intercept(struct stage *stage, const quoit_client_interceptor *interceptor, const char *name)
{
        assert_int_equal(quoit_channel_intercept(stage->channel, interceptor, (char *)name), 0);
}

unsigned ends(void)
{
        return __atomic_load_n(&seen.ends, __ATOMIC_ACQUIRE);
}
