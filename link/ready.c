/* SPDX-License-Identifier: MIT */
#include "link/ready.h"

#include "call/work.h"
#include "link/connection.h"
#include "link/owner.h"
#include "link/secure.h"
#include "link/sending.h"

#define CALLS_A_FILL 8

/*
 * Runs calls that are ready, and makes frames of their answers every few calls: an answered call then gives its memory back
 * while that is in the cache, and the next call takes it. Where memory is short, frames are made after each call. Ends early
 * when the answers are large. True: there is more to run in the next turn, also for calls that were congested until frames
 * were made.
 */
static bool run_some(struct connection *connection, struct list *again, bool in_line)
{
        size_t queued_max =
                connection->group.queued_bytes + connection_limits(connection)->turn_bytes_max;
        bool more = false, congested = false;
        struct list *link;

        while (connection->budget_calls > 0 && connection->group.queued_bytes <= queued_max &&
                !call_group_is_over_budget(&connection->group) &&
                (link = list_pop(&connection->ready))) {
                struct exchange *exchange = CONTAINER_OF(link, struct exchange, ready);
                uint32_t before = connection->budget_calls; /* a call may use up several */
                enum dispatched dispatched = connection->owner->run_call(exchange, in_line);

                if (dispatched != DISPATCHED_ALL && list_is_empty(&exchange->ready))
                        list_append(again, &exchange->ready);
                congested |= dispatched == DISPATCHED_CONGESTED;
                if (dispatched == DISPATCHED_CONGESTED || dispatched == DISPATCHED_BUSY)
                        continue;
                more |= dispatched == DISPATCHED_SOME;
                connection->budget_calls--;
                if (((before - 1) / CALLS_A_FILL != (connection->budget_calls - 1) / CALLS_A_FILL ||
                            room_is_exceeded(&connection->group.host->room)) &&
                        connection->state <= CONNECTION_CLOSING)
                        sending_fill(connection);
        }
        return more || !list_is_empty(&connection->ready) ||
               (congested && !call_group_is_congested(&connection->group));
}

/* Goes on in the next turn. A connection that has used time in this turn goes behind those that wait. */
static void dispatch_again(struct connection *connection)
{
        if (connection->group.work_ns > 0 && connection->state <= CONNECTION_CLOSING) {
                connection->dispatch_last = true;
                sending_schedule(connection);
        } else {
                ring_defer(connection_ring(connection), &connection->dispatch, RING_DISPATCH);
        }
}

void ready_run(struct connection *connection, bool in_line)
{
        struct ring *ring = connection_ring(connection);
        struct list again;
        bool more;

        if (connection->budget_turn != ring_turns(ring)) {
                connection->budget_turn = ring_turns(ring);
                connection->budget_calls = connection_limits(connection)->turn_calls_max;
                connection->group.work_ns = 0;
        }
        list_init(&again);
        connection->woken = false;
        more = run_some(connection, &again, in_line) || connection->woken ||
               connection_has_input(connection);
        list_splice(&connection->ready, &again);
        if (more) {
                /* more work than a turn may take: no more is read before it is done */
                dispatch_again(connection);
                socket_pause(&connection->socket);
        } else {
                /*
                 * undone: a handler that finished its own call has deferred it; congested calls are woken when there is room
                 */
                ring_undefer(&connection->dispatch);
                if (session_is_full(&connection->session) || secure_is_full(connection->secure))
                        socket_pause(&connection->socket);
                else
                        socket_resume(&connection->socket);
        }
}

void ready_on_turn_end(struct deferred *deferred)
{
        struct connection *connection = CONTAINER_OF(deferred, struct connection, dispatch);

        connection_go_on(connection);
        ready_run(connection, true);
        connection_try_free(connection);
}
