/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "../common/host_port.h"
#include "../common/log_options.h"
#include "../common/program.h"
#include "../common/settings.h"
#include "headers.h"

#define PORT 5000
#define BACKEND_PORT 50051
#define ADDRESSES_MAX 16
#define URL_MAX 256

/* It becomes a part of the page's policy, so it must be an origin and no more. */
static void set_url(struct options *options, const struct option_value *value)
{
        const char *url = value->text;
        const char *host = strncmp(url, "http://", strlen("http://")) == 0     ? url + 7
                           : strncmp(url, "https://", strlen("https://")) == 0 ? url + 8
                                                                               : "";

        if (!*host || strlen(url) > URL_MAX || host[strspn(host, HOST_CHARACTERS)])
                program_usage_error(
                        "%s: '%s' is not http:// or https://, a host, and a port if need be",
                        value->what, url);
        options->backend_url = url;
}

#define AT(member) .offset = offsetof(struct options, member)

/* Where, and by what, it serves. */
static const struct option_entry serving[] = {
        { .about = "Serves a page for browsers that shows what api.Api answers: sayHello, getAll, "
                   "getStream. It calls a backend, such as quoit-api, by gRPC. SIGTERM or SIGINT "
                   "stops it gracefully: running calls may finish; a second one cancels them." },

        { .about = "Where, and by what, it serves:" },
        { "host", "HOST", "name or address to listen on; default: all addresses ($FRONTEND_HOST)",
                option_set_text, AT(host), .variable = "FRONTEND_HOST", .may_be_foreign = true },
        { "port", "PORT", "port, 0 takes a free one; default 5000 ($FRONTEND_PORT)",
                option_set_port, AT(port), .variable = "FRONTEND_PORT", .may_be_foreign = true },
        { "listen", "ADDRESS", "in place of these two, can be repeated: as quoit-api's",
                option_add_text, AT(addresses), .max = ADDRESSES_MAX, .kind = OPTION_LIST },
        { "rings", "N", "threads that serve, each with a ring; default 1", option_set_number,
                AT(rings), 1, 1024 },
        { "engine", "NAME",
                "what the rings run on: io_uring, epoll, or auto; default auto: io_uring where it "
                "is available",
                option_set_engine, AT(engine) },
        { "drain", "TIME",
                "how long calls may take to finish at a stop, for example 5s; default 30s",
                option_set_time, AT(drain_ms), 1 },

        { .about = "The backend:" },
        { "backend", "TARGET", "HOST:PORT or any target of gRPC's, in place of the next two",
                option_set_text, AT(backend) },
        { "backend-host", "HOST", "its host; default localhost ($BACKEND_HOST)", option_set_text,
                AT(backend_host), .variable = "BACKEND_HOST", .may_be_foreign = true },
        { "backend-port", "PORT", "its port; default 50051 ($BACKEND_PORT)", option_set_port,
                AT(backend_port), .variable = "BACKEND_PORT", .may_be_foreign = true },
        { "backend-ca", "FILE",
                "call it with TLS; FILE has the authorities of its certificate, PEM",
                option_set_text, AT(backend_ca) },
        { "backend-url", "URL",
                "where browsers reach it themselves, for the page that does; default: the page's "
                "host with --backend-port ($BACKEND_URL)",
                set_url, AT(backend_url), .variable = "BACKEND_URL" },
        { 0 },
};

static const struct option_entry from_elsewhere[] = {
        { .about = "Options from elsewhere. The command line goes before the environment, and "
                   "that before the file. In the environment an option is QUOIT_WEB_ and its "
                   "name in capitals, with _ for -, as in QUOIT_WEB_RINGS=2, several values "
                   "with commas between them; but those that say their names. A switch is "
                   "true or false." },
        { 0 },
};

static const struct option_group groups[] = {
        { serving, 0 },
        { secure_options, offsetof(struct options, secure) },
        { http_options, offsetof(struct options, http) },
        { probe_options, offsetof(struct options, probe) },
        { log_options, 0 },
        { access_options, offsetof(struct options, access) },
        { trace_options, offsetof(struct options, trace) },
        { sandbox_options, offsetof(struct options, sandbox) },
        { from_elsewhere, 0 },
        { option_general, 0 },
        { 0 },
};

static void join_backend(struct options *options)
{
        static char backend[HOST_PORT_BYTES];

        if (!host_port_print(backend, options->backend_host, (unsigned)options->backend_port))
                program_usage_error("'%s' is too long for a host", options->backend_host);
        options->backend = backend;
}

void options_read(struct options *options, int argc, char **argv)
{
        *options = (struct options){ .host = "",
                .port = PORT,
                .rings = 1,
                .backend_host = "localhost",
                .backend_port = BACKEND_PORT,
                .probe = PROBE_OPTIONS_INIT };
        option_make_table(groups);
        settings_collect(argc, argv);
        log_options_apply(options);
        (void)settings_choose_listen();
        if (!settings_is_later("backend", "backend-host", "backend-port"))
                settings_forget("backend");
        settings_apply(options);
        secure_complete(&options->secure);
        access_check(&options->access);
        if (!options->backend)
                join_backend(options);
}
