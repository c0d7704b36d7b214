/* SPDX-License-Identifier: MIT */
#include "core/cgroup_memory.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The file names of one version of cgroups. */
struct spelling {
        const char *root, *limit, *used, *cache[2];
};

static const struct spelling spellings[] = {
        { "/sys/fs/cgroup", "memory.max", "memory.current", { "inactive_file", "active_file" } },
        { "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                { "total_inactive_file", "total_active_file" } },
};

static FILE *open_in(const char *folder, const char *name)
{
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
                return NULL;
        return fopen(path, "re");
}

/* False where there is no such file, or no number in it ("max"). */
static bool read_bytes(const char *folder, const char *name, uint64_t *ret_bytes)
{
        FILE *file = open_in(folder, name);
        bool ok = file && fscanf(file, "%" SCNu64, ret_bytes) == 1;

        if (file)
                fclose(file);
        return ok;
}

static uint64_t read_cache(const char *folder, const struct spelling *spelling)
{
        FILE *file = open_in(folder, "memory.stat");
        uint64_t bytes, sum = 0;
        char key[64];

        if (!file)
                return 0;
        while (fscanf(file, "%63s %" SCNu64, key, &bytes) == 2) {
                if (strcmp(key, spelling->cache[0]) == 0 || strcmp(key, spelling->cache[1]) == 0)
                        sum += bytes;
        }
        fclose(file);
        return sum;
}

/* The lowest values found so far. */
struct sight {
        uint64_t limit_bytes, free_bytes; /* of the cgroup with the least left */
        uint64_t lowest_bytes; /* the lowest limit of all */
};

static void see(const char *folder, const struct spelling *spelling, struct sight *sight)
{
        uint64_t limit, used, cache, left;

        if (!read_bytes(folder, spelling->limit, &limit) ||
                !read_bytes(folder, spelling->used, &used) || limit > INT64_MAX / 2)
                return; /* version 1 has a number of that size for no limit */
        cache = read_cache(folder, spelling);
        used -= cache < used ? cache : used;
        left = limit > used ? limit - used : 0;
        if (limit < sight->lowest_bytes)
                sight->lowest_bytes = limit;
        if (left < sight->free_bytes) {
                sight->limit_bytes = limit;
                sight->free_bytes = left;
        }
}

/* The cgroup and all its parents, innermost first. A container sees only some of these folders; its root is its own cgroup. */
static void see_all(const char *path, const struct spelling *spelling, struct sight *sight)
{
        char folder[PATH_MAX];
        size_t root_size = strlen(spelling->root);

        if (snprintf(folder, sizeof(folder), "%s%s", spelling->root, path) >= (int)sizeof(folder))
                return;
        for (;;) {
                char *slash = strrchr(folder, '/');

                see(folder, spelling, sight);
                if (slash < folder + root_size)
                        return;
                *slash = '\0';
        }
}

/* A line of /proc/self/cgroup, for example "0::/a" or "4:memory:/a". */
static void see_line(char *line, struct sight *sight)
{
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;

        if (!path)
                return;
        *controllers++ = *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (strcmp(controllers, "") == 0)
                see_all(path, &spellings[0], sight);
        else if (strcmp(controllers, "memory") == 0)
                see_all(path, &spellings[1], sight);
}

static struct sight look(void)
{
        struct sight sight = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
        FILE *file = fopen("/proc/self/cgroup", "re");
        char line[PATH_MAX];

        if (!file)
                return sight;
        while (fgets(line, sizeof(line), file))
                see_line(line, &sight);
        fclose(file);
        return sight;
}

void cgroup_memory_read(uint64_t *ret_limit_bytes, uint64_t *ret_free_bytes)
{
        struct sight sight = look();

        *ret_limit_bytes = sight.limit_bytes;
        *ret_free_bytes = sight.free_bytes;
}

uint64_t cgroup_memory_limit_bytes(void)
{
        return look().lowest_bytes;
}
