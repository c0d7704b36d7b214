/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/engine/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_NS (1000 * NS_PER_S) /* the machine has been up for a while */
#define LATE_US_MAX 200000

struct sim_world sim;

void sim_begin(uint64_t seed)
{
        sim.seed = seed;
        sim.chance = seed * UINT64_C(0xd1342543de82ef95) + 1;
        sim.hash = UINT64_C(0xcbf29ce484222325);
        sim.now_ns = BEGIN_NS;
        sim.steps = 0;
        sim.is_calm = false;
        sim.own_depth = 0;
        memset(sim.rates, 0, sizeof(sim.rates));
        sim.delay_us_max = 100;
}

/* splitmix64 */
uint64_t sim_random(void)
{
        uint64_t mixed = sim.chance += UINT64_C(0x9e3779b97f4a7c15);

        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
        return mixed ^ mixed >> 31;
}

static const char *const names[] = {
        [SIM_LATE] = "late",
        [SIM_SHORT] = "short",
        [SIM_ERROR] = "error",
        [SIM_NO_BUFFERS] = "no buffers",
        [SIM_ENDED] = "multishot ended",
        [SIM_REORDERED] = "reordered",
        [SIM_SPURIOUS] = "spurious wake-up",
        [SIM_OVERSLEPT] = "overslept",
        [SIM_POST_FAILED] = "post failed",
        [SIM_NO_MEMORY] = "no memory",
        [SIM_PREEMPTED] = "preempted",
        [SIM_PEER_ENDED] = "peer half-closed",
        [SIM_PEER_RESET] = "peer reset",
        [SIM_PEER_STALLED] = "peer stalled",
        [SIM_PEER_FLOODED] = "peer flooded",
        [SIM_PEER_BROKE] = "peer broke the protocol",
        [SIM_STREAM_RESET] = "stream reset",
        [SIM_CUT] = "connection cut",
        [SIM_MUTE] = "connection mute",
};

const char *sim_fault_name(enum sim_fault fault)
{
        return names[fault];
}

static bool is_planned(enum sim_fault fault)
{
        switch (fault) {
        case SIM_NO_MEMORY:
                return sim.plan(SIM_ALLOCATION);
        case SIM_ERROR:
        case SIM_NO_BUFFERS:
        case SIM_POST_FAILED:
                return sim.plan(SIM_OPERATION);
        default:
                return false;
        }
}

bool sim_call_fails(void)
{
        return sim.plan && sim.plan(SIM_OPERATION);
}

bool sim_fault(enum sim_fault fault)
{
        if (sim.plan ? !is_planned(fault) : sim.is_calm || !sim_chance(sim.rates[fault]))
                return false;
        sim.counts[fault]++;
        sim_note(names[fault], 0, 0);
        return true;
}

static void mix(uint64_t value)
{
        sim.hash = (sim.hash ^ value) * UINT64_C(0x100000001b3);
        sim.hash ^= sim.hash >> 29;
}

void sim_note(const char *what, uint64_t one, uint64_t other)
{
        for (const char *at = what; *at; at++)
                sim.hash = (sim.hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
        mix(one);
        mix(other);
        mix(sim.now_ns);
        mix(sim.chance);
        if (sim.is_traced)
                printf("%" PRIu64 ".%09" PRIu64 "  %04" PRIx64 "  %-20s %" PRIu64 " %" PRIu64 "\n",
                        sim.now_ns / NS_PER_S, sim.now_ns % NS_PER_S, sim.chance & 0xffff, what,
                        one, other);
}

void sim_fail(const char *format, ...)
{
        va_list arguments;

        fflush(stdout);
        fprintf(stderr, "sim: ");
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        abort(); /* the program prints how to replay it */
}

uint64_t sim_soon_ns(void)
{
        uint64_t us = sim_below(sim.delay_us_max + 1);

        if (sim_fault(SIM_LATE))
                us += sim_below(LATE_US_MAX);
        return sim.now_ns + us * NS_PER_US;
}
