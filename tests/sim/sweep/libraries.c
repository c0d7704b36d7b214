/* SPDX-License-Identifier: MIT */

/* Libraries beside ours, whose allocations the linker cannot replace: they are told ours. And what the system does for the product. */

#include "libraries.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>

#include "../fibers.h"
#include "core/clock.h"
#include "core/engine/sim.h"

/* ---- OpenSSL, c-ares ---- */

static void *crypto_malloc(size_t size, const char *file, int line)
{
        (void)file;
        (void)line;
        return malloc(size);
}

static void *crypto_realloc(void *block, size_t size, const char *file, int line)
{
        (void)file;
        (void)line;
        return realloc(block, size);
}

static void crypto_free(void *block, const char *file, int line)
{
        (void)file;
        (void)line;
        free(block);
}

/* Functions that the linker replaces have no address that could be passed. */
static void *own_malloc(size_t size)
{
        return malloc(size);
}

static void *own_realloc(void *block, size_t size)
{
        return realloc(block, size);
}

static void own_free(void *block)
{
        free(block);
}

void libraries_begin(void)
{
        if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1 ||
                ares_library_init_mem(ARES_LIB_INIT_ALL, own_malloc, own_free, own_realloc) != 0)
                abort();
}

/*
 * What it cannot allocate in here OpenSSL does without, and does not say so: a context then lacks a cipher or a kind of signature for
 * as long as it lives, and nobody can see it. So it fails as a whole.
 */
SSL_CTX *__real_SSL_CTX_new(const SSL_METHOD *method);
SSL_CTX *__wrap_SSL_CTX_new(const SSL_METHOD *method);

SSL_CTX *__wrap_SSL_CTX_new(const SSL_METHOD *method)
{
        SSL_CTX *context;

        if (sim_call_fails())
                return NULL;
        sim_own_begin();
        context = __real_SSL_CTX_new(method);
        sim_own_end();
        return context;
}

/* ---- zlib, zstd ---- */

static void *zlib_alloc(void *unused, unsigned count, unsigned size)
{
        (void)unused;
        return calloc(count, size);
}

static void zlib_free(void *unused, void *block)
{
        (void)unused;
        free(block);
}

int __real_deflateInit2_(z_streamp stream, int level, int method, int window, int memory,
        int strategy, const char *version, int size);
int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window, int memory,
        int strategy, const char *version, int size);
int __real_inflateInit2_(z_streamp stream, int window, const char *version, int size);
int __wrap_inflateInit2_(z_streamp stream, int window, const char *version, int size);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window, int memory,
        int strategy, const char *version, int size)
{
        stream->zalloc = zlib_alloc;
        stream->zfree = zlib_free;
        return __real_deflateInit2_(stream, level, method, window, memory, strategy, version, size);
}

int __wrap_inflateInit2_(z_streamp stream, int window, const char *version, int size)
{
        stream->zalloc = zlib_alloc;
        stream->zfree = zlib_free;
        return __real_inflateInit2_(stream, window, version, size);
}

static void *zstd_alloc(void *unused, size_t size)
{
        (void)unused;
        return malloc(size);
}

static const ZSTD_customMem zstd_memory = { zstd_alloc, zlib_free, NULL };

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
        return ZSTD_createCCtx_advanced(zstd_memory);
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
        return ZSTD_createDCtx_advanced(zstd_memory);
}

/* ---- the C library, the system ---- */

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
        struct addrinfo **ret_addresses);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
        struct addrinfo **ret_addresses);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_listen(int fd, int backlog);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

FILE *__wrap_fopen(const char *path, const char *mode)
{
        if (fiber_is_inside() && sim_call_fails()) {
                errno = EMFILE;
                return NULL;
        }
        return __real_fopen(path, mode);
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
        struct addrinfo **ret_addresses)
{
        return sim_call_fails() ? EAI_MEMORY : __real_getaddrinfo(host, port, hints, ret_addresses);
}

/* The first server of a run is at the first place, and so is whoever listens after it. */
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
        (void)fd;
        (void)address;
        (void)size;
        errno = EACCES;
        return sim_call_fails() ? -1 : 0;
}

int __wrap_listen(int fd, int backlog)
{
        (void)backlog;
        errno = EADDRINUSE;
        if (sim_call_fails())
                return -1;
        sim_listen_with(0, fd);
        return 0;
}

int __wrap_fcntl64(int fd, int command, ...)
{
        va_list arguments;
        long value;

        if (sim_file(fd)) {
                errno = EBADF;
                return sim_call_fails() ? -1 : 0; /* F_SETFD */
        }
        va_start(arguments, command);
        value = va_arg(arguments, long);
        va_end(arguments);
        return __real_fcntl64(fd, command, value);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
        (void)rest;
        fiber_sleep((uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec);
        return 0;
}
