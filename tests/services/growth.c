/* SPDX-License-Identifier: MIT */
#include "growth.quoit.h"
#include "test_server.h"

#include <string.h>

static int64_t size_of(const growth_Tree *tree)
{
        size_t wides, numbers, packed, texts, parts, narrows;

        growth_Tree_wides(tree, &wides);
        growth_Tree_numbers(tree, &numbers);
        growth_Tree_packed(tree, &packed);
        growth_Tree_texts(tree, &texts);
        growth_Tree_part(tree, &parts);
        growth_Tree_narrows(tree, &narrows);
        return (int64_t)(wides + numbers + packed + texts + parts + narrows +
                         growth_Tree_map_size(tree));
}

static growth_Size *reply_of(quoit_call *call, int64_t value)
{
        growth_Size *reply = growth_Size_new(quoit_call_arena(call));

        growth_Size_set_value(reply, value);
        return reply;
}

static void plant(quoit_call *call, const growth_Tree *request, void *user)
{
        (void)user;
        growth_Growth_Plant_reply(call, reply_of(call, size_of(request)));
}

static void on_cancel(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_CANCELLED, NULL);
}

static void hold(quoit_call *call, const growth_Tree *request, void *user)
{
        (void)request;
        (void)user;
        quoit_call_on_cancel(call, on_cancel, NULL);
        quoit_call_hold(call);
}

static void *many_on_start(quoit_call *call, void *user)
{
        (void)user;
        return quoit_call_alloc(call, sizeof(int64_t));
}

static void many_on_message(quoit_call *call, const growth_Tree *request, void *state)
{
        (void)call;
        *(int64_t *)state += size_of(request);
}

static void many_on_half_close(quoit_call *call, void *state)
{
        growth_Growth_PlantMany_reply(call, reply_of(call, *(int64_t *)state));
}

static void parse(quoit_call *call, const growth_Bytes *request, void *user)
{
        upb_StringView bytes = growth_Bytes_bytes(request);
        upb_Arena *arena = upb_Arena_New();
        quoit_budget budget;
        growth_Tree *tree;

        (void)user;
        quoit_budget_init(&budget, (size_t)growth_Bytes_budget(request));
        if (budget.left > 0)
                upb_Arena_SetBudget(arena, &budget.upb);
        tree = growth_Tree_parse(bytes.data, bytes.size, arena);
        growth_Growth_Parse_reply(call, reply_of(call, tree ? size_of(tree) : -1));
        upb_Arena_Free(arena);
}

static const growth_Growth_service service = {
        .Plant = plant,
        .Hold = hold,
        .PlantMany = {
                .on_start = many_on_start,
                .on_message = many_on_message,
                .on_half_close = many_on_half_close,
        },
        .Parse = parse,
};

int growth_register(quoit_server *server)
{
        return growth_Growth_register(server, &service, NULL);
}
