/* SPDX-License-Identifier: MIT */
#pragma once

#include <nghttp2/nghttp2.h>

/* What our PINGs carry: it says which one an answer is for. */
#define FRAME_HEADER_BYTES 9
#define PING_BYTES 8
#define PING_OF_DRAIN "draining"
#define PING_OF_ROUND_TRIP "measured"

/* The two halves of what nghttp2 calls; their user data is the session. */
void receive_set_callbacks(nghttp2_session_callbacks *callbacks);
void send_set_callbacks(nghttp2_session_callbacks *callbacks);
