/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pages. "/" has the backend's three answers in it when it arrives, so it needs no script: ?name=NAME&length=N says what is asked.
 * "/direct" is filled by its script, which calls the backend itself.
 */

#include <quoit/server.h>

#include "backend.h"
#include "text.h"

struct site {
        struct backend *backend;
        const char *
                backend_url; /* where browsers find it; NULL: on the page's host, at @backend_port */
        unsigned backend_port;
};

/* Before the server starts; @site lives longer. 0, or an error of quoit_server_handle_http(). */
int page_register(quoit_server *server, struct site *site);

/* Answers @call with @template, filled. @connects: an origin that the page calls beside its own; NULL: none. */
void page_send(
        quoit_call *call, const char *template, const struct slot *slots, const char *connects);
