/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "call_talk.h"
#include "message.h"
#include "say.h"
#include "text_parse.h"

static int parse(
        struct talk *talk, upb_StringView text, upb_Arena *arena, upb_Message **ret_message)
{
        const struct call_options *options = talk->options;
        char where[32] = "";
        quoit_problem problem;
        int r;

        if (options->is_text)
                r = text_parse(
                        talk->source, talk->method->request, text, arena, ret_message, &problem);
        else
                r = message_parse_json(talk->source, talk->method->request, text,
                        options->ignores_unknown, arena, ret_message, &problem);
        if (r == 0)
                return EXIT_DONE;
        if (talk->input.number > 1)
                snprintf(where, sizeof(where), ", message %lu", talk->input.number);
        return say_usage("%s%s: %s", talk->input.name, where, problem.text);
}

static const char *reason_of(int r)
{
        switch (r) {
        case -EMSGSIZE:
                return "it is larger than a message may be";
        case -EINVAL:
                return "a required field is not set";
        case -E2BIG:
                return "it is nested too deeply";
        case -EILSEQ:
                return "a string in it is not UTF-8";
        default:
                return strerror(-r);
        }
}

int talk_send(struct talk *talk, const upb_Message *message)
{
        int r = quoit_outcall_send(talk->call, message);

        if (r < 0)
                return say_usage(
                        "%s: the message cannot be sent: %s", talk->input.name, reason_of(r));
        talk->outcome.sent++;
        return EXIT_DONE;
}

static int send_text(struct talk *talk, upb_StringView text)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message;
        int status = arena ? parse(talk, text, arena, &message) : say_failed("out of memory");

        /* for the types of its Anys turns were made: the call may have ended in them */
        if (status == EXIT_DONE && talk->call)
                status = talk_send(talk, message);
        if (arena)
                upb_Arena_Free(arena);
        return status;
}

void talk_give_up(struct talk *talk, int status)
{
        talk->status = status;
        talk->is_half_closed = true;
        if (talk->call)
                quoit_outcall_cancel(talk->call);
}

bool talk_send_some(struct talk *talk)
{
        upb_StringView text;

        while (talk->call && !talk->is_half_closed && quoit_outcall_writable(talk->call)) {
                int r = input_next(&talk->input, &text), status = EXIT_DONE;

                if (r == 0)
                        return true;
                if (r == 1) {
                        status = send_text(talk, text);
                } else if (r == -ENODATA) {
                        talk->is_half_closed = true;
                        quoit_outcall_half_close(talk->call);
                } else {
                        status = EXIT_USAGE;
                }
                if (status != EXIT_DONE)
                        talk_give_up(talk, status);
        }
        return false;
}

/* ---- one request ---- */

/* As input_next(), and waits for what has to come first. */
static int next_text(struct talk *talk, upb_StringView *ret_text)
{
        int r;

        while ((r = input_next(&talk->input, ret_text)) == 0) {
                r = input_read(&talk->input);
                if (r < 0)
                        return r;
        }
        return r;
}

int talk_read_next(struct talk *talk, upb_Arena *arena, upb_Message **ret_message)
{
        upb_StringView text;
        int r = next_text(talk, &text);

        if (r == -ENODATA)
                return EXIT_DONE;
        return r < 0 ? EXIT_USAGE : parse(talk, text, arena, ret_message);
}

int talk_read_one(struct talk *talk, upb_Arena *arena, upb_Message **ret_message)
{
        upb_StringView text, other;
        int r = next_text(talk, &text), status;

        if (r == -ENODATA)
                text = upb_StringView_FromString(talk->options->is_text ? "" : "{}");
        else if (r < 0)
                return EXIT_USAGE;
        status = parse(talk, text, arena, ret_message);
        if (status == EXIT_DONE && r == 1 && next_text(talk, &other) == 1)
                status = say_usage("%s takes one request, and -d has more",
                        upb_MethodDef_FullName(talk->method->def));
        return status;
}
