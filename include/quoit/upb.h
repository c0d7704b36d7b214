/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * upb, Google's small protobuf runtime, as built into libquoit: its symbols are renamed (upb_names.h), so that it does not
 * clash with another upb in the same process. Its headers are made for the compiler's default warnings; the pragma turns off
 * all others there.
 */
#pragma GCC system_header

#include <quoit/upb_config.h>
#include <quoit/upb_names.h>

#include "upb/generated_code_support.h"
#include "upb/mem/arena.h"
#include "upb/message/copy.h"
#include "upb/message/map.h"

#if QUOIT_UPB_FASTTABLE && !defined(__cplusplus)
#include "upb/wire/decode_fast/field_parsers.h"
#endif
