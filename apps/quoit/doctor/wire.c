/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "elapsed.h"

/* 0; -ETIMEDOUT, or another negative errno. */
static int await(struct wire *wire, short events)
{
        struct pollfd polled = { .fd = wire->fd, .events = events };
        int r = poll(&polled, 1, elapsed_left_ms(wire->deadline_ns));

        if (r < 0 && errno != EINTR)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

/* What a function of OpenSSL has returned: 0, and it is to be called again; 1: the peer has closed; or a negative errno. */
static int go_on(struct wire *wire, int result)
{
        int system_error = errno;

        switch (SSL_get_error(wire->ssl, result)) {
        case SSL_ERROR_WANT_READ:
                return await(wire, POLLIN);
        case SSL_ERROR_WANT_WRITE:
                return await(wire, POLLOUT);
        case SSL_ERROR_ZERO_RETURN:
                return 1;
        case SSL_ERROR_SYSCALL:
                if (ERR_peek_error() == 0)
                        return system_error ? -system_error : 1;
                return -EPROTO;
        default:
                /* The peer has closed without close_notify, as many do. */
                return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                               ? 1
                               : -EPROTO;
        }
}

int wire_handshake(struct wire *wire)
{
        for (;;) {
                int result, r;

                ERR_clear_error();
                errno = 0;
                result = SSL_connect(wire->ssl);
                if (result == 1)
                        return 0;
                r = go_on(wire, result);
                if (r != 0)
                        return r > 0 ? -ECONNRESET : r;
        }
}

static int write_some(struct wire *wire, const void *bytes, size_t size, size_t *ret_count)
{
        ssize_t count;

        if (wire->ssl) {
                ERR_clear_error();
                errno = 0;
                return SSL_write_ex(wire->ssl, bytes, size, ret_count) ? 0 : go_on(wire, 0);
        }
        count = send(wire->fd, bytes, size, MSG_NOSIGNAL);
        if (count < 0)
                return errno == EAGAIN || errno == EINTR ? await(wire, POLLOUT) : -errno;
        *ret_count = (size_t)count;
        return 0;
}

int wire_write(struct wire *wire, const void *bytes, size_t size)
{
        const char *next = bytes;

        while (size > 0) {
                size_t count = 0;
                int r = write_some(wire, next, size, &count);

                if (r != 0)
                        return r > 0 ? -EPIPE : r;
                next += count;
                size -= count;
        }
        return 0;
}

static int read_tls(struct wire *wire, void *bytes, size_t size)
{
        for (;;) {
                size_t count;
                int r;

                ERR_clear_error();
                errno = 0;
                if (SSL_read_ex(wire->ssl, bytes, size, &count))
                        return (int)count;
                r = go_on(wire, 0);
                if (r != 0)
                        return r > 0 ? 0 : r;
        }
}

int wire_read_some(struct wire *wire, void *bytes, size_t size)
{
        if (wire->ssl)
                return read_tls(wire, bytes, size);
        for (;;) {
                ssize_t count = recv(wire->fd, bytes, size, 0);
                int r;

                if (count >= 0)
                        return (int)count;
                if (errno != EAGAIN && errno != EINTR)
                        return -errno;
                r = await(wire, POLLIN);
                if (r < 0)
                        return r;
        }
}

int wire_read(struct wire *wire, void *bytes, size_t size)
{
        char *next = bytes;

        while (size > 0) {
                int r = wire_read_some(wire, next, size);

                if (r <= 0)
                        return r;
                next += r;
                size -= (size_t)r;
        }
        return 1;
}

void wire_close(struct wire *wire)
{
        SSL_free(wire->ssl);
        close(wire->fd);
}
