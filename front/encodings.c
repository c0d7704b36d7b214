/* SPDX-License-Identifier: MIT */
#include "front/encodings.h"

#include "codec/compression.h"

quoit_status encodings_take_name(
        struct quoit_call *call, upb_StringView name, const char **ret_text)
{
        quoit_compression *compression = &call->exchange.reader.compression;

        *compression = QUOIT_IDENTITY;
        if (name.size == 0 || compression_parse(name.data, name.size, compression) == 0)
                return QUOIT_OK;
        *ret_text = "unknown compression: supported are " COMPRESSION_LIST;
        return QUOIT_UNIMPLEMENTED;
}

quoit_status encodings_take(struct quoit_call *call, const char **ret_text)
{
        upb_StringView name = { NULL, 0 };

        (void)fields_find(&call->request.fields, call->front->dialect->encoding_field, &name);
        return encodings_take_name(call, name, ret_text);
}

/* "identity;q=0": some compression it must be, the server's choice if the client takes that. */
static quoit_status take_any(struct quoit_call *call, const char **ret_text)
{
        static const quoit_compression preferred[] = { QUOIT_GZIP, QUOIT_ZSTD, QUOIT_DEFLATE };

        call->front->must_compress = true;
        for (unsigned i = 0; i < sizeof(preferred) / sizeof(*preferred); i++) {
                if (compression_has(call->exchange.accepted, preferred[i])) {
                        call->exchange.lent.compression = preferred[i];
                        return QUOIT_OK;
                }
        }
        *ret_text = "no compression that the client takes: supported are " COMPRESSION_LIST;
        return QUOIT_UNIMPLEMENTED;
}

quoit_status encodings_take_accepted(struct quoit_call *call, const char **ret_text)
{
        upb_StringView list;

        call->exchange.accepted = 0;
        if (!fields_find(&call->request.fields, call->front->dialect->accept_field, &list))
                return QUOIT_OK;
        call->exchange.accepted =
                compression_cache_parse(&call_host_of(call)->accepted, list.data, list.size);
        if (compression_has(call->exchange.accepted, QUOIT_IDENTITY))
                return QUOIT_OK;
        return take_any(call, ret_text);
}
