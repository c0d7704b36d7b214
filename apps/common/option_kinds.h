/* SPDX-License-Identifier: MIT */
#pragma once

/* What most options do: functions for `set` of an option_entry, which set what is at its offset. A wrong value ends the program. */

#include "option.h"

#define OPTION_LIST_MAX 64

/* Several texts, in their order. */
struct option_list {
        const char *texts[OPTION_LIST_MAX];
        unsigned count;
};

/* A const char *. */
void option_set_text(struct options *options, const struct option_value *value);

/* An unsigned, from `min` to `max`. */
void option_set_number(struct options *options, const struct option_value *value);

/* An unsigned: milliseconds, from `min`. */
void option_set_time(struct options *options, const struct option_value *value);

/* An int, from 0 to 65535. */
void option_set_port(struct options *options, const struct option_value *value);

/* A bool; that of "no-..." the other way round. */
void option_set_switch(struct options *options, const struct option_value *value);
void option_set_inverse(struct options *options, const struct option_value *value);

/* A quoit_engine. */
void option_set_engine(struct options *options, const struct option_value *value);

/* One more of a struct option_list, up to `max` of them (0: OPTION_LIST_MAX). */
void option_add_text(struct options *options, const struct option_value *value);

/* Which of @words, a list that ends with NULL, it is. @list has them for a message. */
unsigned option_choose(
        const struct option_value *value, const char *const *words, const char *list);

/* The place of what it sets. */
void *option_place(struct options *options, const struct option_value *value);

/* --config, --help and --version; behind a paragraph that says where else options come from. */
extern const struct option_entry option_general[];
