/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../common/clock.h"
#include "figures.h"
#include "worker.h"

#define NS_PER_SECOND 1e9
#define NS_PER_US 1e3
#define PERIOD_NS UINT64_C(400000000)
#define LINE_BYTES 256

void progress_init(struct progress *progress, const struct plan *plan)
{
        const char *term = getenv("TERM");
        bool knows_time = plan->duration_ns != PLAN_UNLIMITED;

        *progress = (struct progress){
                .is_shown = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
                .seconds = knows_time
                                   ? (double)(plan->warmup_ns + plan->duration_ns) / NS_PER_SECOND
                                   : INFINITY,
                .calls = plan->requests,
                .warmup_ns = plan->warmup_ns,
        };
}

/* What ended in the last second, of one worker. It may write meanwhile, so all this is about right. */
static void add_last(struct hdr *latency, const struct progress *progress, struct worker *worker,
        uint64_t now_ns)
{
        struct timeline *timeline = &worker->tally.timeline;
        uint64_t slot_ns = timeline->slot_ns, last, slots;
        uint64_t begin_ns = progress->begin_ns + progress->warmup_ns;

        if (now_ns < begin_ns)
                return;
        last = (now_ns - begin_ns) / slot_ns;
        slots = slot_ns < (uint64_t)NS_PER_SECOND ? (uint64_t)NS_PER_SECOND / slot_ns : 1;
        for (uint64_t i = last > slots ? last - slots : 0; i <= last && i < TIMELINE_SLOTS; i++)
                hdr_add(latency, &timeline->slots[i].latency);
}

static size_t terminal_columns(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Characters, not bytes: what does not fit would begin a second line, which nothing removes. */
static void print_line(struct progress *progress, char *line)
{
        size_t columns = terminal_columns(), shown = 0, i = 0;

        for (; line[i]; i++) {
                if ((line[i] & 0xc0) == 0x80)
                        continue;
                if (++shown == columns)
                        break;
        }
        line[i] = '\0';
        fprintf(stderr, "\r%s\033[K", line);
        fflush(stderr);
        progress->has_line = true;
}

/* "12 s of 30 s": or how many calls, where that is what ends the run. */
static int print_way(const struct progress *progress, char *to, size_t size, double seconds)
{
        char done[FIGURE_BYTES], all[FIGURE_BYTES];

        if (progress->calls != PLAN_UNLIMITED)
                return snprintf(to, size, "%s of %s calls",
                        figure_count(done, (double)progress->done),
                        figure_count(all, (double)progress->calls));
        if (isinf(progress->seconds))
                return snprintf(to, size, "%.0f s", seconds);
        return snprintf(
                to, size, "%.0f s of %.0f s", fmin(seconds, progress->seconds), progress->seconds);
}

static void show(struct progress *progress, struct worker *workers, unsigned count, uint64_t now_ns)
{
        uint64_t done = 0, failed = 0, in_flight = 0;
        char line[LINE_BYTES], rate[FIGURE_BYTES], p50[FIGURE_BYTES], p99[FIGURE_BYTES];
        struct hdr latency;
        size_t used;

        if (hdr_init(&latency, HDR_COARSE) < 0)
                return;
        for (unsigned i = 0; i < count; i++) {
                done += workers[i].tally.calls;
                failed += workers[i].tally.failed;
                in_flight += workers[i].in_flight;
                add_last(&latency, progress, &workers[i], now_ns);
        }
        figure_count(rate, (double)(done - progress->done) * NS_PER_SECOND /
                                   (double)(now_ns - progress->now_ns));
        progress->done = done;
        used = (size_t)print_way(progress, line, sizeof(line),
                (double)(now_ns - progress->begin_ns) / NS_PER_SECOND);
        snprintf(line + used, sizeof(line) - used,
                "   %s calls/s   p50 %s   p99 %s   %" PRIu64 " failed   %" PRIu64 " in flight",
                rate, figure_time(p50, (double)hdr_percentile(&latency, 50) / NS_PER_US),
                figure_time(p99, (double)hdr_percentile(&latency, 99) / NS_PER_US), failed,
                in_flight);
        print_line(progress, line);
        hdr_deinit(&latency);
}

void progress_begin(struct progress *progress, uint64_t begin_ns)
{
        progress->begin_ns = progress->now_ns = begin_ns;
}

void progress_show(struct progress *progress, struct worker *workers, unsigned count)
{
        uint64_t now_ns = clock_now_ns();

        if (!progress->is_shown || progress->begin_ns == 0 || now_ns < progress->now_ns + PERIOD_NS)
                return;
        show(progress, workers, count, now_ns);
        progress->now_ns = now_ns;
}

void progress_clear(struct progress *progress)
{
        if (progress->has_line)
                fputs("\r\033[K", stderr);
        progress->has_line = false;
}
