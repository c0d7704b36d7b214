/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <quoit/http.h>

#include "files.h"
#include "headers.h"
#include "home.h"
#include "question.h"
#include "text.h"

#define HTML "text/html; charset=utf-8"

void page_send(
        quoit_call *call, const char *template, const struct slot *slots, const char *connects)
{
        struct text page;

        text_init(&page, quoit_call_arena(call));
        text_add_filled(&page, template, slots);
        if (page.failed) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        headers_add(call, connects);
        headers_set(call, "cache-control", "no-store");
        quoit_http_reply(call,
                &(quoit_http_answer){ .content_type = HTML, .body = page.data, .size = page.size });
}

/* ---- "/direct" ---- */

static void serve_direct(quoit_call *call, void *user)
{
        struct question question;

        question_read(&question, call, user);
        const struct slot slots[] = {
                SLOT("name", question.name),
                SLOT("length", upb_StringView_FromString(question.length_text)),
                SLOT("origin", upb_StringView_FromString(question.page_origin)),
                SLOT("backend", upb_StringView_FromString(question.backend_origin)),
                { 0 },
        };
        page_send(call, template_direct, slots, question.backend_origin);
}

int page_register(quoit_server *server, struct site *site)
{
        int r = quoit_server_handle_http(server, "/", home_serve, site);

        return r < 0 ? r : quoit_server_handle_http(server, "/direct", serve_direct, site);
}
