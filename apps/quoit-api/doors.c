/* SPDX-License-Identifier: MIT */
#include "doors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/host_port.h"
#include "../common/program.h"

static int listen_on(const struct doors *doors, const char *address, const struct door *door)
{
        /* probes and scrapers speak HTTP/1.1 */
        const quoit_listener_options options = { .tls = door->tls,
                .admin = door->is_admin,
                .http2_only = doors->http2_only && !door->is_admin };

        return quoit_server_listen_with(doors->server, address, &options, NULL);
}

/* Listens with the predecessor's sockets for @door, if it had some. */
static int listen_at(struct doors *doors, const struct door *door)
{
        int fds[SOCKETS_MAX], r = 0;
        unsigned count = predecessor_take(&doors->predecessor, door->address, fds, SOCKETS_MAX);

        if (count == 0)
                return listen_on(doors, door->address, door);
        for (unsigned i = 0; i < count && r == 0; i++) {
                char address[16];

                snprintf(address, sizeof(address), "fd:%d", fds[i]);
                r = listen_on(doors, address, door);
        }
        return r;
}

static int open_door_as(struct doors *doors, const char *address, quoit_tls *tls, bool is_admin)
{
        struct door *door = doors->of + doors->count;
        int r;

        *door = (struct door){
                .address = strdup(address),
                .tls = tls,
                .is_admin = is_admin,
                .first = quoit_server_listener_count(doors->server),
        };
        if (!door->address)
                return -ENOMEM;
        doors->count++;
        r = listen_at(doors, door);
        if (r == 0)
                door->count = quoit_server_listener_count(doors->server) - door->first;
        return r;
}

static int open_door(struct doors *doors, const char *address, quoit_tls *tls)
{
        return open_door_as(doors, address, tls, false);
}

static int open_port(struct doors *doors, const char *host, int port, quoit_tls *tls)
{
        char address[HOST_PORT_BYTES];

        host_port_print(address, host, (unsigned)port);
        return open_door(doors, address, tls);
}

int doors_open(struct doors *doors, const struct options *options, quoit_tls *tls)
{
        int tls_port = options->tls_port, r = 0;

        doors->http2_only = options->http2_only;
        if (tls && tls_port >= 0) {
                r = open_port(doors, options->host, tls_port, tls);
                tls = NULL; /* all others are without TLS */
        }
        if (r == 0 && options->addresses.count == 0)
                r = open_port(doors, options->host, options->port, tls);
        for (unsigned i = 0; r == 0 && i < options->addresses.count; i++)
                r = open_door(doors, options->addresses.texts[i], tls);
        if (r == 0 && options->http.admin)
                r = open_door_as(doors, options->http.admin, NULL, true);
        return r;
}

void doors_announce(const struct doors *doors)
{
        for (unsigned i = 0; i < doors->count; i++) {
                const struct door *door = doors->of + i;

                for (unsigned j = 0; j < door->count; j++)
                        quoit_log_writer_printf(program_log, "%slistening on %s",
                                door->is_admin ? "admin: "
                                : door->tls    ? "TLS: "
                                               : "",
                                quoit_server_listener_address(doors->server, door->first + j));
        }
}

void doors_deinit(struct doors *doors)
{
        for (unsigned i = 0; i < doors->count; i++)
                free(doors->of[i].address);
}
