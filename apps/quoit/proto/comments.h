/* SPDX-License-Identifier: MIT */
#pragma once

/* Comments, and the order in which the author wrote, from a descriptor's source_code_info. Most descriptors have none. */

#include "printer.h"

/* Prepares a printer. */
void comments_find(struct printer *p);

/* Of the current element: whether there are some before it, also apart from it. */
bool comments_are_before(const struct printer *p);
bool comments_are_detached(const struct printer *p);

/* Whole lines. */
void comments_print_before(struct printer *p);

/* The end of a line. */
void comments_print_behind(struct printer *p);

/* Where the current element is in the author's file: lines, and columns in them. 0: not known. */
uint64_t comments_position(const struct printer *p);
