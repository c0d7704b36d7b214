/* SPDX-License-Identifier: MIT */
#include "codec/status.h"

#include <errno.h>

#define STATUS_LAST QUOIT_UNAUTHENTICATED

static const struct {
        char number[3];
        const char *name;
} status_table[] = {
        [QUOIT_OK] = { "0", "OK" },
        [QUOIT_CANCELLED] = { "1", "CANCELLED" },
        [QUOIT_UNKNOWN] = { "2", "UNKNOWN" },
        [QUOIT_INVALID_ARGUMENT] = { "3", "INVALID_ARGUMENT" },
        [QUOIT_DEADLINE_EXCEEDED] = { "4", "DEADLINE_EXCEEDED" },
        [QUOIT_NOT_FOUND] = { "5", "NOT_FOUND" },
        [QUOIT_ALREADY_EXISTS] = { "6", "ALREADY_EXISTS" },
        [QUOIT_PERMISSION_DENIED] = { "7", "PERMISSION_DENIED" },
        [QUOIT_RESOURCE_EXHAUSTED] = { "8", "RESOURCE_EXHAUSTED" },
        [QUOIT_FAILED_PRECONDITION] = { "9", "FAILED_PRECONDITION" },
        [QUOIT_ABORTED] = { "10", "ABORTED" },
        [QUOIT_OUT_OF_RANGE] = { "11", "OUT_OF_RANGE" },
        [QUOIT_UNIMPLEMENTED] = { "12", "UNIMPLEMENTED" },
        [QUOIT_INTERNAL] = { "13", "INTERNAL" },
        [QUOIT_UNAVAILABLE] = { "14", "UNAVAILABLE" },
        [QUOIT_DATA_LOSS] = { "15", "DATA_LOSS" },
        [QUOIT_UNAUTHENTICATED] = { "16", "UNAUTHENTICATED" },
};

/* A handler's cast or the wire can give any number. */
static quoit_status status_known(uint64_t number)
{
        return number <= STATUS_LAST ? (quoit_status)number : QUOIT_UNKNOWN;
}

quoit_status status_or_unknown(quoit_status status)
{
        return status_known((uint64_t)status);
}

const char *quoit_status_name(quoit_status status)
{
        return status_table[status_known((uint64_t)status)].name;
}

const char *status_format(quoit_status status)
{
        return status_table[status_known((uint64_t)status)].number;
}

int status_parse(const char *text, size_t size, quoit_status *ret_status)
{
        uint64_t number = 0;

        if (size == 0 || (size > 1 && text[0] == '0'))
                return -EINVAL;
        for (size_t i = 0; i < size; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EINVAL;
                if (number <= STATUS_LAST) /* saturates just above, whatever follows */
                        number = number * 10 + (uint64_t)(text[i] - '0');
        }
        *ret_status = status_known(number);
        return 0;
}

quoit_status status_from_http(unsigned int http_status)
{
        switch (http_status) {
        case 400:
        case 431:
                return QUOIT_INTERNAL;
        case 401:
                return QUOIT_UNAUTHENTICATED;
        case 403:
                return QUOIT_PERMISSION_DENIED;
        case 404:
                return QUOIT_UNIMPLEMENTED;
        case 429:
        case 502:
        case 503:
        case 504:
                return QUOIT_UNAVAILABLE;
        default:
                return QUOIT_UNKNOWN;
        }
}

const char *status_to_http(quoit_status status)
{
        static const char codes[STATUS_LAST + 1][4] = {
                [QUOIT_OK] = "200",
                [QUOIT_CANCELLED] = "499",
                [QUOIT_UNKNOWN] = "500",
                [QUOIT_INVALID_ARGUMENT] = "400",
                [QUOIT_DEADLINE_EXCEEDED] = "504",
                [QUOIT_NOT_FOUND] = "404",
                [QUOIT_ALREADY_EXISTS] = "409",
                [QUOIT_PERMISSION_DENIED] = "403",
                [QUOIT_RESOURCE_EXHAUSTED] = "429",
                [QUOIT_FAILED_PRECONDITION] = "400",
                [QUOIT_ABORTED] = "409",
                [QUOIT_OUT_OF_RANGE] = "400",
                [QUOIT_UNIMPLEMENTED] = "501",
                [QUOIT_INTERNAL] = "500",
                [QUOIT_UNAVAILABLE] = "503",
                [QUOIT_DATA_LOSS] = "500",
                [QUOIT_UNAUTHENTICATED] = "401",
        };

        return codes[status_or_unknown(status)];
}

quoit_status status_from_http2_error(uint32_t error_code)
{
        switch (error_code) {
        case 0x7: /* REFUSED_STREAM */
                return QUOIT_UNAVAILABLE;
        case 0x8: /* CANCEL */
                return QUOIT_CANCELLED;
        case 0xb: /* ENHANCE_YOUR_CALM */
                return QUOIT_RESOURCE_EXHAUSTED;
        case 0xc: /* INADEQUATE_SECURITY */
                return QUOIT_PERMISSION_DENIED;
        default:
                return QUOIT_INTERNAL;
        }
}

bool status_is_for_library(quoit_status status)
{
        static const bool librarys[STATUS_LAST + 1] = {
                [QUOIT_OK] = true,
                [QUOIT_CANCELLED] = true,
                [QUOIT_UNKNOWN] = true,
                [QUOIT_DEADLINE_EXCEEDED] = true,
                [QUOIT_PERMISSION_DENIED] = true,
                [QUOIT_RESOURCE_EXHAUSTED] = true,
                [QUOIT_UNIMPLEMENTED] = true,
                [QUOIT_INTERNAL] = true,
                [QUOIT_UNAVAILABLE] = true,
                [QUOIT_UNAUTHENTICATED] = true,
        };

        return (unsigned)status <= STATUS_LAST && librarys[status];
}
