/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "core/bind.h"
#include "core/probe.h"
#include "server/address.h"
#include "server/server.h"

/* Before an address is taken, and anybody is told that it was: whether there is io_uring at all. */
static int try_ring(quoit_server *server)
{
        int r = probe_run(NULL, NULL);

        return r < 0 ? server_explain_start(server, r) : 0;
}

static int explain_listen(quoit_server *server, const char *text, int error)
{
        const char *hint = "";

        if (error == -EADDRINUSE)
                hint = ": another process listens there; stop it or choose another port";
        else if (error == -EACCES)
                hint = ": ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose "
                       "another port";
        else if (error == -ENXIO)
                hint = ": the host name does not resolve";
        return server_fail(
                server, error, "cannot listen on %s: %s%s", text, strerror(-error), hint);
}

static int listen_unix(quoit_server *server, const struct address *address)
{
        int r = bind_unix(address->unix_path, &(struct bind_options){ 0 },
                server->listen_fds + server->listen_count);

        if (r < 0)
                return r;
        server->listen_count++;
        return 0;
}

static int listen_tcp(quoit_server *server, const struct address *address, uint16_t *ret_port)
{
        int fds[BIND_FDS_MAX];
        int count =
                bind_tcp(address->host, address->port, &(struct bind_options){ 0 }, fds, ret_port);

        if (count < 0)
                return count;
        for (int i = 0; i < count; i++)
                server->listen_fds[server->listen_count++] = fds[i];
        return 0;
}

int quoit_server_listen(quoit_server *server, const char *text, uint16_t *ret_port)
{
        struct address address;
        uint16_t port = 0;
        int r;

        if (atomic_load(&server->running))
                return server_fail(server, -EBUSY, "the server runs: listeners are opened before");
        if (server->listen_count + BIND_FDS_MAX > SERVER_LISTENERS_MAX)
                return server_fail(server, -E2BIG, "too many listeners, %s is one more", text);
        if (address_parse(text, &address) < 0)
                return server_fail(server, -EINVAL,
                        "'%s' is no address: give HOST:PORT, [IPV6]:PORT or unix:PATH", text);
        r = server->listen_count == 0 ? try_ring(server) : 0;
        if (r < 0)
                return r;
        r = address.unix_path ? listen_unix(server, &address) : listen_tcp(server, &address, &port);
        if (r < 0)
                return explain_listen(server, text, r);
        if (ret_port)
                *ret_port = port;
        return 0;
}
