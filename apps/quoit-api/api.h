/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api.quoit.h"

/* The seed's service: sayHello, getAll, getStream. Its `user` is a struct api_limits. */
extern const api_Api_service api_service;

struct api_limits {
        size_t message_bytes_max; /* a getAll whose answer would be larger is refused */
};

/* The encoded size of the answer to getAll(@length). */
uint64_t api_items_bytes(int32_t length);
