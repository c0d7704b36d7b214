/* SPDX-License-Identifier: MIT */
#pragma once

#include "../connection.h"

/* One call. */
struct ask {
        const quoit_method *method;
        const struct upb_Message *request; /* NULL: none is sent */
        bool stays_open; /* more requests could follow, so the server does not end it */
        uint32_t timeout_ms;
        /* Each reply; it lives until this returns. NULL: nobody wants them. */
        void (*on_reply)(const struct upb_Message *reply, void *user);
        void *user;
};

/* Makes the call and waits for its end. Its status; *@ret_error says more. */
quoit_status ask(struct connection *connection, const struct ask *question, quoit_error *ret_error);
