/* SPDX-License-Identifier: MIT */
#include "headers.h"

#include <stdio.h>

#define POLICY_MAX 640

void headers_set(quoit_call *call, const char *name, const char *value)
{
        quoit_call_add_header(call, name, upb_StringView_FromString(value));
}

void headers_add(quoit_call *call, const char *connects)
{
        char policy[POLICY_MAX];

        snprintf(policy, sizeof(policy),
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                "connect-src 'self'%s%s; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'; require-trusted-types-for 'script'",
                connects ? " " : "", connects ? connects : "");
        headers_set(call, "content-security-policy", policy);
        headers_set(call, "x-content-type-options", "nosniff");
        headers_set(call, "referrer-policy", "no-referrer");
        headers_set(call, "cross-origin-opener-policy", "same-origin");
}
