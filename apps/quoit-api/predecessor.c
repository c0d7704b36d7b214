/* SPDX-License-Identifier: MIT */
#include "predecessor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the parent ---- */

/* Waits for it, whatever happens, and ends with its status, for our own parent. */
static void __attribute__((noreturn)) stand_in(pid_t child)
{
        sigset_t all;
        int status = 0;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        if (!WIFSIGNALED(status))
                _exit(WEXITSTATUS(status));
        signal(WTERMSIG(status), SIG_DFL);
        sigemptyset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        raise(WTERMSIG(status));
        _exit(EXIT_FAILURE);
}

/* An older program passes a pipe, and expects the process that it has started to be the service. */
static bool is_told_who_serves(void)
{
        const char *value = getenv(PREDECESSOR_VARIABLE);
        int type = 0;
        socklen_t size = sizeof(type);

        return value && getsockopt(atoi(value), SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
               type == SOCK_SEQPACKET;
}

void predecessor_step_aside(void)
{
        pid_t parent = getpid(), child;

        if (!is_told_who_serves())
                return;
        child = fork();
        if (child > 0)
                stand_in(child);
        if (child < 0)
                return; /* then this process stays its predecessor's child */
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* until it serves: killing the parent kills both */
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
}

/* ---- inherited sockets ---- */

/* The number at *@text, which then points behind it and behind @end. */
static bool parse_fd(char **text, char end, int *ret_fd)
{
        char *rest;
        long fd = strtol(*text, &rest, 10);

        if (rest == *text || *rest != end || fd < 0)
                return false;
        *ret_fd = (int)fd;
        *text = rest + 1;
        return true;
}

void predecessor_read_environment(struct predecessor *predecessor)
{
        const char *value = getenv(PREDECESSOR_VARIABLE);
        char *text = value ? strdup(value) : NULL;
        char *listeners = text;

        *predecessor = (struct predecessor){ .link_fd = -1 };
        if (text && parse_fd(&listeners, '\n', &predecessor->link_fd) &&
                fcntl(predecessor->link_fd, F_SETFD, FD_CLOEXEC) == 0)
                predecessor->listeners = strdup(listeners);
        free(text);
        unsetenv(PREDECESSOR_VARIABLE);
}

/* The descriptors of one line; how many. */
static unsigned parse_line(const char *line, int *ret_fds, unsigned max)
{
        char *rest = (char *)line;
        unsigned count = 0;

        while (count < max && parse_fd(&rest, ',', ret_fds + count))
                count++;
        return count;
}

/* The line of @address, and the begin of the next one; NULL: there is none. */
static char *find_line(char *lines, const char *address, char **ret_next)
{
        for (char *line = lines, *next; *line; line = next) {
                char *end = strchr(line, '\n'), *name = strchr(line, ' ');

                if (!end || !name || name > end)
                        return NULL;
                next = end + 1;
                name++;
                if (strlen(address) == (size_t)(end - name) &&
                        memcmp(name, address, strlen(address)) == 0) {
                        *ret_next = next;
                        return line;
                }
        }
        return NULL;
}

unsigned predecessor_take(
        struct predecessor *predecessor, const char *address, int *ret_fds, unsigned max)
{
        char *line, *next;
        unsigned count;

        if (!predecessor->listeners)
                return 0;
        line = find_line(predecessor->listeners, address, &next);
        if (!line)
                return 0;
        count = parse_line(line, ret_fds, max);
        memmove(line, next, strlen(next) + 1);
        return count;
}

static void close_untaken(char *line)
{
        while (*line) {
                char *end = strchr(line, '\n');
                int fd;

                while (parse_fd(&line, ',', &fd))
                        close(fd);
                if (!end)
                        break;
                line = end + 1;
        }
}

/* ---- messages to it ---- */

void predecessor_relieve(struct predecessor *predecessor)
{
        char text[32];
        int size = snprintf(text, sizeof(text), "R%d", getpid());

        if (!predecessor->listeners)
                return;
        close_untaken(predecessor->listeners);
        prctl(PR_SET_PDEATHSIG, 0);
        (void)!write(predecessor->link_fd, text, (size_t)size);
        free(predecessor->listeners);
        predecessor->listeners = NULL;
}

void predecessor_tell_stop(const struct predecessor *predecessor)
{
        if (predecessor->link_fd >= 0)
                (void)!send(predecessor->link_fd, "S", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void predecessor_await(const struct predecessor *predecessor)
{
        char byte;
        ssize_t n = 1;

        while (predecessor->link_fd >= 0 && (n > 0 || (n < 0 && errno == EINTR)))
                n = read(predecessor->link_fd, &byte, 1);
}
