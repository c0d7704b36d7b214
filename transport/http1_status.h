/* SPDX-License-Identifier: MIT */
#pragma once

/* The reason phrase of an HTTP status (RFC 9110, section 15), for people; "" if it is a seldom one. */
const char *http1_status_phrase(const char *code);
