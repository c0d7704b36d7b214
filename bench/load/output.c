/* SPDX-License-Identifier: MIT */
#include "bench/load/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define CAPACITY_MIN 4096
#define PIECES_MIN 8
#define IOVECS_MAX 64 /* one send; more pieces take more sends */

struct output_piece {
        const unsigned char *external; /* NULL: the next @size of the owned bytes */
        size_t size;
};

void output_init(struct output *output)
{
        *output = (struct output){ 0 };
}

void output_deinit(struct output *output)
{
        free(output->bytes);
        free(output->pieces);
}

/* A load generator without memory has nothing to measure. */
static void *grow(void *old, size_t size)
{
        void *grown = realloc(old, size);

        if (!grown) {
                fputs("quoit-load: out of memory\n", stderr);
                exit(EXIT_FAILURE);
        }
        return grown;
}

static void append_piece(struct output *output, const unsigned char *external, size_t size)
{
        if (output->piece_count == output->piece_capacity) {
                output->piece_capacity =
                        output->piece_capacity ? 2 * output->piece_capacity : PIECES_MIN;
                output->pieces =
                        grow(output->pieces, output->piece_capacity * sizeof(struct output_piece));
        }
        output->pieces[output->piece_count++] = (struct output_piece){ external, size };
}

unsigned char *output_reserve(struct output *output, size_t size)
{
        size_t at = output->used;

        if (size > output->capacity - at) {
                size_t capacity = output->capacity ? output->capacity : CAPACITY_MIN;

                while (capacity - at < size)
                        capacity *= 2;
                output->bytes = grow(output->bytes, capacity);
                output->capacity = capacity;
        }
        output->used += size;
        if (output->piece_count > 0 && !output->pieces[output->piece_count - 1].external)
                output->pieces[output->piece_count - 1].size += size;
        else
                append_piece(output, NULL, size);
        return output->bytes + at;
}

void output_refer(struct output *output, const unsigned char *bytes, size_t size)
{
        append_piece(output, bytes, size);
}

static size_t gather(const struct output *output, struct iovec *iovecs)
{
        size_t owned = output->owned_sent, skip = output->first_piece_sent, count = 0;

        for (size_t i = output->first_piece; i < output->piece_count && count < IOVECS_MAX; i++) {
                const struct output_piece *piece = &output->pieces[i];
                size_t size = piece->size - skip;

                if (piece->external) {
                        iovecs[count].iov_base = (void *)(piece->external + skip);
                } else {
                        iovecs[count].iov_base = output->bytes + owned;
                        owned += size;
                }
                iovecs[count++].iov_len = size;
                skip = 0;
        }
        return count;
}

/* Takes @size sent bytes off the front. */
static void advance(struct output *output, size_t size)
{
        while (size > 0) {
                const struct output_piece *piece = &output->pieces[output->first_piece];
                size_t left = piece->size - output->first_piece_sent;
                size_t taken = left < size ? left : size;

                if (!piece->external)
                        output->owned_sent += taken;
                output->first_piece_sent += taken;
                if (taken == left) {
                        output->first_piece++;
                        output->first_piece_sent = 0;
                }
                size -= taken;
        }
        if (output->first_piece < output->piece_count)
                return;
        output->used = output->piece_count = 0;
        output->first_piece = output->owned_sent = 0;
}

int output_send(struct output *output, int fd, size_t *sent_bytes)
{
        while (!output_is_empty(output)) {
                struct iovec iovecs[IOVECS_MAX];
                struct msghdr message = { .msg_iov = iovecs };
                ssize_t sent;

                message.msg_iovlen = gather(output, iovecs);
                sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent < 0)
                        return -errno;
                *sent_bytes += (size_t)sent;
                advance(output, (size_t)sent);
        }
        return 0;
}
