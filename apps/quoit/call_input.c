/* SPDX-License-Identifier: MIT */
#include "call_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "say.h"

#define READ_BYTES ((size_t)64 << 10)
#define SEPARATOR '\036'

void input_init(struct input *input, const struct strings *data, bool is_text)
{
        *input = (struct input){ .data = data, .is_text = is_text, .is_all = true };
}

void input_deinit(struct input *input)
{
        free(input->owned);
        input->owned = NULL;
}

/* Opens the next value. 0, or -ENODATA, or an errno, as was said. */
static int open_next(struct input *input)
{
        const char *value;

        if (input->next == input->data->count)
                return -ENODATA;
        value = input->data->at[input->next++];
        input_deinit(input);
        input->split = (struct json_split){ 0 };
        input->room = 0;
        input->is_all = strcmp(value, "@") && strcmp(value, "@-") && strcmp(value, "-");
        if (!input->is_all) {
                input->name = "standard input";
                input->size = 0;
                return 0;
        }
        input->name = value[0] == '@' ? value + 1 : "-d";
        if (value[0] != '@') {
                input->text = value;
                input->size = strlen(value);
        } else if (file_read(value + 1, &input->owned, &input->size) < 0) {
                int error = errno;

                say_usage("-d: %s: %s", input->name, strerror(error));
                return -error;
        } else {
                input->text = input->owned;
        }
        return 0;
}

static bool split_text(struct input *input, size_t *ret_size)
{
        const char *end = input->size ? memchr(input->text, SEPARATOR, input->size) : NULL;

        *ret_size = end ? (size_t)(end - input->text) : input->size;
        return end || (input->is_all && input->size);
}

/* Cuts a message off. False: there is none yet, or no other. */
static bool cut(struct input *input, upb_StringView *ret_text)
{
        size_t size;
        bool is_cut = input->is_text ? split_text(input, &size)
                                     : json_split_next(&input->split, input->text, input->size,
                                               input->is_all, &size);

        if (!is_cut)
                return false;
        *ret_text = upb_StringView_FromDataAndSize(input->text, size);
        if (input->is_text && size < input->size)
                size++;
        input->text += size;
        input->size -= size;
        input->split = (struct json_split){ 0 };
        input->number++;
        return true;
}

int input_next(struct input *input, upb_StringView *ret_text)
{
        while (!cut(input, ret_text)) {
                int r;

                if (!input->is_all)
                        return 0;
                r = open_next(input);
                if (r < 0)
                        return r;
        }
        return 1;
}

int input_fd(const struct input *input)
{
        (void)input;
        return STDIN_FILENO;
}

/* Moves what is left to the beginning of a buffer with room for more. */
static int make_room(struct input *input)
{
        size_t room = input->room ? input->room : READ_BYTES;
        char *owned;

        while (room - input->size < READ_BYTES / 2)
                room *= 2;
        if (input->owned && input->size)
                memmove(input->owned, input->text, input->size);
        owned = realloc(input->owned, room);
        if (!owned) {
                say_failed("out of memory");
                return -ENOMEM;
        }
        input->owned = owned;
        input->text = owned;
        input->room = room;
        return 0;
}

int input_read(struct input *input)
{
        int r = make_room(input);
        ssize_t n;

        if (r < 0)
                return r;
        n = read(STDIN_FILENO, input->owned + input->size, input->room - input->size);
        if (n < 0 && errno != EINTR && errno != EAGAIN) {
                int error = errno;

                say_failed("standard input: %s", strerror(error));
                return -error;
        }
        if (n == 0)
                input->is_all = true;
        if (n > 0)
                input->size += (size_t)n;
        return 0;
}
