/* SPDX-License-Identifier: MIT */
#include "dialer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/connector.h"
#include "core/engine/sim.h"

enum { ATTEMPTS_MAX = 6, ROUNDS_MAX = 100 };

struct dialer;

/* Freed as soon as its result is there. */
struct attempt {
        struct connector connector;
        struct dialer *dialer;
        struct attempt **place;
        enum sim_reach reach;
        uint64_t deadline_ns;
        bool is_cancelled;
};

struct dialer {
        struct ring ring;
        struct attempt *attempts[ATTEMPTS_MAX];
        bool is_calling; /* the connector: then it must not report */
};

static void check_result(const struct attempt *attempt, int result)
{
        bool may_fail = sim.rates[SIM_ERROR] > 0;
        bool is_late = ring_now_ns(&attempt->dialer->ring) >= attempt->deadline_ns;

        if (attempt->dialer->is_calling)
                sim_fail("a connector has reported while it was called");
        if (attempt->connector.in_flight > 0)
                sim_fail("a connector has reported with operations in flight");
        if (!(result >= 0                     ? attempt->reach == SIM_ANSWERS
                    : result == -ETIMEDOUT    ? is_late
                    : result == -ECANCELED    ? attempt->is_cancelled
                    : result == -ECONNREFUSED ? attempt->reach == SIM_REFUSES
                                              : may_fail))
                sim_fail("a connect has ended with %d", result);
}

static void on_result(struct connector *connector, int result)
{
        struct attempt *attempt = CONTAINER_OF(connector, struct attempt, connector);

        sim_note("connect ends", (uint64_t)attempt->reach, (uint64_t)(int64_t)result);
        check_result(attempt, result);
        if (result >= 0)
                close(result);
        *attempt->place = NULL;
        memset(attempt, 0xa5, sizeof(*attempt)); /* a late completion would not go unnoticed */
        free(attempt);
}

static void begin(struct dialer *dialer, struct attempt **place)
{
        enum sim_reach reach = (enum sim_reach)sim_below(SIM_REACHES);
        const struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons((uint16_t)(3 * SIM_REACHES + reach)) };
        struct attempt *attempt = malloc(sizeof(*attempt));
        int r;

        if (!attempt)
                return;
        *attempt = (struct attempt){ .dialer = dialer,
                .place = place,
                .reach = reach,
                .deadline_ns = sim_chance(300)
                                       ? TIMER_NEVER
                                       : ring_now_ns(&dialer->ring) + sim_below(200 * NS_PER_MS) };
        r = connector_start(&attempt->connector, &dialer->ring, (const struct sockaddr *)&address,
                sizeof(address), attempt->deadline_ns, 0, on_result);
        if (r < 0)
                free(attempt);
        else
                *place = attempt;
}

static void give_up(struct attempt *attempt)
{
        attempt->is_cancelled = true;
        connector_cancel(&attempt->connector);
}

/* @is_last: begins none, and gives up all. True: there are some left. */
static bool act(struct dialer *dialer, bool is_last)
{
        bool any = false;

        dialer->is_calling = true;
        for (struct attempt **place = dialer->attempts; place < dialer->attempts + ATTEMPTS_MAX;
                place++) {
                if (!*place && !is_last && sim_chance(200))
                        begin(dialer, place);
                else if (*place && (is_last || sim_chance(50)))
                        give_up(*place);
                any |= *place != NULL;
        }
        dialer->is_calling = false;
        return any;
}

void *dialer_run(void *unused)
{
        struct dialer dialer = { 0 };
        uint64_t rounds = sim_below(ROUNDS_MAX);

        (void)unused;
        if (ring_init(&dialer.ring, &(struct ring_options){ .engine = RING_EPOLL }) < 0)
                return NULL; /* memory was short */
        for (uint64_t round = 0; act(&dialer, round >= rounds) || round < rounds; round++)
                if (ring_turn(&dialer.ring, sim_below(20 * NS_PER_MS)) < 0)
                        sim_fail("a ring that only connects has failed");
        ring_deinit(&dialer.ring);
        return NULL;
}
