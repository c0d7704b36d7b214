/* SPDX-License-Identifier: MIT */
#include "call_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../common/clock.h"
#include "call_talk.h"
#include "paint.h"
#include "say.h"
#include "stop_signals.h"

/* What is left of the time for all. 0: there is no limit. */
static uint32_t time_left(const struct talk *talk)
{
        uint64_t used_ms = (clock_now_ns() - talk->connection->begun_ns) / 1000000;

        if (talk->options->time_ms == 0)
                return 0;
        return used_ms < talk->options->time_ms ? talk->options->time_ms - (uint32_t)used_ms : 1;
}

void talk_open_signals(struct talk *talk)
{
        talk->signals = stop_signals_open(&talk->signals_before);
}

int talk_refuse_metadata(void)
{
        return say_usage("-H: no such metadata: a name has letters, digits, - _ . and does not "
                         "begin with grpc-; a value is printable ASCII");
}

static int start(struct talk *talk)
{
        quoit_call_options options = { .timeout_ms = time_left(talk),
                .wait_for_ready = talk->options->waits ? QUOIT_WAIT_FOR_READY : 0,
                .compression = (quoit_compression)talk->options->compression };
        struct metadata metadata;
        int status = metadata_make(&talk->options->metadata, false, talk->arena, &metadata), r;

        if (status != EXIT_DONE)
                return status;
        talk_open_signals(talk);
        report_begin(&talk->report, &metadata);
        options.metadata = metadata.list;
        options.metadata_count = metadata.count;
        talk->outcome.begun_ns = clock_now_ns();
        r = quoit_outcall_start(talk->connection->channel, &talk->method->quoit, &options,
                &talk_handler, talk, &talk->call);
        if (r == -EINVAL)
                return talk_refuse_metadata();
        if (r < 0)
                return say_failed("the call cannot begin: %s", strerror(-r));
        talk_receive(talk);
        return EXIT_DONE;
}

static void take_signal(struct talk *talk)
{
        struct signalfd_siginfo info;

        if (read(talk->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
                return;
        if (talk->outcome.was_interrupted)
                _exit(EXIT_CALL + QUOIT_CANCELLED);
        talk->outcome.was_interrupted = true;
        talk->is_half_closed = true;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

static void turn(struct talk *talk)
{
        bool reads = talk_send_some(talk);
        struct pollfd more[2] = { { talk->signals, POLLIN, 0 },
                { input_fd(&talk->input), POLLIN, 0 } };
        int r = connection_turn(talk->connection, more, reads ? 2 : 1, -1);

        /* the ring is broken: of nothing is known whether it has ended */
        if (r < 0 && r != -EINTR)
                exit(say_failed("%s", strerror(-r)));
        if (more[0].revents)
                take_signal(talk);
        if (reads && more[1].revents && talk->call && input_read(&talk->input) < 0)
                talk_give_up(talk, EXIT_FAILED);
        talk_show(talk);
}

static int start_with_one(struct talk *talk)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message;
        int status = arena ? talk_read_one(talk, arena, &message) : say_failed("out of memory");

        if (status == EXIT_DONE)
                status = start(talk);
        if (status == EXIT_DONE) {
                int sent = talk_send(talk, message);

                talk->is_half_closed = true; /* by itself */
                if (sent != EXIT_DONE)
                        talk_give_up(talk, sent);
        }
        if (arena)
                upb_Arena_Free(arena);
        return status;
}

/* ---- the whole ---- */

static int talk_to_end(struct talk *talk)
{
        int status, end;

        if (talk->connection->way)
                status = talk_by_http1(talk);
        else
                status = talk_sends_many(talk) ? start(talk) : start_with_one(talk);
        if (status != EXIT_DONE)
                return status;
        while (!talk->is_done)
                turn(talk);
        talk_show(talk);
        if (talk->status != EXIT_DONE && talk->outcome.status == QUOIT_CANCELLED)
                return talk->status;
        if (talk->has_lost_stdout)
                return talk->status;
        end = report_end(&talk->report, &talk->outcome);
        return end == EXIT_DONE ? talk->status : end;
}

int call_run(const struct call_options *options, struct connection *connection,
        struct source *source, const struct source_method *method)
{
        struct talk talk = { .options = options,
                .connection = connection,
                .source = source,
                .method = method,
                .arena = upb_Arena_New(),
                .signals = -1 };
        int status;

        if (!talk.arena)
                return say_failed("out of memory");
        talk.last = &talk.first;
        talk.report = (struct report){ .options = options,
                .connection = connection,
                .source = source,
                .method = method,
                .paint = paint_for(STDOUT_FILENO, options->output.is_plain),
                .is_pretty = output_is_pretty(&options->output, STDOUT_FILENO),
                .schema_ns = clock_now_ns() };
        input_init(&talk.input, &options->data, options->is_text);
        status = talk_to_end(&talk);
        if (talk.signals >= 0) {
                close(talk.signals);
                sigprocmask(SIG_SETMASK, &talk.signals_before, NULL);
        }
        input_deinit(&talk.input);
        upb_Arena_Free(talk.arena);
        return status;
}
