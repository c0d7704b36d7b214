/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../../common/clock.h"
#include "../say.h"
#include "../stop_signals.h"

/* ---- which ---- */

static bool is_wanted(const struct replay *replay, const struct tape_call *call)
{
        return call->has_ended && !call->is_damaged && call->path[0] == '/' &&
               (!replay->method || fnmatch(replay->method, call->path + 1, 0) == 0);
}

/* The next one; NULL: there are no more. */
static const struct tape_call *peek(struct replay *replay)
{
        const struct tape *tape = replay->tape;

        while (replay->next < tape->count && !is_wanted(replay, tape->calls[replay->next]))
                replay->next++;
        return replay->next < tape->count && !replay->was_interrupted ? tape->calls[replay->next]
                                                                      : NULL;
}

/* ---- beginning ---- */

static bool make_room(struct replay *replay)
{
        size_t room = replay->running_room ? 2 * replay->running_room : 64;
        struct play **running;

        if (replay->running_count < replay->running_room)
                return true;
        running = reallocarray((void *)replay->running, room, sizeof(*running));
        if (!running)
                return false;
        replay->running = running;
        replay->running_room = room;
        return true;
}

static void start(struct replay *replay, const struct tape_call *call)
{
        struct play *play = NULL;

        if (!make_room(replay))
                say("out of memory");
        else
                play = play_start(call, &replay->options, replay->connection->channel);
        if (play)
                replay->running[replay->running_count++] = play;
        else
                replay->has_failed = true;
}

/* Begins those that are due. Returns when the next one is. */
static uint64_t start_due(struct replay *replay, uint64_t now_ns)
{
        const struct tape_call *call;

        while ((call = peek(replay)) != NULL) {
                uint64_t due_ns = play_due_ns(
                        &replay->options, replay->began_ns, call->at_ns - replay->first_ns);

                if (replay->calls_max && replay->running_count >= replay->calls_max)
                        return UINT64_MAX; /* when one ends */
                if (due_ns > now_ns)
                        return due_ns;
                replay->next++;
                start(replay, call);
        }
        return UINT64_MAX;
}

/* ---- ending ---- */

static void end(struct replay *replay, struct play *play)
{
        size_t differences = 0;

        if (replay->judge && !replay->was_interrupted)
                differences = judge_play(replay->judge, play);
        results_count(replay->results, play->status, differences);
        play_free(play);
}

/* Sends what is due. Returns when there is more to do. */
static uint64_t advance_all(struct replay *replay, uint64_t now_ns)
{
        uint64_t due_ns = UINT64_MAX;

        for (size_t i = 0; i < replay->running_count; i++) {
                uint64_t play_ns = play_advance(replay->running[i], now_ns);

                due_ns = play_ns < due_ns ? play_ns : due_ns;
        }
        return due_ns;
}

/* The judge may ask the server, and so turn the connection: what it looks at is in no list any more. True: there were some. */
static bool end_done(struct replay *replay)
{
        bool has_some = false;

        for (size_t i = 0; i < replay->running_count;) {
                struct play *play = replay->running[i];

                if (!play->is_done) {
                        i++;
                        continue;
                }
                memmove((void *)&replay->running[i], (void *)&replay->running[i + 1],
                        (--replay->running_count - i) * sizeof(*replay->running));
                end(replay, play);
                has_some = true;
        }
        return has_some;
}

static void interrupt(struct replay *replay, int signals)
{
        struct signalfd_siginfo info;

        if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return;
        if (!replay->was_interrupted)
                say("interrupted: calls that run are cancelled (%zu)", replay->running_count);
        replay->was_interrupted = true;
        for (size_t i = 0; i < replay->running_count; i++)
                play_cancel(replay->running[i]);
}

/* ---- the whole ---- */

/* In ms, for poll(2), not before that time. */
static int time_until(uint64_t due_ns, uint64_t now_ns)
{
        uint64_t ms = due_ns > now_ns ? (due_ns - now_ns + 999999) / 1000000 : 0;

        return due_ns == UINT64_MAX ? -1 : ms < 1000000 ? (int)ms : 1000000;
}

static int turn(struct replay *replay, int signals)
{
        struct pollfd more = { signals, POLLIN, 0 };
        uint64_t now_ns = clock_now_ns();
        uint64_t call_ns = start_due(replay, now_ns), event_ns = advance_all(replay, now_ns);
        int r;

        if (end_done(replay) || (!replay->running_count && !peek(replay)))
                return 0;
        r = connection_turn(replay->connection, &more, 1,
                time_until(call_ns < event_ns ? call_ns : event_ns, now_ns));
        if (more.revents)
                interrupt(replay, signals);
        return r == -EINTR ? 0 : r;
}

int replay_run(struct replay *replay)
{
        const struct tape_call *first = peek(replay);
        sigset_t before;
        int signals = stop_signals_open(&before), r = 0;

        if (signals < 0)
                return say_failed("signalfd: %s", strerror(-signals));
        replay->began_ns = clock_now_ns();
        replay->first_ns = first ? first->at_ns : 0;
        while (r == 0 && (replay->running_count || peek(replay)))
                r = turn(replay, signals);
        close(signals);
        sigprocmask(SIG_SETMASK, &before, NULL);
        free((void *)replay->running);
        if (r < 0)
                return say_failed("%s", strerror(-r));
        return replay->was_interrupted || replay->has_failed ? EXIT_FAILED : EXIT_DONE;
}
