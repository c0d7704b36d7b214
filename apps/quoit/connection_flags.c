/* SPDX-License-Identifier: MIT */
#include "connection_flags.h"

#include <errno.h>
#include <string.h>

#include <quoit/engine.h>

#include "say.h"

static int set_engine(const struct flag *flag, const char *text, void *field)
{
        static const struct {
                const char *name;
                quoit_engine engine;
        } engines[] = {
                { "auto", QUOIT_ENGINE_AUTO },
                { "io_uring", QUOIT_ENGINE_IO_URING },
                { "epoll", QUOIT_ENGINE_EPOLL },
        };

        for (unsigned i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
                if (!strcmp(engines[i].name, text)) {
                        *(int *)field = (int)engines[i].engine;
                        return 0;
                }
        }
        say_usage("--%s: '%s' is not auto, io_uring or epoll", flag->name, text);
        return -EINVAL;
}

#define FLAG(flag_name, flag_argument, flag_help, setter, field)                                   \
        { .name = flag_name,                                                                       \
                .argument = flag_argument,                                                         \
                .help = flag_help,                                                                 \
                .set = setter,                                                                     \
                .offset = offsetof(struct connection_flags, field) }

const struct flag connection_flags[] = {
        { "tls", .help = "by TLS only (default: found out; see docs/quoit.md)",
                .set = flag_set_number, .offset = offsetof(struct connection_flags, scheme),
                .number = SCHEME_TLS },
        { "plaintext", .help = "in the clear only", .set = flag_set_number,
                .offset = offsetof(struct connection_flags, scheme), .number = SCHEME_PLAINTEXT },
        FLAG("insecure", NULL, "TLS, whoever the server is", flag_set_true, is_insecure),
        FLAG("cacert", "FILE", "authorities that sign the server's certificate", flag_set_string,
                ca_file),
        FLAG("cert", "FILE", "the client's certificate, PEM", flag_set_string, certificate_file),
        FLAG("key", "FILE", "its private key", flag_set_string, key_file),
        FLAG("servername", "NAME", "what the server's certificate must be for", flag_set_string,
                server_name),
        FLAG("authority", "NAME", ":authority of the calls", flag_set_string, authority),
        FLAG("unix", NULL, "the target is the path of a unix socket", flag_set_true, is_unix),
        FLAG("proxy", "URL", "an HTTP proxy; '' for none (default: the environment's)",
                flag_set_string, proxy),
        FLAG("user-agent", "TEXT", "stands before quoit/VERSION", flag_set_string, user_agent),
        FLAG("connect-timeout", "TIME", "until there is a connection (default: 10s)", flag_set_time,
                connect_ms),
        FLAG("keepalive-time", "TIME", "PING after so long without a sign of the server",
                flag_set_time, keepalive_ms),
        FLAG("max-msg-sz", "SIZE", "of a message received (default: 4MiB)", flag_set_bytes,
                message_bytes_max),
        FLAG("retry", "N", "up to 4 further attempts of a call that ends UNAVAILABLE",
                flag_set_count, retries),
        FLAG("service-config", "JSON", "gRPC's service config, or @FILE", flag_set_string,
                service_config),
        FLAG("engine", "NAME", "io_uring, epoll or auto", set_engine, engine),
        { 0 },
};
