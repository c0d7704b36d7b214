/* SPDX-License-Identifier: MIT */
#include "transport/tls.h"

#include <stdlib.h>
#include <string.h>

static int pipe_read(BIO *bio, char *data, size_t size, size_t *ret_size)
{
        struct tls *tls = BIO_get_data(bio);

        BIO_clear_retry_flags(bio);
        if (tls->in_size == 0) {
                BIO_set_retry_read(bio);
                return 0;
        }
        if (size > tls->in_size)
                size = tls->in_size;
        memcpy(data, tls->in, size);
        tls->in += size;
        tls->in_size -= size;
        *ret_size = size;
        return 1;
}

bool tls_bytes_reserve(struct tls_bytes *bytes, size_t size)
{
        size_t capacity = bytes->size + size;
        uint8_t *data;

        if (bytes->capacity >= capacity)
                return true;
        if (capacity < 2 * bytes->capacity)
                capacity = 2 * bytes->capacity;
        data = realloc(bytes->data, capacity);
        if (!data)
                return false;
        bytes->data = data;
        bytes->capacity = capacity;
        return true;
}

bool tls_bytes_append(struct tls_bytes *bytes, const void *data, size_t size)
{
        if (size == 0)
                return true;
        if (!tls_bytes_reserve(bytes, size))
                return false;
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
        return true;
}

static int pipe_write(BIO *bio, const char *data, size_t size, size_t *ret_size)
{
        struct tls *tls = BIO_get_data(bio);

        BIO_clear_retry_flags(bio);
        if (!tls_bytes_append(&tls->out, data, size))
                return 0;
        *ret_size = size;
        return 1;
}

static long pipe_control(BIO *bio, int command, long number, void *pointer)
{
        (void)bio;
        (void)number;
        (void)pointer;
        return command == BIO_CTRL_FLUSH; /* nothing is held back; all else is not ours */
}

BIO_METHOD *tls_pipe_new(void)
{
        BIO_METHOD *pipe = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "quoit");

        if (pipe) {
                BIO_meth_set_read_ex(pipe, pipe_read);
                BIO_meth_set_write_ex(pipe, pipe_write);
                BIO_meth_set_ctrl(pipe, pipe_control);
        }
        return pipe;
}
