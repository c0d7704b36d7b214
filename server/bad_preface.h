/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names what a client speaks that does not begin with HTTP/2's preface: HTTP/1, TLS, a PROXY protocol header, or something
 * else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

enum bad_preface {
        BAD_PREFACE_UNCLEAR, /* too little has arrived */
        BAD_PREFACE_HTTP1,
        BAD_PREFACE_TLS,
        BAD_PREFACE_PROXY_V1,
        BAD_PREFACE_PROXY_V2,
        BAD_PREFACE_DAMAGED, /* almost HTTP/2's preface */
        BAD_PREFACE_OTHER,
};

/* What these bytes (at least one) begin. They are not HTTP/2's preface. @whole: no more will arrive. Pure. */
enum bad_preface bad_preface_classify(const uint8_t *data, size_t size, bool whole);

/*
 * The peer of @connection does not speak HTTP/2. Once it has sent enough to see what it speaks, logs that, and queues an
 * answer for HTTP/1. @whole: it will send nothing more. False: wait for more.
 */
bool bad_preface_answer(struct connection *connection, bool whole);
