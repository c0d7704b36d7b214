/* SPDX-License-Identifier: MIT */
#include "transport/http1_status.h"

#include <string.h>

const char *http1_status_phrase(const char *code)
{
        static const char *const phrases[][2] = {
                { "200", "OK" },
                { "204", "No Content" },
                { "206", "Partial Content" },
                { "301", "Moved Permanently" },
                { "302", "Found" },
                { "304", "Not Modified" },
                { "308", "Permanent Redirect" },
                { "400", "Bad Request" },
                { "401", "Unauthorized" },
                { "403", "Forbidden" },
                { "404", "Not Found" },
                { "405", "Method Not Allowed" },
                { "406", "Not Acceptable" },
                { "408", "Request Timeout" },
                { "409", "Conflict" },
                { "412", "Precondition Failed" },
                { "413", "Content Too Large" },
                { "414", "URI Too Long" },
                { "415", "Unsupported Media Type" },
                { "416", "Range Not Satisfiable" },
                { "417", "Expectation Failed" },
                { "429", "Too Many Requests" },
                { "431", "Request Header Fields Too Large" },
                { "499", "Client Closed Request" },
                { "500", "Internal Server Error" },
                { "501", "Not Implemented" },
                { "503", "Service Unavailable" },
                { "504", "Gateway Timeout" },
                { "505", "HTTP Version Not Supported" },
        };

        for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
                if (strcmp(phrases[i][0], code) == 0)
                        return phrases[i][1];
        }
        return "";
}
