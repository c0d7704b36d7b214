/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this server says about its load, by which clients share calls among servers (weighted_round_robin of <quoit/balancing.h>, and
 * other balancers that know ORCA: gRPC's proposal A51). Clients ask for a stream of reports by xds.service.orca.v3.OpenRcaService, or
 * find one in the trailers of each call.
 *
 *      quoit_load_reports *reports;
 *
 *      quoit_load_reports_register(server, NULL, &reports);
 *      ...
 *      quoit_load_reports_set(reports, &(quoit_load){ .cpu_utilization = 0.4, .requests_per_second = 1200 });
 *
 * The program measures, and says what has changed from time to time: each second, for example. weighted_round_robin needs
 * `requests_per_second`, and one of the two utilizations of which it prefers `application_utilization`.
 *
 * When the server stops the streams end with UNAVAILABLE, so that they do not delay the stop. They count as all others do (`streams_max`
 * in limits.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* The reports of a server. */
typedef struct quoit_load_reports quoit_load_reports;

/* A number that has a name of the program's. */
typedef struct quoit_load_value {
        const char *name; /* zero-terminated UTF-8 */
        double value; /* 0 to 1 */
} quoit_load_value;

/* The load of a server now. 0: not told. None is negative or infinite. */
typedef struct quoit_load {
        double cpu_utilization; /* the part of the CPUs that is in use; more than 1 where that is over a soft limit */
        double memory_utilization; /* at most 1 */
        double application_utilization; /* of whatever the program runs out of first; may be more than 1 */
        double requests_per_second; /* of the whole server */
        double errors_per_second; /* of these */
        const quoit_load_value *utilizations; /* of other resources, by name; NULL: none */
        size_t utilization_count; /* of `utilizations` */
} quoit_load;

/* Zero in a member takes the default. */
typedef struct quoit_load_reports_options {
        /* A stream gets a report so often at most, in milliseconds; its client may ask for fewer. Default 30 000. */
        uint32_t interval_ms_min;
        /*
         * Each call has the report of its start in its trailers (endpoint-load-metrics-bin), for clients that do not ask for a stream.
         * Calls from any client get them. An interceptor adds them: those that were added before may refuse calls without.
         */
        bool with_calls;
} quoit_load_reports_options;

/*
 * Registers xds.service.orca.v3.OpenRcaService with @server. @options can be NULL. *@ret_reports belongs to the server and lives until
 * quoit_server_free(); it tells no load at first. Returns 0 or an error of quoit_server_register() or quoit_server_intercept().
 */
QUOIT_API int quoit_load_reports_register(quoit_server *server,
        const quoit_load_reports_options *options, quoit_load_reports **ret_reports);

/*
 * The load is @load, which is copied, until the next time: for reports from now on. Any thread. 0; -EINVAL: a value is not allowed, or
 * a name is not UTF-8; -ENOMEM. After an error reports are as before.
 */
QUOIT_API int quoit_load_reports_set(quoit_load_reports *reports, const quoit_load *load);

QUOIT_END_DECLS
