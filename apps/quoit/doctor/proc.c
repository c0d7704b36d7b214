/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *proc_read(const char *path, char *text, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t count = 0;
        ssize_t r = 0;
        int error;

        if (fd < 0)
                return NULL;
        while (count < size - 1 && (r = read(fd, text + count, size - 1 - count)) > 0)
                count += (size_t)r;
        error = errno;
        close(fd);
        errno = error;
        if (r < 0)
                return NULL;
        while (count > 0 && text[count - 1] == '\n')
                count--;
        text[count] = '\0';
        return text;
}

bool proc_number(const char *text, uint64_t *ret_number)
{
        char *end;
        uint64_t number;

        if (!text)
                return false;
        while (isspace((unsigned char)*text))
                text++;
        if (!isdigit((unsigned char)*text))
                return false;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno)
                return false;
        *ret_number = number;
        return true;
}

const char *proc_field(const char *text, const char *key)
{
        size_t size = strlen(key);

        while (text) {
                if (strncmp(text, key, size) == 0)
                        return text + size + strspn(text + size, " \t");
                text = strchr(text, '\n');
                if (text)
                        text++;
        }
        return NULL;
}
