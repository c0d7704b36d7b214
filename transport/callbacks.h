/* SPDX-License-Identifier: MIT */
#pragma once

#include <nghttp2/nghttp2.h>

#define FRAME_HEADER_BYTES 9
/* The payloads of our PINGs: they tell the answers apart. */
#define PING_BYTES 8
#define PING_OF_DRAIN "draining"
#define PING_OF_ROUND_TRIP "measured"

/* Set nghttp2's callbacks for receiving and for sending; their user data is the session. */
void receive_set_callbacks(nghttp2_session_callbacks *callbacks);
void send_set_callbacks(nghttp2_session_callbacks *callbacks);
