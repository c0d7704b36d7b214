/* SPDX-License-Identifier: MIT */
#include "front/connect.h"

#include <errno.h>
#include <string.h>

#include "codec/base64.h"
#include "front/bare.h"
#include "front/encodings.h"
#include "front/query.h"
#include "front/url.h"

/* The message, as the query has it. */
struct get {
        upb_StringView message;
        bool is_base64;
};

/* ---- the query ---- */

bool connect_get_parameter(upb_StringView query, const char *name, upb_StringView *ret_value)
{
        upb_StringView wanted = upb_StringView_FromString(name);
        struct query_pair pair;

        while (query_next(&query, &pair)) {
                if (upb_StringView_IsEqual(pair.name, wanted)) {
                        *ret_value = pair.value;
                        return true;
                }
        }
        return false;
}

/* From the alphabet of URLs (RFC 4648, section 5) to the other one, which is taken too. */
static void use_standard_alphabet(char *text, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if (text[i] == '-')
                        text[i] = '+';
                else if (text[i] == '_')
                        text[i] = '/';
        }
}

/* ---- the request ---- */

static bool has_value(upb_StringView query, const char *name, const char *value)
{
        upb_StringView found;

        return connect_get_parameter(query, name, &found) &&
               upb_StringView_IsEqual(found, upb_StringView_FromString(value));
}

static quoit_status take_query(struct quoit_call *call, struct get *get, const char **ret_text)
{
        upb_StringView query = call->front->query, value = { NULL, 0 };

        if (connect_get_parameter(query, "connect", &value) && !has_value(query, "connect", "v1")) {
                *ret_text = "the parameter connect must be v1";
                return QUOIT_INVALID_ARGUMENT;
        }
        if (!connect_get_parameter(query, "message", &get->message)) {
                *ret_text = "the parameter message is missing";
                return QUOIT_INVALID_ARGUMENT;
        }
        get->is_base64 = has_value(query, "base64", "1");
        value = (upb_StringView){ NULL, 0 };
        (void)connect_get_parameter(query, "compression", &value);
        return encodings_take_name(call, value, ret_text);
}

static quoit_status begin(struct quoit_call *call, const char **ret_text)
{
        struct get *get = call_alloc(call, sizeof(*get));
        quoit_status status;

        if (!get) {
                *ret_text = "out of memory";
                return QUOIT_RESOURCE_EXHAUSTED;
        }
        call->front->state = get;
        status = connect_take_timeout(call, ret_text);
        if (status == QUOIT_OK)
                status = encodings_take_accepted(call, ret_text);
        return status == QUOIT_OK ? take_query(call, get, ret_text) : status;
}

/* A GET has no content that means something (RFC 9110, section 9.3.1). */
static int receive(struct quoit_call *call, const uint8_t *data, size_t size)
{
        (void)call;
        (void)data;
        (void)size;
        return 0;
}

static int receive_end(struct quoit_call *call)
{
        const struct get *get = call->front->state;
        upb_Arena *arena = call_arena(call);
        char *bytes = arena ? upb_Arena_Malloc(arena, get->message.size + 1) : NULL;
        ssize_t decoded;
        size_t size;
        int r;

        if (!bytes)
                return -ENOMEM;
        decoded = url_decode(bytes, get->message.data, get->message.size, URL_QUERY);
        if (decoded < 0)
                return -EBADMSG;
        size = (size_t)decoded;
        if (get->is_base64) {
                use_standard_alphabet(bytes, size);
                if (base64_decode((uint8_t *)bytes, bytes, size, &size) < 0)
                        return -EBADMSG;
        }
        r = reader_feed_body(&call->exchange, (const uint8_t *)bytes, size, size);
        return r < 0 ? r : reader_end_body(&call->exchange);
}

const struct dialect connect_get = {
        .protocol = QUOIT_PROTOCOL_CONNECT,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = begin,
        .receive = receive,
        .receive_end = receive_end,
        .seal = bare_seal,
        .end = connect_unary_end,
};
