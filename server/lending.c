/* SPDX-License-Identifier: MIT */
#include "server/lending.h"

#include <assert.h>

#include "call/call.h"
#include "call/offload.h"
#include "server/admission.h"
#include "server/server.h"

bool lending_takes(const struct quoit_call *call, enum event event)
{
        if (!call->request.route->options.offload || (event != EVENT_START && !call->ring.started))
                return false;
        return event != EVENT_DONE || call_takes_many(call) || call->handler.on_done;
}

bool lending_share_is_used(const struct call_group *group, const struct quoit_server *server)
{
        unsigned workers = server->options.workers;

        return group->lent >= (workers > 1 ? workers - 1 : 1);
}

static void on_returned(struct mail *mail)
{
        struct errand *errand = CONTAINER_OF(mail, struct errand, mail);
        struct quoit_call *call = errand->call;

        call->ring.at_worker = false;
        call_take(call);
        call->exchange.group->lent--;
        call_wake(call); /* this call, and others that waited for its place */
        errand_settle(errand); /* may free the call, and @errand with it */
}

static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct errand *errand = CONTAINER_OF(work, struct errand, work);
        struct call_host *host = call_host_of(errand->call);
        struct workers *workers = &errand->server->workers;
        struct offload_wait wait;

        call_take(errand->call);
        offload_begin(errand->call->offload, coders);
        if (errand->event == EVENT_START || errand->event == EVENT_MESSAGE)
                offload_let_ring_catch_up(errand->call->offload);
        errand_run(errand);
        wait = offload_end(errand->call->offload);
        call_let_go(errand->call);
        errand->mail.on_delivery = on_returned;
        (void)call_host_post(host, &errand->mail); /* the ring waits for it */
        if (wait.yielded)
                workers_yielded(workers);
        return wait.waited_ns;
}

void lending_submit(struct quoit_call *call, enum event event, struct quoit_server *server)
{
        struct errand *errand;

        if (event == EVENT_START && !admission_wait_for_worker(call, server))
                return;
        if (!call->offload)
                call->offload = offload_new(call, sizeof(*errand));
        if (!call->offload) {
                assert(event == EVENT_START); /* later ones, its end among them, take no memory */
                call_cancel(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        errand = offload_lender(call->offload);
        *errand = (struct errand){ 0 };
        /* the ring's pool is the ring's alone */
        assert(call->exchange.lent.arena.pool != call_host_of(call)->arenas &&
                call->exchange.lent.message_arena.pool != call_host_of(call)->arenas &&
                call->exchange.lent.scratch.pool != call_host_of(call)->arenas);
        errand_take(call, event, errand);
        errand->server = server;
        errand->work.ring = call_host_of(call)->ring;
        errand->work.on_work = on_work;
        call->ring.at_worker = true;
        call_let_go(call);
        call->exchange.group->lent++;
        /* the end of a call frees memory: it goes before work that takes some */
        if (event == EVENT_DONE)
                workers_submit_first(&server->workers, &errand->work);
        else
                workers_submit(&server->workers, &errand->work);
}
