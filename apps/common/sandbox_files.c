/* SPDX-License-Identifier: MIT */
#include "sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LOG (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define SOCKET (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* All rights that version @abi of Landlock knows. */
static uint64_t known_rights(long abi)
{
        uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

        if (abi >= 2)
                rights |= LANDLOCK_ACCESS_FS_REFER;
        if (abi >= 3)
                rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
        if (abi >= 5)
                rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
        return rights;
}

static int permit(int rules, const char *folder, uint64_t rights)
{
        struct landlock_path_beneath_attr rule = { .allowed_access = rights };
        int r = 0;

        rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (rule.parent_fd < 0)
                return -errno;
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                r = -errno;
        close(rule.parent_fd);
        return r;
}

/* A folder that is missing is no reason: whoever makes the file says so, in words of its own. */
static int permit_beside(int rules, const char *path, uint64_t rights)
{
        char folder[4096];
        const char *end = strrchr(path, '/');
        int r;

        snprintf(folder, sizeof(folder), "%.*s", end ? (int)(end - path) + 1 : 1, end ? path : ".");
        r = permit(rules, folder, rights);
        return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : r;
}

static int permit_socket(int rules, const char *address)
{
        if (strncmp(address, "unix:", 5) != 0)
                return 0;
        return permit_beside(rules, address + 5, SOCKET);
}

static int permit_all(int rules, const struct sandbox_paths *paths)
{
        int r = permit(rules, "/", READ);

        if (r == 0 && paths->log && strcmp(paths->log, "-") != 0)
                r = permit_beside(rules, paths->log, LOG);
        if (r == 0 && paths->admin)
                r = permit_socket(rules, paths->admin);
        for (unsigned i = 0; r == 0 && i < paths->socket_count; i++)
                r = permit_socket(rules, paths->sockets[i]);
        return r;
}

int sandbox_restrict_files(const struct sandbox_paths *paths)
{
        struct landlock_ruleset_attr attributes = { 0 };
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
        int rules, r;

        if (abi < 0)
                return -errno;
        attributes.handled_access_fs = known_rights(abi);
        rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
        if (rules < 0)
                return -errno;
        r = permit_all(rules, paths);
        if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
                r = -errno;
        close(rules);
        return r;
}
