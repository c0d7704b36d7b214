/* SPDX-License-Identifier: MIT */
/*
 * Many requests, many answers: a chat room. All of it runs on one ring, which is one thread, so the
 * room needs no lock. With more rings a call belongs to one of them: quoit_call_post() goes between.
 */
#include "guide.quoit.h"
#include "serve.h"

struct member {
        quoit_call *call;
        struct member *next;
};

struct room {
        struct member *members;
};

struct place {
        struct room *room;
        struct member member;
};

static void leave(quoit_call *call, void *state)
{
        struct place *place = state;
        struct member **link = &place->room->members;

        (void)call;
        while (*link && *link != &place->member)
                link = &(*link)->next;
        if (*link)
                *link = place->member.next;
}

static void on_cancel(quoit_call *call, void *state)
{
        leave(call, state);
        quoit_call_finish(call, QUOIT_CANCELLED, NULL); /* a held call always needs its finish */
}

static void *on_start(quoit_call *call, void *user)
{
        struct place *place = quoit_call_alloc(call, sizeof(*place));

        if (!place) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return NULL;
        }
        place->room = user;
        place->member = (struct member){ .call = call, .next = place->room->members };
        place->room->members = &place->member;
        quoit_call_hold(call); /* others send on it, at any time until it is finished */
        quoit_call_on_cancel(call, on_cancel, place);
        quoit_call_send_headers(
                call); /* the client knows that it has joined, before the first message */
        return place;
}

static void on_message(quoit_call *call, const guide_Line *line, void *state)
{
        const struct place *place = state;

        (void)call;
        for (struct member *member = place->room->members; member; member = member->next) {
                /* a client that reads too slowly misses messages; the others do not wait for it */
                if (quoit_call_writable(member->call))
                        guide_Guide_Chat_send(member->call, line);
        }
}

static void on_half_close(quoit_call *call, void *state)
{
        leave(call, state);
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static const guide_Guide_service service = {
        .Chat = { .on_start = on_start, .on_message = on_message, .on_half_close = on_half_close },
};

int main(int argc, char **argv)
{
        static struct room room;
        quoit_server *server = example_server(NULL);

        return example_serve(
                server, guide_Guide_register(server, &service, &room), example_address(argc, argv));
}
