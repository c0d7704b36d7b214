/* SPDX-License-Identifier: MIT */
/*
 * An interceptor that authenticates the caller before any handler, and passes the user to the handler.
 *
 *      grpcurl -plaintext -proto guide.proto -H 'authorization: Bearer ann' -d '{}' localhost:50051 guide.Guide/Greet
 */
#include "guide.quoit.h"
#include "serve.h"

/* The user of a token; NULL: not a valid token. */
static const char *user_of(upb_StringView token)
{
        /* A check that takes time is made on another thread: quoit_call_hold() here, then quoit_call_post() there,
         * whose function ends in quoit_call_proceed() or quoit_call_finish(). */
        return upb_StringView_IsEqual(token, upb_StringView_FromString("Bearer ann")) ? "Ann"
                                                                                      : NULL;
}

/* The address under which the user is attached to a call. */
static const char user_key;

static void authenticate(quoit_call *call, void *user)
{
        upb_StringView token;
        const char *name;

        (void)user;
        name = quoit_call_metadata(call, "authorization", &token) ? user_of(token) : NULL;
        if (!name)
                quoit_call_finish(call, QUOIT_UNAUTHENTICATED, "a token is needed");
        else if (quoit_call_attach(call, &user_key, (void *)name) < 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

static const quoit_interceptor authentication = { .on_start = authenticate };

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        const char *name = quoit_call_attachment(call, &user_key);
        guide_Greeting *reply = guide_Greeting_new(quoit_call_scratch(call));

        (void)request;
        (void)user;
        if (reply)
                guide_Greeting_set_text(reply, quoit_call_format(call, "Hello %s!", name));
        guide_Guide_Greet_reply(call, reply);
}

static const guide_Guide_service service = { .Greet = greet };

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);
        int r = guide_Guide_register(server, &service, NULL);

        if (r == 0)
                r = quoit_server_intercept(server, &authentication, NULL);
        return example_serve(server, r, example_address(argc, argv));
}
