/* SPDX-License-Identifier: MIT */
#include "doors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/host_port.h"
#include "../common/program.h"

static int listen_on(quoit_server *server, const char *address, const struct door *door)
{
        if (door->is_admin)
                return quoit_server_listen_admin(server, address, door->tls, NULL);
        return door->tls ? quoit_server_listen_tls(server, address, door->tls, NULL)
                         : quoit_server_listen(server, address, NULL);
}

/* Listens with the predecessor's sockets for @door, if it had some. */
static int listen_at(struct doors *doors, const struct door *door)
{
        int fds[SOCKETS_MAX], r = 0;
        unsigned count = predecessor_take(&doors->predecessor, door->address, fds, SOCKETS_MAX);

        if (count == 0)
                return listen_on(doors->server, door->address, door);
        for (unsigned i = 0; i < count && r == 0; i++) {
                char address[16];

                snprintf(address, sizeof(address), "fd:%d", fds[i]);
                r = listen_on(doors->server, address, door);
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
        int tls_port = options->secure.port, r = 0;

        if (tls && tls_port >= 0) {
                r = open_port(doors, options->host, tls_port, tls);
                tls = NULL; /* all others are without TLS */
        }
        if (r == 0 && options->address_count == 0)
                r = open_port(doors, options->host, options->port, tls);
        for (unsigned i = 0; r == 0 && i < options->address_count; i++)
                r = open_door(doors, options->addresses[i], tls);
        if (r == 0 && options->admin)
                r = open_door_as(doors, options->admin, NULL, true);
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
