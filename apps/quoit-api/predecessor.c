/* SPDX-License-Identifier: MIT */
#include "predecessor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number at *@text, which is moved behind it and behind @end. */
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

void predecessor_meet(struct predecessor *predecessor)
{
        const char *value = getenv(PREDECESSOR_VARIABLE);
        char *text = value ? strdup(value) : NULL;
        char *listeners = text;

        *predecessor = (struct predecessor){ .ready_fd = -1 };
        if (text && parse_fd(&listeners, '\n', &predecessor->ready_fd) &&
                fcntl(predecessor->ready_fd, F_SETFD, FD_CLOEXEC) == 0)
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

/* The line of @address, and where the next one begins; NULL: it has none. */
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

void predecessor_relieve(struct predecessor *predecessor)
{
        char *line = predecessor->listeners;

        if (!line)
                return;
        while (*line) {
                char *end = strchr(line, '\n');
                int fd;

                while (parse_fd(&line, ',', &fd))
                        close(fd);
                if (!end)
                        break;
                line = end + 1;
        }
        (void)!write(predecessor->ready_fd, "R", 1);
        close(predecessor->ready_fd);
        free(predecessor->listeners);
        *predecessor = (struct predecessor){ .ready_fd = -1 };
}
