/* SPDX-License-Identifier: MIT */
#pragma once

/* Metadata of one connection, not of the call: what a client says of itself, and HTTP's own fields, which the next client makes anew. */

#include <stdbool.h>

#include "upb/base/string_view.h"

/* Whether a field of that name is not passed on, and not recorded. */
bool hop_has(upb_StringView name);
