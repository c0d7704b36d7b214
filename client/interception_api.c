/* SPDX-License-Identifier: MIT */

/* What interceptors call: the public functions of <quoit/client_interceptor.h>, which check the thread. */

#include <errno.h>
#include <stdlib.h>

#include "call/attachments.h"
#include "client/channel.h"
#include "client/handle.h"
#include "client/interception.h"
#include "client/outcall.h"
#include "core/clock.h"

/* ---- a channel ---- */

int quoit_channel_intercept(
        quoit_channel *channel, const quoit_client_interceptor *interceptor, void *user)
{
        struct client_interceptors *interceptors = channel->interceptors;

        if (client_is_inherited(channel->client))
                return -ESHUTDOWN;
        if (atomic_load(&channel->has_calls))
                return -EBUSY;
        if (!interceptors)
                interceptors = channel->interceptors = calloc(1, sizeof(*interceptors));
        if (!interceptors)
                return -ENOMEM;
        if (interceptors->count == QUOIT_CLIENT_INTERCEPTORS_MAX)
                return -E2BIG;
        interceptors->list[interceptors->count].functions = interceptor;
        interceptors->list[interceptors->count++].user = user;
        interceptors->see_attempts |= interceptor->on_attempt || interceptor->on_attempt_end;
        return 0;
}

const char *quoit_channel_target(const quoit_channel *channel)
{
        return channel->target;
}

unsigned quoit_channel_rings(const quoit_channel *channel)
{
        return channel->client->count;
}

/* ---- the start ---- */

bool quoit_outcall_metadata(const quoit_outcall *call, const char *name, upb_StringView *ret_value)
{
        return outcall_is_here(call, __func__) && fields_find(&call->fields, name, ret_value);
}

/* 0: interceptors see the call start. */
static int check_start(const quoit_outcall *call)
{
        if (!outcall_is_here(call, __func__))
                return -EPERM;
        return call->interception && !call->interception->has_started ? 0 : -EALREADY;
}

int quoit_outcall_add_metadata(quoit_outcall *call, const quoit_metadata *field)
{
        int r = check_start(call);

        return r < 0 ? r : outcall_add_metadata(call, field);
}

int quoit_outcall_set_metadata(quoit_outcall *call, const quoit_metadata *field)
{
        int r = quoit_outcall_add_metadata(call, field);

        if (r == 0)
                fields_replace_by_last(&call->fields);
        return r;
}

int quoit_outcall_set_timeout(quoit_outcall *call, uint32_t timeout_ms)
{
        int r = check_start(call);

        if (r == 0)
                outcall_limit_time(
                        call, ring_clock_ns(channel_ring(call->channel)) + timeout_ms * NS_PER_MS);
        return r;
}

void quoit_outcall_hold(quoit_outcall *call)
{
        if (outcall_is_here(call, __func__) && call->interception &&
                call->interception->is_starting && !outcall_is_over(call))
                call->interception->is_held = true;
}

void quoit_outcall_proceed(quoit_outcall *call)
{
        struct interception *interception = call->interception;

        if (!outcall_is_here(call, __func__) || !interception || !interception->is_held)
                return;
        interception->is_held = false;
        if (interception->is_starting) /* the loop goes on by itself */
                return;
        if (call->state == OUTCALL_DONE) {
                interception_settle(call);
                outcall_release(call);
        } else {
                interception_start(call);
        }
}

struct outcall_task {
        struct mail mail;
        quoit_outcall *call;
        void (*fn)(quoit_outcall *call, void *arg);
        void *arg;
};

static void on_task(struct mail *mail)
{
        struct outcall_task *task = CONTAINER_OF(mail, struct outcall_task, mail);

        task->fn(task->call, task->arg);
        free(task);
}

int quoit_outcall_post(quoit_outcall *call, void (*fn)(quoit_outcall *call, void *arg), void *arg)
{
        struct outcall_task *task = malloc(sizeof(*task));
        int r;

        if (!task)
                return -ENOMEM;
        *task = (struct outcall_task){
                .mail.on_delivery = on_task, .call = call, .fn = fn, .arg = arg
        };
        r = client_post(call->channel->client, &task->mail);
        if (r < 0)
                free(task);
        return r;
}

/* ---- at any time ---- */

void quoit_outcall_finish(quoit_outcall *call, quoit_status status, const char *message)
{
        bool is_failure = status > QUOIT_OK && status <= QUOIT_UNAUTHENTICATED;

        if (!outcall_is_here(call, __func__))
                return;
        outcall_refuse(call, is_failure ? status : QUOIT_UNKNOWN, message ? message : "");
        quoit_outcall_proceed(call);
}

int quoit_outcall_attach(quoit_outcall *call, const void *key, void *value)
{
        struct attachment *attachment;
        upb_Arena *arena;

        if (!outcall_is_here(call, __func__))
                return -EPERM;
        attachment = attachments_find(call->attachments, key);
        if (attachment) {
                attachment->value = value;
                return 0;
        }
        arena = exchange_arena(&call->exchange);
        attachment = arena ? upb_Arena_Malloc(arena, sizeof(*attachment)) : NULL;
        if (!attachment)
                return -ENOMEM;
        attachments_add(&call->attachments, attachment, key, value);
        return 0;
}

void *quoit_outcall_attachment(const quoit_outcall *call, const void *key)
{
        const struct attachment *attachment =
                outcall_is_here(call, __func__) ? attachments_find(call->attachments, key) : NULL;

        return attachment ? attachment->value : NULL;
}

const quoit_method *quoit_outcall_method(const quoit_outcall *call)
{
        return call->method;
}

unsigned quoit_outcall_ring(const quoit_outcall *call)
{
        const struct client *client = call->channel->client;

        return (unsigned)(client - client->handle->parts);
}
