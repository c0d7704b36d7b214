/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calling gRPC servers.
 *
 *      const quoit_method *method = quoit_service_method(&quoit_api__Api_service, "sayHello");
 *      const upb_Message *reply;
 *      quoit_client *client;
 *      quoit_channel *channel;
 *      quoit_error error;
 *
 *      quoit_client_new(NULL, &client);
 *      quoit_channel_new(client, "127.0.0.1:50051", NULL, &channel);
 *      if (quoit_unary_blocking(channel, method, arena, request, NULL, &reply, &error) != QUOIT_OK)
 *              fprintf(stderr, "%s\n", quoit_error_text(&error));
 *      quoit_channel_free(channel);
 *      quoit_client_free(client);
 *
 * A *client* is one or several rings, each with a thread, on which its connections live and its callbacks run: the client's threads.
 * A *channel* is a way to one service, by one or more addresses; on each ring it has connections of its own, and connects when it is
 * first used there, and again by itself. An *outcall* is one call on it, and stays on the ring on which it was begun.
 *
 * Two ways to call. Blocking: from any thread that runs no ring; the client's rings take turns. Asynchronous: on one of the client's
 * threads, which is where callbacks are; any other thread gets there by quoit_client_post_to(). A call that is made there changes no
 * thread, and in steady state allocates nothing. A callback must not block: all calls of its ring wait for it.
 *
 * Threads: a function of an outcall may only be called on the thread of its ring. On any other it does nothing and returns -EPERM,
 * NULL, false, 0, "" or the value that it documents for "none". The other functions say which threads may call them: "any thread" means
 * every one.
 *
 * fork(): the parent's clients go on as before. In the child nothing of them works: blocking calls end at once with UNAVAILABLE, what
 * returns an errno returns -ESHUTDOWN, functions that free do nothing (the memory stays), channels are SHUTDOWN. Clients that the child
 * makes itself work.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/balancing.h>
#include <quoit/compression.h>
#include <quoit/credentials.h>
#include <quoit/credits.h>
#include <quoit/engine.h>
#include <quoit/export.h>
#include <quoit/log.h>
#include <quoit/method.h>
#include <quoit/rings.h>
#include <quoit/status.h>
#include <quoit/tls_version.h>
#include <quoit/upb_names.h>

#include "upb/base/string_view.h"

QUOIT_BEGIN_DECLS

/* A client, opaque. */
typedef struct quoit_client quoit_client;
/* A channel, opaque. */
typedef struct quoit_channel quoit_channel;
/* One call, opaque. */
typedef struct quoit_outcall quoit_outcall;
struct upb_Arena;
struct upb_ExtensionRegistry;
struct upb_Message;

/* ---- a client --------------------------------------------------------------------------------- */

/*
 * Everything that a server can make grow, and how long it may take. A member left 0 takes its default. Times are in milliseconds,
 * UINT32_MAX is never.
 */
typedef struct quoit_client_limits {
        /* One message received, as it arrives and decompressed; above: the call ends RESOURCE_EXHAUSTED. Default 4 MiB. */
        size_t message_receive_bytes_max;
        /* One message sent; above: -EMSGSIZE. Default 2 GiB - 1. */
        size_t message_send_bytes_max;
        /* Smaller messages are not compressed. Default 256. */
        size_t compress_bytes_min;
        /* Messages queued on a call that still counts as writable. Default 64 KiB. */
        size_t call_queue_bytes_max;
        /* While more than this is queued on a call, quoit_outcall_send() returns -ENOBUFS. Default 32 MiB. */
        size_t call_queue_bytes_hard_max;
        /*
         * How much of what a call has sent is kept, until the response begins, to send it again: if the server has not processed
         * it, or by a retry policy. A call that has sent more is not retried. Default 256 KiB.
         */
        size_t replay_bytes_max;
        /* The same for all calls of a channel on one ring: the call that exceeds it is not retried. Default 16 MiB. */
        size_t replay_channel_bytes_max;
        /* Calls of one channel that wait for a connection or for the server's stream limit, on each ring; above: RESOURCE_EXHAUSTED. Default 10 000. */
        uint32_t calls_queued_max;
        /* Metadata of one call, with 32 for each field; above: -E2BIG. Default 16 KiB. */
        size_t metadata_out_bytes_max;
        /* Fields of a response's headers, and of its trailers; above: RESOURCE_EXHAUSTED. Default 128. */
        uint32_t header_fields_max;
        /* Their size, with 32 for each field; above: RESOURCE_EXHAUSTED. Default 8 KiB. */
        uint32_t header_bytes_max;
        /* The same; above: the stream is reset before the block is decoded to its end. Default 16 KiB. */
        uint32_t header_bytes_hard_max;
        /* Calls on one connection at a time, besides the server's own limit. Default 10 000. */
        uint32_t streams_max;
        /* How far a server may be ahead on one call: its flow-control window. Default 256 KiB. */
        uint32_t stream_window_bytes;
        /* The same for a connection. Default 1 MiB. */
        uint32_t connection_window_bytes;
        /* How large both windows can grow by themselves on a long path. Default 4 MiB. */
        uint32_t window_bytes_max;
        /* The largest frame that a server may send; above: the connection ends. Default 128 KiB. */
        uint32_t frame_bytes_max;
        /* Memory of the messages that one connection's calls have received and not freed; above: RESOURCE_EXHAUSTED. Default 32 MiB. */
        size_t connection_receive_bytes_max;
        /* Messages that wait on one connection; above: its calls are not writable. Default 16 MiB. */
        size_t connection_send_bytes_max;
        /* The header block with which a proxy answers CONNECT; above: the attempt to connect has failed. Default 8 KiB. */
        size_t proxy_answer_bytes_max;
        /*
         * One attempt to connect, until the server's SETTINGS have arrived; a proxy's answer and the handshake of TLS are part of it.
         * Default 20 000.
         */
        uint32_t connect_ms;
        /* How long the next address waits for the one before (RFC 8305 section 5). Default 250. */
        uint32_t attempt_delay_ms;
        /*
         * The pause after a first failed attempt; each further one is 1.6 times as long, plus or minus a fifth (gRPC's
         * connection-backoff document). Default 1000.
         */
        uint32_t backoff_initial_ms;
        /* The longest of these pauses, without the fifth. Default 120 000. */
        uint32_t backoff_max_ms;
        /* One lookup of a name by DNS; above: it has failed. Default 30 000. */
        uint32_t resolution_ms;
        /*
         * The least time between two lookups of a channel's name that have succeeded. It is looked up again after a failed attempt and
         * after the end of a connection (GOAWAY). Default 30 000.
         */
        uint32_t resolution_ms_min;
        /*
         * A name is looked up again after so long even if its addresses work: servers that were added are not seen otherwise. Not while
         * the channel is IDLE. Default never.
         */
        uint32_t resolution_period_ms;
        /* A connection without calls for so long is closed, and its channel is IDLE. Default 30 minutes. */
        uint32_t idle_ms;
        /* A connection besides the first one to its address (`connections_max`) without calls for so long is closed. Default 60 000. */
        uint32_t connection_spare_ms;
        /*
         * While there are calls: a server that has sent nothing for so long gets a PING (gRPC's proposal A8), and TCP gives up when it has
         * acknowledged nothing for `keepalive_timeout_ms` (A18). Many servers allow one PING in five minutes: after their GOAWAY
         * "too_many_pings" the channel's next connections have twice the time. Default never.
         */
        uint32_t keepalive_ms;
        /* How long it then has to send anything; above: the connection is lost. Default 20 000. */
        uint32_t keepalive_timeout_ms;
        /* How long the server's TCP may take for one send; above: the connection is lost. Default 60 000. */
        uint32_t stall_ms;
        /* Sessions of TLS that one channel keeps to resume them; the oldest one goes first. Default 32. */
        uint32_t tls_sessions_max;
        /*
         * How long a callback, or a posted function, may keep its ring, and so all other calls there, waiting; above: the log names it.
         * Measured to a few milliseconds. Default 100.
         */
        uint32_t slow_callback_ms;
        /*
         * Lines a second in the log about servers, over ten seconds; further ones are counted. Those of QUOIT_LOG_DEBUG have as many for
         * themselves. Default 10.
         */
        uint32_t log_lines_per_second;
} quoit_client_limits;

/* The largest `rings` of a client. */
#define QUOIT_CLIENT_RINGS_MAX 64

/* Zero (or NULL) in a member takes the default. */
typedef struct quoit_client_options {
        unsigned
                rings; /* of its own, each with a thread, "client 0" and so on. Default: 1; with @lent it must be 0. */
        /*
         * It has one ring and no thread: the program turns it on the thread that makes the client, either from its own event loop, by
         * quoit_client_fd() and quoit_client_step(), or by calling quoit_client_wait() again and again. Not with @lent.
         */
        bool stepped;
        /*
         * In place of rings of its own: a server's, as quoit_server_rings() has them. Default: none.
         *
         * So that a handler calls out on its own thread: there it uses quoit_outcall_start(). Such a client is made before the server
         * starts, and so are the channels that handlers shall find; they are used from then on. When the server stops, it first waits
         * for its own calls, as ever, and so for the outcalls that their handlers wait for. When the last of them has ended, on whatever
         * ring, the client's calls that are left end with CANCELLED, its channels are SHUTDOWN, and then the server ends. After that,
         * or if the server never started, the client and the server can be freed, in any order.
         */
        quoit_rings *lent;
        quoit_engine engine; /* of its own rings. Default: AUTO. */
        quoit_client_limits limits; /* each that is 0 takes its default */
        /*
         * What happens to its channels, a line each, which begins with the channel's target: servers that cannot be reached, and when the
         * next attempt comes (again only when the reason is another one), connections that are lost, names that are not found, what
         * servers do wrong, and mistakes of the program (once for a function and method). With QUOIT_LOG_DEBUG what goes well.
         * Default: nothing is logged.
         */
        quoit_log_fn on_log;
        void *log_user; /* handed to @on_log */
        /*
         * The extensions that replies are parsed with, see <quoit/message.h>; NULL: all extensions are unknown fields. Not copied:
         * it must live as long as the client, and not change.
         */
        const struct upb_ExtensionRegistry *extensions;
} quoit_client_options;

/*
 * Starts a client with a copy of @options (NULL: all defaults) in *@ret_client. Its threads block all signals.
 * 0; -EINVAL: a limit that HTTP/2 does not allow, too many rings, or an unknown engine; -EBUSY: the server of lent rings has started;
 * -ENOMEM; -EAGAIN: no thread; or the error of io_uring, if epoll does not replace it. Any thread.
 */
QUOIT_API int quoit_client_new(const quoit_client_options *options, quoit_client **ret_client);

/*
 * Ends all calls that are left with CANCELLED, whose on_done run, frees channels that are left, closes all connections and waits for
 * the client's threads. Functions that were posted have run. Nobody may use the client or its channels while this runs, except that
 * blocking calls return. Any thread but the client's own, where it does nothing and returns @client; so too while a server runs the
 * rings that it lends. One that is `stepped` is freed on its own thread, which waits, and not within a step. Takes NULL, returns NULL.
 */
QUOIT_API quoit_client *quoit_client_free(quoit_client *client);

/*
 * Of a client that is `stepped`: a descriptor for the program's own loop (epoll, poll, libuv, GLib), which is readable when
 * quoit_client_step() has something to do, deadlines included. It belongs to the client: only poll it, do not read it. Edge- or
 * level-triggered. -EINVAL: the client is not `stepped`; -EPERM: another thread than the one that made the client; -ENOMEM and similar.
 */
QUOIT_API int quoit_client_fd(quoit_client *client);

/*
 * Does what is due, callbacks included, and does not wait for more: a few turns at most, then the descriptor is readable again. Does
 * nothing when nothing is due. Between steps, functions for the client's threads can be used on this one too.
 * 1; -EPERM: another thread than the one that made the client, or within a step; -EINVAL: the client is not `stepped`; or another
 * negative errno: the ring broke, all calls have ended, and all that is left is to free the client.
 */
QUOIT_API int quoit_client_step(quoit_client *client);

/*
 * For a thread that does nothing else: waits until something is due, at most @timeout_ns (0: not at all; UINT64_MAX: for ever), and does
 * it, in one turn. A signal ends the wait. Until quoit_client_fd() is called, this takes fewer system calls than to poll and to step:
 * on io_uring one a turn. Returns as quoit_client_step().
 */
QUOIT_API int quoit_client_wait(quoit_client *client, uint64_t timeout_ns);

/* How many rings it has. Any thread. */
QUOIT_API unsigned quoit_client_rings(const quoit_client *client);

/*
 * Runs @fn(@client, @arg) on the client's first ring, in the order in which one thread posts. Any thread. 0; -ENOMEM;
 * of lent rings -EAGAIN: their server has not started, and -ESHUTDOWN: it has ended.
 */
QUOIT_API int quoit_client_post(
        quoit_client *client, void (*fn)(quoit_client *client, void *arg), void *arg);

/* The same on the ring of that number, from 0 on. -EINVAL: there is none. */
QUOIT_API int quoit_client_post_to(quoit_client *client, unsigned ring,
        void (*fn)(quoit_client *client, void *arg), void *arg);

/* ---- a channel -------------------------------------------------------------------------------- */

/*
 * TLS towards servers (RFC 8446, RFC 5246, with the requirements of RFC 9113 section 9.2). A server must agree to "h2" by ALPN. Zero (or
 * NULL) in a member takes the default. Files are PEM, and are read by quoit_channel_new() and quoit_channel_reload_tls().
 *
 * Sessions are resumed (RFC 8446 section 2.2; RFC 5077 for TLS 1.2): a channel keeps those that servers give it, and offers each to one
 * later connection with the same name, of the same address if there is one. Then nothing is signed, and no certificate is checked again.
 * Early data (0-RTT) is never sent.
 */
typedef struct quoit_channel_tls {
        const char *
                ca_file; /* the authorities that sign servers' certificates. Default: those that the system trusts. */
        const char *
                certificate_file; /* the client's own, for servers that ask for one. Default: none. */
        const char *key_file; /* its private key, without a passphrase; with @certificate_file */
        /* The name, or address, that the server's certificate must be for. Default: the host of :authority. */
        const char *server_name;
        quoit_tls_version version_min; /* Default: 1.2. */
        bool no_resumption; /* each connection makes a full handshake */
        /* Any server is taken for the right one: who is on the way can read and change all. For tests. */
        bool no_verification;
} quoit_channel_tls;

/* Zero (or NULL) in a member takes the default. Strings are copied. */
typedef struct quoit_channel_options {
        const quoit_channel_tls *tls; /* only read. Default: none, calls go in the clear. */
        /* What servers see as :authority. Default: the target's host and port; "localhost" for unix sockets. */
        const char *authority;
        /* Stands before "quoit/VERSION" in the user-agent. Default: none. */
        const char *user_agent;
        /* Which address has a call: <quoit/balancing.h>. Only read. Default: as the service config says, else pick_first. */
        const quoit_load_balancing *load_balancing;
        /* gRPC's service config, as JSON: quoit_service_config_check(). See also `looks_up_service_config`. Default: none. */
        const char *service_config;
        /*
         * A target's name is looked up as records of SRV (RFC 2782) first: "_grpc._tcp.NAME"; a NAME that is one of a service itself, as
         * "_api._tcp.example.org", as it is. Their targets, at most QUOIT_CHANNEL_SRV_MAX, are then looked up, and have the
         * records' ports. Each priority is a list of addresses, the lowest number first, and the next one is its fallback, as
         * `fallback_targets` are. pick_first tries those of a list in an order by chance,
         * the sooner the larger their weights; ring_hash, and weighted_round_robin while servers do not report, give calls by weight. Where
         * there are no such records, the NAME's own addresses are used with the target's port, unless it names a service. :authority, and
         * what a server's certificate must be for, never come from records: they are NAME's, without "_api._tcp.". Default: false.
         */
        bool looks_up_srv;
        /*
         * The service config is looked up with a target's name, as a record of TXT (gRPC's proposal A2): at "_grpc_config.NAME", one that
         * begins with "grpc_config=", and has a JSON list of at most QUOIT_SERVICE_CONFIG_BYTES_MAX. Its first element that is meant for
         * this client is used: `clientLanguage` "c", `clientHostname` as gethostname(2), `percentage`, for which each ring of a channel draws
         * a number once. `service_config` is used where there is no such record or element. What is bad is refused as a whole, and the
         * config before it stays; if there was none yet the name counts as not found. If the lookup of TXT fails the config before it stays
         * too, or it is `service_config`. So it is if TXT takes 250 ms longer than the addresses; what comes later is used then.
         * Calls that begin before the first lookup wait for it. Default: false.
         */
        bool looks_up_service_config;
        /*
         * The HTTP proxy that opens the way to the server (CONNECT; gRPC's proposal A1): "http://HOST:PORT", or
         * "http://USER:PASSWORD@HOST:PORT" with %XX for what a URL cannot have; port 80 if it has none. "": none. Default: as the
         * environment says when the channel is made. It is for targets that name a HOST (dns:), and ignored for others. The server's
         * name is not looked up here, nor its records (`looks_up_srv`, `looks_up_service_config`): the proxy is told it. The channel's addresses are
         * the proxy's then. TLS is the server's, through the proxy.
         *
         * The environment: the first of grpc_proxy, https_proxy, HTTPS_PROXY and http_proxy that is not empty; but none for the hosts
         * in the first of no_grpc_proxy, no_proxy and NO_PROXY, and for localhost, 127.0.0.0/8 and ::1. Entries are separated by commas
         * and are "*", for all; "example.com", for this name and those below it; ".example.com", only for those below it; "10.0.0.1"
         * or "10.0.0.0/8", for targets that are addresses. All but "*" can be followed by ":PORT".
         */
        const char *proxy;
        /* What its calls say of who calls: <quoit/credentials.h>. The channel takes a reference. Default: nothing. */
        quoit_call_credentials *call_credentials;
        /* Credentials of calls are sent without TLS too, where everybody on the way can read them. */
        bool insecure_credentials;
        /*
         * Targets of addresses, not names. Each is a list of addresses behind the target's own, of which only the first that can be used has
         * calls (the priority policy of gRPC's proposal A56). The next list is used when none of the one before can be connected to, or that
         * takes longer than 10 s; also while a name is not found. Lists that fail go on trying, and have the calls again as soon as they are
         * READY. Those behind keep their connections for 15 minutes more. Each list is balanced by itself. All addresses together are at
         * most QUOIT_CHANNEL_ADDRESSES_MAX. :authority is the target's for all, a proxy is for none of these. Default: none.
         */
        const char *const *fallback_targets; /* @fallback_target_count of them */
        size_t fallback_target_count; /* of @fallback_targets, less than QUOIT_CHANNEL_TIERS_MAX */
        /*
         * How many connections there can be to each address, on each ring (gRPC's proposal A105), up to QUOIT_CHANNEL_CONNECTIONS_MAX. As
         * long as calls wait, since all connections have as many as the server allows them (SETTINGS_MAX_CONCURRENT_STREAMS) or as
         * `streams_max`, one more is begun, and the next when it is there. A call goes to the oldest that has room, and the others are
         * closed after `connection_spare_ms`. Default: as the service config says (connectionScaling.maxConnectionsPerSubchannel; more
         * than the most is the most), else 1.
         */
        unsigned connections_max;
        /*
         * Calls do not wait for room: when all connections are full, and no more can be begun now, they end RESOURCE_EXHAUSTED.
         * Default: they wait, at most `calls_queued_max` of them, and begin in the order in which they came.
         */
        bool fails_when_full;
} quoit_channel_options;

/* The largest `connections_max`. */
#define QUOIT_CHANNEL_CONNECTIONS_MAX 10

/* The most addresses that one channel has. */
#define QUOIT_CHANNEL_ADDRESSES_MAX 64
/* The most lists of addresses that one channel has: its target's, or one for each priority of SRV, and those of fallback targets. */
#define QUOIT_CHANNEL_TIERS_MAX 8
/* The most records of SRV that one channel uses. Of more, those of the lowest priority numbers. */
#define QUOIT_CHANNEL_SRV_MAX 16

/*
 * A channel to @target, in *@ret_channel. It connects when it is first used. @target is a name as gRPC's naming document has it:
 *
 *      HOST:PORT, [ADDRESS]:PORT, dns:HOST:PORT, dns:///HOST:PORT
 *                              a name, an address of IPv4, or of IPv6 in brackets; port 443 if it has none. A number alone is no
 *                              name. Names are looked up as /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf say, by DNS without
 *                              a thread; again for a new connection if that was 30 s ago. SRV and TXT records if
 *                              `looks_up_srv` and `looks_up_service_config` are set
 *      dns://SERVER/HOST:PORT  the same by the server of DNS at this address: ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT; port 53
 *                              if it has none
 *      ipv4:ADDRESS:PORT,...   several of one kind are tried in their order
 *      ipv6:[ADDRESS]:PORT,...
 *      unix:PATH, unix:///PATH a unix socket; %XX is a byte
 *      unix-abstract:NAME      one without a file (unix(7)); %XX is a byte
 *      vsock:CID:PORT          vsock(7)
 *
 * 0; -EINVAL: not such a target, or bad options, or a proxy of the environment that there cannot be (quoit_target_check(),
 * quoit_service_config_check(), quoit_proxy_check() and quoit_channel_tls_check() say what is wrong); -E2BIG: too many addresses or fallback targets; for TLS
 * as quoit_tls_add_certificate(); -ENAMETOOLONG: a unix socket's path; -ENOMEM. Any thread.
 */
QUOIT_API int quoit_channel_new(quoit_client *client, const char *target,
        const quoit_channel_options *options, quoit_channel **ret_channel);

/*
 * Ends the channel: its calls end with CANCELLED, its connections are closed. The pointer is invalid from here on, except to calls and
 * watches that run already. Any thread. Takes NULL, returns NULL.
 */
QUOIT_API quoit_channel *quoit_channel_free(quoit_channel *channel);

/* gRPC's connectivity states. */
typedef enum quoit_channel_state {
        QUOIT_CHANNEL_IDLE, /* it does not try to connect, as nobody calls */
        QUOIT_CHANNEL_CONNECTING, /* it looks up its name, or tries its addresses */
        QUOIT_CHANNEL_READY, /* there is a connection */
        QUOIT_CHANNEL_TRANSIENT_FAILURE, /* all addresses have failed; it tries again by itself. Stays until it is READY */
        QUOIT_CHANNEL_SHUTDOWN, /* freed */
} quoit_channel_state;

/* The name as gRPC writes it, like "TRANSIENT_FAILURE". Static. Any thread. */
QUOIT_API const char *quoit_channel_state_name(quoit_channel_state state);

/*
 * The state now; it may have changed when this returns. On one of the client's threads: of the channel's part there. On any other: the
 * best one of all parts, in the order READY, CONNECTING, IDLE, TRANSIENT_FAILURE.
 */
QUOIT_API quoit_channel_state quoit_channel_get_state(const quoit_channel *channel);

/*
 * Connects if it is IDLE. If it waits after failed attempts, it tries now, and its backoff begins anew. On one of the client's threads:
 * there; on any other: on all of the client's rings. 0; or as quoit_client_post().
 */
QUOIT_API int quoit_channel_connect(quoit_channel *channel);

/*
 * Calls @on_state(@channel, state, @user) for each change of the channel's state on this ring from here on, on this thread, in order
 * and without a gap; SHUTDOWN is the last. One watch a channel and ring: a later one replaces it; NULL ends it. On one of the client's
 * threads, else -EPERM. 0.
 */
QUOIT_API int quoit_channel_watch(quoit_channel *channel,
        void (*on_state)(quoit_channel *channel, quoit_channel_state state, void *user),
        void *user);

/* How calls of a channel were tried again, since it was made. Calls keep what they send for that: `replay_bytes_max`. */
typedef struct quoit_retry_statistics {
        uint64_t retries; /* attempts that a retry policy has begun */
        uint64_t hedged; /* attempts beside a first one that a hedging policy has begun */
        uint64_t transparent; /* attempts as no server had processed the call before */
        uint64_t throttled; /* attempts that were not begun, for retryThrottling */
        uint64_t overruns; /* calls that have sent more than is kept for them */
} quoit_retry_statistics;

/* Any thread. */
QUOIT_API void quoit_channel_get_retries(
        const quoit_channel *channel, quoit_retry_statistics *ret_retries);

/* The connections with TLS that a channel has made. */
typedef struct quoit_handshake_statistics {
        uint64_t handshakes; /* that have succeeded, up to the server's SETTINGS */
        uint64_t resumed; /* of these, by a session from before */
} quoit_handshake_statistics;

/* Any thread. */
QUOIT_API void quoit_channel_get_handshakes(
        const quoit_channel *channel, quoit_handshake_statistics *ret_handshakes);

/* Calls of a channel that wait for a connection, or for room on one. */
typedef struct quoit_queue_statistics {
        uint64_t waiting; /* now */
        uint64_t
                refused; /* since it was made: ended RESOURCE_EXHAUSTED by `calls_queued_max` or `fails_when_full` */
} quoit_queue_statistics;

/* Any thread. */
QUOIT_API void quoit_channel_get_queue(
        const quoit_channel *channel, quoit_queue_statistics *ret_queue);

/* ---- what a call is made with ----------------------------------------------------------------- */

/* A field of metadata. */
typedef struct quoit_metadata {
        const char *
                name; /* lower case letters, digits, "-", "_" and "."; not "grpc-..." nor one of HTTP's own */
        upb_StringView value; /* printable ASCII, or any bytes if @name ends in "-bin" */
} quoit_metadata;

/* Whether a call waits while its channel is in TRANSIENT_FAILURE (gRPC's wait-for-ready document). */
typedef enum quoit_wait {
        QUOIT_WAIT_AS_CONFIGURED, /* as the service config says, else not */
        QUOIT_WAIT_FOR_READY, /* it does */
        QUOIT_WAIT_NEVER, /* it ends at once, UNAVAILABLE, with the reason */
} quoit_wait;

/* Zero (or NULL) in a member takes the default. Nothing of it is used after the function that takes it. */
typedef struct quoit_call_options {
        /*
         * From here on; the server is told too (grpc-timeout). The call then ends DEADLINE_EXCEEDED. Default: none; if the service
         * config has a shorter one, that.
         */
        uint32_t timeout_ms;
        quoit_wait wait_for_ready; /* Default: AS_CONFIGURED. */
        quoit_compression
                compression; /* of what it sends; the server must know it. Default: identity. */
        /* In place of the client's limit. The service config's, if that is smaller. */
        size_t message_receive_bytes_max;
        /*
         * The server's call that it is made for, which the calling thread has, on a ring of the client's (`lent`). The earlier deadline of
         * both holds. When the parent is finished or cancelled, the call ends with CANCELLED (DEADLINE_EXCEEDED if that ended the
         * parent). What traces a request goes along: traceparent and tracestate (W3C's Trace Context) and grpc-trace-bin, unless
         * @metadata has a field of that name.
         */
        struct quoit_call *parent;
        /* ring_hash: calls with the same one go to the same address. Default: none, as of size 0. */
        upb_StringView hash_key;
        /* What the call says of who calls, behind what its channel's say: <quoit/credentials.h>. Default: nothing. */
        quoit_call_credentials *credentials;
        const quoit_metadata *metadata; /* @metadata_count of them, sent in this order */
        size_t metadata_count; /* of @metadata */
} quoit_call_options;

/* The most that a quoit_error keeps of its text, with the zero at its end. */
#define QUOIT_ERROR_TEXT_BYTES 1024

/* How a call ended. */
typedef struct quoit_error {
        quoit_status status; /* QUOIT_OK: no error */
        char text[QUOIT_ERROR_TEXT_BYTES]; /* "NAME: message", cut to this */
} quoit_error;

/*
 * The status's name and the message: the server's as it is, or one line that says what failed here: for UNAVAILABLE every address that
 * was tried, with its errno, and when the next attempt comes. "OK" for success. Lives as long as @error. Any thread.
 */
QUOIT_API const char *quoit_error_text(const quoit_error *error);

/* The most bytes that a service config has. */
#define QUOIT_SERVICE_CONFIG_BYTES_MAX ((size_t)64 << 10)

/*
 * Whether a channel takes @text as its service config: gRPC's JSON for grpc.service_config.ServiceConfig, at most
 * QUOIT_SERVICE_CONFIG_BYTES_MAX of it. It is checked as a whole; members that are not known are ignored. 0; -EINVAL: it is bad, and
 * *@ret_error (NULL: not wanted), INVALID_ARGUMENT, has one line that says what and where; -ENOMEM. Any thread.
 */
QUOIT_API int quoit_service_config_check(const char *text, quoit_error *ret_error);

/*
 * Whether quoit_channel_new() takes @target. 0; or its error, -EINVAL, -E2BIG or -ENAMETOOLONG, and *@ret_error (NULL: not wanted),
 * INVALID_ARGUMENT, has one line that says what is wrong and what targets there are. It looks nothing up. Any thread.
 */
QUOIT_API int quoit_target_check(const char *target, quoit_error *ret_error);

/*
 * Whether quoit_channel_new() takes @tls: its files are read. 0; -EINVAL: not PEM, a key of another certificate, or one of both alone;
 * -EKEYEXPIRED, -EKEYREJECTED, -ENOMEM, or the errno of a file, and *@ret_error (NULL: not wanted), INVALID_ARGUMENT, has one line that
 * says which file, and what is wrong. Any thread; waits for the disk.
 */
QUOIT_API int quoit_channel_tls_check(const quoit_channel_tls *tls, quoit_error *ret_error);

/*
 * Reads the files of the channel's TLS again, as they have been renewed: authorities, certificate and key. Connections that are there go
 * on as they are, later ones use the new files, and no session from before is resumed. If a file is bad, all the old ones stay in use.
 * Returns as quoit_channel_tls_check(), and also -EINVAL: the channel has no TLS. Any thread; waits for the disk.
 */
QUOIT_API int quoit_channel_reload_tls(quoit_channel *channel, quoit_error *ret_error);

/*
 * Whether quoit_channel_new() can use @proxy for @target; NULL: the environment's, if it has one for @target. 0; or as
 * quoit_target_check(); or -EINVAL, and *@ret_error, INVALID_ARGUMENT, has one line that says what is wrong, without the password;
 * -ENOMEM. It looks nothing up. Any thread.
 */
QUOIT_API int quoit_proxy_check(const char *target, const char *proxy, quoit_error *ret_error);

/* ---- blocking --------------------------------------------------------------------------------- */

/*
 * Calls a unary @method with @request and waits. On QUOIT_OK the reply is in *@ret_reply, in @arena; else *@ret_reply is untouched.
 * *@ret_error (NULL: not wanted) has the same status, and says what failed. @request, @arena and @options are used only until it
 * returns. Returns the status. INTERNAL, and nothing is sent: @method is not unary, or is NULL; or the calling thread runs a turn of a
 * ring, and would wait for itself or keep others waiting. A @request that is NULL is taken for one that there was no memory for:
 * RESOURCE_EXHAUSTED. Any thread that does not run a ring.
 */
QUOIT_API quoit_status quoit_unary_blocking(quoit_channel *channel, const quoit_method *method,
        struct upb_Arena *arena, const struct upb_Message *request,
        const quoit_call_options *options, const struct upb_Message **ret_reply,
        quoit_error *ret_error);

/* ---- asynchronous ----------------------------------------------------------------------------- */

/* What the caller hears of a call, on the thread that began it and never from within a function of the call. Each can be NULL. */
typedef struct quoit_outcall_handler {
        /* The headers of the response have arrived: quoit_outcall_header(). Not if there are only trailers. */
        void (*on_headers)(quoit_outcall *call, void *user);
        /*
         * A message. Of a method that streams replies it lives until this returns, and comes as it arrives, within the credits. The
         * one reply of other methods lives as long as the call, and comes only if the call's status is QUOIT_OK.
         */
        void (*on_message)(quoit_outcall *call, const struct upb_Message *message, void *user);
        /* There is room again: quoit_outcall_writable(). */
        void (*on_writable)(quoit_outcall *call, void *user);
        /* The call is over: last, exactly once. @call is valid until this returns. */
        void (*on_done)(quoit_outcall *call, quoit_status status, void *user);
        /*
         * In place of on_message, for callers that do not know the types (<quoit/generic.h>): a message as it arrived, decompressed if it
         * was compressed. It lives until this returns.
         */
        void (*on_bytes)(quoit_outcall *call, upb_StringView message, void *user);
} quoit_outcall_handler;

/*
 * Begins a call of @method. @handler is static or lives until on_done; @user is handed to its functions. *@ret_call (NULL: not wanted)
 * is valid until on_done has returned. Requests follow by quoit_outcall_send().
 * 0; -EINVAL: no @method, bad metadata or compression, or the parent is on another ring; -E2BIG: too much metadata; -ENOMEM; -EPERM: none
 * of the client's threads, or not the parent's; -ESHUTDOWN: the channel was freed. After an error there is no call and on_done does not
 * run.
 */
QUOIT_API int quoit_outcall_start(quoit_channel *channel, const quoit_method *method,
        const quoit_call_options *options, const quoit_outcall_handler *handler, void *user,
        quoit_outcall **ret_call);

/*
 * Queues a message, of the method's request type. It may be changed or dropped on return. Never blocks; who sends much asks
 * quoit_outcall_writable(). After the one request of a method with a single one, the request is complete.
 * 0, also if the call is over and the message is dropped. Else nothing was sent, and the call goes on:
 *      -EMSGSIZE  over `message_send_bytes_max`, or the service config's maxRequestMessageBytes
 *      -ENOBUFS   more than `call_queue_bytes_hard_max` waits already
 *      -EINVAL    a required field is not set
 *      -E2BIG     nested too deeply
 *      -EILSEQ    text in it is not UTF-8, where its field wants that (message.h)
 *      -EALREADY  the request is complete
 *      -ENOMEM    also if the message is NULL
 *      -EPERM     on another thread
 */
QUOIT_API int quoit_outcall_send(quoit_outcall *call, const struct upb_Message *message);

/* True while the call's queue has room and the call is not over. Once it has been false, on_writable follows. */
QUOIT_API bool quoit_outcall_writable(quoit_outcall *call);

/* There will be no more requests. */
QUOIT_API void quoit_outcall_half_close(quoit_outcall *call);

/* Ends the call with CANCELLED; the server is told at once (RST_STREAM). What has arrived and was not delivered is dropped. */
QUOIT_API void quoit_outcall_cancel(quoit_outcall *call);

/*
 * How many more messages on_message may get, of a method that streams replies; QUOIT_CREDITS_UNLIMITED at first. At 0 the stream's
 * window closes and the server has to wait. on_done waits until all messages have been delivered, so a call without credits that is
 * no longer wanted must be cancelled.
 */
QUOIT_API void quoit_outcall_set_read_credits(quoit_outcall *call, uint32_t credits);

/* How many credits are left. */
QUOIT_API uint32_t quoit_outcall_read_credits(const quoit_outcall *call);

/*
 * Whether messages sent from here on are compressed, in a call that compresses: true at first. Set it to false for messages that are
 * compressed already, or that hold secrets next to text that an attacker can choose (the CRIME attack).
 */
QUOIT_API void quoit_outcall_set_message_compression(quoit_outcall *call, bool enabled);

/* The compression that the last message of on_message had when it arrived; QUOIT_IDENTITY: none, or there was no message yet. */
QUOIT_API quoit_compression quoit_outcall_reply_compression(const quoit_outcall *call);

/*
 * The first value of the response's header @name: as quoit_call_metadata(). From on_headers on. The bytes live as long as the call.
 */
QUOIT_API bool quoit_outcall_header(
        const quoit_outcall *call, const char *name, upb_StringView *ret_value);

/*
 * The same of the trailers, in on_done. "grpc-status-details-bin" is one if the server sent details with its status: a
 * google.rpc.Status, serialized (<quoit/google/rpc/status.quoit.h>).
 */
QUOIT_API bool quoit_outcall_trailer(
        const quoit_outcall *call, const char *name, upb_StringView *ret_value);

/* All headers, in the order of the wire: as quoit_call_metadata_next(). */
QUOIT_API bool quoit_outcall_header_next(const quoit_outcall *call, size_t *cursor,
        upb_StringView *ret_name, upb_StringView *ret_value);

/* The same of the trailers, in on_done. */
QUOIT_API bool quoit_outcall_trailer_next(const quoit_outcall *call, size_t *cursor,
        upb_StringView *ret_name, upb_StringView *ret_value);

/* In on_done: the message that came with the status, or what failed here. Zero-terminated, "" if there is none; as long as the call. */
QUOIT_API upb_StringView quoit_outcall_status_message(const quoit_outcall *call);

/*
 * In on_done: the one reply of a method that does not stream replies. NULL unless the call's status is QUOIT_OK. It lives until on_done
 * has returned.
 */
QUOIT_API const struct upb_Message *quoit_outcall_reply(const quoit_outcall *call);

/* In on_done: *@ret_error as of a blocking call. */
QUOIT_API void quoit_outcall_get_error(const quoit_outcall *call, quoit_error *ret_error);

/* The call's arena: what is allocated there lives until on_done has returned. NULL when memory is short. */
QUOIT_API struct upb_Arena *quoit_outcall_arena(quoit_outcall *call);

QUOIT_END_DECLS
