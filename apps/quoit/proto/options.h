/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Options, also custom ones: their names are in the pool. Each is a statement, "option name = value;", or an entry of a list in brackets
 * that may hold other entries.
 */

#include "printer.h"

/* The kinds of elements that have options. */
struct options_kind {
        const char *type; /* their message, in google.protobuf */
        int32_t number; /* of the field in the element's descriptor, for paths */
};

extern const struct options_kind options_of_file, options_of_message, options_of_field,
        options_of_oneof, options_of_range, options_of_enum, options_of_value, options_of_service,
        options_of_method;

/* The serialized options of one element; empty if it has none. */
upb_StringView options_bytes(struct printer *p, const void *options, const upb_MiniTable *table);

/*
 * Prints @options, serialized, as statements. @scope is where protoc looks for names: around the element. Returns how many.
 */
size_t options_print_statements(struct printer *p, const struct options_kind *kind,
        const char *scope, upb_StringView options);

/* A list in brackets behind an element, if there is an entry. */
struct options_list {
        size_t count;
};

/* Begins the next entry, for what is not an option in the descriptor. */
void options_list_next(struct printer *p, struct options_list *list);
void options_list_add(struct printer *p, struct options_list *list, const struct options_kind *kind,
        const char *scope, upb_StringView options);
void options_list_end(struct printer *p, struct options_list *list);

/* The same for an element with nothing else in its list. */
void options_print_list(struct printer *p, const struct options_kind *kind, const char *scope,
        upb_StringView options);
