/* SPDX-License-Identifier: MIT */
#include "metadata_flags.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/upb.h>

#include "base64.h"
#include "say.h"

const struct flag metadata_flags[] = {
        { "header", 'H', "'NAME: VALUE'", "metadata; a value of NAME-bin is base64",
                flag_add_string, offsetof(struct metadata_flags, all), 0 },
        { "rpc-header", 0, "FIELD", "the same, not for reflection", flag_add_string,
                offsetof(struct metadata_flags, calls), 0 },
        { "reflect-header", 0, "FIELD", "the same, for reflection only", flag_add_string,
                offsetof(struct metadata_flags, reflection), 0 },
        { "expand-headers", 0, NULL, "${NAME} in them is a variable of the environment",
                flag_set_true, offsetof(struct metadata_flags, expands), 0 },
        { 0 },
};

static bool is_bin(const char *name)
{
        size_t size = strlen(name);

        return size > 4 && !strcmp(name + size - 4, "-bin");
}

/* @text with the environment's values in place of their ${NAME}, in @arena. NULL: one is not set, as is said. */
static char *expand(const char *text, struct upb_Arena *arena)
{
        size_t size = strlen(text) + 1, used = 0;
        char *out = upb_Arena_Malloc(arena, size);

        while (out && *text) {
                const char *end = !strncmp(text, "${", 2) ? strchr(text, '}') : NULL;
                char name[256];
                const char *value;

                if (!end) {
                        out[used++] = *text++;
                        continue;
                }
                snprintf(name, sizeof(name), "%.*s", (int)(end - text - 2), text + 2);
                value = getenv(name);
                if (!value) {
                        say_usage("-H: the variable %s is not set", name);
                        return NULL;
                }
                out = upb_Arena_Realloc(arena, out, size, size + strlen(value));
                size += strlen(value);
                if (out)
                        memcpy(out + used, value, strlen(value));
                used += strlen(value);
                text = end + 1;
        }
        if (out)
                out[used] = '\0';
        return out;
}

/* "name: value" into @field. @text may be written to. An exit status. */
static int split(char *text, struct upb_Arena *arena, quoit_metadata *field)
{
        char *colon = strchr(text, ':'), *value, *end;

        if (!colon || colon == text)
                return say_usage("-H '%s': write 'NAME: VALUE'", text);
        value = colon + 1 + strspn(colon + 1, " \t");
        for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]);)
                *--end = '\0';
        for (end = colon; end > text && isspace((unsigned char)end[-1]);)
                end--;
        *end = '\0';
        for (char *p = text; *p; p++)
                *p = (char)tolower((unsigned char)*p);
        field->name = text;
        field->value = upb_StringView_FromString(value);
        if (is_bin(text)) {
                char *bytes = upb_Arena_Malloc(arena, strlen(value) + 1);

                if (!bytes || !base64_decode(value, strlen(value), bytes, &field->value.size))
                        return say_usage("-H '%s: %s': the value is not base64", text, value);
                field->value.data = bytes;
        }
        return EXIT_DONE;
}

static int add(const struct metadata_flags *flags, const struct strings *texts,
        struct upb_Arena *arena, struct metadata *metadata)
{
        int status = EXIT_DONE;

        for (size_t i = 0; status == EXIT_DONE && i < texts->count; i++) {
                size_t size = strlen(texts->at[i]) + 1;
                char *text = flags->expands ? expand(texts->at[i], arena)
                                            : upb_Arena_Malloc(arena, size);

                if (!text)
                        return EXIT_USAGE;
                if (!flags->expands)
                        memcpy(text, texts->at[i], size);
                status = split(text, arena, &metadata->list[metadata->count++]);
        }
        return status;
}

int metadata_make(const struct metadata_flags *flags, bool is_reflection, struct upb_Arena *arena,
        struct metadata *ret_metadata)
{
        const struct strings *own = is_reflection ? &flags->reflection : &flags->calls;
        size_t count = flags->all.count + own->count;
        struct metadata metadata = {
                .list = upb_Arena_Malloc(arena, (count + 1) * sizeof(*metadata.list)),
        };
        int status;

        if (!metadata.list)
                return say_failed("out of memory");
        status = add(flags, &flags->all, arena, &metadata);
        if (status == EXIT_DONE)
                status = add(flags, own, arena, &metadata);
        if (status == EXIT_DONE)
                *ret_metadata = metadata;
        return status;
}

void metadata_flags_deinit(struct metadata_flags *flags)
{
        strings_deinit(&flags->all);
        strings_deinit(&flags->calls);
        strings_deinit(&flags->reflection);
}
