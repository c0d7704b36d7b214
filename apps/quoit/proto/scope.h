/* SPDX-License-Identifier: MIT */
#pragma once

/* What a file or a message contains, and in which order it is printed. */

#include "printer.h"

struct scope {
        const char *name; /* in full; "": the file has no package */
        int32_t at_messages, at_enums, at_extensions; /* fields of the descriptor, for paths */
        const message_proto *const *messages;
        const enum_proto *const *enums;
        const field_proto *const *extensions;
        const field_proto *const *fields; /* a message's */
        const oneof_proto *const *oneofs; /* a message's */
        const service_proto *const *services; /* a file's */
        size_t n_messages, n_enums, n_extensions, n_fields, n_oneofs, n_services;
};

/* Field numbers in descriptor.proto. */
enum {
        AT_FILE_PACKAGE = 2,
        AT_FILE_IMPORT = 3,
        AT_FILE_MESSAGE = 4,
        AT_FILE_ENUM = 5,
        AT_FILE_SERVICE = 6,
        AT_FILE_EXTENSION = 7,
        AT_FILE_SYNTAX = 12,
        AT_MESSAGE_FIELD = 2,
        AT_MESSAGE_MESSAGE = 3,
        AT_MESSAGE_ENUM = 4,
        AT_MESSAGE_RANGE = 5,
        AT_MESSAGE_EXTENSION = 6,
        AT_MESSAGE_ONEOF = 8,
        AT_MESSAGE_RESERVED = 9,
        AT_MESSAGE_RESERVED_NAME = 10,
        AT_ENUM_VALUE = 2,
        AT_ENUM_RESERVED = 4,
        AT_ENUM_RESERVED_NAME = 5,
        AT_SERVICE_METHOD = 2,
};

void scope_of_file(struct printer *p, struct scope *scope);
void scope_of_message(
        struct printer *p, const message_proto *message, const char *name, struct scope *scope);

/* The message in @scope that @field makes: a map's entry or a group. -1: none. */
int scope_made_by(const struct scope *scope, const field_proto *field);
bool scope_is_map(const struct scope *scope, const field_proto *field);

/* Whether it is written; another stands for the presence of a field of proto3. */
bool scope_has_oneof(const struct scope *scope, size_t oneof);

/* The oneof that @field is written in; -1: none. */
int scope_oneof_of(const struct scope *scope, const field_proto *field);

struct item {
        enum { ITEM_SERVICE, ITEM_FIELD, ITEM_ONEOF, ITEM_MESSAGE, ITEM_ENUM, ITEM_EXTENSION } kind;
        size_t index; /* among its kind */
        uint64_t position; /* in the author's file; 0: not known */
};

/*
 * All that is written, without the messages that fields make, in an order of which protoc makes the same descriptor: the author's, if that
 * is known.
 */
const struct item *scope_items(struct printer *p, const struct scope *scope, size_t *ret_count);
