/* SPDX-License-Identifier: MIT */
#include "service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "counters.quoit.h"
#include "counts.h"
#include "enters.h"
#include "server/shard.h"

#define LONG_MS (3600 * 1000)

/* What a give hands out; its bytes do not matter. */
static char blob[SERVICE_BLOB_BYTES];

/* ---- handlers ---- */

static void greet(quoit_call *call, const counters_Text *request, void *user)
{
        counters_Text *reply = counters_Text_new(quoit_call_arena(call));
        upb_StringView name = counters_Text_text(request);

        (void)user;
        counters_Text_set_text(
                reply, quoit_call_format(call, "Hello, %.*s!", (int)name.size, name.data));
        counters_Counters_greet_reply(call, reply);
}

static void list(quoit_call *call, const counters_Number *request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        counters_List *reply = counters_List_new(arena);

        (void)user;
        for (int32_t id = 1; id <= counters_Number_number(request); id++) {
                counters_Item *item = counters_List_add_items(reply, arena);

                counters_Item_set_id(item, id);
                counters_Item_set_name(item, upb_StringView_FromString("an item's name"));
        }
        counters_Counters_list_reply(call, reply);
}

static void take(quoit_call *call, const counters_Blob *request, void *user)
{
        counters_Number *reply = counters_Number_new(quoit_call_arena(call));

        (void)user;
        counters_Number_set_number(reply, (int32_t)counters_Blob_bytes(request).size);
        counters_Counters_take_reply(call, reply);
}

static void give(quoit_call *call, const counters_Number *request, void *user)
{
        counters_Blob *reply = counters_Blob_new(quoit_call_arena(call));

        (void)user;
        counters_Blob_set_bytes(reply,
                upb_StringView_FromDataAndSize(blob, (size_t)counters_Number_number(request)));
        counters_Counters_give_reply(call, reply);
}

static void pass(quoit_call *call, const counters_Blob *request, void *user)
{
        (void)user;
        counters_Counters_pass_reply(call, request);
}

static const counters_Counters_service handlers = {
        .greet = greet, .list = list, .take = take, .give = give, .pass = pass
};

/* ---- the server ---- */

static void *serve(void *arg)
{
        struct service *service = arg;

        counts_watch_this_thread();
        if (service->traces_enters)
                service->traced = enters_watch_this_thread();
        assert_int_equal(quoit_server_run(service->server), 0);
        return NULL;
}

void service_start(struct service *service, bool traces_enters)
{
        quoit_server_options options = {
                .limits = { .header_block_ms = LONG_MS,
                        .handshake_ms = LONG_MS,
                        .stall_ms = LONG_MS },
                .compression = QUOIT_GZIP, /* for those who take it */
        };

        *service = (struct service){ .traces_enters = traces_enters };
        assert_int_equal(quoit_server_new(&options, &service->server), 0);
        assert_int_equal(counters_Counters_register(service->server, &handlers, NULL), 0);
        assert_int_equal(quoit_server_listen(service->server, "127.0.0.1:0", &service->port), 0);
        assert_int_equal(pthread_create(&service->thread, NULL, serve, service), 0);
}

void service_stop(struct service *service)
{
        quoit_server_stop(service->server);
        assert_int_equal(pthread_join(service->thread, NULL), 0);
        quoit_server_free(service->server);
}

uint64_t service_enters(const struct service *service)
{
        const struct ring *ring = &service->server->shards[0].base.ring;
        uint64_t before, enters = ring_enters(ring);

        do {
                before = enters;
                usleep(20000);
                enters = ring_enters(ring);
        } while (enters != before);
        return enters;
}
