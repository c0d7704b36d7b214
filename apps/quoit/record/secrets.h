/* SPDX-License-Identifier: MIT */
#pragma once

/* Metadata that lets others in: a recording does not have its values. */

#include <stdbool.h>

#include "upb/base/string_view.h"

/* What a recording has in place of a secret. */
#define SECRET_REDACTED "<redacted>"

/* Whether values under this name are secrets: authorization, cookies, and names that say so: "x-api-key", "csrf-token". */
bool secret_is_name(upb_StringView name);

/* Whether that is no value, but stands for one. */
bool secret_is_redacted(upb_StringView value);
