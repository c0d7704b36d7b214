/* SPDX-License-Identifier: MIT */
#include "services/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So that it never waits for a FIFO's reader. */
static int open_path(const char *path)
{
        int fd =
                open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);

        return fd < 0 ? -errno : fd;
}

/* See systemd.exec(5). If stderr was redirected since, the variable is still set but does not match. */
static bool is_journal(const struct stat *status)
{
        const char *stream = getenv("JOURNAL_STREAM");
        char own[64];

        snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status->st_dev,
                (unsigned long long)status->st_ino);
        return stream && strcmp(stream, own) == 0;
}

static void set_fd(struct log_file *file, int fd)
{
        struct stat status;
        bool is_known = fstat(fd, &status) == 0;

        file->fd = fd;
        file->is_regular = is_known && S_ISREG(status.st_mode);
        file->is_journal = is_known && is_journal(&status);
}

int log_file_open(struct log_file *file, const char *path)
{
        int fd;

        *file = (struct log_file){ 0 };
        if (!path || strcmp(path, "-") == 0) {
                set_fd(file, path ? STDOUT_FILENO : STDERR_FILENO);
                return 0;
        }
        file->path = strdup(path);
        if (!file->path)
                return -ENOMEM;
        fd = open_path(path);
        if (fd < 0)
                free(file->path);
        else
                set_fd(file, fd);
        return fd < 0 ? fd : 0;
}

void log_file_close(struct log_file *file)
{
        if (file->path)
                close(file->fd);
        free(file->path);
}

static bool are_same(int one_fd, int other_fd)
{
        struct stat one, other;

        return fstat(one_fd, &one) == 0 && fstat(other_fd, &other) == 0 &&
               one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int log_file_reopen(struct log_file *file)
{
        bool is_same;
        int fd;

        if (!file->path)
                return 0; /* a descriptor that belongs to the program */
        fd = open_path(file->path);
        if (fd < 0)
                return fd;
        is_same = are_same(fd, file->fd);
        close(file->fd);
        set_fd(file, fd);
        return !is_same;
}

const char *log_file_name(const struct log_file *file)
{
        if (file->path)
                return file->path;
        return file->fd == STDOUT_FILENO ? "stdout" : "stderr";
}

/* As many whole lines as a pipe takes atomically, so that no other process writes into the middle of one. */
static size_t first_piece(const char *lines, size_t size)
{
        const char *end;

        if (size <= PIPE_BUF)
                return size;
        end = memrchr(lines, '\n', PIPE_BUF);
        return end ? (size_t)(end - lines) + 1 : PIPE_BUF;
}

/*
 * Other processes may share the descriptor, blocking or not, so its flags are not changed. A write that could block is kept
 * small and made when there is room. (It can still block if another process was faster; the end of the writer is prepared for
 * that.)
 */
ssize_t log_file_write(struct log_file *file, const char *lines, size_t size)
{
        struct pollfd polled = { .fd = file->fd, .events = POLLOUT };
        ssize_t n;

        if (!file->is_regular) {
                size = first_piece(lines, size);
                if (poll(&polled, 1, LOG_FILE_WAIT_MS) == 0)
                        return -EAGAIN;
        }
        n = write(file->fd, lines, size);
        return n < 0 ? -errno : n;
}
