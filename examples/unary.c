/* SPDX-License-Identifier: MIT */
/*
 * One request, one answer; with metadata read and sent, and an error.
 *
 *      grpcurl -plaintext -proto guide.proto -d '{"name": "Ann"}' localhost:50051 guide.Guide/Greet
 */
#include "guide.quoit.h"
#include "serve.h"

static void greet(quoit_call *call, const guide_Name *request, void *user)
{
        upb_StringView name = guide_Name_name(request);
        upb_StringView language;
        const char *greeting = "Hello";
        guide_Greeting *reply;

        (void)user;
        if (name.size == 0) {
                quoit_call_finish(call, QUOIT_INVALID_ARGUMENT, "a name is needed");
                return;
        }
        if (quoit_call_metadata(call, "accept-language", &language) &&
                upb_StringView_IsEqual(language, upb_StringView_FromString("de")))
                greeting = "Hallo";
        quoit_call_add_trailer(call, "greeted-by", upb_StringView_FromString("unary"));

        /*
         * in the call's scratch arena: freed when it was sent. NULL: memory is short; replying NULL reports that to the client.
         */
        reply = guide_Greeting_new(quoit_call_scratch(call));
        if (reply)
                guide_Greeting_set_text(reply,
                        quoit_call_format(call, "%s %.*s!", greeting, (int)name.size, name.data));
        guide_Guide_Greet_reply(call, reply);
}

static const guide_Guide_service service = { .Greet = greet };

int main(int argc, char **argv)
{
        quoit_server *server = example_server(NULL);

        return example_serve(
                server, guide_Guide_register(server, &service, NULL), example_address(argc, argv));
}
