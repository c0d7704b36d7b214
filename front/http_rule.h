/* SPDX-License-Identifier: MIT */
#pragma once

/* The options (google.api.http) of a service's methods, from the descriptor in its generated code. */

#include <quoit/method.h>

#include "upb/base/string_view.h"

struct http_rule {
        const quoit_method *method;
        upb_StringView
                http_method; /* "GET"; of a custom pattern, what that says, perhaps "*"; empty: none */
        upb_StringView path;
        upb_StringView body; /* "": none */
        upb_StringView response_body; /* "": the whole answer */
};

/* Returns 0 to go on. */
typedef int http_rule_fn(void *user, const struct http_rule *rule);

/*
 * Calls @fn with each rule of @service, in the order of the file: a method's own, then its additional_bindings. Of those the
 * ones in others are not read, as they may not be there. The strings are valid until this returns. 0; what @fn has returned,
 * then at once; -EINVAL: the descriptor is broken; -ENOMEM.
 */
int http_rules_each(const quoit_service *service, http_rule_fn *fn, void *user);
