/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/call.h>

#define HOME_LENGTH_MAX 1000 /* of what it has in it; its script takes more */
#define HOME_TIMEOUT_MS 3000 /* of each of its calls */

/* "/", a handler of <quoit/http.h>: makes the seed's three calls at once, and a page of their answers. @site: a struct site. */
void home_serve(quoit_call *call, void *site);
