/* SPDX-License-Identifier: MIT */
#include "front/error.h"

#include "codec/base64.h"
#include "codec/percent.h"
#include "codec/rpc_status.h"

void error_add_message(struct text *text, const struct dialect_end *end)
{
        struct text decoded;

        text_init(&decoded);
        text_add(&decoded, end->text, end->text_size);
        decoded.size = percent_decode(decoded.data, decoded.data, decoded.size);
        text->failed |= decoded.failed;
        text_add_json(text, decoded.data, decoded.size);
        text_deinit(&decoded);
}

upb_StringView error_details(const struct dialect_end *end, struct text *ret_bytes)
{
        upb_StringView none = { "", 0 }, value;
        size_t size;

        text_init(ret_bytes);
        if (!end->trailers || !fields_find(end->trailers, RPC_STATUS_FIELD, &value))
                return none;
        text_add(ret_bytes, value.data, value.size);
        if (base64_decode((uint8_t *)ret_bytes->data, ret_bytes->data, ret_bytes->size, &size) < 0)
                return none;
        return upb_StringView_FromDataAndSize(ret_bytes->data, size);
}
