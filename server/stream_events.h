/* SPDX-License-Identifier: MIT */
#pragma once

#include "transport/session.h"

/* What a server does on the events of a session, whose user is the connection's call_group. */
extern const struct session_events stream_events;
