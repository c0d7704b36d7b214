/* SPDX-License-Identifier: MIT */
#include <quoit/log_writer.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/log_file.h"
#include "services/log_line.h"

#define BUFFER_BYTES                                                                               \
        ((size_t)1 << 20) /* some 4000 lines; the thread has a second buffer of this size */
#define PRINTF_BYTES 4000
#define PROBLEM_BYTES 512

#define NS_PER_MS UINT64_C(1000000)
#define PAUSE_NS (50 * NS_PER_MS) /* so that not every line wakes the thread */
#define BREATH_NS (10 * NS_PER_MS) /* between attempts when there is no room */
#define RETRY_NS (1000 * NS_PER_MS) /* a file with something wrong */
#define END_NS (1000 * NS_PER_MS) /* for what is left */
#define ABANDON_NS (END_NS + 300 * NS_PER_MS) /* for a thread that is stuck in a write */

struct quoit_log_writer {
        char *name; /* NULL: none */
        atomic_bool tells_time;
        atomic_bool is_json;
        atomic_int level; /* lines that are less severe are left out */
        bool is_journal; /* it writes to the journal */
        quoit_log_fn on_problem;
        void *problem_user;
        pthread_t thread;

        /* the thread's: */
        struct log_file file;
        char *writing; /* the lines that are written now: */
        size_t at;
        size_t size;
        bool is_bad; /* the file has a problem, which was reported */
        bool is_last_try; /* the last attempt, at the end, with a bad file */
        bool has_given_up; /* the rest is lost */
        unsigned long long lost; /* lines of it */

        pthread_mutex_t telling; /* held while the thread reports a problem; protects: */
        bool is_silent; /* problems must not be reported any more */
        pthread_mutex_t mutex; /* protects all below, and is held at most for the time of a copy */
        pthread_cond_t changed; /* for the thread */
        pthread_cond_t written; /* for threads that wait for a write, or for the end */
        char *filling;
        size_t filled;
        uint64_t dropped; /* lines, since this was reported last */
        bool is_writing; /* lines that were in @filling */
        bool hurries; /* a thread waits for the write */
        bool reopens;
        bool closes;
        bool has_ended; /* the thread */
        bool is_abandoned; /* it frees the writer */
        uint64_t closed_ns;
};

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

/* Under the mutex; no later than @until_ns. */
static void wait_until(quoit_log_writer *writer, pthread_cond_t *condition, uint64_t until_ns)
{
        struct timespec until = {
                .tv_sec = (time_t)(until_ns / (1000 * NS_PER_MS)),
                .tv_nsec = (long)(until_ns % (1000 * NS_PER_MS)),
        };

        pthread_cond_timedwait(condition, &writer->mutex, &until);
}

/* As it is now. */
static struct log_line_style style_of(const quoit_log_writer *writer)
{
        return (struct log_line_style){
                .name = writer->name,
                .is_journal = writer->is_journal,
                .tells_time = atomic_load_explicit(&writer->tells_time, memory_order_relaxed),
                .is_json = atomic_load_explicit(&writer->is_json, memory_order_relaxed),
        };
}

/* ---- the thread: problems ---- */

static void __attribute__((format(printf, 2, 3))) complain(
        quoit_log_writer *writer, const char *format, ...)
{
        char problem[PROBLEM_BYTES];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(problem, sizeof(problem), format, arguments);
        va_end(arguments);
        pthread_mutex_lock(&writer->telling);
        if (writer->on_problem && !writer->is_silent)
                writer->on_problem(writer->problem_user, QUOIT_LOG_WARNING, problem);
        pthread_mutex_unlock(&writer->telling);
}

static void reopen(quoit_log_writer *writer)
{
        int r = log_file_reopen(&writer->file);

        if (r < 0)
                complain(writer, "%s: %s; the old file is kept", log_file_name(&writer->file),
                        strerror(-r));
        /* the first line of another file is whole */
        while (r > 0 && writer->at > 0 && writer->writing[writer->at - 1] != '\n')
                writer->at--;
}

/* Reported once, until it works again. */
static void note_write(quoit_log_writer *writer, ssize_t n)
{
        if (n < 0 && !writer->is_bad)
                complain(writer, "%s: %s", log_file_name(&writer->file), strerror((int)-n));
        writer->is_bad = n < 0;
}

/* ---- the thread: writing ---- */

/* Whether the file has to be opened again; clears the request. */
static bool take_reopen(quoit_log_writer *writer)
{
        bool reopens;

        pthread_mutex_lock(&writer->mutex);
        reopens = writer->reopens;
        writer->reopens = false;
        pthread_mutex_unlock(&writer->mutex);
        return reopens;
}

static bool has_room_soon(ssize_t n)
{
        return n == -EAGAIN || n == -EINTR;
}

/* After a write: if nothing was written, waits before the next attempt. False: at the end, when it is time to give up. */
static bool may_go_on(quoit_log_writer *writer, ssize_t n)
{
        bool is_bad = n < 0 && !has_room_soon(n);
        uint64_t now = now_ns(), until_ns = now;
        bool may;

        if (n < 0)
                until_ns += is_bad ? RETRY_NS : BREATH_NS;
        pthread_mutex_lock(&writer->mutex);
        while (now < until_ns && !writer->reopens && !(is_bad && writer->closes)) {
                wait_until(writer, &writer->changed, until_ns);
                now = now_ns();
        }
        if (is_bad)
                may = !writer->is_last_try;
        else
                may = !writer->closes || now < writer->closed_ns + END_NS;
        writer->is_last_try = writer->closes;
        pthread_mutex_unlock(&writer->mutex);
        return may;
}

static unsigned long long count_lines(const char *bytes, size_t size)
{
        const char *end = bytes + size;
        unsigned long long count = 0;

        while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes)))) {
                bytes++;
                count++;
        }
        return count;
}

/* Writes all lines in @writing, or as many as possible. */
static void write_all(quoit_log_writer *writer)
{
        while (writer->at < writer->size && !writer->has_given_up) {
                ssize_t n = log_file_write(
                        &writer->file, writer->writing + writer->at, writer->size - writer->at);

                if (n > 0)
                        writer->at += (size_t)n;
                else if (n == 0)
                        n = -EAGAIN;
                if (!has_room_soon(n))
                        note_write(writer, n);
                if (!may_go_on(writer, n))
                        writer->has_given_up = true;
                if (take_reopen(writer))
                        reopen(writer);
        }
        writer->lost += count_lines(writer->writing + writer->at, writer->size - writer->at);
}

/* Reports dropped lines in the log itself, where they are missing. */
static void tell_of_dropped(quoit_log_writer *writer, uint64_t dropped)
{
        struct log_line_style style = style_of(writer);
        struct log_line line;
        char text[PROBLEM_BYTES];

        if (writer->has_given_up)
                return;
        if (writer->on_problem) {
                complain(writer, "%s: %llu lines dropped: it is too slow, or a line is over 1 MiB",
                        log_file_name(&writer->file), (unsigned long long)dropped);
                return;
        }
        snprintf(text, sizeof(text), "%llu lines were dropped here, this log is too slow",
                (unsigned long long)dropped);
        log_line_make(&line, &style, &log_line_kinds[QUOIT_LOG_WARNING], text);
        if (log_line_size(&line) > BUFFER_BYTES) /* a name beyond all bounds */
                return;
        writer->at = 0;
        writer->size = log_line_size(&line);
        log_line_write(&line, writer->writing);
        write_all(writer);
}

/*
 * Takes the waiting lines, and writes them while others add more. False: it was the last time. Under the mutex, which it
 * releases while it writes.
 */
static bool write_lines(quoit_log_writer *writer)
{
        uint64_t dropped = writer->dropped;
        bool closes = writer->closes;
        char *lines = writer->filling;

        writer->filling = writer->writing;
        writer->writing = lines;
        writer->at = 0;
        writer->size = writer->filled;
        writer->filled = 0;
        writer->dropped = 0;
        writer->is_writing = true;
        writer->hurries = false;
        pthread_mutex_unlock(&writer->mutex);
        if (take_reopen(writer))
                reopen(writer);
        write_all(writer);
        if (dropped > 0)
                tell_of_dropped(writer, dropped);
        pthread_mutex_lock(&writer->mutex);
        writer->is_writing = false;
        pthread_cond_broadcast(&writer->written);
        return !closes;
}

/* Waits until there is something to do; for less than half a buffer at least @pause_ns. Under the mutex. */
static void wait_for_lines(quoit_log_writer *writer, uint64_t pause_ns)
{
        while (writer->filled == 0 && writer->dropped == 0 && !writer->reopens && !writer->closes)
                pthread_cond_wait(&writer->changed, &writer->mutex);
        while (writer->filled < BUFFER_BYTES / 2 && !writer->hurries && !writer->reopens &&
                !writer->closes && now_ns() < pause_ns)
                wait_until(writer, &writer->changed, pause_ns);
}

static void writer_free(quoit_log_writer *writer)
{
        log_file_close(&writer->file);
        pthread_cond_destroy(&writer->written);
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->mutex);
        pthread_mutex_destroy(&writer->telling);
        free(writer->writing);
        free(writer->filling);
        free(writer->name);
        free(writer);
}

static void *run(void *user)
{
        quoit_log_writer *writer = user;
        uint64_t pause_ns = 0;
        bool is_abandoned;

        pthread_mutex_lock(&writer->mutex);
        do {
                wait_for_lines(writer, pause_ns);
                pause_ns = now_ns() + PAUSE_NS;
        } while (write_lines(writer));
        pthread_mutex_unlock(&writer->mutex);
        if (writer->lost > 0)
                complain(writer, "%s: %llu lines lost at the end", log_file_name(&writer->file),
                        writer->lost);
        pthread_mutex_lock(&writer->mutex);
        writer->has_ended = true;
        is_abandoned = writer->is_abandoned;
        pthread_cond_broadcast(&writer->written);
        pthread_mutex_unlock(&writer->mutex);
        if (is_abandoned)
                writer_free(writer);
        return NULL;
}

/* ---- life ---- */

/* All signals are blocked: the program handles them on threads of its own, and SIGPIPE is not needed. */
static int start_thread(quoit_log_writer *writer)
{
        sigset_t all, old;
        int r;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&writer->thread, NULL, run, writer);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
}

static void init_waiting(quoit_log_writer *writer)
{
        pthread_condattr_t attributes;

        pthread_mutex_init(&writer->telling, NULL);
        pthread_mutex_init(&writer->mutex, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&writer->changed, &attributes);
        pthread_cond_init(&writer->written, &attributes);
        pthread_condattr_destroy(&attributes);
}

static int begin(quoit_log_writer *writer, const quoit_log_writer_options *options)
{
        atomic_store_explicit(&writer->level, QUOIT_LOG_DEBUG, memory_order_relaxed);
        writer->on_problem = options->on_problem;
        writer->problem_user = options->problem_user;
        writer->name = options->name ? strdup(options->name) : NULL;
        writer->writing = malloc(BUFFER_BYTES);
        writer->filling = malloc(BUFFER_BYTES);
        if (!writer->writing || !writer->filling || (options->name && !writer->name))
                return -ENOMEM;
        return start_thread(writer);
}

int quoit_log_writer_new(const quoit_log_writer_options *options, quoit_log_writer **ret_writer)
{
        static const quoit_log_writer_options defaults = { 0 };
        quoit_log_writer *writer = calloc(1, sizeof(*writer));
        int r;

        if (!writer)
                return -ENOMEM;
        if (!options)
                options = &defaults;
        r = log_file_open(&writer->file, options->path);
        if (r < 0) {
                free(writer);
                return r;
        }
        writer->is_journal = writer->file.is_journal;
        init_waiting(writer);
        r = begin(writer, options);
        if (r < 0)
                writer_free(writer);
        else
                *ret_writer = writer;
        return r;
}

/* False: it is stuck. */
static bool await_thread(quoit_log_writer *writer)
{
        bool has_ended;

        pthread_mutex_lock(&writer->mutex);
        writer->closes = true;
        writer->closed_ns = now_ns();
        pthread_cond_signal(&writer->changed);
        while (!writer->has_ended && now_ns() < writer->closed_ns + ABANDON_NS)
                wait_until(writer, &writer->written, writer->closed_ns + ABANDON_NS);
        has_ended = writer->has_ended;
        pthread_mutex_unlock(&writer->mutex);
        return has_ended;
}

/* Leaves the thread to a write that does not return. If it does return, the thread frees the writer and reports nothing. */
static void abandon(quoit_log_writer *writer)
{
        pthread_t thread = writer->thread;
        bool has_ended;

        complain(writer, "%s: a write does not end: lines are lost", log_file_name(&writer->file));
        pthread_mutex_lock(&writer->telling);
        writer->is_silent = true;
        pthread_mutex_unlock(&writer->telling);
        pthread_mutex_lock(&writer->mutex);
        has_ended = writer->has_ended; /* the write has returned just now */
        writer->is_abandoned = true;
        pthread_mutex_unlock(&writer->mutex);
        if (!has_ended) {
                pthread_detach(thread);
                return;
        }
        pthread_join(thread, NULL);
        writer_free(writer);
}

quoit_log_writer *quoit_log_writer_free(quoit_log_writer *writer)
{
        if (!writer)
                return NULL;
        if (await_thread(writer)) {
                pthread_join(writer->thread, NULL);
                writer_free(writer);
        } else {
                abandon(writer);
        }
        return NULL;
}

int quoit_log_writer_flush(quoit_log_writer *writer, unsigned timeout_ms)
{
        uint64_t until_ns = now_ns() + timeout_ms * NS_PER_MS;
        bool has_lines;

        pthread_mutex_lock(&writer->mutex);
        for (;;) {
                has_lines = writer->filled > 0 || writer->dropped > 0 || writer->is_writing;
                if (!has_lines || now_ns() >= until_ns)
                        break;
                writer->hurries = true;
                pthread_cond_signal(&writer->changed);
                wait_until(writer, &writer->written, until_ns);
        }
        pthread_mutex_unlock(&writer->mutex);
        return has_lines ? -ETIMEDOUT : 0;
}

/* ---- lines ---- */

/* All of it, or nothing. */
static void put_line(quoit_log_writer *writer, const struct log_line *line)
{
        size_t before, size = log_line_size(line);

        pthread_mutex_lock(&writer->mutex);
        before = writer->filled;
        if (writer->dropped > 0 ||
                size > BUFFER_BYTES - before) { /* no line is added after lines were dropped */
                if (writer->dropped++ == 0)
                        pthread_cond_signal(&writer->changed);
        } else {
                log_line_write(line, writer->filling + before);
                writer->filled += size;
                if (before == 0 ||
                        (before < BUFFER_BYTES / 2 && writer->filled >= BUFFER_BYTES / 2))
                        pthread_cond_signal(&writer->changed);
        }
        pthread_mutex_unlock(&writer->mutex);
}

void quoit_log_writer_line(void *user, const char *text, size_t size)
{
        struct log_line line;

        log_line_take(&line, text, size);
        put_line(user, &line);
}

static void put_text(quoit_log_writer *writer, quoit_log_level level,
        const struct log_line_kind *kind, const char *text)
{
        struct log_line_style style = style_of(writer);
        struct log_line line;

        if ((int)level > atomic_load_explicit(&writer->level, memory_order_relaxed))
                return;
        log_line_make(&line, &style, kind, text);
        put_line(writer, &line);
}

void quoit_log_writer_log(void *user, quoit_log_level level, const char *line)
{
        put_text(user, level, &log_line_kinds[level], line);
}

void quoit_log_writer_tell_time(quoit_log_writer *writer)
{
        atomic_store_explicit(&writer->tells_time, true, memory_order_relaxed);
}

void quoit_log_writer_set_level(quoit_log_writer *writer, quoit_log_level level)
{
        atomic_store_explicit(&writer->level, (int)level, memory_order_relaxed);
}

void quoit_log_writer_set_json(quoit_log_writer *writer, bool is_json)
{
        atomic_store_explicit(&writer->is_json, is_json, memory_order_relaxed);
}

void quoit_log_writer_printf(quoit_log_writer *writer, const char *format, ...)
{
        char line[PRINTF_BYTES + 1];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        put_text(writer, QUOIT_LOG_INFO, &log_line_plain, line);
}

void quoit_log_writer_reopen(void *user)
{
        quoit_log_writer *writer = user;

        pthread_mutex_lock(&writer->mutex);
        writer->reopens = true;
        pthread_cond_signal(&writer->changed);
        pthread_mutex_unlock(&writer->mutex);
}
