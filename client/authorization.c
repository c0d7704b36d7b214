/* SPDX-License-Identifier: MIT */
#include "client/authorization.h"

#include <errno.h>
#include <stdio.h>

#include "call/field_block.h"
#include "client/channel.h"
#include "client/credentials.h"
#include "client/outcall.h"

#define TEXT_BYTES (CREDENTIALS_TEXT_BYTES + 64)

enum asked {
        ASK_CHANNEL,
        ASK_CALL,
        ASK_NOBODY,
};

static quoit_call_credentials *credentials_of(const struct quoit_outcall *call, unsigned asked)
{
        return asked == ASK_CHANNEL ? call->channel->credentials
                                    : outcall_known(call)->authorization.credentials;
}

static bool has_any(const struct quoit_outcall *call)
{
        return credentials_of(call, ASK_CHANNEL) || credentials_of(call, ASK_CALL);
}

bool authorization_allowed(struct quoit_outcall *call)
{
        if (call->channel->keeps_secrets || !has_any(call))
                return true;
        outcall_fail(call, QUOIT_UNAUTHENTICATED,
                "call credentials are not sent without TLS (insecure_credentials)");
        return false;
}

/* ---- answers ---- */

/* False: it has failed. */
static bool take(struct quoit_outcall *call, struct credentials_answer *answer)
{
        struct authorization *authorization = &call->authorization;
        char text[TEXT_BYTES];

        if (answer->grant) {
                authorization->grants[authorization->asked++] = answer->grant;
                return true;
        }
        snprintf(text, sizeof(text), "the call credentials failed%s%s", answer->text[0] ? ": " : "",
                answer->text);
        outcall_fail_attempt(call, answer->status, text);
        return false;
}

/* A late one. */
static void on_answer(struct quoit_credentials_request *request)
{
        struct quoit_outcall *call = request->user;
        struct credentials_answer answer = request->answer;

        request->answer.grant = NULL;
        call->authorization.request = NULL;
        call->channel->authorizing--;
        credentials_end(request);
        if (!take(call, &answer))
                return;
        outcall_set_state(call, OUTCALL_WAITING);
        channel_queue(call->channel, call, true);
}

/* ---- questions ---- */

static void await(struct quoit_outcall *call, struct quoit_credentials_request *request)
{
        call->authorization.request = request;
        channel_unqueue(call->channel, call);
        call->channel->authorizing++;
        outcall_set_state(call, OUTCALL_AUTHORIZING);
}

/* True: they have answered. The plugin may end calls, this one too. */
static bool ask(struct quoit_outcall *call, quoit_call_credentials *credentials)
{
        struct channel *channel = call->channel;
        const struct credentials_subject subject = {
                .scheme = channel->tls ? "https" : "http",
                .authority = channel->authority,
                .path = call->method->path,
        };
        struct quoit_credentials_request *request;
        struct credentials_answer answer;
        int r = credentials_ask(
                credentials, channel->client, &subject, on_answer, call, &request, &answer);

        if (r == -ENOMEM) {
                outcall_fail(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
        } else if (!outcall_is_over(call)) {
                if (r == 1)
                        return take(call, &answer);
                await(call, request);
        } else if (r == 1) {
                grant_unref(answer.grant);
        } else {
                credentials_end(request);
        }
        return false;
}

bool authorization_complete(struct quoit_outcall *call)
{
        struct authorization *authorization = &call->authorization;

        while (authorization->asked < ASK_NOBODY) {
                quoit_call_credentials *credentials =
                        call->is_check ? NULL : credentials_of(call, authorization->asked);

                if (!credentials)
                        authorization->asked++;
                else if (!ask(call, credentials))
                        return false;
        }
        return true;
}

/* ---- what is sent ---- */

size_t authorization_count(const struct quoit_outcall *call)
{
        size_t count = 0;

        for (unsigned i = 0; i < ASK_NOBODY; i++) {
                const struct grant *grant = call->authorization.grants[i];

                count += grant ? grant->fields.count : 0;
        }
        return count;
}

void authorization_add(const struct quoit_outcall *call, struct field_block *block)
{
        for (unsigned i = 0; i < ASK_NOBODY; i++) {
                const struct grant *grant = call->authorization.grants[i];

                field_block_add_all(block, grant ? &grant->fields : NULL);
        }
}

void authorization_drop(struct quoit_outcall *call)
{
        struct authorization *authorization = &call->authorization;

        if (authorization->request) {
                credentials_end(authorization->request);
                authorization->request = NULL;
                call->channel->authorizing--;
        }
        for (unsigned i = 0; i < ASK_NOBODY; i++) {
                grant_unref(authorization->grants[i]);
                authorization->grants[i] = NULL;
        }
        authorization->asked = 0;
}
