/* SPDX-License-Identifier: MIT */
#pragma once

#include "upb/base/string_view.h"

/* A media type without its parameters: of "text/plain; charset=utf-8" the first word (RFC 9110, section 8.3.1). Letters stay as they are. */
upb_StringView media_type_cut(upb_StringView field);
