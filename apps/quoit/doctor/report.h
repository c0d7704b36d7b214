/* SPDX-License-Identifier: MIT */
#pragma once

/* What `quoit doctor` has found: a list of lines, each with a verdict and, unless all is well, what to do. */

#include <stddef.h>

enum verdict {
        VERDICT_OK,
        VERDICT_WARN, /* it works, but slower, or not for many */
        VERDICT_FAIL, /* calls fail */
};

/* "OK", "WARN" or "FAIL". Static. */
const char *verdict_name(enum verdict verdict);

/* The sizes of texts with their zeros; what is longer is cut. */
enum { FINDING_TOPIC_BYTES = 128, FINDING_TEXT_BYTES = 320 };

/* One line. */
struct finding {
        enum verdict verdict;
        const char *section; /* "machine", "dns"; static */
        char topic[FINDING_TOPIC_BYTES]; /* what was looked at: "kernel" */
        char text[FINDING_TEXT_BYTES]; /* what was seen, in a few words. One line, printable */
        char advice[FINDING_TEXT_BYTES]; /* what to do; "": nothing */
};

/* All zeros is an empty one. */
struct report {
        const char *section; /* of the findings that come next */
        enum verdict worst;
        struct finding *findings; /* @count of them */
        size_t count;
        /* Called for each as it is found, if it is set. */
        void (*on_finding)(const struct finding *finding, void *user);
        void *user;
};

void report_deinit(struct report *report);

/*
 * Adds one to the section, as printf(3) says it. What a peer has written into it is made printable: other bytes become '?'. Where
 * memory is short it is heard of by on_finding alone.
 */
void __attribute__((format(printf, 3, 4))) report_ok(
        struct report *report, const char *topic, const char *format, ...);
void __attribute__((format(printf, 4, 5))) report_warn(
        struct report *report, const char *topic, const char *advice, const char *format, ...);
void __attribute__((format(printf, 4, 5))) report_fail(
        struct report *report, const char *topic, const char *advice, const char *format, ...);
