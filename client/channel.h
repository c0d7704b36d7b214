/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A channel's part on one ring: its addresses (addresses.h, subchannel.h), which of them has a call (balancer.h), and the calls that
 * wait for it. Calls enter by the queue; what can go on goes on in the dispatch phase of the turn. All on the ring's thread, unless it
 * says otherwise.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/client.h>

#include "call/counts.h"
#include "call/group.h"
#include "call/writer.h"
#include "client/balancing.h"
#include "client/subchannel.h"
#include "client/throttle.h"
#include "client/tier.h"

struct address;
struct lookup;
struct proxy;
struct quoit_outcall;
struct service_config;
struct target;
struct tls_client_config;

#define CHANNEL_PROBLEM_BYTES 320 /* with what is wrong with a service config */
#define CHANNEL_TIERS_MAX QUOIT_CHANNEL_TIERS_MAX

/* Of its calls: as quoit_retry_statistics. */
struct retry_counts {
        counter retries, hedged, transparent, throttled;
};

/* Of its connections: as quoit_handshake_statistics. */
struct handshake_counts {
        counter all, resumed;
};

struct channel {
        quoit_channel *handle;
        struct client *client;
        struct list link; /* in the client */
        struct list stirred; /* in the client, while there is something to do */
        struct mail attach; /* to the ring, when it is made, ... */
        struct mail detach; /* ... and when its program frees it */
        bool is_detached; /* that has arrived: the program does not know it any more */
        _Atomic quoit_channel_state state; /* any thread may read it */
        struct call_group group; /* of calls without a connection */
        struct list calls; /* all that are not freed, feed.h's too */
        struct list queue; /* those that wait for a connection, or for room on one */
        counter queued; /* the number of all that wait, also at subchannels */
        counter refused; /* calls that could not wait */
        uint32_t authorizing; /* calls, which wait for their credentials */
        struct replay_budget replay; /* of what they keep to send it again */
        struct throttle throttle; /* of what they send again */
        struct retry_counts retry_counts;
        struct call_counts call_counts; /* as their callers see them */
        uint32_t
                keepalive_ms; /* of its next connections: longer than the client's where servers have asked for calm */
        struct handshake_counts handshake_counts;
        uint64_t used_ns; /* when the last call began, or a connection was asked for */
        bool connect_asked;

        struct balancing balancing; /* how. channel_config.h writes it */
        struct tier
                tiers[CHANNEL_TIERS_MAX]; /* `tier_count` of them, by whom. tier.h writes these */
        unsigned tier_count; /* at least 1 */
        struct tier *tier; /* the one that has the calls */
        bool is_choosing; /* that, ... */
        bool chooses_again; /* ... as something has changed meanwhile */
        struct timer outlier_look; /* outliers.h */
        struct timer rest; /* feed.h */

        void (*on_state)(quoit_channel *channel, quoit_channel_state state, void *user);
        void *state_user;
        quoit_channel_state *states; /* that the watch has not heard of; NULL: none ever */
        unsigned state_count, states_max; /* of them, and of what there is room for */

        /* of a name (resolver.h) */
        char *host; /* fixed; NULL: the addresses are. With `proxy_request` it is the proxy's, as they are */
        uint16_t port;
        bool looks_up_srv; /* fixed */
        char *dns_server; /* fixed; NULL: the system's */
        struct lookup *lookup; /* under way; NULL: none */
        uint64_t looked_up_ns; /* when the addresses were last found; 0: never */
        uint64_t doubted_ns; /* when one of them has not worked, since then; 0: they have */
        struct timer lookup_due;
        char lookup_problem[CHANNEL_PROBLEM_BYTES]; /* the last lookup failed; "": it did not */
        struct backoff lookup_backoff;
        struct timer lookup_retry;
        uint64_t lookup_retry_ns; /* while that runs */

        /* fixed */
        char *authority;
        char *user_agent;
        struct tls_client_config *tls; /* NULL: in the clear */
        char *server_name; /* with that */
        struct service_config *own_config; /* the program's; NULL: none */
        struct balancing own_balancing; /* the program's, or the default */
        bool has_own_balancing;
        bool looks_up_config;
        char *proxy_request; /* with which its addresses are asked for the way to the server; NULL: they are the server's */
        quoit_call_credentials *credentials; /* of its calls; NULL: none */
        bool keeps_secrets; /* credentials may be sent */
        unsigned count_max;
        unsigned connections_max; /* to each address, as the program says; 0: scaling.h */
        bool fails_when_full; /* calls do not wait for room */
        struct address *fallbacks; /* addresses behind those of its name; of tiers from 0 on */
        unsigned fallback_count;
        unsigned fallback_tiers; /* how many they are of */

        /* channel_config.h writes these */
        struct service_config *service_config; /* NULL: none */
        bool config_is_known; /* it is the one to go by */
        char *config_text; /* of DNS, that it is from; NULL: it is the program's */
        char *refused_text; /* of DNS, the last one, if it was refused; the log knows it. NULL: none */
        unsigned percent; /* 0: not drawn yet */

        struct list lost; /* subchannels of addresses that it had, while something uses them */
        unsigned count; /* of `subchannels` */
        struct subchannel *subchannels[]; /* by tier. addresses.h writes them */
};

struct ring *channel_ring(const struct channel *channel);

/*
 * A part on @client, in *@ret_channel; the caller sets its `handle`. @tls: NULL, or what is made of
 * @options->tls. 0; -EINVAL, -E2BIG, -ENAMETOOLONG: fallback targets; -ENOMEM. Any thread.
 */
int channel_new(struct client *client, const struct target *target, const struct proxy *proxy,
        const quoit_channel_options *options, struct tls_client_config *tls,
        struct channel **ret_channel);

/* A check of what a program says has found @problem: INVALID_ARGUMENT, in *@ret_error unless that is NULL. Any thread. */
void channel_tell_problem(const char *problem, quoit_error *ret_error);

/* Nothing on the ring uses it, and its program neither. Any thread. */
void channel_free(struct channel *channel);

/* Its client has it from now on; it begins as soon as the client has a ring. Any thread. */
void channel_attach(struct channel *channel);

/* Its program does not know it any more: it is shut down, and freed when nothing uses it. Any thread. */
void channel_detach(struct channel *channel);

/* The client has a ring. */
void channel_begin(struct channel *channel);

/* The one place where a channel's state changes; asserts that the step is one of gRPC's. The watch hears of it later. */
void channel_set_state(struct channel *channel, quoit_channel_state state);

/* There is something to do for the channel, in the next dispatch phase. Also inside nghttp2's callbacks. */
void channel_stir(struct channel *channel);

/* Does it; may free the channel. In the dispatch phase. */
void channel_run(struct channel *channel);

/* SHUTDOWN: its calls end. No-op when it was shut down. */
void channel_shut_down(struct channel *channel);

/* Whether it has something to do on its ring, or may have. */
bool channel_is_used(const struct channel *channel);

/* A call that waits for its connection: behind those that wait already, or in front of them if it has waited before. */
void channel_queue(struct channel *channel, struct quoit_outcall *call, bool in_front);

/* A call that waits for room at @subchannel, which is READY. */
void channel_queue_at(struct subchannel *subchannel, struct quoit_outcall *call);

/* Begins those that wait as far as there is room, and fails those that need not wait. */
void channel_run_queue(struct channel *channel);

/* Calls that waited at a subchannel are the first of those that wait in the channel. */
void channel_take_back(struct channel *channel, struct list *waiting);

/* Whether somebody calls. */
bool channel_has_calls(const struct channel *channel);

/* When it may rest: `idle_ms` after somebody has called. While somebody calls that is as from now. UINT64_MAX: never. */
uint64_t channel_rest_due_ns(const struct channel *channel);

/* It waits no longer. */
void channel_unqueue(struct channel *channel, struct quoit_outcall *call);

/* Whether more calls may wait: calls_queued_max. */
bool channel_has_room(const struct channel *channel);

/* There is no room for @call: it ends RESOURCE_EXHAUSTED, and is counted. */
void channel_refuse(struct quoit_outcall *call);
