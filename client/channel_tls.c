/* SPDX-License-Identifier: MIT */
#include "client/channel_tls.h"

#include <errno.h>

#include "client/channel.h"
#include "client/handle.h"
#include "transport/tls_client_config.h"

int channel_tls_new(const quoit_channel_tls *tls, unsigned sessions_max,
        struct tls_client_config **ret_config, struct tls_problem *problem)
{
        if (!tls) {
                *ret_config = NULL;
                return 0;
        }
        return tls_client_config_new(
                &(struct tls_client_options){
                        .ca_file = tls->ca_file,
                        .certificate_file = tls->certificate_file,
                        .key_file = tls->key_file,
                        .no_verification = tls->no_verification,
                        .version_min = tls->version_min,
                        .sessions_max = tls->no_resumption ? 0 : sessions_max,
                },
                ret_config, problem);
}

int quoit_channel_tls_check(const quoit_channel_tls *tls, quoit_error *ret_error)
{
        struct tls_client_config *config = NULL;
        struct tls_problem problem;
        int r = channel_tls_new(tls, 0, &config, &problem);

        tls_client_config_unref(config);
        if (r < 0)
                channel_tell_problem(problem.text, ret_error);
        return r;
}

int quoit_channel_reload_tls(quoit_channel *channel, quoit_error *ret_error)
{
        struct tls_problem problem;
        int r;

        if (client_is_inherited(channel->client))
                r = tls_problem_set(
                        &problem, -ESHUTDOWN, "the channel belongs to the process before fork()");
        else if (!channel->parts[0]->tls)
                r = tls_problem_set(&problem, -EINVAL, "the channel has no TLS");
        else
                r = tls_client_config_reload(channel->parts[0]->tls, &problem);
        if (r < 0)
                channel_tell_problem(problem.text, ret_error);
        return r;
}

void quoit_channel_get_handshakes(
        const quoit_channel *channel, quoit_handshake_statistics *ret_handshakes)
{
        *ret_handshakes = (quoit_handshake_statistics){ 0 };
        for (unsigned i = 0; i < channel->client->count; i++) {
                const struct handshake_counts *counts = &channel->parts[i]->handshake_counts;

                ret_handshakes->handshakes += counter_read(&counts->all);
                ret_handshakes->resumed += counter_read(&counts->resumed);
        }
}
