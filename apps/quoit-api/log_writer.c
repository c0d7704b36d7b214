/* SPDX-License-Identifier: MIT */
#include "log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "thread.h"

#define BUFFER_BYTES                                                                               \
        ((size_t)1 << 20) /* some 4000 lines; the thread has as much again in its hands */
#define PAUSE_NS 100000000l

struct log_writer {
        const char *path;
        int fd; /* the thread's */
        pthread_t thread;
        char *writing; /* the thread's buffer */
        pthread_mutex_t mutex; /* of all below */
        pthread_cond_t changed;
        char *filling;
        size_t filled;
        unsigned long long dropped; /* lines, since they were told of */
        bool reopens;
        bool closes;
};

static int open_file(const char *path)
{
        int fd;

        if (strcmp(path, "-") == 0)
                return STDOUT_FILENO;
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        return fd < 0 ? -errno : fd;
}

static void close_file(int fd)
{
        if (fd != STDOUT_FILENO)
                close(fd);
}

/* What is wrong with the file is told once, until it is right again. */
static bool write_all(struct log_writer *writer, const char *bytes, size_t size, bool was_bad)
{
        while (size > 0) {
                ssize_t n = write(writer->fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        if (!was_bad)
                                fprintf(stderr, "quoit-api: warning: access log %s: %s\n",
                                        writer->path, strerror(errno));
                        return false;
                }
                bytes += n;
                size -= (size_t)n;
        }
        return true;
}

static void reopen(struct log_writer *writer)
{
        int fd = open_file(writer->path);

        if (fd < 0) {
                fprintf(stderr, "quoit-api: warning: access log %s: %s; the old file is kept\n",
                        writer->path, strerror(-fd));
                return;
        }
        close_file(writer->fd);
        writer->fd = fd;
}

/* Until there is something to be done; and a moment longer, so that who writes need not wake us for every line. */
static void wait_for_lines(struct log_writer *writer)
{
        struct timespec until;

        while (writer->filled == 0 && !writer->reopens && !writer->closes)
                pthread_cond_wait(&writer->changed, &writer->mutex);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += PAUSE_NS;
        until.tv_sec += until.tv_nsec / 1000000000l;
        until.tv_nsec %= 1000000000l;
        while (writer->filled < BUFFER_BYTES / 2 && !writer->reopens && !writer->closes) {
                if (pthread_cond_timedwait(&writer->changed, &writer->mutex, &until) == ETIMEDOUT)
                        break;
        }
}

/* Takes what there is, and writes it while others go on. False: it was the last. */
static bool write_lines(struct log_writer *writer, bool *bad)
{
        unsigned long long dropped = writer->dropped;
        bool reopens = writer->reopens, closes = writer->closes;
        size_t size = writer->filled;
        char *lines = writer->filling;

        writer->filling = writer->writing;
        writer->writing = lines;
        writer->filled = 0;
        writer->dropped = 0;
        writer->reopens = false;
        pthread_mutex_unlock(&writer->mutex);
        if (reopens)
                reopen(writer);
        *bad = !write_all(writer, lines, size, *bad);
        if (dropped > 0)
                fprintf(stderr,
                        "quoit-api: warning: access log %s: %llu lines dropped, it is too slow\n",
                        writer->path, dropped);
        pthread_mutex_lock(&writer->mutex);
        return !closes;
}

static void *run(void *user)
{
        struct log_writer *writer = user;
        bool bad = false;

        pthread_mutex_lock(&writer->mutex);
        do
                wait_for_lines(writer);
        while (write_lines(writer, &bad));
        pthread_mutex_unlock(&writer->mutex);
        return NULL;
}

static void writer_free(struct log_writer *writer)
{
        close_file(writer->fd);
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->mutex);
        free(writer->writing);
        free(writer->filling);
        free(writer);
}

int log_writer_open(const char *path, struct log_writer **ret_writer)
{
        struct log_writer *writer = calloc(1, sizeof(*writer));
        pthread_condattr_t attributes;
        int r;

        if (!writer)
                return -ENOMEM;
        writer->fd = open_file(path);
        if (writer->fd < 0) {
                r = writer->fd;
                free(writer);
                return r;
        }
        writer->path = path;
        writer->writing = malloc(BUFFER_BYTES);
        writer->filling = malloc(BUFFER_BYTES);
        pthread_mutex_init(&writer->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&writer->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        r = writer->writing && writer->filling ? thread_start(&writer->thread, run, writer)
                                               : -ENOMEM;
        if (r < 0) {
                writer_free(writer);
                return r;
        }
        *ret_writer = writer;
        return 0;
}

void log_writer_close(struct log_writer *writer)
{
        if (!writer)
                return;
        pthread_mutex_lock(&writer->mutex);
        writer->closes = true;
        pthread_cond_signal(&writer->changed);
        pthread_mutex_unlock(&writer->mutex);
        pthread_join(writer->thread, NULL);
        writer_free(writer);
}

void log_writer_line(void *user, const char *line, size_t size)
{
        struct log_writer *writer = user;
        size_t before;

        pthread_mutex_lock(&writer->mutex);
        before = writer->filled;
        if (size > BUFFER_BYTES - before) {
                writer->dropped++;
        } else {
                memcpy(writer->filling + before, line, size);
                writer->filled += size;
                if (before == 0 ||
                        (before < BUFFER_BYTES / 2 && writer->filled >= BUFFER_BYTES / 2))
                        pthread_cond_signal(&writer->changed);
        }
        pthread_mutex_unlock(&writer->mutex);
}

void log_writer_reopen(void *user)
{
        struct log_writer *writer = user;

        pthread_mutex_lock(&writer->mutex);
        writer->reopens = true;
        pthread_cond_signal(&writer->changed);
        pthread_mutex_unlock(&writer->mutex);
}
