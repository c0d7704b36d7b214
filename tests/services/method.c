/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NAME=NUMBER into @options. 0, -EINVAL. */
static int set_option(quoit_method_options *options, const char *text)
{
        char name[64];
        unsigned long long value;

        if (sscanf(text, "%63[^=]=%llu", name, &value) != 2)
                return -EINVAL;
        if (strcmp(name, "offload") == 0)
                options->offload = value != 0;
        else if (strcmp(name, "deadline_max_ms") == 0)
                options->deadline_max_ms = (uint32_t)value;
        else if (strcmp(name, "live_calls_max") == 0)
                options->live_calls_max = (uint32_t)value;
        else if (strcmp(name, "message_receive_bytes_max") == 0)
                options->message_receive_bytes_max = value;
        else if (strcmp(name, "message_send_bytes_max") == 0)
                options->message_send_bytes_max = value;
        else if (strcmp(name, "protocols") == 0)
                options->protocols = (quoit_protocols)value;
        else
                return -EINVAL;
        return 0;
}

int set_method(quoit_server *server, const char *text, bool offload)
{
        quoit_method_options options = { .offload = offload };
        char *copy = strdup(text), *rest = NULL;
        const char *path, *option;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        path = strtok_r(copy, ",", &rest);
        while (r == 0 && (option = strtok_r(NULL, ",", &rest)))
                r = set_option(&options, option);
        if (r == 0)
                r = path ? quoit_server_set_method(server, path, &options) : -EINVAL;
        free(copy);
        return r;
}
