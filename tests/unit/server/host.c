/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "call/peer.h"
#include "core/engine.h"
#include "server/dispatch.h"
#include "server/faults.h"
#include "server/stream_events.h"

static const struct peer peer = { .address = "unix:", .local = "unix:" };

static struct host *host_of(struct call_group *group)
{
        return CONTAINER_OF(group, struct host, group);
}

static void on_ready(struct exchange *exchange)
{
        if (list_is_empty(&exchange->ready))
                list_append(&host_of(exchange->group)->ready, &exchange->ready);
}

static void on_output(struct call_group *group)
{
        host_of(group)->wants_output = true;
}

static void on_freed(void *user, struct call_group *group)
{
        assert(user == &host_of(group)->shard);
}

static void on_overdue(const struct quoit_call *call)
{
        (void)call;
}

static void on_log(void *user, quoit_log_level level, const char *line)
{
        struct host *host = user;

        (void)level;
        assert(line[0]);
        assert(!host->in_session);
        host->log_lines++;
        snprintf(host->log_line, sizeof(host->log_line), "%s", line);
}

static void shard_init(struct shard *shard, quoit_server *server)
{
        shard->server = server;
        /* the parts of the ring that calls use: clock, timers and mail */
        shard->base.ring.engine = &engine_epoll;
        timers_init(&shard->base.ring.timers, 0);
        mailbox_init(&shard->base.ring.mailbox);
        arena_pool_init(&shard->base.arenas, (size_t)1 << 20);
        memory_init(&shard->base.memory);
        slab_init(&shard->base.calls, sizeof(struct quoit_call));
        slab_init(&shard->base.outputs, sizeof(struct output));
        shard->calls_max = server->options.limits.calls_max;
        shard->base.host = (struct call_host){
                .ring = &shard->base.ring,
                .arenas = &shard->base.arenas,
                .calls = &shard->base.calls,
                .limits = &server->options.limits,
                .room = { .bytes_max = SIZE_MAX,
                        .bytes_min = ROOM_BYTES_MIN_MOST,
                        .arenas = &shard->base.arenas,
                        .shared_arenas = &shard->base.shared_arenas },
                .json_types = &server->json_types,
                .user = shard,
                .on_ready = on_ready,
                .on_output = on_output,
                .on_freed = on_freed,
                .on_overdue = on_overdue,
                .on_report = faults_log,
        };
        lingering_init(&shard->base.host.lingering);
        list_init(&shard->base.host.at_stop);
}

static void shard_deinit(struct shard *shard)
{
        assert(call_counts_open(&shard->base.host.counts) == 0);
        assert(shard->base.arenas.used_bytes == 0);
        lingering_deinit(&shard->base.host);
        slab_deinit(&shard->base.outputs);
        slab_deinit(&shard->base.calls);
        coders_deinit(&shard->base.host.coders);
        memory_deinit(&shard->base.memory);
        arena_pool_deinit(&shard->base.arenas);
        assert(mailbox_is_empty(&shard->base.ring.mailbox));
        timers_deinit(&shard->base.ring.timers);
}

struct host *host_new(const quoit_limits *limits)
{
        struct host *host = calloc(1, sizeof(*host));
        quoit_limits own = *limits;
        int r;

        assert(host);
        own.slow_handler_ms = UINT32_MAX; /* its clock is not the machine's */
        r = quoit_server_new(
                &(quoit_server_options){ .limits = own, .on_log = on_log, .log_user = host },
                &host->server);
        assert(r == 0);
        r = script_register(host->server, &host->script);
        assert(r == 0);
        json_types_init(&host->server->json_types, host->server->router.services, 1);
        shard_init(&host->shard, host->server);
        call_group_init(&host->group, &host->shard.base.host, &peer);
        list_init(&host->ready);
        r = session_init_server(&host->session, &host->shard.base.memory.h2,
                host->group.host->limits, 0, &stream_events, &host->group);
        assert(r == 0);
        return host;
}

static void on_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        struct host *host = user;
        quoit_call *waiting = host->waiting;

        (void)call;
        assert(!host->in_session);
        (void)summary;
        host->ends++;
        host->waiting = NULL;
        if (waiting)
                quoit_call_finish(waiting, QUOIT_UNAVAILABLE, "the other one has ended");
}

void host_intercept(struct host *host)
{
        static const quoit_interceptor interceptor = { .on_end = on_end };
        int r = quoit_server_intercept(host->server, &interceptor, host);

        assert(r == 0);
        host->shard.base.host.interceptors = host->server->interceptors;
}

void host_free(struct host *host)
{
        host_close(host);
        host_sent(host);
        script_finish_held(&host->script);
        while (!list_is_empty(&host->ready) || !mailbox_is_empty(&host->shard.base.ring.mailbox))
                host_turn(host);
        assert(host->script.started == host->script.done);
        assert(host->group.count == 0);
        assert(host->group.held_bytes == 0);
        assert(host->group.queued_bytes == 0);
        shard_deinit(&host->shard);
        quoit_server_free(host->server);
        free(host);
}

bool host_is_open(const struct host *host)
{
        return host->session.h2 || host->session.http1;
}

void host_feed(struct host *host, const uint8_t *data, size_t size)
{
        if (host->error < 0 || !host_is_open(host))
                return;
        host->in_session = true;
        host->error = session_feed(&host->session, data, size);
        host->in_session = false;
        call_group_settle(&host->group);
}

static void deliver_mails(struct host *host)
{
        struct mail *mail = mailbox_take(&host->shard.base.ring.mailbox);

        while (mail) {
                struct mail *next = mail->next;

                mail->on_delivery(mail);
                mail = next;
        }
}

void host_turn(struct host *host)
{
        struct list now;
        struct list *link;

        host->shard.base.ring.stats.turns++;
        deliver_mails(host);
        timers_expire(&host->shard.base.ring.timers, ring_now_ns(&host->shard.base.ring));
        host->group.work_ns = 0;
        list_init(&now);
        list_splice(&now, &host->ready);
        while ((link = list_pop(&now))) {
                struct quoit_call *call = CONTAINER_OF(link, struct quoit_call, exchange.ready);

                if (dispatch_call(call, host->server, true))
                        on_ready(&call->exchange);
        }
}

struct output *host_send(struct host *host, size_t bytes_max)
{
        int r;

        if (host->output || !host_is_open(host))
                return NULL;
        host->output = slab_alloc(&host->shard.base.outputs);
        assert(host->output);
        output_init(host->output, bytes_max);
        host->wants_output = false;
        host->in_session = true;
        r = session_fill(&host->session, host->output);
        host->in_session = false;
        call_group_settle(&host->group);
        if (r < 0) {
                host_sent(host);
                host_close(host);
                return NULL;
        }
        if (host->output->bytes == 0)
                host_sent(host);
        return host->output;
}

void host_sent(struct host *host)
{
        if (!host->output)
                return;
        session_release(&stream_events, host->output);
        slab_free(&host->shard.base.outputs, host->output);
        host->output = NULL;
}

void host_sleep(struct host *host, uint64_t duration_ns)
{
        host->shard.base.ring.now_ns += duration_ns;
}

void host_close(struct host *host)
{
        host->in_session = true;
        session_deinit(&host->session);
        host->in_session = false;
        call_group_settle(&host->group);
}
