/* SPDX-License-Identifier: MIT */
#pragma once

/* What tests use of shop.proto: its header brings google.protobuf.descriptor's, which upb's reflection has under the same names. */

#include <quoit/json.h>
#include <quoit/method.h>

struct upb_MessageDef;

extern const quoit_file_descriptor *const shop_file;
extern const quoit_service *const shop_service;
extern const upb_MiniTable *const shop_order_table; /* of the message shop.Order */

/* The schema of shop.proto, as the group's state. */
int shop_setup(void **state);
int shop_teardown(void **state);

/* What upb knows of shop.Order. */
const struct upb_MessageDef *shop_order(const quoit_schema *schema);

/* The Order @order as JSON, in @arena. */
const char *shop_print(const quoit_schema *schema, const upb_Message *order, upb_Arena *arena);
