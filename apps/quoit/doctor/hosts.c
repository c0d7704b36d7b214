/* SPDX-License-Identifier: MIT */
#include "hosts.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* Of one line: behind the address come names, and then what follows '#' or the line's end. */
static bool line_has(const char *line, const char *end, const char *name)
{
        size_t size = strlen(name);

        line += strcspn(line, BLANKS "\n#");
        while (line < end && *line != '#') {
                size_t word;

                line += strspn(line, BLANKS);
                word = strcspn(line, BLANKS "\n#");
                if (word == size && size > 0 && strncasecmp(line, name, size) == 0)
                        return true;
                line += word;
        }
        return false;
}

bool hosts_have(const char *text, const char *name)
{
        while (text && *text) {
                const char *end = text + strcspn(text, "\n");

                if (line_has(text, end, name))
                        return true;
                text = *end ? end + 1 : end;
        }
        return false;
}
