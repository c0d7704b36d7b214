/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

struct quoit_call;

/*
 * Adds the @size @bytes, a google.rpc.Status, to the trailers. 0; -E2BIG: with the others it is over `metadata_out_bytes_max`;
 * -ENOMEM.
 */
int call_add_status_details(struct quoit_call *call, const void *bytes, size_t size);
