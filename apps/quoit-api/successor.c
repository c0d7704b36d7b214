/* SPDX-License-Identifier: MIT */
#include "successor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/program.h"

#define LAST_WORDS_MS 1000 /* between shutting the pipe and ending */

static void write_doors(FILE *out, const struct doors *doors, int ready_fd)
{
        fprintf(out, PREDECESSOR_VARIABLE "=%d\n", ready_fd);
        for (unsigned i = 0; i < doors->count; i++) {
                for (unsigned j = 0; j < doors->of[i].count; j++)
                        fprintf(out, "%d,",
                                quoit_server_listener_fd(doors->server, doors->of[i].first + j));
                fprintf(out, " %s\n", doors->of[i].address);
        }
}

/* Heap; NULL: no memory. */
static char *describe_doors(const struct doors *doors, int ready_fd)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        write_doors(out, doors, ready_fd);
        if (fclose(out) == 0)
                return text;
        free(text);
        return NULL;
}

/* Ours and @variable, which is not among ours. Heap; NULL: no memory. */
static char **environment_with(char *variable)
{
        size_t count = 0;
        char **environment;

        while (environ[count])
                count++;
        environment = calloc(count + 2, sizeof(*environment));
        if (!environment)
                return NULL;
        memcpy(environment, environ, count * sizeof(*environment));
        environment[count] = variable;
        return environment;
}

/* What is to be open there, by the same numbers: "dup2" to itself takes close-on-exec away. */
static int keep_open(posix_spawn_file_actions_t *actions, const struct doors *doors, int ready_fd)
{
        int r = posix_spawn_file_actions_adddup2(actions, ready_fd, ready_fd);

        for (unsigned i = 0; r == 0 && i < quoit_server_listener_count(doors->server); i++) {
                int fd = quoit_server_listener_fd(doors->server, i);

                r = posix_spawn_file_actions_adddup2(actions, fd, fd);
        }
        return -r;
}

/*
 * Here all signals are blocked, for the thread that waits. There those must be that would end it before its main() has
 * blocked them itself; what is to end it may.
 */
static int spawn(
        pid_t *ret_pid, char **argv, const posix_spawn_file_actions_t *actions, char **environment)
{
        posix_spawnattr_t attributes;
        sigset_t blocked = program_signals((const int[]){ SIGHUP, SIGUSR2, 0 });
        sigset_t defaults;
        int r;

        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &blocked);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        r = posix_spawnp(ret_pid, argv[0], actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
        return -r;
}

static int spawn_with(
        struct successor *successor, char **argv, const struct doors *doors, int ready_fd)
{
        char *variable = describe_doors(doors, ready_fd);
        char **environment = variable ? environment_with(variable) : NULL;
        posix_spawn_file_actions_t actions;
        int r = environment ? 0 : -ENOMEM;

        posix_spawn_file_actions_init(&actions);
        if (r == 0)
                r = keep_open(&actions, doors, ready_fd);
        if (r == 0)
                r = spawn(&successor->pid, argv, &actions, environment);
        posix_spawn_file_actions_destroy(&actions);
        free(environment);
        free(variable);
        return r;
}

int successor_start(struct successor *successor, char **argv, const struct doors *doors)
{
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = spawn_with(successor, argv, doors, ends[1]);
        close(ends[1]); /* now it is the successor's alone: its end is heard */
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        successor->ready_fd = ends[0];
        successor->pidfd = (int)syscall(SYS_pidfd_open, successor->pid, 0);
        return 0;
}

static void forget(struct successor *successor)
{
        close(successor->ready_fd);
        if (successor->pidfd >= 0)
                close(successor->pidfd);
}

static void reap(struct successor *successor, int patience_ms, char *ret_why, size_t size)
{
        int status = 0;

        if (successor->pidfd >= 0)
                (void)poll(&(struct pollfd){ .fd = successor->pidfd, .events = POLLIN }, 1,
                        patience_ms);
        kill(successor->pid, SIGKILL);
        while (waitpid(successor->pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (WIFSIGNALED(status))
                snprintf(ret_why, size, "it was ended by signal %d", WTERMSIG(status));
        else
                snprintf(ret_why, size, "it ended with status %d", WEXITSTATUS(status));
        forget(successor);
}

bool successor_has_come(struct successor *successor, char *ret_why, size_t size)
{
        char byte;

        if (read(successor->ready_fd, &byte, 1) == 1) {
                forget(successor);
                return true;
        }
        reap(successor, LAST_WORDS_MS, ret_why, size);
        return false;
}

void successor_kill(struct successor *successor)
{
        char why[64];

        reap(successor, 0, why, sizeof(why));
}
