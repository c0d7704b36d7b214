/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *verdict_name(enum verdict verdict)
{
        switch (verdict) {
        case VERDICT_OK:
                return "OK";
        case VERDICT_WARN:
                return "WARN";
        case VERDICT_FAIL:
                break;
        }
        return "FAIL";
}

void report_deinit(struct report *report)
{
        free(report->findings);
        *report = (struct report){ 0 };
}

/* Names in certificates, reasons and addresses come from others. */
static void make_printable(char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
                        *text = '?';
}

static void keep(struct report *report, const struct finding *finding)
{
        struct finding *findings =
                reallocarray(report->findings, report->count + 1, sizeof(*findings));

        if (!findings)
                return;
        findings[report->count++] = *finding;
        report->findings = findings;
}

static void __attribute__((format(printf, 5, 0))) add(struct report *report, enum verdict verdict,
        const char *topic, const char *advice, const char *format, va_list arguments)
{
        struct finding finding = { .verdict = verdict, .section = report->section };

        snprintf(finding.topic, sizeof(finding.topic), "%s", topic);
        snprintf(finding.advice, sizeof(finding.advice), "%s", advice);
        vsnprintf(finding.text, sizeof(finding.text), format, arguments);
        make_printable(finding.topic);
        make_printable(finding.advice);
        make_printable(finding.text);
        if (verdict > report->worst)
                report->worst = verdict;
        keep(report, &finding);
        if (report->on_finding)
                report->on_finding(&finding, report->user);
}

void report_ok(struct report *report, const char *topic, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        add(report, VERDICT_OK, topic, "", format, arguments);
        va_end(arguments);
}

void report_warn(
        struct report *report, const char *topic, const char *advice, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        add(report, VERDICT_WARN, topic, advice, format, arguments);
        va_end(arguments);
}

void report_fail(
        struct report *report, const char *topic, const char *advice, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        add(report, VERDICT_FAIL, topic, advice, format, arguments);
        va_end(arguments);
}
