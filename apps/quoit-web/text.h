/* SPDX-License-Identifier: MIT */
#pragma once

/* A text that grows in an arena, and what HTML needs of it. */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/upb.h>

struct text {
        upb_Arena *arena;
        char *data; /* not zero-terminated */
        size_t size, room;
        bool failed; /* there was no memory: it is not whole */
};

/* NULL in @arena: it has failed. Lives as long as @arena. */
void text_init(struct text *text, upb_Arena *arena);

void text_add(struct text *text, const char *bytes, size_t size);
void text_add_string(struct text *text, const char *string);
void __attribute__((format(printf, 2, 3))) text_addf(struct text *text, const char *format, ...);

/* For anywhere between tags, or between an attribute's double quotes: shows @value as it is, whatever is in it. */
void text_add_escaped(struct text *text, upb_StringView value);

/* What stands for {{KEY}} in a template: HTML as it is, or text that is escaped. A list ends with NULL in @key. */
struct slot {
        const char *key;
        upb_StringView value;
        bool is_html;
};

#define SLOT(name, text) { .key = name, .value = text }
#define SLOT_HTML(name, text) { .key = name, .value = text, .is_html = true }

/* Adds @template, filled. What has no slot is left out. */
void text_add_filled(struct text *text, const char *template, const struct slot *slots);

static inline upb_StringView text_view(const struct text *text)
{
        return upb_StringView_FromDataAndSize(text->data, text->size);
}
