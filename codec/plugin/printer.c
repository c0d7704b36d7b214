/* SPDX-License-Identifier: MIT */
#include "codec/plugin/printer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void printer_init(struct printer *p, upb_Arena *arena)
{
        *p = (struct printer){ .arena = arena };
}

static struct printer_var *printer_find(struct printer *p, const char *name, size_t size)
{
        for (size_t i = 0; i < p->n_vars; i++)
                if (strlen(p->vars[i].name) == size && !memcmp(p->vars[i].name, name, size))
                        return &p->vars[i];
        return NULL;
}

void printer_set(struct printer *p, const char *name, const char *value)
{
        struct printer_var *var = printer_find(p, name, strlen(name));

        if (!var) {
                assert(p->n_vars < PRINTER_VARS_MAX);
                var = &p->vars[p->n_vars++];
                var->name = name;
        }
        var->value = value;
}

/* Makes room for @size more bytes and a NUL; the old text is left to the arena. */
static void printer_reserve(struct printer *p, size_t size)
{
        size_t capacity = p->capacity ? p->capacity : 4096;
        char *data;

        if (p->size + size < p->capacity)
                return;
        while (capacity <= p->size + size)
                capacity *= 2;
        data = memory_alloc(p->arena, capacity);
        if (p->size)
                memcpy(data, p->data, p->size);
        p->data = data;
        p->capacity = capacity;
}

void printer_append(struct printer *p, const char *data, size_t size)
{
        printer_reserve(p, size);
        if (size)
                memcpy(p->data + p->size, data, size);
        p->size += size;
}

void printer_emit(struct printer *p, const char *template)
{
        const char *open, *close;

        while ((open = strchr(template, '$'))) {
                struct printer_var *var;

                close = strchr(open + 1, '$');
                assert(close);
                var = printer_find(p, open + 1, (size_t)(close - open - 1));
                assert(var);
                printer_append(p, template, (size_t)(open - template));
                printer_append(p, var->value, strlen(var->value));
                template = close + 1;
        }
        printer_append(p, template, strlen(template));
}

void printer_printf(struct printer *p, const char *format, ...)
{
        va_list args;
        int size;

        va_start(args, format);
        size = vsnprintf(NULL, 0, format, args);
        va_end(args);

        printer_reserve(p, (size_t)size);
        va_start(args, format);
        vsnprintf(p->data + p->size, (size_t)size + 1, format, args);
        va_end(args);
        p->size += (size_t)size;
}
