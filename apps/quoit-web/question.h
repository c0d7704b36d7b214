/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include <quoit/call.h>

#include "page.h"

#define QUESTION_NAME "Gonzalo"
#define QUESTION_LENGTH 10
#define ORIGIN_MAX 300

/* What a request for a page asks, and where. */
struct question {
        upb_StringView name; /* any bytes; lives as long as the call */
        int32_t length; /* not negative */
        char length_text[16];
        char page_origin
                [ORIGIN_MAX]; /* where the browser has found us: only if that can be an origin */
        char backend_origin[ORIGIN_MAX]; /* where it finds the backend */
};

/* From ?name=NAME&length=N and the host; what is missing or wrong has its default. */
void question_read(struct question *question, quoit_call *call, const struct site *site);
