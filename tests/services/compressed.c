/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <stdlib.h>

/* Half of it can be guessed, none of it is the same twice: 16 different bytes. */
static upb_StringView text_of(quoit_call *call, size_t size)
{
        char *text = quoit_call_alloc(call, size);
        unsigned state = 1;

        for (size_t i = 0; text && i < size; i++) {
                state = state * 1103515245 + 12345;
                text[i] = (char)('a' + (state >> 16) % 16);
        }
        return upb_StringView_FromDataAndSize(text ? text : "", text ? size : 0);
}

static void choose(quoit_call *call, const calls_CompressionRequest *request)
{
        size_t count;
        const int32_t *algorithms = calls_CompressionRequest_algorithms(request, &count);

        for (size_t i = 0; i < count; i++) {
                int r = quoit_call_set_compression(call, (quoit_compression)algorithms[i]);

                quoit_call_add_trailer(call, "results", quoit_call_format(call, "%d", r));
        }
}

static void compressed(quoit_call *call, const calls_CompressionRequest *request, void *user)
{
        size_t count;
        const calls_CompressionRequest_Part *const *parts =
                calls_CompressionRequest_parts(request, &count);

        watch(call, user);
        choose(call, request);
        for (size_t i = 0; i < count; i++) {
                calls_Payload *reply = calls_Payload_new(quoit_call_scratch(call));
                size_t size = (size_t)calls_CompressionRequest_Part_size(parts[i]);

                quoit_call_set_message_compression(
                        call, !calls_CompressionRequest_Part_plain(parts[i]));
                calls_Payload_set_data(reply, text_of(call, size));
                calls_Calls_Compressed_send(call, reply);
        }
        /* too late, and said so */
        quoit_call_add_trailer(call, "late",
                quoit_call_format(call, "%d", quoit_call_set_compression(call, QUOIT_GZIP)));
        quoit_call_finish(call, QUOIT_OK, NULL);
}

void compressed_add(calls_Calls_service *service)
{
        service->Compressed = compressed;
}
