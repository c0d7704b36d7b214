/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <stdlib.h>
#include <string.h>

#include <quoit/generic.h>

#include "../../common/clock.h"
#include "../say.h"

/* A server may never send what the tape waits for: so long after a call's own time it is over in any case. */
#define PATIENCE_MS 60000

/* ---- what comes ---- */

static bool keep(upb_StringView bytes, upb_StringView *ret_copy)
{
        char *copy = malloc(bytes.size + 1);

        if (!copy)
                return false;
        if (bytes.size)
                memcpy(copy, bytes.data, bytes.size);
        copy[bytes.size] = '\0';
        *ret_copy = upb_StringView_FromDataAndSize(copy, bytes.size);
        return true;
}

static bool keep_reply(struct play *play, upb_StringView message)
{
        if (play->reply_count == play->reply_room) {
                size_t room = play->reply_room ? 2 * play->reply_room : 4;
                upb_StringView *replies = reallocarray(play->replies, room, sizeof(*replies));

                if (!replies)
                        return false;
                play->replies = replies;
                play->reply_room = room;
        }
        return keep(message, &play->replies[play->reply_count]);
}

static void on_bytes(quoit_outcall *call, upb_StringView message, void *user)
{
        struct play *play = user;

        if (play->options->keeps_replies && !keep_reply(play, message)) {
                say("out of memory");
                quoit_outcall_cancel(call);
                return;
        }
        play->reply_count++;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct play *play = user;
        upb_StringView details, text;

        if (quoit_outcall_trailer(call, "grpc-status-details-bin", &details))
                keep(details, &play->status_details);
        if (keep(quoit_outcall_status_message(call), &text))
                play->status_message = (char *)text.data;
        play->status = status;
        play->out = NULL;
        play->is_done = true;
}

/* ---- times ---- */

uint64_t play_due_ns(const struct play_options *options, uint64_t began_ns, uint64_t ns)
{
        double due_ns = options->speed > 0 ? (double)ns / options->speed : 0;

        return due_ns < 1e18 ? began_ns + (uint64_t)due_ns : UINT64_MAX;
}

static uint32_t timeout_of(const struct tape_call *call, const struct play_options *options)
{
        double ms;

        if (options->time_ms || call->timeout_ms)
                return options->time_ms ? options->time_ms : call->timeout_ms;
        ms = (double)play_due_ns(options, 0, call->end_ns) / 1e6 + PATIENCE_MS;
        return ms < UINT32_MAX / 2 ? (uint32_t)ms : UINT32_MAX / 2;
}

/* ---- what goes ---- */

/* Replies are the server's: how many there have to be before the next event of the client. */
static void skip_replies(struct play *play)
{
        const struct tape_call *call = play->call;

        for (; play->next < call->event_count && call->events[play->next].type == TAPE_REPLY;
                play->next++)
                play->replies_due++;
}

static void send(struct play *play, const struct tape_event *event)
{
        int r = 0;

        if (event->type == TAPE_REQUEST)
                r = quoit_outcall_send_bytes(play->out, event->message.data, event->message.size);
        else if (event->type == TAPE_HALF_CLOSE)
                quoit_outcall_half_close(play->out);
        if (r < 0)
                say("call %zu %s: a message cannot be sent: %s; it is cancelled",
                        play->call->number, play->call->path + 1, strerror(-r));
        if (r < 0 || event->type == TAPE_CANCEL)
                quoit_outcall_cancel(play->out);
}

uint64_t play_advance(struct play *play, uint64_t now_ns)
{
        const struct tape_call *call = play->call;

        while (play->out && play->next < call->event_count) {
                const struct tape_event *event = &call->events[play->next];
                uint64_t due_ns = play_due_ns(play->options, play->began_ns, event->at_ns);

                if (play->reply_count < play->replies_due)
                        break;
                if (due_ns > now_ns)
                        return due_ns;
                if (event->type == TAPE_REQUEST && !quoit_outcall_writable(play->out))
                        break;
                send(play, event);
                play->next++;
                skip_replies(play);
        }
        return UINT64_MAX;
}

void play_cancel(struct play *play)
{
        if (play->out)
                quoit_outcall_cancel(play->out);
}

/* ---- the call ---- */

static bool is_replaced(const struct play_options *options, const char *name)
{
        for (size_t i = 0; i < options->metadata_count; i++)
                if (!strcmp(options->metadata[i].name, name))
                        return true;
        return false;
}

/* The tape's, and those of the options, which are for all calls. NULL: no memory. */
static quoit_metadata *join_metadata(
        const struct tape_call *call, const struct play_options *options, size_t *ret_count)
{
        quoit_metadata *list =
                calloc(call->metadata_count + options->metadata_count + 1, sizeof(*list));
        size_t count = 0;

        for (size_t i = 0; list && i < call->metadata_count; i++)
                if (!is_replaced(options, call->metadata[i].name))
                        list[count++] = call->metadata[i];
        for (size_t i = 0; list && i < options->metadata_count; i++)
                list[count++] = options->metadata[i];
        *ret_count = count;
        return list;
}

static int start(struct play *play, quoit_channel *channel)
{
        static const quoit_outcall_handler handler = { .on_bytes = on_bytes, .on_done = on_done };
        quoit_call_options options = { .timeout_ms = timeout_of(play->call, play->options) };
        quoit_metadata *metadata =
                join_metadata(play->call, play->options, &options.metadata_count);
        int r;

        if (!metadata)
                return say_failed("out of memory");
        options.metadata = metadata;
        r = quoit_outcall_start(channel, &play->method, &options, &handler, play, &play->out);
        free(metadata);
        if (r < 0)
                return say_failed("call %zu %s: it cannot be made: %s", play->call->number,
                        play->call->path + 1, strerror(-r));
        return EXIT_DONE;
}

struct play *play_start(
        const struct tape_call *call, const struct play_options *options, quoit_channel *channel)
{
        struct play *play = calloc(1, sizeof(*play));

        if (!play) {
                say("out of memory");
                return NULL;
        }
        *play = (struct play){ .call = call,
                .options = options,
                .method = { .path = call->path, .kind = QUOIT_BIDI },
                .began_ns = clock_now_ns() };
        skip_replies(play);
        if (start(play, channel) != EXIT_DONE) {
                free(play);
                return NULL;
        }
        return play;
}

struct play *play_free(struct play *play)
{
        if (!play)
                return NULL;
        for (size_t i = 0; play->replies && i < play->reply_count; i++)
                free((void *)play->replies[i].data);
        free(play->replies);
        free(play->status_message);
        free((void *)play->status_details.data);
        free(play);
        return NULL;
}
