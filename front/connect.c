/* SPDX-License-Identifier: MIT */
#include "front/connect.h"

#include "core/clock.h"
#include "front/encodings.h"

#define TIMEOUT_DIGITS_MAX 10

static quoit_status take_version(const struct quoit_call *call, const char **ret_text)
{
        upb_StringView version;

        if (!fields_find(&call->request.fields, "connect-protocol-version", &version) ||
                upb_StringView_IsEqual(version, upb_StringView_FromString("1")))
                return QUOIT_OK;
        *ret_text = "connect-protocol-version must be 1";
        return QUOIT_INVALID_ARGUMENT;
}

/* Digits alone. False: it is none, or has too many. */
static bool parse_number(upb_StringView text, uint64_t *ret_number)
{
        uint64_t number = 0;

        for (size_t i = 0; i < text.size; i++) {
                if (text.data[i] < '0' || text.data[i] > '9')
                        return false;
                number = number * 10 + (uint64_t)(text.data[i] - '0');
        }
        *ret_number = number;
        return text.size > 0 && text.size <= TIMEOUT_DIGITS_MAX;
}

quoit_status connect_take_timeout(struct quoit_call *call, const char **ret_text)
{
        upb_StringView text;
        uint64_t timeout_ms;

        call->request.has_timeout = false; /* grpc-timeout means nothing here */
        if (!fields_find(&call->request.fields, "connect-timeout-ms", &text))
                return QUOIT_OK;
        if (!parse_number(text, &timeout_ms)) {
                *ret_text = "malformed connect-timeout-ms";
                return QUOIT_INVALID_ARGUMENT;
        }
        call->request.has_timeout = true;
        call->request.timeout_ns = timeout_ms * NS_PER_MS;
        return QUOIT_OK;
}

quoit_status connect_begin(struct quoit_call *call, const char **ret_text)
{
        quoit_status status = take_version(call, ret_text);

        if (status == QUOIT_OK)
                status = connect_take_timeout(call, ret_text);
        if (status == QUOIT_OK)
                status = encodings_take(call, ret_text);
        if (status == QUOIT_OK)
                status = encodings_take_accepted(call, ret_text);
        return status;
}
