/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <quoit/message.h>

/* Room for the longest name that is told, and a zero. */
#define FIELD_NAME_BYTES 256

/*
 * Writes what the field @number of messages with @table is called: "pkg.Msg.field"; where only its message is known, as for
 * an extension, "field 7 of pkg.Msg"; or else "field 7". What is too long is cut. The names are in the descriptors of @file, which may be
 * NULL, and of what it imports: they are looked through, so this is for when something is wrong.
 */
void field_name(char name[FIELD_NAME_BYTES], const quoit_file_descriptor *file,
        const upb_MiniTable *table, uint32_t number);

/* Writes the full name of the message with @table. False: neither @file nor what it imports has it, and @name is undefined. */
bool message_name(
        char name[FIELD_NAME_BYTES], const quoit_file_descriptor *file, const upb_MiniTable *table);
