/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every limit can be set by its name: --limit NAME=NUMBER. */
static const struct limit {
        const char *name;
        size_t offset;
        size_t size;
} limits[] = {
#define LIMIT(name, section, about)                                                                \
        { #name, offsetof(quoit_limits, name), sizeof(((quoit_limits *)0)->name) },
#include <limits.inc>
#undef LIMIT
};

static void __attribute__((noreturn)) refuse(const char *what)
{
        fprintf(stderr, "test-server: bad option %s\n", what);
        exit(2);
}

static void set_limit(quoit_limits *to, const char *text)
{
        const char *equals = strchr(text, '=');

        for (size_t i = 0; equals && i < sizeof(limits) / sizeof(*limits); i++) {
                const struct limit *limit = limits + i;
                size_t value;

                if (strncmp(limit->name, text, (size_t)(equals - text)) != 0 ||
                        limit->name[equals - text])
                        continue;
                value = strtoull(equals + 1, NULL, 10);
                memcpy((char *)to + limit->offset, &value,
                        limit->size); /* little-endian, as all machines here */
                return;
        }
        refuse(text);
}

static quoit_engine parse_engine(const char *text)
{
        if (strcmp(text, "io_uring") == 0)
                return QUOIT_ENGINE_IO_URING;
        if (strcmp(text, "epoll") == 0)
                return QUOIT_ENGINE_EPOLL;
        if (strcmp(text, "auto") != 0)
                refuse(text);
        return QUOIT_ENGINE_AUTO;
}

void options_parse(struct options *options, int argc, char **argv)
{
        *options = (struct options){ 0 };
        options->cors.origins = options->origins;
        for (int i = 1; i < argc; i++) {
                const char *value = i + 1 < argc ? argv[i + 1] : "";

                if (strcmp(argv[i], "--intercept") == 0) {
                        options->intercept = true;
                        continue;
                }
                if (strcmp(argv[i], "--generic") == 0) {
                        options->generic = true;
                        continue;
                }
                if (strcmp(argv[i], "--cors-credentials") == 0) {
                        options->cors.credentials = true;
                        continue;
                }
                if (strcmp(argv[i], "--http") == 0) {
                        options->http = true;
                        continue;
                }
                if (strcmp(argv[i], "--http2-only") == 0) {
                        options->server.http2_only = true;
                        continue;
                }
                if (strcmp(argv[i], "--metrics") == 0) {
                        options->metrics = true;
                        continue;
                }
                if (strcmp(argv[i], "--offload-all") == 0) {
                        options->offload_all = true;
                        continue;
                }
                if (strcmp(argv[i], "--loop") == 0) {
                        options->loop = true;
                        continue;
                }
                if (strcmp(argv[i], "--address") == 0 && options->address_count < ADDRESSES_MAX)
                        options->addresses[options->address_count++] = value;
                else if (strcmp(argv[i], "--client") == 0 && options->target_count < ADDRESSES_MAX)
                        options->targets[options->target_count++] = value;
                else if (strcmp(argv[i], "--cors") == 0 && options->cors.origin_count < 4)
                        options->origins[options->cors.origin_count++] = value;
                else if (strcmp(argv[i], "--cors-max-age") == 0)
                        options->cors.max_age_s = (uint32_t)atoi(value);
                else if (strcmp(argv[i], "--admin") == 0)
                        options->admin = value;
                else if (strcmp(argv[i], "--rings") == 0)
                        options->server.rings = (unsigned)atoi(value);
                else if (strcmp(argv[i], "--engine") == 0)
                        options->server.engine = parse_engine(value);
                else if (strcmp(argv[i], "--linger-ms") == 0)
                        options->linger_ms = (unsigned)atoi(value);
                else if (strcmp(argv[i], "--drain-ms") == 0)
                        options->drain_ms = (unsigned)strtoul(value, NULL, 10);
                else if (strcmp(argv[i], "--workers") == 0)
                        options->server.workers = (unsigned)atoi(value);
                else if (strcmp(argv[i], "--method") == 0 && options->method_count < 16)
                        options->methods[options->method_count++] = value;
                else if (strcmp(argv[i], "--compression") == 0)
                        options->server.compression = (quoit_compression)atoi(value);
                else if (strcmp(argv[i], "--load") == 0)
                        options->load = value;
                else if (strcmp(argv[i], "--tls-cert") == 0)
                        options->certificate_file = value;
                else if (strcmp(argv[i], "--tls-key") == 0)
                        options->key_file = value;
                else if (strcmp(argv[i], "--tls-client-ca") == 0) {
                        options->tls.client_ca_file = value;
                        options->tls.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUEST;
                } else if (strcmp(argv[i], "--limit") == 0)
                        set_limit(&options->server.limits, value);
                else
                        refuse(argv[i]);
                i++;
        }
        if (options->address_count == 0)
                options->addresses[options->address_count++] = "127.0.0.1:0";
}
