/* SPDX-License-Identifier: MIT */
#include "fuzz/mutator.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX 256
#define BLOBS_MAX 256
#define PAYLOAD_BYTES_MAX 300

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);

/* An input that is changed. */
struct work {
        uint8_t *data;
        size_t size, size_max;
        uint64_t random;
};

/* A place of it. */
struct span {
        size_t at, size;
};

/* The units of a step: its size is written in the @prefix bytes before them. */
struct blob {
        struct span span;
        size_t prefix;
};

static size_t choose(struct work *work, size_t count)
{
        work->random = work->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return count > 0 ? (size_t)(work->random >> 33) % count : 0;
}

static size_t read_number(const uint8_t *at, size_t bytes)
{
        size_t number = 0;

        for (size_t i = 0; i < bytes; i++)
                number = number << 8 | at[i];
        return number;
}

static void write_number(uint8_t *at, size_t bytes, size_t number)
{
        for (size_t i = bytes; i-- > 0; number >>= 8)
                at[i] = (uint8_t)number;
}

static size_t operand_bytes(enum mutator_operand operand)
{
        switch (operand) {
        case OPERAND_NONE:
                return 0;
        case OPERAND_BYTE:
        case OPERAND_UNITS:
                return 1;
        case OPERAND_TWO_BYTES:
        case OPERAND_MANY_UNITS:
                break;
        }
        return 2;
}

/* Those of the input's steps that have units. How many. */
static size_t find_blobs(const struct work *work, struct blob blobs[static BLOBS_MAX])
{
        size_t at = mutator_form.start, count = 0;

        while (at < work->size && count < BLOBS_MAX) {
                enum mutator_operand operand =
                        mutator_form.operands[work->data[at] % mutator_form.steps];
                size_t bytes = operand_bytes(operand), size = 0;

                at += 1 + bytes;
                if (at > work->size)
                        break;
                if (operand == OPERAND_UNITS || operand == OPERAND_MANY_UNITS) {
                        size = read_number(work->data + at - bytes, bytes);
                        size = size < work->size - at ? size : work->size - at;
                        blobs[count++] = (struct blob){ { at, size }, bytes };
                }
                at += size;
        }
        return count;
}

/* Those in @blob; what is at its end, and is not whole, is none. */
static size_t find_units(
        const struct work *work, const struct blob *blob, struct span units[static UNITS_MAX])
{
        const struct mutator_form *form = &mutator_form;
        size_t at = blob->span.at, end = at + blob->span.size, count = 0;

        while (end - at >= form->head_bytes && count < UNITS_MAX) {
                size_t size = form->head_bytes +
                              read_number(work->data + at + form->length_at, form->length_bytes);

                if (size > end - at)
                        break;
                units[count++] = (struct span){ at, size };
                at += size;
        }
        return count;
}

/* Puts @size bytes in place of @old, which is in @blob. False: there is no room. */
static bool replace(struct work *work, const struct blob *blob, struct span old,
        const uint8_t *bytes, size_t size)
{
        size_t behind = work->size - old.at - old.size,
               blob_size = blob->span.size - old.size + size;

        if (work->size - old.size + size > work->size_max ||
                blob_size > (blob->prefix == 1 ? UINT8_MAX : UINT16_MAX))
                return false;
        memmove(work->data + old.at + size, work->data + old.at + old.size, behind);
        if (size > 0)
                memcpy(work->data + old.at, bytes, size);
        work->size += size - old.size;
        write_number(work->data + blob->span.at - blob->prefix, blob->prefix, blob_size);
        return true;
}

/* A unit of any kind, with a payload of any bytes. */
static size_t make_unit(struct work *work, uint8_t *out)
{
        const struct mutator_form *form = &mutator_form;
        static const uint8_t sizes[] = { 0, 1, 2, 4, 4, 5, 6, 8, 8, 12, 40, 255 };
        size_t size = sizes[choose(work, sizeof(sizes))];

        for (size_t i = 0; i < form->head_bytes + size; i++)
                out[i] = choose(work, 3) > 0 ? 0 : (uint8_t)choose(work, 256);
        /* of HTTP/2 a stream's number: a small one */
        if (form->head_bytes > 5) {
                memset(out + 5, 0, 3);
                out[8] = (uint8_t)choose(work, 10);
        } else {
                out[1] = out[2] = 3;
        }
        out[form->kind_at] = (uint8_t)(form->first_kind + choose(work, form->kinds));
        write_number(out + form->length_at, form->length_bytes, size);
        return form->head_bytes + size;
}

/* Flags, streams, kinds and versions: all of the head but its length. */
static void change_head(struct work *work, struct span unit)
{
        const struct mutator_form *form = &mutator_form;
        uint8_t *head = work->data + unit.at;
        size_t at = choose(work, form->head_bytes);

        if (at == form->kind_at)
                head[at] = (uint8_t)(form->first_kind + choose(work, form->kinds));
        else if (at < form->length_at || at >= form->length_at + form->length_bytes)
                head[at] = choose(work, 2) ? (uint8_t)choose(work, 16)
                                           : head[at] ^ (uint8_t)(1u << choose(work, 8));
}

/* As libFuzzer changes bytes, and the length is right again. */
static bool change_payload(struct work *work, const struct blob *blob, struct span unit)
{
        const struct mutator_form *form = &mutator_form;
        uint8_t *copy = malloc(unit.size + PAYLOAD_BYTES_MAX);
        size_t payload = unit.size - form->head_bytes;
        bool done;

        memcpy(copy, work->data + unit.at, unit.size);
        payload = LLVMFuzzerMutate(copy + form->head_bytes, payload, payload + PAYLOAD_BYTES_MAX);
        write_number(copy + form->length_at, form->length_bytes, payload);
        done = replace(work, blob, unit, copy, form->head_bytes + payload);
        free(copy);
        return done;
}

/* @unit once more where @place begins, @move: and no longer where it was. */
static bool repeat(
        struct work *work, const struct blob *blob, struct span unit, struct span place, bool move)
{
        uint8_t *copy = malloc(unit.size);
        bool done;

        memcpy(copy, work->data + unit.at, unit.size);
        if (move) {
                struct blob less = *blob;

                (void)replace(work, blob, unit, NULL, 0);
                less.span.size -= unit.size;
                place.at -= place.at > unit.at ? unit.size : 0;
                done = replace(work, &less, (struct span){ place.at, 0 }, copy, unit.size);
        } else {
                done = replace(work, blob, (struct span){ place.at, 0 }, copy, unit.size);
        }
        free(copy);
        return done;
}

static bool put_in(struct work *work, const struct blob *blob, size_t at)
{
        uint8_t unit[16 + UINT8_MAX];
        size_t size = make_unit(work, unit);

        return replace(work, blob, (struct span){ at, 0 }, unit, size);
}

static bool change_units(struct work *work)
{
        struct blob blobs[BLOBS_MAX], *blob;
        struct span units[UNITS_MAX], unit;
        size_t count = find_blobs(work, blobs);

        if (count == 0)
                return false;
        blob = blobs + choose(work, count);
        count = find_units(work, blob, units);
        if (count == 0)
                return put_in(work, blob, blob->span.at);
        unit = units[choose(work, count)];
        switch (choose(work, 7)) {
        case 0:
                return replace(work, blob, unit, NULL, 0);
        case 1:
                return repeat(work, blob, unit, units[choose(work, count)], false);
        case 2:
                return repeat(work, blob, unit, units[choose(work, count)], true);
        case 3:
                return put_in(work, blob, unit.at);
        case 4:
                change_head(work, unit);
                return true;
        default:
                return change_payload(work, blob, unit);
        }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
        struct work work = { data, size, size_max, seed };

        if (choose(&work, 2) == 0 || !change_units(&work))
                return LLVMFuzzerMutate(data, work.size, size_max);
        return work.size;
}
