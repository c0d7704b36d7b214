/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * upb, Google's small protobuf runtime, as libquoit carries it: under names of its own
 * (upb_names.h), so that another upb in the same process stays another upb. Its headers are made for
 * compilers' default warnings; the pragma keeps the rest of yours out of them.
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
