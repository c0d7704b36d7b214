/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_BYTES ((size_t)16 << 10) /* at first */

int file_read_all(int fd, char **ret_bytes, size_t *ret_size)
{
        size_t room = ROOM_BYTES, used = 0;
        char *bytes = malloc(room);

        while (bytes) {
                ssize_t n = read(fd, bytes + used, room - used - 1);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        int error = errno;

                        free(bytes);
                        errno = error;
                        return -error;
                }
                used += (size_t)n;
                if (n == 0) {
                        bytes[used] = '\0';
                        *ret_bytes = bytes;
                        if (ret_size)
                                *ret_size = used;
                        return 0;
                }
                if (room - used < room / 4) {
                        char *more = realloc(bytes, 2 * room);

                        if (!more)
                                free(bytes);
                        bytes = more;
                        room *= 2;
                }
        }
        errno = ENOMEM;
        return -ENOMEM;
}

int file_read(const char *path, char **ret_bytes, size_t *ret_size)
{
        int fd, r, error;

        if (!strcmp(path, "-"))
                return file_read_all(STDIN_FILENO, ret_bytes, ret_size);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = file_read_all(fd, ret_bytes, ret_size);
        error = errno;
        close(fd);
        errno = error;
        return r;
}
