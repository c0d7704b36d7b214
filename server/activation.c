/* SPDX-License-Identifier: MIT */
#include "server/activation.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3

static bool parse(const char *text, long *ret_number)
{
        char *end;

        errno = 0;
        *ret_number = strtol(text, &end, 10);
        return *text >= '0' && *text <= '9' && !*end && errno == 0 &&
               *ret_number <= INT_MAX - FIRST_FD;
}

/* How many there are, by LISTEN_PID and LISTEN_FDS. */
static int count_fds(void)
{
        const char *pid_text = getenv("LISTEN_PID");
        const char *count_text = getenv("LISTEN_FDS");
        long pid, count;

        if (!pid_text || !count_text)
                return -ENOENT;
        if (!parse(pid_text, &pid) || !parse(count_text, &count))
                return -EINVAL;
        return pid == (long)getpid() && count > 0 ? (int)count : -ENOENT;
}

/* Whether the name at *@names, which is moved on to the next, is @name. Colons separate names. */
static bool take_name(const char **names, const char *name)
{
        size_t size = strcspn(*names, ":");
        bool same = strlen(name) == size && memcmp(*names, name, size) == 0;

        *names += size;
        if (**names == ':')
                ++*names;
        return same;
}

int activation_fds(const char *name, int *ret_fds, unsigned max)
{
        const char *names = getenv("LISTEN_FDNAMES") ?: "";
        int count = count_fds();
        unsigned found = 0;

        if (count < 0)
                return count;
        for (int i = 0; i < count; i++) {
                if (name && !take_name(&names, name))
                        continue;
                if (found == max)
                        return -E2BIG;
                ret_fds[found++] = FIRST_FD + i;
        }
        return found > 0 ? (int)found : -ESRCH;
}
