/* SPDX-License-Identifier: MIT */
#include "question.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/http.h>
#include <quoit/peer.h>

#include "headers.h"
#include "query.h"

static void read_query(struct question *question, quoit_call *call)
{
        upb_Arena *arena = quoit_call_arena(call);
        const char *query = quoit_http_query(call);
        upb_StringView value;
        char text[16], *end;
        long length = QUESTION_LENGTH;

        if (!query_find(query, "name", arena, &question->name))
                question->name = upb_StringView_FromString(QUESTION_NAME);
        if (query_find(query, "length", arena, &value) && value.size > 0 &&
                value.size < sizeof(text)) {
                memcpy(text, value.data, value.size);
                text[value.size] = '\0';
                length = strtol(text, &end, 10);
                if (*end || length < 0 || length > INT32_MAX)
                        length = QUESTION_LENGTH;
        }
        question->length = (int32_t)length;
        snprintf(
                question->length_text, sizeof(question->length_text), "%" PRId32, question->length);
}

/* What the browser says of the host is shown to it. */
static void read_origins(struct question *question, const quoit_call *call, const struct site *site)
{
        upb_StringView authority = quoit_call_authority(call);
        char host[256] = "localhost";
        size_t host_size;

        if (authority.size > 0 && authority.size < sizeof(host)) {
                memcpy(host, authority.data, authority.size);
                host[authority.size] = '\0';
        }
        if (host[strspn(host, HOST_CHARACTERS)])
                strcpy(host, "localhost");
        host_size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
        snprintf(question->page_origin, sizeof(question->page_origin), "%s://%s",
                quoit_call_peer_tls(call) ? "https" : "http", host);
        if (site->backend_url)
                snprintf(question->backend_origin, sizeof(question->backend_origin), "%s",
                        site->backend_url);
        else
                snprintf(question->backend_origin, sizeof(question->backend_origin),
                        "http://%.*s:%u", (int)host_size, host, site->backend_port);
}

void question_read(struct question *question, quoit_call *call, const struct site *site)
{
        read_query(question, call);
        read_origins(question, call, site);
}
