/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What calls send: the messages of -d. One without parts that differ is encoded once; one with cells of a table once for each row; others
 * anew for each call. Made on one thread, then used by several.
 *
 * The client gets them as messages of a type without fields, whose unknown fields have the bytes: so a call only copies these. What servers
 * answer comes in the same way, and is not decoded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>
#include <quoit/method.h>
#include <quoit/schema.h>

#include "../source.h"
#include "table.h"
#include "template.h"

struct payload_message;

struct payload {
        struct source *source;
        const upb_MessageDef *type;
        const struct payload_message *messages; /* @count of them, at least one */
        size_t count;
};

/* What a thread makes messages with. */
struct payload_maker {
        struct buffer buffer;
        struct chance chance;
};

/* @method, with messages as they are here. */
quoit_method payload_method(const quoit_method *method);

/*
 * Takes the messages of @text, JSON behind JSON, for requests of @type. All of it is in @arena; @text, @table (NULL: none) and @source must
 * live as long as it. 0; or a negative errno, and *@ret_problem says what is wrong.
 */
int payload_init(struct payload *payload, struct source *source, const upb_MessageDef *type,
        const char *text, const struct table *table, upb_Arena *arena, quoit_problem *ret_problem);

/*
 * The message number @index, modulo their number, for call number @seq; what is made anew is in the arena of @call. 0; or a negative errno, and
 * *@ret_problem says what is wrong with it.
 */
int payload_get(const struct payload *payload, size_t index, uint64_t seq,
        struct payload_maker *maker, quoit_outcall *call, const upb_Message **ret_message,
        size_t *ret_bytes, quoit_problem *ret_problem);

/* How many bytes there are in a message that a server has sent. */
size_t payload_bytes(const upb_Message *message);
