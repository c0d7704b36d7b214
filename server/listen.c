/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <quoit/http.h>

#include "codec/percent.h"
#include "core/bind.h"
#include "core/endpoint.h"
#include "link/peer.h"
#include "server/activation.h"
#include "server/address.h"
#include "server/engine.h"
#include "server/listen_problem.h"
#include "server/server.h"
#include "transport/tls_config.h"

/*
 * The kernel closes the sockets of a killed process when it has freed its rings, a little after wait(2) has reported its
 * end.
 */
#define IN_USE_TRIES 11
#define IN_USE_PAUSE_MS 10

static void pause_a_little(void)
{
        nanosleep(&(struct timespec){ .tv_nsec = IN_USE_PAUSE_MS * 1000000 }, NULL);
}

/* ---- what is wrong ---- */

static int explain(quoit_server *server, const char *text, const struct address *address, int error)
{
        char hint[LISTEN_HINT_BYTES];

        if (error == -E2BIG)
                return server_fail(server, error,
                        "cannot listen on %s: a server has at most %d listening sockets", text,
                        SERVER_LISTENERS_MAX);
        if (!listen_hint(address, error, hint))
                return server_fail(
                        server, error, "cannot listen on %s: %s", text, strerror(-error));
        return server_fail(
                server, error, "cannot listen on %s: %s: %s", text, strerror(-error), hint);
}

/* ---- opening ---- */

static bool has_fd(const quoit_server *server, int fd)
{
        for (unsigned i = 0; i < server->listener_count; i++) {
                if (server->listeners[i].fd == fd)
                        return true;
        }
        return false;
}

/* Adopts all of the descriptors, or none. */
static int adopt(const quoit_server *server, const int *fds, int count)
{
        for (int i = 0; i < count; i++) {
                int r = has_fd(server, fds[i]) ? -EEXIST : bind_adopt(fds[i]);

                if (r < 0)
                        return r;
        }
        return count;
}

/* How many descriptors are in @ret_fds. */
static int open_once(const quoit_server *server, const struct address *address,
        int ret_fds[SERVER_LISTENERS_MAX])
{
        const struct bind_options options = { .unix_mode = server->options.unix_mode };
        int r;

        switch (address->kind) {
        case ADDRESS_TCP:
                return bind_tcp(address->host, (uint16_t)address->port, &options, ret_fds, NULL);
        case ADDRESS_UNIX:
                r = bind_unix(address->name, &options, ret_fds);
                return r < 0 ? r : 1;
        case ADDRESS_UNIX_ABSTRACT:
                r = bind_unix_abstract(address->name, &options, ret_fds);
                return r < 0 ? r : 1;
        case ADDRESS_VSOCK:
                r = bind_vsock(address->cid, address->port, &options, ret_fds);
                return r < 0 ? r : 1;
        case ADDRESS_FD:
                ret_fds[0] = address->fd;
                return adopt(server, ret_fds, 1);
        case ADDRESS_SYSTEMD:
                r = activation_fds(
                        *address->name ? address->name : NULL, ret_fds, SERVER_LISTENERS_MAX);
                return r < 0 ? r : adopt(server, ret_fds, r);
        }
        return -EINVAL;
}

static int open_address(const quoit_server *server, const struct address *address,
        int ret_fds[SERVER_LISTENERS_MAX])
{
        int r = open_once(server, address, ret_fds);

        for (int try = 1; r == -EADDRINUSE && try < IN_USE_TRIES; try++) {
                pause_a_little();
                r = open_once(server, address, ret_fds);
        }
        return r;
}

/*
 * The address as quoit_server_listen() takes it: an IP address without "ipv4:" or "ipv6:", and with a plain '%' before a
 * zone.
 */
static void describe_bound(int fd, char text[PEER_ADDRESS_BYTES])
{
        struct endpoint bound;
        size_t size;

        endpoint_of_socket(fd, &bound);
        peer_describe(&bound, text);
        if (strncmp(text, "ipv", 3) != 0)
                return;
        size = strlen(text) - strlen("ipvN:");
        text[percent_decode(text, text + strlen("ipvN:"), size)] = '\0';
}

static uint16_t port_of(int fd)
{
        struct endpoint bound;

        endpoint_of_socket(fd, &bound);
        return endpoint_port(&bound);
}

static void add(quoit_server *server, int fd)
{
        struct server_listener *listener = server->listeners + server->listener_count++;

        *listener = (struct server_listener){ .fd = fd };
        describe_bound(fd, listener->address);
}

static void close_own(const int *fds, int count, enum address_kind kind)
{
        /* inherited descriptors stay the caller's */
        for (int i = 0; i < count && kind != ADDRESS_FD && kind != ADDRESS_SYSTEMD; i++)
                close(fds[i]);
}

int quoit_server_listen(quoit_server *server, const char *text, uint16_t *ret_port)
{
        unsigned first = server->listener_count;
        int fds[SERVER_LISTENERS_MAX];
        struct address address;
        int count, r;

        if (atomic_load(&server->running))
                return server_fail(
                        server, -EBUSY, "the server runs already: open listeners before it starts");
        r = address_parse(text, &address);
        if (r < 0)
                return server_fail(server, -EINVAL, "'%s' is not an address: %s", text,
                        address_problem(text, r));
        /* first, so that no address is taken by a server that cannot run */
        r = engine_choose(server);
        if (r < 0)
                return r;
        count = open_address(server, &address, fds);
        if (count < 0)
                return explain(server, text, &address, count);
        if (first + (unsigned)count > SERVER_LISTENERS_MAX) {
                close_own(fds, count, address.kind);
                return explain(server, text, &address, -E2BIG);
        }
        for (int i = 0; i < count; i++)
                add(server, fds[i]);
        if (ret_port)
                *ret_port = port_of(fds[0]);
        return 0;
}

/* Whether connections by @tls can be had: it has a certificate. */
static int check_tls(quoit_server *server, const char *address, quoit_tls *tls)
{
        struct tls_context *context = tls_config_context(tls);

        tls_context_unref(context);
        if (context)
                return 0;
        return server_fail(server, -EINVAL,
                "cannot listen on %s: no certificate; call quoit_tls_add_certificate() first",
                address);
}

int quoit_server_listen_with(quoit_server *server, const char *address,
        const quoit_listener_options *options, uint16_t *ret_port)
{
        static const quoit_listener_options defaults = { 0 };
        unsigned first = server->listener_count;
        int r = 0;

        if (!options)
                options = &defaults;
        if (options->tls)
                r = check_tls(server, address, options->tls);
        if (r == 0)
                r = quoit_server_listen(server, address, ret_port);
        for (unsigned i = first; i < server->listener_count; i++) {
                struct server_listener *listener = server->listeners + i;

                listener->tls = options->tls ? tls_config_ref(options->tls) : NULL;
                listener->is_admin = options->admin;
                listener->http2_only = options->http2_only;
        }
        return r;
}

int quoit_server_listen_tls(
        quoit_server *server, const char *address, quoit_tls *tls, uint16_t *ret_port)
{
        if (!tls) /* in the clear is not what was asked for */
                return server_fail(server, -EINVAL, "cannot listen on %s: no quoit_tls", address);
        return quoit_server_listen_with(
                server, address, &(quoit_listener_options){ .tls = tls }, ret_port);
}

int quoit_server_listen_admin(
        quoit_server *server, const char *address, quoit_tls *tls, uint16_t *ret_port)
{
        return quoit_server_listen_with(
                server, address, &(quoit_listener_options){ .admin = true, .tls = tls }, ret_port);
}

/* ---- what there is ---- */

unsigned quoit_server_listener_count(const quoit_server *server)
{
        return server->listener_count;
}

int quoit_server_listener_fd(const quoit_server *server, unsigned index)
{
        return index < server->listener_count ? server->listeners[index].fd : -ENOENT;
}

const char *quoit_server_listener_address(const quoit_server *server, unsigned index)
{
        return index < server->listener_count ? server->listeners[index].address : NULL;
}
