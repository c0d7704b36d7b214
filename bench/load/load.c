/* SPDX-License-Identifier: MIT */
#include "bench/load/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/clock.h"

#define EVENTS_MAX 64
#define SPIN_NS (50 * NS_PER_US) /* the kernel's timers are not more precise than this */
#define TICK_NS                                                                                    \
        (100 * NS_PER_MS) /* the longest wait: what is due by other clocks is looked at as often */

/* ---- life ---- */

static struct schedule_options schedule_options(const struct options *options)
{
        struct schedule_options result = {
                .connections = options->connections,
                .rate = options->rate,
                .warmup_seconds = options->warmup_seconds,
                .duration_seconds = options->duration_seconds,
                .calls = options->calls,
                .connection_calls_max = CALLS_UNLIMITED,
                .second_percent = options->mix_percent,
        };

        if (options->idle) {
                result.calls = options->connections;
                result.connection_calls_max = 1;
        }
        return result;
}

static int init_methods(struct load *load)
{
        size_t calls_max = schedule_calls_max(&load->schedule);
        int r;

        r = method_init(&load->methods[0], load->options);
        if (r == 0 && load->options->mix_path)
                r = method_init_second(&load->methods[1], load->options);
        for (unsigned i = 0; r == 0 && i < METHODS_MAX; i++)
                r = latency_init(&load->latencies[i], calls_max);
        return r;
}

int load_init(struct load *load, const struct options *options)
{
        struct schedule_options schedule = schedule_options(options);

        *load = (struct load){
                .options = options,
                .connections = calloc(options->connections, sizeof(struct connection)),
                .inbox = malloc(RECEIVE_REST_BYTES_MAX + LOAD_READ_BYTES_MAX),
                .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        };
        schedule_init(&load->schedule, &schedule);
        if (load->epoll_fd < 0)
                return -errno;
        if (!load->connections || !load->inbox)
                return -ENOMEM;
        for (uint32_t i = 0; i < options->connections; i++)
                load->connections[i].fd = -1;
        return init_methods(load);
}

void load_deinit(struct load *load)
{
        for (uint32_t i = 0; i < load->options->connections; i++)
                connection_close(&load->connections[i]);
        for (unsigned i = 0; i < METHODS_MAX; i++) {
                latency_deinit(&load->latencies[i]);
                method_deinit(&load->methods[i]);
        }
        close(load->epoll_fd);
        free(load->connections);
        free(load->inbox);
}

/* ---- called by connections ---- */

void load_on_ready(struct load *load, uint32_t streams_max)
{
        if (load->ready_count++ == 0 && streams_max < load->options->streams)
                fprintf(stderr, "quoit-load: the server takes %u streams a connection, not %u\n",
                        streams_max, load->options->streams);
}

void load_on_lost(struct load *load, const char *why)
{
        load->lost_count++;
        errors_add(&load->errors, why, 0);
}

void load_on_read(struct load *load, size_t size)
{
        load->now_ns = load->heard_ns = now_ns();
        load->bytes_in += size;
}

void load_on_call_begin(struct load *load, uint64_t now_ns)
{
        if (load->in_flight++ == 0)
                load->heard_ns = now_ns;
}

void load_on_call_end(
        struct load *load, const struct schedule_call *call, const char *problem, uint64_t now_ns)
{
        load->in_flight--;
        if (problem)
                errors_add(&load->errors, problem, 1);
        else if (call->measured)
                load->calls++;
        else
                load->warmup_calls++;
        if (!call->measured || (problem && !load->giving_up))
                return;
        load->ended_ns = now_ns;
        latency_record(&load->latencies[call->method], now_ns - call->start_ns);
}

void load_on_begun_late(struct load *load, uint64_t late_ns)
{
        if (late_ns > load->behind_ns)
                load->behind_ns = late_ns;
}

/* ---- the loop ---- */

/* Open loop: begins what is due now. */
static void push_due(struct load *load)
{
        uint64_t connection = 0, count;

        count = schedule_advance(&load->schedule, now_ns(), &connection);
        if (count > load->options->connections)
                count = load->options->connections;
        for (uint64_t i = 0; i < count; i++)
                connection_push(&load->connections[(connection + i) % load->options->connections]);
}

static uint64_t time_to_wait_ns(const struct load *load)
{
        uint64_t now = now_ns(), wake = schedule_wake_ns(&load->schedule, now);

        if (wake >= now + TICK_NS)
                return TICK_NS;
        return wake > now + SPIN_NS ? wake - now - SPIN_NS : 0;
}

bool load_turn(struct load *load)
{
        struct timespec timeout = { .tv_nsec = (long)time_to_wait_ns(load) };
        struct epoll_event events[EVENTS_MAX];
        bool others = false;
        int count;

        count = epoll_pwait2(load->epoll_fd, events, EVENTS_MAX, &timeout, NULL);
        for (int i = 0; i < count; i++) {
                if (events[i].data.ptr)
                        connection_on_events(events[i].data.ptr, events[i].events);
                else
                        others = true;
        }
        push_due(load);
        return others;
}
