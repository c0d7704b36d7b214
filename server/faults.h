/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What peers do wrong in HTTP/2, as lines of the log: a stream is reset because its request is malformed, or the connection ends
 * because the peer broke the protocol. The client sees an error then, so the operator should too.
 */

#include <stddef.h>
#include <stdint.h>

struct call_group;
struct call_host;
struct session_malformed;

/* Report what the events of a session of the same name say. Inside nghttp2's callbacks: call_group_report(). */
void faults_on_malformed(struct call_group *group, const struct session_malformed *what);
void faults_on_fault(struct call_group *group, uint32_t error_code, const char *text, size_t size);

/* call_host.on_report: logs such a line, if peers have not caused too many of them. */
void faults_log(const struct call_host *host, const char *line);
