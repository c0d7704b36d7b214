/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/load_report.h"
#include "codec/metadata.h"
#include "codec/number.h"
#include "codec/percent.h"
#include "codec/rpc_status.h"
#include "codec/status.h"
#include "codec/timeout.h"
#include "codec/utf8.h"
#include "front/media_type.h"
#include "front/url.h"

/*
 * The values of single fields of a header: base64, percent-encoding, timeouts, numbers, statuses with their details, reports of load,
 * text, parts of URLs. What one function reads another writes, and what it has written is read as the same again.
 *
 * Input: the value. All of them read it, from memory of exactly its size.
 */

static void check_base64(const char *text, size_t size)
{
        uint8_t *bytes = malloc(base64_decoded_size_max(size) + 1);
        char *again = malloc(base64_encoded_size(size) + 1);
        size_t decoded, plain = size;

        if (base64_decode(bytes, text, size, &decoded) == 0) {
                assert(decoded <= base64_decoded_size_max(size));
                while (plain > 0 && text[plain - 1] == '=')
                        plain--;
                assert(base64_encode(again, bytes, decoded) == plain);
                assert(memcmp(again, text, plain) == 0);
        }
        plain = base64_encode(again, (const uint8_t *)text, size);
        assert(plain == base64_encoded_size(size));
        assert(base64_decode((uint8_t *)again, again, plain, &decoded) == 0);
        assert(decoded == size && memcmp(again, text, size) == 0);
        free(again);
        free(bytes);
}

static void check_percent(const char *text, size_t size)
{
        size_t encoded_size = percent_encoded_size(text, size), decoded_size;
        char *encoded = malloc(encoded_size + 1), *decoded = malloc(size + 1);

        assert(encoded_size >= size && encoded_size <= 3 * size);
        assert(percent_encode(encoded, text, size) == encoded_size);
        assert(metadata_value_valid(encoded, encoded_size));
        assert(percent_decode(encoded, encoded, encoded_size) == size);
        assert(memcmp(encoded, text, size) == 0);
        decoded_size = percent_decode(decoded, text, size);
        assert(decoded_size <= size);
        assert(percent_decode(encoded, encoded, size) == decoded_size);
        assert(memcmp(encoded, decoded, decoded_size) == 0);
        free(decoded);
        free(encoded);
}

static void check_timeout_of(uint64_t timeout_ns)
{
        char first[TIMEOUT_BYTES_MAX], second[TIMEOUT_BYTES_MAX];
        size_t size = timeout_format(first, timeout_ns);
        uint64_t again_ns;

        assert(size >= 2 && size <= TIMEOUT_BYTES_MAX);
        assert(timeout_parse(first, size, &again_ns) == 0);
        assert(again_ns >= timeout_ns); /* never shorter than it was */
        assert(timeout_ns < 100000000 ? again_ns == timeout_ns : again_ns / 2 <= timeout_ns);
        assert(timeout_format(second, again_ns) <= TIMEOUT_BYTES_MAX);
}

static void check_numbers(const char *text, size_t size)
{
        char printed[NUMBER_DIGITS_MAX + 1];
        uint64_t number, again;
        quoit_status status;

        if (timeout_parse(text, size, &number) == 0) {
                assert(size >= 2 && size <= TIMEOUT_BYTES_MAX);
                check_timeout_of(number);
        }
        if (size >= sizeof(number)) {
                memcpy(&number, text, sizeof(number));
                check_timeout_of(number >> (text[size - 1] & 63));
        }
        if (number_parse(text, size, UINT64_MAX, &number) == 0) {
                assert(number_print(printed, number) <= size);
                assert(number_parse(printed, strlen(printed), number, &again) == 0);
                assert(number == again);
                assert(number == 0 || number_parse(text, size, number - 1, &again) == -ERANGE);
        }
        if (status_parse(text, size, &status) == 0)
                assert(status == status_or_unknown(status) && *status_format(status));
}

static bool is_name_character(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static void check_metadata(const char *text, size_t size)
{
        size_t room = base64_decoded_size_max(size), used = 0, value_size, good = 0;
        uint8_t *out = malloc(room + 1);
        struct metadata_binary walk;
        int r;

        while (good < size && is_name_character(text[good]))
                good++;
        assert(metadata_name_valid(text, size) == (size > 0 && good == size));
        (void)metadata_name_reserved(text, size);
        (void)metadata_name_binary(text, size);
        metadata_binary_init(&walk, text, size);
        for (size_t values = 0; (r = metadata_binary_next(&walk, out + used, &value_size)) != 0;) {
                assert(++values <= size + 1);
                assert(r == 1 || r == -EINVAL);
                used += r == 1 ? value_size : 0;
                assert(used <= room);
        }
        free(out);
}

/* How many bytes follow @first, by the table of RFC 3629; -1: it cannot be first. */
static int utf8_more(uint8_t first)
{
        if (first < 0x80)
                return 0;
        if (first < 0xc2 || first > 0xf4)
                return -1;
        return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

static bool is_utf8(const uint8_t *at, size_t size)
{
        while (size > 0) {
                int more = utf8_more(*at);

                if (more < 0 || (size_t)more >= size)
                        return false;
                for (int i = 1; i <= more; i++)
                        if ((at[i] & 0xc0) != 0x80)
                                return false;
                if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
                        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
                        return false;
                at += more + 1;
                size -= (size_t)more + 1;
        }
        return true;
}

static void check_text(const char *text, size_t size)
{
        char *repaired = malloc(UTF8_REPAIR_GROWTH * size + 1);
        size_t repaired_size = utf8_repair(repaired, text, size);
        bool valid = utf8_is_valid(text, size);
        upb_StringView type = media_type_cut(upb_StringView_FromDataAndSize(text, size));

        assert(valid == is_utf8((const uint8_t *)text, size));
        assert(repaired_size <= UTF8_REPAIR_GROWTH * size);
        assert(utf8_is_valid(repaired, repaired_size));
        if (valid)
                assert(repaired_size == size && memcmp(repaired, text, size) == 0);
        assert(type.size <= size);
        free(repaired);
}

static void check_url(const char *text, size_t size)
{
        for (enum url_part part = URL_SEGMENT; part <= URL_QUERY; part++) {
                char *apart = malloc(size + 1), *in_place = malloc(size + 1);
                ssize_t first = url_decode(apart, text, size, part);

                memcpy(in_place, text, size);
                assert(url_decode(in_place, in_place, size, part) == first);
                assert(first <= (ssize_t)size);
                assert(first < 0 || memcmp(apart, in_place, (size_t)first) == 0);
                free(in_place);
                free(apart);
        }
}

#define DETAILS_MAX 16

static bool is_inside(upb_StringView part, const char *text, size_t size)
{
        return part.size == 0 || (part.data >= text && part.data + part.size <= text + size);
}

/* The details that were read are written, and read again. */
static void check_details(const char *text, size_t size)
{
        struct rpc_detail details[DETAILS_MAX], again;
        struct rpc_status status = { .status = QUOIT_ABORTED, .details = details };
        upb_StringView left = upb_StringView_FromDataAndSize(text, size);
        uint8_t *out;

        while (status.count < DETAILS_MAX &&
                rpc_status_next_detail(&left, details + status.count)) {
                assert(is_inside(details[status.count].type, text, size));
                assert(is_inside(details[status.count].value, text, size));
                status.count++;
        }
        size = rpc_status_size(&status);
        out = malloc(size + 1);
        rpc_status_write(&status, out);
        left = upb_StringView_FromDataAndSize((const char *)out, size);
        for (size_t i = 0; i < status.count; i++) {
                assert(rpc_status_next_detail(&left, &again));
                assert(again.value.size == details[i].value.size);
                assert(again.value.size == 0 ||
                        memcmp(again.value.data, details[i].value.data, again.value.size) == 0);
        }
        assert(!rpc_status_next_detail(&left, &again));
        free(out);
}

static void check_load_report(const char *text, size_t size)
{
        struct load_report report;

        if (load_report_parse(text, size, &report) < 0)
                return;
        assert(isfinite(report.cpu_utilization) && report.cpu_utilization >= 0);
        assert(isfinite(report.application_utilization) && report.application_utilization >= 0);
        assert(isfinite(report.requests_per_second) && report.requests_per_second >= 0);
        assert(isfinite(report.errors_per_second) && report.errors_per_second >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + (size == 0));

        if (size > 0)
                memcpy(text, data, size);
        check_base64(text, size);
        check_percent(text, size);
        check_numbers(text, size);
        check_metadata(text, size);
        check_text(text, size);
        check_url(text, size);
        check_details(text, size);
        check_load_report(text, size);
        free(text);
        return 0;
}
