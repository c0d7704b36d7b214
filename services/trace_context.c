/* SPDX-License-Identifier: MIT */
#include "services/trace_context.h"

#include <string.h>

#include <quoit/client_interceptor.h>
#include <quoit/interceptor.h>

const char trace_key, trace_outcall_key;

/* ---- W3C Trace Context, section 3.2: 00-TRACE-SPAN-FLAGS ---- */

#define TRACE_AT 3
#define SPAN_AT 36
#define FLAGS_AT 53

static const char digits[] = "0123456789abcdef"; /* no upper case: section 3.2.2.3 */

static bool read_hex(const char *text, uint8_t *ret_bytes, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const char *high = text[2 * i] ? strchr(digits, text[2 * i]) : NULL;
                const char *low = text[2 * i + 1] ? strchr(digits, text[2 * i + 1]) : NULL;

                if (!high || !low)
                        return false;
                ret_bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
        }
        return true;
}

static void write_hex(const uint8_t *bytes, size_t count, char *to)
{
        for (size_t i = 0; i < count; i++) {
                *to++ = digits[bytes[i] >> 4];
                *to++ = digits[bytes[i] & 15];
        }
}

/* Ids of zeros are none. */
static bool is_sound(const quoit_trace *trace)
{
        static const quoit_trace none;

        return memcmp(trace->trace_id, none.trace_id, sizeof(none.trace_id)) != 0 &&
               memcmp(trace->span_id, none.span_id, sizeof(none.span_id)) != 0;
}

bool trace_parse(upb_StringView text, quoit_trace *ret_trace)
{
        const char *at = text.data;
        quoit_trace trace;
        uint8_t version;

        if (text.size < TRACEPARENT_BYTES || !read_hex(at, &version, 1) || version == 0xff)
                return false;
        /* a later version may have more behind it: section 4.3 */
        if (text.size > TRACEPARENT_BYTES && (version == 0 || at[TRACEPARENT_BYTES] != '-'))
                return false;
        if (at[TRACE_AT - 1] != '-' || at[SPAN_AT - 1] != '-' || at[FLAGS_AT - 1] != '-' ||
                !read_hex(at + TRACE_AT, trace.trace_id, sizeof(trace.trace_id)) ||
                !read_hex(at + SPAN_AT, trace.span_id, sizeof(trace.span_id)) ||
                !read_hex(at + FLAGS_AT, &trace.flags, 1) || !is_sound(&trace))
                return false;
        trace.flags &= QUOIT_TRACE_SAMPLED | QUOIT_TRACE_RANDOM;
        *ret_trace = trace;
        return true;
}

void trace_format(const quoit_trace *trace, char ret_text[TRACEPARENT_BYTES])
{
        memcpy(ret_text, "00", 2);
        ret_text[TRACE_AT - 1] = ret_text[SPAN_AT - 1] = ret_text[FLAGS_AT - 1] = '-';
        write_hex(trace->trace_id, sizeof(trace->trace_id), ret_text + TRACE_AT);
        write_hex(trace->span_id, sizeof(trace->span_id), ret_text + SPAN_AT);
        write_hex(&trace->flags, 1, ret_text + FLAGS_AT);
}

void trace_format_id(const quoit_trace *trace, char ret_text[TRACE_ID_TEXT_BYTES])
{
        write_hex(trace->trace_id, sizeof(trace->trace_id), ret_text);
        ret_text[TRACE_ID_TEXT_BYTES - 1] = '\0';
}

/* ---- OpenCensus' BinaryEncoding: a version, then fields, each with its number before it ---- */

#define BIN_TRACE_AT 2
#define BIN_SPAN_AT 19
#define BIN_FLAGS_AT 28

bool trace_parse_bin(upb_StringView bytes, quoit_trace *ret_trace)
{
        const char *at = bytes.data;
        quoit_trace trace;

        /* later versions add fields at the end */
        if (bytes.size < TRACE_BIN_BYTES || at[0] != 0 || at[BIN_TRACE_AT - 1] != 0 ||
                at[BIN_SPAN_AT - 1] != 1 || at[BIN_FLAGS_AT - 1] != 2)
                return false;
        memcpy(trace.trace_id, at + BIN_TRACE_AT, sizeof(trace.trace_id));
        memcpy(trace.span_id, at + BIN_SPAN_AT, sizeof(trace.span_id));
        trace.flags = (uint8_t)at[BIN_FLAGS_AT] & QUOIT_TRACE_SAMPLED;
        if (!is_sound(&trace))
                return false;
        *ret_trace = trace;
        return true;
}

void trace_format_bin(const quoit_trace *trace, char ret_bytes[TRACE_BIN_BYTES])
{
        ret_bytes[0] = ret_bytes[BIN_TRACE_AT - 1] = 0;
        ret_bytes[BIN_SPAN_AT - 1] = 1;
        ret_bytes[BIN_FLAGS_AT - 1] = 2;
        memcpy(ret_bytes + BIN_TRACE_AT, trace->trace_id, sizeof(trace->trace_id));
        memcpy(ret_bytes + BIN_SPAN_AT, trace->span_id, sizeof(trace->span_id));
        ret_bytes[BIN_FLAGS_AT] = (char)(trace->flags & QUOIT_TRACE_SAMPLED);
}

/* ---- a call's ---- */

bool trace_of_request(const quoit_call *call, quoit_trace *ret_trace)
{
        upb_StringView value;

        if (quoit_call_metadata(call, "traceparent", &value))
                return trace_parse(value, ret_trace);
        return quoit_call_metadata(call, "grpc-trace-bin", &value) &&
               trace_parse_bin(value, ret_trace);
}

bool quoit_call_trace(const quoit_call *call, quoit_trace *ret_trace)
{
        const quoit_trace *own = quoit_call_attachment(call, &trace_key);

        if (own)
                *ret_trace = *own;
        return own || trace_of_request(call, ret_trace);
}

static const quoit_trace *if_sampled(const quoit_trace *trace)
{
        return trace && trace->flags & QUOIT_TRACE_SAMPLED ? trace : NULL;
}

const quoit_trace *trace_sampled(const quoit_call *call)
{
        return if_sampled(quoit_call_attachment(call, &trace_key));
}

const quoit_trace *trace_sampled_outcall(const quoit_outcall *call)
{
        return if_sampled(quoit_outcall_attachment(call, &trace_outcall_key));
}
