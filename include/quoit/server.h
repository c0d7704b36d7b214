/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A gRPC server: options, services, listeners, run, stop.
 *
 *      quoit_server *server = NULL;
 *      int r = quoit_server_new(&(quoit_server_options){ .rings = 2 }, &server);
 *      r = api_Api_register(server, &api, NULL);
 *      r = quoit_server_listen(server, "0.0.0.0:50051", NULL);
 *      r = quoit_server_run(server);           (until quoit_server_stop())
 *      quoit_server_free(server);
 *
 * Functions that fail return a negative errno; quoit_server_problem() says in one line what is wrong
 * and what to do about it. The library never prints, never exits and installs no signal handler.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/engine.h>
#include <quoit/export.h>
#include <quoit/limits.h>
#include <quoit/log.h>
#include <quoit/rings.h>
#include <quoit/service.h>
#include <quoit/statistics.h>

QUOIT_BEGIN_DECLS

/* The largest `rings` of a server. */
#define QUOIT_RINGS_MAX 1024

/* Zero (or NULL) in a member takes the default. */
typedef struct quoit_server_options {
        unsigned
                rings; /* threads "ring 1" and so on, each with a ring; the first is the caller of quoit_server_run(). Default: 1. */
        unsigned
                unix_mode; /* of the unix sockets that it makes, for example 0660; 0: as the umask has it */
        /* Threads for offloaded methods; started only if there are such methods. One connection can use all but one. Default: 10. */
        unsigned workers;
        unsigned
                handshake_threads; /* for TLS handshakes; started only if a listener uses TLS. Default: 1. */
        quoit_limits limits; /* see limits.h */
        quoit_compression
                compression; /* of answers to clients that accept it. Default: identity. */
        quoit_protocols
                protocols; /* of calls, unless their method's options say others. Default: all. */
        /*
         * HTTP/1.1 is not spoken: its clients are told so (426) and the connection is closed; by TLS they must offer "h2" by ALPN.
         * Default: false, HTTP/2 and HTTP/1.1 are both spoken on every listener that has no such option of its own
         * (quoit_listener_options); the client's first bytes decide.
         */
        bool http2_only;
        quoit_engine engine; /* chosen once, when it first listens, for all rings. Default: AUTO. */
        quoit_log_fn on_log; /* NULL: nothing is logged */
        void *log_user; /* handed to @on_log */
        /*
         * The extensions that requests are parsed with, see <quoit/message.h>; NULL: all extensions are unknown fields. Not
         * copied: it must live as long as the server, and not change while the server runs.
         */
        const struct upb_ExtensionRegistry *extensions;
} quoit_server_options;

/*
 * A server with a copy of @options (NULL: all defaults) in *@ret_server. 0; -EINVAL: more than 1024 rings or 4096 workers or
 * handshake threads, a `unix_mode` over 0777, a window over 2^31-1 bytes, a `frame_bytes_max` that HTTP/2 does not allow, or an
 * unknown compression or engine; `on_log` gets a line that says which; -ENOMEM.
 */
QUOIT_API int quoit_server_new(const quoit_server_options *options, quoit_server **ret_server);

/* Closes what it still listens on and frees it. It must have ended, or never been started. Takes NULL, returns NULL. */
QUOIT_API quoit_server *quoit_server_free(quoit_server *server);

/*
 * Listens on @address:
 *
 *      HOST:PORT           a name (on all its addresses), IPv4, or IPv6 in brackets; port 0 takes a free one;
 *                          "[::]", "*" or no HOST at all is every address, IPv4 included; "[fe80::1%eth0]:0" is
 *                          an address of one link. Also as quoit_call_peer() spells it, "ipv6:[fe80::1%25eth0]:PORT"
 *      unix:PATH           a unix socket, also unix:///PATH; `unix_mode` is its mode. A socket that no process
 *                          serves any more is replaced, any other file is not. It is not removed when the server ends. As in
 *                          any URI %XX is a byte: "%20" a space, "%25" a '%'
 *      unix-abstract:NAME  one without a file (unix(7)); %XX is a byte here too
 *      vsock:CID:PORT      vsock(7), between a virtual machine and its host; "any" for either
 *      fd:N                a socket that listens already, inherited by this process, which the server takes over
 *      systemd             all sockets that systemd passed to this process (sd_listen_fds(3)), or with
 *      systemd:NAME        those of one FileDescriptorName=. The environment is left as it is
 *
 * May be called several times, before quoit_server_run(). A port that is in use is tried again for up to 100 ms: a process that
 * was just killed may release it that late. @ret_port, if not NULL, gets the TCP port of the first socket (0: none). 0, or a
 * negative errno, and then nothing new is listened on: -EINVAL for a bad address, -EADDRINUSE, -EACCES, -EADDRNOTAVAIL,
 * -ENXIO for an unknown host; -ENOENT if systemd passed no socket, -ESRCH if it passed none of that name; for a descriptor
 * -EBADF: not open, -ENOTSOCK: not a socket, -ESOCKTNOSUPPORT: not a stream socket, -EAFNOSUPPORT: of none of the kinds above,
 * -ENOTCONN: not listening; -EEXIST: this server listens on it already; -E2BIG: more than 32 descriptors; -EBUSY when it runs;
 * and the errors of io_uring, which is tried before the first address, if epoll does not replace it.
 */
QUOIT_API int quoit_server_listen(quoit_server *server, const char *address, uint16_t *ret_port);

/* Of one address. Zero (or NULL) in a member takes the default. */
typedef struct quoit_listener_options {
        struct quoit_tls
                *tls; /* as of quoit_server_listen_tls() (<quoit/tls.h>). Default: in the clear */
        bool admin; /* as quoit_server_listen_admin() (<quoit/http.h>) */
        bool http2_only; /* as the server's option of that name, which holds for all of them */
} quoit_listener_options;

/* As quoit_server_listen(), with @options (NULL: all defaults). -EINVAL also if their `tls` has no certificate. */
QUOIT_API int quoit_server_listen_with(quoit_server *server, const char *address,
        const quoit_listener_options *options, uint16_t *ret_port);

/*
 * What its rings run on: IO_URING or EPOLL once quoit_server_listen() has found whether io_uring can be used; AUTO before that.
 * A process that gives up privileges between quoit_server_listen() and quoit_server_start() may get EPOLL there.
 */
QUOIT_API quoit_engine quoit_server_engine(const quoit_server *server);

/* How many sockets it listens on: a name may have several addresses, systemd may pass several sockets. */
QUOIT_API unsigned quoit_server_listener_count(const quoit_server *server);

/*
 * The descriptor of listener @index (they keep the order of quoit_server_listen()), for a program that hands it to its
 * successor, which takes it with "fd:N": connections that wait in its queue are not lost. The descriptor stays the server's,
 * close-on-exec, and is closed some time after quoit_server_stop(). -ENOENT past the last.
 */
QUOIT_API int quoit_server_listener_fd(const quoit_server *server, unsigned index);

/*
 * The address of listener @index, as quoit_server_listen() spells it: "127.0.0.1:50051", "[::]:50051", "[fe80::1%eth0]:50051",
 * "unix:/run/api.socket", "vsock:4294967295:50051". Owned by the server. NULL past the last.
 */
QUOIT_API const char *quoit_server_listener_address(const quoit_server *server, unsigned index);

/*
 * Sets up the rings, starts the other threads, and begins to serve. The calling thread has to go on with quoit_server_run() or,
 * from a loop of its own, with quoit_server_fd() and quoit_server_step(). For programs that report that they are ready: once it
 * has returned 0, nothing of the start can fail any more. Clients that connect from then on wait in the queue. Returns as
 * quoit_server_run() does, which starts the server if this was not called.
 */
QUOIT_API int quoit_server_start(quoit_server *server);

/*
 * Serves on the calling thread and `rings` - 1 others until quoit_server_stop() has been called and
 * the last call has ended; all threads that it started have ended when it returns. Runs once.
 * 0, or a negative errno when a ring cannot be set up (quoit_server_problem() names the remedy), or -EINVAL
 * when it listens nowhere.
 */
QUOIT_API int quoit_server_run(quoit_server *server);

/*
 * For a program with a loop of its own (epoll, poll, libuv, GLib), in place of quoit_server_run(): a descriptor that is
 * readable when quoit_server_step() has something to do, deadlines and quoit_server_stop() included. It belongs to the server:
 * only poll it, do not read it; it is gone when the server has ended. Edge- or level-triggered. Call it after
 * quoit_server_start(), on the same thread; quoit_server_run() can no longer be called then. -EINVAL before
 * quoit_server_start(); -ENOMEM and similar.
 */
QUOIT_API int quoit_server_fd(quoit_server *server);

/*
 * Does what is due, handlers included, and does not wait for more: a few turns at most, then the descriptor is readable again.
 * On the thread of quoit_server_start(), never from within a handler. Does nothing when nothing is due.
 * 1 while the server lives; 0 once it has ended after quoit_server_stop(), and it may be freed; or a negative errno: a ring
 * broke, and it has ended as well.
 */
QUOIT_API int quoit_server_step(quoit_server *server);

/*
 * Its rings, for clients whose calls handlers wait for: `lent` in <quoit/client.h>, which says what such a client may do and when.
 * They belong to the server. Any thread.
 */
QUOIT_API quoit_rings *quoit_server_rings(quoit_server *server);

/*
 * Stops gracefully: no new connections, GOAWAY to the open ones (RFC 9113 section 6.8), running calls have `drain_ms` to
 * finish, then they are cancelled. A second quoit_server_stop() cancels them at once, and waits for calls that are held no
 * longer than `stop_hold_ms` (call.h). A handler that blocks a worker thread is waited for in any case. From any thread, and
 * safe in a signal handler. Before quoit_server_run() it makes that return at once.
 */
QUOIT_API void quoit_server_stop(quoit_server *server);

/*
 * The same, but running calls have @drain_ms from now to finish; 0: they are cancelled at once, UINT32_MAX: there is no limit.
 * When called again, the time begins anew. A quoit_server_stop() after it begins `drain_ms`, and the next one cancels. For a
 * program whose successor serves already: there is time to let calls finish, and the operator can still ask for an end. From
 * any thread, and safe in a signal handler.
 */
QUOIT_API void quoit_server_drain(quoit_server *server, uint32_t drain_ms);

/*
 * What went wrong in the last function that failed: one line, "" if nothing did. Owned by the server. Takes NULL, for a program
 * whose quoit_server_new() failed: the line says only that, as `on_log` has had the reason.
 */
QUOIT_API const char *quoit_server_problem(const quoit_server *server);

QUOIT_END_DECLS
