/* SPDX-License-Identifier: MIT */
#pragma once

#include <nghttp2/nghttp2.h>

/* The PING that goes with the first GOAWAY of a drain: eight bytes. */
#define DRAIN_PING "draining"
#define PING_BYTES 8

/* The two halves of what nghttp2 calls; their user data is the session. */
void receive_set_callbacks(nghttp2_session_callbacks *callbacks);
void send_set_callbacks(nghttp2_session_callbacks *callbacks);
