/* SPDX-License-Identifier: MIT */
#pragma once

/* A line for the log about a handler that answers with another method's type. */

struct quoit_call;
struct upb_MiniTable;

/* The handler of @call sent a message of @type. On the handler's thread. */
void wrong_type_log(const struct quoit_call *call, const struct upb_MiniTable *type);
