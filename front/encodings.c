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

void encodings_take_accepted(struct quoit_call *call)
{
        upb_StringView list;

        call->exchange.accepted = 0;
        if (fields_find(&call->request.fields, call->front->dialect->accept_field, &list))
                call->exchange.accepted = compression_cache_parse(
                        &call_host_of(call)->accepted, list.data, list.size);
}
