/* SPDX-License-Identifier: MIT */
#pragma once

/* What every answer says to browsers, so that nothing but the page's own files runs in the page. */

#include <quoit/call.h>

/* What a host and its port are made of. None of these ends an origin in a Content-Security-Policy. */
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"

/* Before the answer. @connects: an origin that the page calls; NULL: none but its own. */
void headers_add(quoit_call *call, const char *connects);

/* A field of the answer; without memory there will be no answer either. */
void headers_set(quoit_call *call, const char *name, const char *value);
