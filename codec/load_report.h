/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a server says about its load: the numbers of xds.data.orca.v3.OrcaLoadReport that weigh servers against each other (gRPC's
 * proposal A51), as a server adds it to a call's trailers in LOAD_REPORT_FIELD. Pure.
 */

#include <stddef.h>

#define LOAD_REPORT_FIELD "endpoint-load-metrics-bin"

/* Each is finite and not negative; 0 where it is not told, or is neither. */
struct load_report {
        double cpu_utilization;
        double application_utilization;
        double requests_per_second;
        double errors_per_second;
};

/* 0; -EBADMSG: not such a message. */
int load_report_parse(const void *data, size_t size, struct load_report *ret_report);
