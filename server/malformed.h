/* SPDX-License-Identifier: MIT */
#pragma once

/* A line in the log for a stream that is reset for what its request is: where the client sees an error, so does the operator. */

struct call_group;
struct session_malformed;

void malformed_tell(struct call_group *group, const struct session_malformed *what);
