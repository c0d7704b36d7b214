/* SPDX-License-Identifier: MIT */
#include "link/stalls.h"

#include "core/clock.h"
#include "link/connection.h"
#include "link/owner.h"

#define LEAVING_NS                                                                                 \
        (5000 * NS_PER_MS) /* time for one send, on a connection that drains and has no calls */
#define CONFIRM_NS                                                                                 \
        (20 * NS_PER_MS) /* a stall is confirmed by a second look after this: the ring itself may have been late */
#define LOOKS_A_PERIOD                                                                             \
        16 /* at most, in window_stall_ms: streams that began to wait at different times are looked at together */
#define REQUEST_LOOKS_A_PERIOD 4 /* the same in request_stall_ms, while there are streams */

static void bring_forward(uint64_t *due_ns, uint64_t time_ns)
{
        if (time_ns < *due_ns)
                *due_ns = time_ns;
}

/* ---- TCP ---- */

/* Whether anybody waits for what is sent; of a stream that was reset only the reset is. */
static bool has_calls(const struct session *session)
{
        const struct list *streams = &session->streams;

        for (const struct list *link = streams->next; link != streams; link = link->next) {
                if (!CONTAINER_OF(link, struct stream, link)->is_reset)
                        return true;
        }
        return false;
}

/* A send that begins after this look cannot be overdue before *@ret_due_ns. */
static bool is_stuck(const struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        const struct session *session = &connection->session;
        uint64_t time_ns = clock_limit_ns(connection_limits(connection)->stall_ms);
        bool is_sending = socket_is_sending(&connection->socket);

        if (session->drain >= DRAIN_DUE) {
                bring_forward(ret_due_ns, now_ns + LEAVING_NS);
                if (time_ns > LEAVING_NS && !has_calls(session))
                        time_ns = LEAVING_NS;
        }
        if (is_sending && now_ns >= clock_after_ns(connection->send_started_ns, time_ns))
                return true;
        bring_forward(ret_due_ns,
                clock_after_ns(is_sending ? connection->send_started_ns : now_ns, time_ns));
        return false;
}

/* ---- windows ---- */

static struct stall_rule rule_of(uint32_t stall_ms, uint32_t bytes_per_second_min)
{
        uint64_t bytes = (uint64_t)bytes_per_second_min * stall_ms / 1000;

        return (struct stall_rule){
                .period_ns = clock_limit_ns(stall_ms),
                .bytes_min = bytes > 0 ? bytes : 1,
        };
}

/* Why streams of a connection have waited too long. */
struct findings {
        bool any_shut; /* the window of a stream is shut */
        bool any_open; /* the window of a stream is open, but not the connection's */
};

static bool has_stalled(struct exchange *exchange, const struct stall_rule *rule, uint64_t now_ns,
        uint64_t *ret_due_ns)
{
        uint64_t soon_ns = clock_after_ns(now_ns, rule->period_ns / LOOKS_A_PERIOD);
        uint64_t due_ns = soon_ns;
        bool stalled = stall_look(&exchange->writer.stall, rule, now_ns, &due_ns);

        bring_forward(ret_due_ns, due_ns > soon_ns ? due_ns : soon_ns);
        return stalled;
}

/* @gives_up: gives up the calls whose streams' windows are shut. */
static struct findings look_at_streams(struct connection *connection, const struct stall_rule *rule,
        bool gives_up, uint64_t now_ns, uint64_t *ret_due_ns)
{
        struct findings findings = { 0 };
        struct list *streams = &connection->session.streams;

        for (struct list *link = streams->next; link != streams; link = link->next) {
                struct stream *stream = CONTAINER_OF(link, struct stream, link);
                struct exchange *exchange = exchange_of_stream(stream);
                bool is_open;

                if (exchange->writer.queued_bytes == 0 ||
                        !has_stalled(exchange, rule, now_ns, ret_due_ns))
                        continue;
                is_open = stream_send_window_bytes(stream) > 0;
                findings.any_open |= is_open;
                findings.any_shut |= !is_open;
                if (!gives_up || is_open)
                        continue;
                stall_begin(&exchange->writer.stall, now_ns); /* the call may take a while to end */
                connection->owner->give_up(
                        exchange, "the peer leaves what is sent to it waiting (window_stall_ms)");
        }
        return findings;
}

/*
 * Whether the peer takes too little of all that waits on the connection. Not if it reads other streams and only those wait
 * whose windows are shut: these are given up one by one.
 */
static bool is_lost(struct call_group *group, const struct stall_rule *rule,
        const struct findings *findings, uint64_t now_ns, uint64_t *ret_due_ns)
{
        uint64_t due_ns = UINT64_MAX;
        bool stalled = stall_look(&group->stall, rule, now_ns, &due_ns);

        if (stalled && (findings->any_open || group->emptied_ns <= group->stall.since_ns))
                return true;
        if (stalled) {
                stall_begin(&group->stall, now_ns);
                due_ns = clock_after_ns(now_ns, rule->period_ns);
        }
        bring_forward(ret_due_ns, due_ns);
        return false;
}

/* ---- requests ---- */

/* Whether the peer can go on: we read, and other calls have not filled the connection's window. */
static bool may_send(const struct connection *connection)
{
        const struct session *session = &connection->session;

        return !socket_is_paused(&connection->socket) &&
               (session->http1 || session_receive_window_bytes(session) > 0);
}

/*
 * Whether the peer has begun what it must go on with. While an answer waits, that is what the call is about; while a message does, the
 * peer may not be allowed to send.
 */
static bool owes(const struct exchange *exchange)
{
        const struct stream *stream = &exchange->stream;

        if (!stream_is_remote_open(stream) || stream->is_reset || exchange->writer.queued_bytes > 0)
                return false;
        return !exchange->takes_many ||
               (!framing_idle(&exchange->reader.framing) && !exchange->reader.first);
}

/* Whether it has sent too little in the period that is over. */
static bool has_paused(struct reader *reader, const struct stall_rule *rule, uint64_t now_ns)
{
        uint64_t bytes = reader_received_bytes(reader);
        bool is_new = reader->owed_ns == 0 || reader->owed_message != reader->messages;
        bool is_over = now_ns - reader->owed_ns >= rule->period_ns;

        if (!is_new && is_over && bytes - reader->owed_bytes < rule->bytes_min)
                return true;
        if (is_new || is_over) {
                reader->owed_ns = now_ns;
                reader->owed_bytes = bytes;
                reader->owed_message = reader->messages;
        }
        return false;
}

/* Whether requests have paused for too long. @gives_up: they are given up. */
static bool look_at_requests(struct connection *connection, const struct stall_rule *rule,
        bool gives_up, uint64_t now_ns)
{
        struct list *streams = &connection->session.streams, *link, *next;
        bool may = may_send(connection), any = false;

        for (link = streams->next; link != streams; link = next) {
                struct exchange *exchange =
                        exchange_of_stream(CONTAINER_OF(link, struct stream, link));
                struct reader *reader = &exchange->reader;

                next = link->next;
                if (!may || !owes(exchange)) {
                        reader->owed_ns = 0;
                        continue;
                }
                if (!has_paused(reader, rule, now_ns))
                        continue;
                any = true;
                if (!gives_up)
                        continue;
                reader->owed_ns = 0; /* the call may take a while to end */
                connection->owner->give_up(exchange,
                        "the rest of the request does not come (request_stall_ms, "
                        "request_bytes_per_second_min)");
        }
        return any;
}

/* One that begins after this look is found by the next one: so it has its full time, and twice that at most. */
static bool any_paused(
        struct connection *connection, bool gives_up, uint64_t now_ns, uint64_t *ret_due_ns)
{
        const quoit_limits *limits = connection_limits(connection);
        struct stall_rule rule =
                rule_of(limits->request_stall_ms, limits->request_bytes_per_second_min);
        uint64_t time_ns = rule.period_ns;

        if (time_ns == UINT64_MAX)
                return false;
        if (!list_is_empty(&connection->session.streams))
                time_ns /= REQUEST_LOOKS_A_PERIOD;
        bring_forward(ret_due_ns, clock_after_ns(now_ns, time_ns));
        return look_at_requests(connection, &rule, gives_up, now_ns);
}

/* ---- the look ---- */

bool stalls_look(struct connection *connection, uint64_t now_ns, uint64_t *ret_due_ns)
{
        const quoit_limits *limits = connection_limits(connection);
        struct call_group *group = &connection->group;
        struct stall_rule rule =
                rule_of(limits->window_stall_ms, limits->read_bytes_per_second_min);
        bool was_suspected = connection->suspected;
        bool is_over = is_stuck(connection, now_ns, ret_due_ns);
        bool any_owed = any_paused(connection, was_suspected && !is_over, now_ns, ret_due_ns);
        struct findings findings = { 0 };

        if (group->queued_bytes > 0) {
                findings = look_at_streams(connection, &rule, false, now_ns, ret_due_ns);
                is_over |= is_lost(group, &rule, &findings, now_ns, ret_due_ns);
        } else {
                bring_forward(ret_due_ns, clock_after_ns(now_ns, rule.period_ns));
        }
        connection->suspected = (is_over || findings.any_shut || any_owed) && !was_suspected;
        if (connection->suspected)
                bring_forward(ret_due_ns, now_ns + CONFIRM_NS);
        if (was_suspected && !is_over && findings.any_shut)
                look_at_streams(connection, &rule, true, now_ns, ret_due_ns);
        return is_over && was_suspected;
}
