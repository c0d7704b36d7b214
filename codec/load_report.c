/* SPDX-License-Identifier: MIT */
#include "codec/load_report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "codec/wire.h"

/* Fields of OrcaLoadReport. */
enum { CPU_UTILIZATION = 1, RPS_FRACTIONAL = 6, EPS = 7, APPLICATION_UTILIZATION = 9 };

static double number_of(const struct wire_field *field)
{
        double value;

        memcpy(&value, &field->value, sizeof(value));
        return isfinite(value) && value > 0 ? value : 0;
}

/* NULL: one that is not wanted. */
static double *member_of(struct load_report *report, const struct wire_field *field)
{
        if (field->type != kUpb_WireType_64Bit)
                return NULL;
        switch (field->number) {
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

/* It has no groups. */
static bool is_group(const struct wire_field *field)
{
        return field->type == kUpb_WireType_StartGroup || field->type == kUpb_WireType_EndGroup;
}

int load_report_parse(const void *data, size_t size, struct load_report *ret_report)
{
        struct wire_cursor cursor = { data, (const uint8_t *)data + size };
        struct load_report report = { 0 };
        struct wire_field field;

        while (cursor.at < cursor.end) {
                double *member;

                if (!wire_next(&cursor, &field) || is_group(&field))
                        return -EBADMSG;
                member = member_of(&report, &field);
                if (member)
                        *member = number_of(&field);
        }
        *ret_report = report;
        return 0;
}
