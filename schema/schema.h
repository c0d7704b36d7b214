/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/schema.h>

#include "upb/reflection/def.h"

/* As quoit_schema_new(), and with @spare, unless the files have another of its name, or one that defines a name of its own. NULL: none. */
int schema_new_with(const quoit_file_descriptor *const *files, size_t count,
        const quoit_file_descriptor *spare, quoit_schema **ret_schema, quoit_problem *ret_problem);

/* upb's definitions, by name. */
const upb_DefPool *schema_pool(const quoit_schema *schema);

/* 0 and *@ret_type, the description of the messages with @table; or -ENOENT, with the reason in @ret_problem. */
int schema_find(const quoit_schema *schema, const upb_MiniTable *table,
        const upb_MessageDef **ret_type, quoit_problem *problem);
