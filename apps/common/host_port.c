/* SPDX-License-Identifier: MIT */
#include "host_port.h"

#include <stdio.h>
#include <string.h>

bool host_port_print(char text[HOST_PORT_BYTES], const char *host, unsigned port)
{
        bool is_bare_v6 = strchr(host, ':') && *host != '[';

        return snprintf(text, HOST_PORT_BYTES, is_bare_v6 ? "[%s]:%u" : "%s:%u", host, port) <
               HOST_PORT_BYTES;
}

bool host_port_is_foreign(const char *text)
{
        return strstr(text, "://");
}
