/* SPDX-License-Identifier: MIT */
#pragma once

struct session_events;

/* What a client's session calls: streams are calls, its user is the connection's group. All inside nghttp2's callbacks: only notes. */
extern const struct session_events outcall_stream_events;
