/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "file.h"

#define CONNECT_MS 10000
#define RETRIES_MAX 4 /* gRPC takes at most five attempts */

static __attribute__((format(printf, 2, 3))) int refuse(
        quoit_error *ret_error, const char *format, ...)
{
        va_list arguments;

        ret_error->status = QUOIT_INVALID_ARGUMENT;
        va_start(arguments, format);
        vsnprintf(ret_error->text, sizeof(ret_error->text), format, arguments);
        va_end(arguments);
        return -EINVAL;
}

/* ---- the target ---- */

/* A path, as a target has it: %XX for what is not plain. */
static int spell_unix(const char *path, char *target, size_t size)
{
        size_t used = (size_t)snprintf(target, size, "unix:");

        if (!strncmp(path, "unix:", 5))
                return snprintf(target, size, "%s", path) < (int)size ? 0 : -ENAMETOOLONG;
        for (; *path; path++) {
                const char *format = *path == '%' || *path == '?' || *path == '#' ? "%%%02X" : "%c";

                if (used + 4 > size)
                        return -ENAMETOOLONG;
                used += (size_t)snprintf(target + used, size - used, format, (unsigned char)*path);
        }
        return 0;
}

/* A URL's scheme is no part of it. */
static int spell_target(const struct connection_flags *flags, const char *text, char *target,
        size_t size, quoit_error *ret_error)
{
        if (!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8))
                text = strstr(text, "//") + 2;
        if (flags->is_unix ? spell_unix(text, target, size) < 0
                           : snprintf(target, size, "%s", text) >= (int)size)
                return refuse(ret_error, "the target is too long");
        size = strlen(target);
        if (size && target[size - 1] == '/' && strncmp(target, "unix", 4) != 0)
                target[size - 1] = '\0';
        return quoit_target_check(target, ret_error);
}

/* ---- the service config ---- */

static int make_service_config(struct connection_setup *setup, const struct connection_flags *flags,
        quoit_error *ret_error)
{
        if (flags->service_config && flags->retries)
                return refuse(ret_error, "--retry and --service-config: only one of them");
        if (flags->retries > RETRIES_MAX)
                return refuse(ret_error, "--retry: at most %d", RETRIES_MAX);
        if (flags->retries &&
                asprintf(&setup->service_config,
                        "{\"methodConfig\":[{\"name\":[{}],\"retryPolicy\":{\"maxAttempts\":%u,"
                        "\"initialBackoff\":\"0.1s\",\"maxBackoff\":\"2s\",\"backoffMultiplier\":2,"
                        "\"retryableStatusCodes\":[\"UNAVAILABLE\"]}}]}",
                        flags->retries + 1) < 0)
                setup->service_config = NULL;
        if (!flags->service_config)
                return 0;
        if (flags->service_config[0] == '@') {
                const char *path = flags->service_config + 1;

                if (file_read(path, &setup->service_config, NULL) < 0)
                        return refuse(ret_error, "--service-config: %s: %m", path);
        } else {
                setup->service_config = strdup(flags->service_config);
        }
        return setup->service_config ? quoit_service_config_check(setup->service_config, ret_error)
                                     : -ENOMEM;
}

/* ---- the whole ---- */

static void set_limits(quoit_client_limits *limits, const struct connection_flags *flags)
{
        limits->connect_ms = flags->connect_ms ? flags->connect_ms : CONNECT_MS;
        limits->keepalive_ms = flags->keepalive_ms;
        limits->message_receive_bytes_max = flags->message_bytes_max;
        /* as large as that, and with room for the next one */
        if (flags->message_bytes_max > (size_t)16 << 20)
                limits->connection_receive_bytes_max = 2 * flags->message_bytes_max;
}

static int set_tls(struct connection_setup *setup, const struct connection_flags *flags,
        quoit_error *ret_error)
{
        setup->tls = (quoit_channel_tls){
                .ca_file = flags->ca_file,
                .certificate_file = flags->certificate_file,
                .key_file = flags->key_file,
                .server_name = flags->server_name,
                .no_verification = flags->is_insecure,
        };
        setup->channel.tls = &setup->tls;
        return quoit_channel_tls_check(&setup->tls, ret_error);
}

int connection_setup_init(struct connection_setup *setup, const struct connection_flags *flags,
        const char *target, enum scheme scheme, quoit_error *ret_error)
{
        int r;

        *setup = (struct connection_setup){ .channel.authority = flags->authority,
                .channel.user_agent = flags->user_agent,
                .channel.proxy = flags->proxy };
        setup->client.engine = (quoit_engine)flags->engine;
        set_limits(&setup->client.limits, flags);
        r = spell_target(flags, target, setup->target, sizeof(setup->target), ret_error);
        if (r == 0)
                r = quoit_proxy_check(setup->target, flags->proxy, ret_error);
        if (r == 0 && scheme == SCHEME_TLS)
                r = set_tls(setup, flags, ret_error);
        if (r == 0)
                r = make_service_config(setup, flags, ret_error);
        setup->channel.service_config = setup->service_config;
        return r;
}

void connection_setup_deinit(struct connection_setup *setup)
{
        free(setup->service_config);
        setup->service_config = NULL;
}
