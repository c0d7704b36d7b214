/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "transport/connect_answer.h"

/*
 * What a proxy answers comes to the same, however it is cut. Input: a byte with the size of the parts that it comes in, a byte with a
 * quarter of the limit, the answer.
 */
struct outcome {
        int result;
        size_t used;
        char text[CONNECT_ANSWER_LINE_BYTES + 1];
};

/* From memory of exactly the size of each part. */
static struct outcome feed(const uint8_t *data, size_t size, size_t part_size, size_t bytes_max)
{
        struct outcome outcome = { .result = 0 };
        struct connect_answer answer;

        connect_answer_init(&answer, bytes_max);
        while (outcome.result == 0 && outcome.used < size) {
                size_t left = size - outcome.used, used, part = left < part_size ? left : part_size;
                uint8_t *copy = malloc(part);

                memcpy(copy, data + outcome.used, part);
                outcome.result = connect_answer_feed(&answer, copy, part, &used);
                free(copy);
                assert(used <= part && (outcome.result != 0 || used == part));
                outcome.used += used;
        }
        connect_answer_text(&answer, outcome.text);
        return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = { data, size };
        size_t part_size = take_byte(&input) + 1, bytes_max = take_byte(&input) * 4;
        struct outcome whole = feed(input.at, input.size, input.size, bytes_max);
        struct outcome cut = feed(input.at, input.size, part_size, bytes_max);

        assert(whole.result == cut.result && whole.used == cut.used);
        assert(strcmp(whole.text, cut.text) == 0);
        assert(whole.used <= bytes_max + 1);
        if (whole.result == 1) /* an empty line is its end */
                assert(whole.used >= 2 && input.at[whole.used - 1] == '\n');
        return 0;
}
