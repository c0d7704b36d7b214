/* SPDX-License-Identifier: MIT */
#pragma once

/* What a type is called, as far as a server can know: call_host.name_type. Any thread. */

#include "codec/field_name.h"

struct call_host;

void type_name(const struct call_host *host, const struct upb_MiniTable *type,
        char ret_name[FIELD_NAME_BYTES]);
