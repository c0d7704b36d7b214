/* SPDX-License-Identifier: MIT */
#pragma once

#include "transport/session.h"

/* What a server's session tells its calls; the session's user is the connection's call_group. */
extern const struct session_events stream_events;
