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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/program.h"
#include "keeper.h"

#define LAST_WORDS_MS 1000 /* between closing the link and its end */

static void write_doors(FILE *out, const struct doors *doors, int link_fd)
{
        fprintf(out, PREDECESSOR_VARIABLE "=%d\n", link_fd);
        for (unsigned i = 0; i < doors->count; i++) {
                for (unsigned j = 0; j < doors->of[i].count; j++)
                        fprintf(out, "%d,",
                                quoit_server_listener_fd(doors->server, doors->of[i].first + j));
                fprintf(out, " %s\n", doors->of[i].address);
        }
}

/* Heap; NULL: no memory. */
static char *describe_doors(const struct doors *doors, int link_fd)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        write_doors(out, doors, link_fd);
        if (fclose(out) == 0)
                return text;
        free(text);
        return NULL;
}

/* Our environment plus @variable and @other (NULL: none), which it does not have. Heap; NULL: no memory. */
static char **environment_with(char *variable, char *other)
{
        size_t count = 0;
        char **environment;

        while (environ[count])
                count++;
        environment = calloc(count + 3, sizeof(*environment));
        if (!environment)
                return NULL;
        memcpy(environment, environ, count * sizeof(*environment));
        environment[count++] = variable;
        environment[count] = other;
        return environment;
}

/* The descriptors that are inherited, with the same numbers: "dup2" to itself clears close-on-exec. */
static int keep_open(
        posix_spawn_file_actions_t *actions, const struct doors *doors, int link_fd, int keeper_fd)
{
        int r = posix_spawn_file_actions_adddup2(actions, link_fd, link_fd);

        if (r == 0 && keeper_fd >= 0)
                r = posix_spawn_file_actions_adddup2(actions, keeper_fd, keeper_fd);
        for (unsigned i = 0; r == 0 && i < quoit_server_listener_count(doors->server); i++) {
                int fd = quoit_server_listener_fd(doors->server, i);

                r = posix_spawn_file_actions_adddup2(actions, fd, fd);
        }
        return -r;
}

/*
 * In this process all signals are blocked, for the thread that waits. The new process begins with those blocked that would end
 * it before its main() blocks them itself, but not those that are meant to end it.
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

static int spawn_with(struct successor *successor, char **argv, const struct doors *doors,
        int link_fd, int keeper_fd)
{
        char *variable = describe_doors(doors, link_fd);
        char keeper[64], **environment = NULL;
        posix_spawn_file_actions_t actions;
        int r;

        snprintf(keeper, sizeof(keeper), KEEPER_VARIABLE "=%d", keeper_fd);
        if (variable)
                environment = environment_with(variable, keeper_fd >= 0 ? keeper : NULL);
        r = environment ? 0 : -ENOMEM;
        posix_spawn_file_actions_init(&actions);
        if (r == 0)
                r = keep_open(&actions, doors, link_fd, keeper_fd);
        if (r == 0)
                r = spawn(&successor->pid, argv, &actions, environment);
        posix_spawn_file_actions_destroy(&actions);
        free(environment);
        free(variable);
        return r;
}

int successor_start(
        struct successor *successor, char **argv, const struct doors *doors, int keeper_fd)
{
        int ends[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        r = spawn_with(successor, argv, doors, ends[1], keeper_fd);
        close(ends[1]); /* now only the successor has it: we see when it ends */
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        successor->link_fd = ends[0];
        successor->pidfd = (int)syscall(SYS_pidfd_open, successor->pid, 0);
        return 0;
}

static void forget(struct successor *successor)
{
        if (successor->pidfd >= 0)
                close(successor->pidfd);
}

/* Waits for its status; after @patience_ms it is killed. */
static int reap(struct successor *successor, int patience_ms)
{
        int status = 0;

        if (successor->pidfd >= 0)
                (void)poll(&(struct pollfd){ .fd = successor->pidfd, .events = POLLIN }, 1,
                        patience_ms);
        kill(successor->pid, SIGKILL);
        while (waitpid(successor->pid, &status, 0) < 0 && errno == EINTR)
                ;
        forget(successor);
        return status;
}

static void fail(struct successor *successor, int patience_ms, char *ret_why, size_t size)
{
        int status = reap(successor, patience_ms);

        close(successor->link_fd);
        if (WIFSIGNALED(status))
                snprintf(ret_why, size, "it was ended by signal %d", WTERMSIG(status));
        else
                snprintf(ret_why, size, "it ended with status %d", WEXITSTATUS(status));
}

/* Our child has only waited for it. A message without a pid comes from an older program, which is our child itself. */
static void let_go(struct successor *successor, const char *number)
{
        pid_t pid = (pid_t)strtol(number, NULL, 10);

        if (pid <= 0 || pid == successor->pid) {
                forget(successor);
                return;
        }
        reap(successor, 0);
        successor->pid = pid;
}

bool successor_serves(struct successor *successor, char *ret_why, size_t size)
{
        char text[32];
        ssize_t n = read(successor->link_fd, text, sizeof(text) - 1);

        if (n > 0 && *text == 'R') {
                text[n] = '\0';
                let_go(successor, text + 1);
                return true;
        }
        fail(successor, LAST_WORDS_MS, ret_why, size);
        return false;
}

void successor_kill(struct successor *successor)
{
        char why[64];

        fail(successor, 0, why, sizeof(why));
}
