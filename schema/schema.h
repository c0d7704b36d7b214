/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/schema.h>

#include "upb/reflection/def.h"

/* upb's definitions, by name. */
const upb_DefPool *schema_pool(const quoit_schema *schema);

/* 0 and *@ret_type, the description of the messages with @table; or -ENOENT, with the reason in @ret_problem. */
int schema_find(const quoit_schema *schema, const upb_MiniTable *table,
        const upb_MessageDef **ret_type, quoit_problem *problem);
