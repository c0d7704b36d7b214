/* SPDX-License-Identifier: MIT */
#include "open_channel.h"

#include <stdio.h>
#include <string.h>

int open_channel(quoit_client *client, const char *target, const quoit_channel_options *options,
        quoit_channel **ret_channel, quoit_error *ret_error)
{
        int r = quoit_target_check(target, ret_error);

        if (r == 0 && options->tls)
                r = quoit_channel_tls_check(options->tls, ret_error);
        if (r < 0)
                return r;
        r = quoit_channel_new(client, target, options, ret_channel);
        if (r < 0)
                snprintf(ret_error->text, sizeof(ret_error->text), "%s", strerror(-r));
        return r;
}
