/* SPDX-License-Identifier: MIT */
#include "codec/load_report.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VARINT_BITS_MAX 64

/* Of protobuf's encoding. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* Fields of OrcaLoadReport. */
enum { CPU_UTILIZATION = 1, RPS_FRACTIONAL = 6, EPS = 7, APPLICATION_UTILIZATION = 9 };

struct input {
        const uint8_t *at, *end;
};

static bool take_varint(struct input *input, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (unsigned bits = 0; bits < VARINT_BITS_MAX; bits += 7) {
                if (input->at == input->end)
                        return false;
                value |= (uint64_t)(*input->at & 0x7f) << bits;
                if (!(*input->at++ & 0x80)) {
                        *ret_value = value;
                        return true;
                }
        }
        return false;
}

static bool skip(struct input *input, uint64_t size)
{
        if (size > (uint64_t)(input->end - input->at))
                return false;
        input->at += size;
        return true;
}

static bool take_double(struct input *input, double *ret_value)
{
        const uint8_t *at = input->at;
        uint64_t bits;
        double value;

        if (!skip(input, sizeof(bits)))
                return false;
        memcpy(&bits, at, sizeof(bits));
        bits = le64toh(bits);
        memcpy(&value, &bits, sizeof(value));
        *ret_value = isfinite(value) && value > 0 ? value : 0;
        return true;
}

static bool skip_value(struct input *input, unsigned type)
{
        uint64_t value;

        switch (type) {
        case WIRE_VARINT:
                return take_varint(input, &value);
        case WIRE_FIXED64:
                return skip(input, 8);
        case WIRE_BYTES:
                return take_varint(input, &value) && skip(input, value);
        case WIRE_FIXED32:
                return skip(input, 4);
        default:
                return false;
        }
}

/* NULL: one that is not wanted. */
static double *member_of(struct load_report *report, uint64_t tag)
{
        if ((tag & 7) != WIRE_FIXED64)
                return NULL;
        switch (tag >> 3) {
        case CPU_UTILIZATION:
                return &report->cpu_utilization;
        case RPS_FRACTIONAL:
                return &report->requests_per_second;
        case EPS:
                return &report->errors_per_second;
        case APPLICATION_UTILIZATION:
                return &report->application_utilization;
        default:
                return NULL;
        }
}

int load_report_parse(const void *data, size_t size, struct load_report *ret_report)
{
        struct input input = { data, (const uint8_t *)data + size };
        struct load_report report = { 0 };
        uint64_t tag;

        while (input.at < input.end) {
                double *member;

                if (!take_varint(&input, &tag) || tag >> 3 == 0)
                        return -EBADMSG;
                member = member_of(&report, tag);
                if (member ? !take_double(&input, member) : !skip_value(&input, tag & 7))
                        return -EBADMSG;
        }
        *ret_report = report;
        return 0;
}
