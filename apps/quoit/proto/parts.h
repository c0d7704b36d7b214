/* SPDX-License-Identifier: MIT */
#pragma once

/* The parts of a file, each at the printer's place. @scope is the full name of what they are in. */

#include "scope.h"

void parts_print_items(struct printer *p, const struct scope *scope);
void parts_print_message(struct printer *p, const message_proto *message, const char *scope);
void parts_print_enum(struct printer *p, const enum_proto *e, const char *scope);
void parts_print_service(struct printer *p, const service_proto *service, const char *scope);

/* A field or an extension; a group with its message. */
void parts_print_field(struct printer *p, const struct scope *scope, const field_proto *field);

/* Whether the field, or what its group or its map's entry contains, is to be printed. */
bool parts_wants_field(struct printer *p, const struct scope *scope, const field_proto *field);

/* What messages and enums have in common. */
void parts_print_visibility(struct printer *p, int visibility);
void parts_print_reserved_names(
        struct printer *p, int32_t number, const upb_StringView *names, size_t n);

/* The lines between a message's braces. */
void parts_print_message_body(struct printer *p, const message_proto *message, const char *name);

/*
 * Whether to print the element @name, which may contain others. *@ret_bare: it is only there since what is wanted is in it. If it is not
 * bare, all that is in it is wanted: @p->only is NULL until the caller sets it back.
 */
bool parts_enter(struct printer *p, const char *name, bool *ret_bare);
