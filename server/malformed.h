/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Logs that a stream is reset because its request is malformed. The client sees an error then, so the operator should too.
 */

struct call_group;
struct session_malformed;

void malformed_log(struct call_group *group, const struct session_malformed *what);
