/* SPDX-License-Identifier: MIT */
#pragma once

/* Lines for the log that wait until nghttp2's callbacks are over (call_group_report()). */

struct call_group;

/* Logs and frees them, in their order. */
void report_deliver(struct call_group *group);
