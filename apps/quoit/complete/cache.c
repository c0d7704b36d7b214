/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool folder(char ret_path[CACHE_PATH_BYTES])
{
        const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

        /* A relative one is to be ignored (XDG Base Directory Specification). */
        if (cache && cache[0] == '/')
                return snprintf(ret_path, CACHE_PATH_BYTES, "%s/quoit", cache) < CACHE_PATH_BYTES;
        return home && home[0] == '/' &&
               snprintf(ret_path, CACHE_PATH_BYTES, "%s/.cache/quoit", home) < CACHE_PATH_BYTES;
}

bool cache_path(const char *name, char ret_path[CACHE_PATH_BYTES])
{
        char path[CACHE_PATH_BYTES];

        return folder(path) &&
               (size_t)snprintf(ret_path, CACHE_PATH_BYTES, "%s/%s", path, name) < CACHE_PATH_BYTES;
}

uint64_t cache_age(const char *path)
{
        struct stat status;
        time_t now = time(NULL);

        if (stat(path, &status) < 0)
                return UINT64_MAX;
        return now > status.st_mtime ? (uint64_t)(now - status.st_mtime) : 0;
}

/* The folder of @path, and the one above. */
static void make_folders(const char *path)
{
        char text[CACHE_PATH_BYTES];
        char *inner, *outer;

        snprintf(text, sizeof(text), "%s", path);
        inner = strrchr(text, '/');
        *inner = '\0';
        outer = strrchr(text, '/');
        if (outer && outer != text) {
                *outer = '\0';
                (void)mkdir(text, 0700);
                *outer = '/';
        }
        (void)mkdir(text, 0700);
}

static int write_all(int fd, const char *bytes, size_t size)
{
        while (size > 0) {
                ssize_t count = write(fd, bytes, size);

                if (count < 0 && errno != EINTR)
                        return -errno;
                if (count > 0) {
                        bytes += count;
                        size -= (size_t)count;
                }
        }
        return 0;
}

int cache_write(const char *path, const void *bytes, size_t size)
{
        char other[CACHE_PATH_BYTES];
        int fd, r;

        if ((size_t)snprintf(other, sizeof(other), "%s.XXXXXX", path) >= sizeof(other))
                return -ENAMETOOLONG;
        make_folders(path);
        fd = mkostemp(other, O_CLOEXEC); /* its mode is 0600 */
        if (fd < 0)
                return -errno;
        r = write_all(fd, bytes, size);
        close(fd);
        if (r == 0 && rename(other, path) < 0)
                r = -errno;
        if (r < 0)
                unlink(other);
        return r;
}

void cache_sweep(uint64_t seconds)
{
        char path[CACHE_PATH_BYTES];
        struct dirent *entry;
        DIR *opened = folder(path) ? opendir(path) : NULL;

        while (opened && (entry = readdir(opened)))
                if (entry->d_name[0] != '.' && cache_path(entry->d_name, path) &&
                        cache_age(path) > seconds)
                        unlink(path);
        if (opened)
                closedir(opened);
}
