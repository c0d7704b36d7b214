/* SPDX-License-Identifier: MIT */
#pragma once

#include <nghttp2/nghttp2.h>

/* The two halves of what nghttp2 calls; their user data is the session. */
void receive_set_callbacks(nghttp2_session_callbacks *callbacks);
void send_set_callbacks(nghttp2_session_callbacks *callbacks);
