/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../json_write.h"
#include "fields_compare.h"
#include "upb/wire/decode.h"

/* A call that is judged. */
struct trial {
        struct judge *judge;
        const struct play *play;
        const upb_MessageDef *type; /* of its replies; NULL: not known */
        bool is_type_known; /* whether that was looked for */
        size_t differences;
        size_t reply; /* that is looked at, from 1 on */
};

static void add(struct trial *trial, const char *what, const char *was, const char *is)
{
        const struct difference difference = {
                .call = trial->play->call, .what = what, .reply = trial->reply, .was = was, .is = is
        };

        results_add(trial->judge->results, &difference);
        trial->differences++;
}

/* ---- status ---- */

/* As JSON. The caller frees it. */
static char *quoted(upb_StringView text)
{
        char *result = NULL;
        size_t size;
        FILE *to = open_memstream(&result, &size);

        if (!to)
                return NULL;
        json_write_string(to, text);
        fclose(to);
        return result;
}

static void compare_texts(
        struct trial *trial, const char *what, upb_StringView was, upb_StringView is)
{
        char *was_text, *is_text;

        if (upb_StringView_IsEqual(was, is))
                return;
        was_text = quoted(was);
        is_text = quoted(is);
        add(trial, what, was_text ? was_text : "", is_text ? is_text : "");
        free(was_text);
        free(is_text);
}

static void compare_status(struct trial *trial)
{
        const struct play *play = trial->play;
        const struct tape_call *call = play->call;
        upb_StringView text =
                upb_StringView_FromString(play->status_message ? play->status_message : "");

        if (play->status != call->status) {
                char *now = NULL;

                if (asprintf(&now, "%s%s%s", quoit_status_name(play->status), text.size ? ": " : "",
                            text.data) < 0)
                        now = NULL;
                add(trial, "status", quoit_status_name(call->status), now ? now : "");
                free(now);
                return; /* another status has another text */
        }
        compare_texts(trial, "status message", call->status_message, text);
        if (!upb_StringView_IsEqual(call->status_details, play->status_details))
                add(trial, "status details", "other bytes", "these");
}

/* ---- replies ---- */

static bool is_unknown(const struct judge *judge, const char *service)
{
        for (size_t i = 0; i < judge->unknown.count; i++)
                if (!strcmp(judge->unknown.at[i], service))
                        return true;
        return false;
}

/* The type of the method's replies. NULL: nobody knows it. */
static const upb_MessageDef *find_type(struct judge *judge, const char *path)
{
        char *service = strdup(*path ? path + 1 : path),
             *slash = service ? strchr(service, '/') : NULL;
        const upb_ServiceDef *found = NULL;
        const upb_MethodDef *method = NULL;

        if (slash) {
                *slash = '\0';
                found = is_unknown(judge, service) ? NULL : source_service(judge->source, service);
                if (found)
                        method = upb_ServiceDef_FindMethodByName(found, slash + 1);
                else if (!is_unknown(judge, service) && strings_add(&judge->unknown, service) == 0)
                        service = NULL; /* it is the list's */
        }
        free(service);
        return method ? upb_MethodDef_OutputType(method) : NULL;
}

/* Extensions stay fields that are not known, which are compared as bytes. */
static upb_Message *parse(const struct trial *trial, upb_StringView bytes, upb_Arena *arena)
{
        const upb_MiniTable *table = upb_MessageDef_MiniTable(trial->type);
        upb_Message *message = upb_Message_New(table, arena);

        return message && upb_Decode(bytes.data, bytes.size, message, table, NULL, 0, arena) ==
                                       kUpb_DecodeStatus_Ok
                       ? message
                       : NULL;
}

static void on_difference(void *user, const char *path, const char *was, const char *is)
{
        struct trial *trial = user;
        const struct difference difference = { .call = trial->play->call,
                .what = "reply",
                .reply = trial->reply,
                .field = path,
                .was = was,
                .is = is };

        results_add(trial->judge->results, &difference);
        trial->differences++;
}

/* False: they cannot be compared so. */
static bool compare_fields(struct trial *trial, upb_StringView was, upb_StringView is)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *was_message = NULL, *is_message = NULL;

        if (!trial->is_type_known)
                trial->type = find_type(trial->judge, trial->play->call->path);
        trial->is_type_known = true;
        if (arena && trial->type) {
                was_message = parse(trial, was, arena);
                is_message = parse(trial, is, arena);
        }
        if (was_message && is_message)
                fields_compare(trial->type, was_message, is_message, trial->judge->ignored,
                        on_difference, trial);
        if (arena)
                upb_Arena_Free(arena);
        return was_message && is_message;
}

static void compare_reply(struct trial *trial, upb_StringView was, upb_StringView is)
{
        char was_text[64], is_text[64];
        size_t at = 0;

        if (upb_StringView_IsEqual(was, is) || compare_fields(trial, was, is))
                return;
        while (at < was.size && at < is.size && was.data[at] == is.data[at])
                at++;
        snprintf(was_text, sizeof(was_text), "%zu bytes", was.size);
        snprintf(is_text, sizeof(is_text), "%zu bytes, others from byte %zu on", is.size, at);
        add(trial, "reply", was_text, is_text);
}

static void compare_replies(struct trial *trial)
{
        const struct tape_call *call = trial->play->call;
        size_t at = 0, count = trial->play->reply_count;
        char was[32], is[32];

        for (size_t i = 0; i < call->event_count && at < count; i++) {
                if (call->events[i].type != TAPE_REPLY)
                        continue;
                trial->reply = at + 1;
                compare_reply(trial, call->events[i].message, trial->play->replies[at++]);
        }
        trial->reply = 0;
        /* how many there are when a call is cancelled is by chance */
        if (count == call->reply_count || call->was_cancelled)
                return;
        snprintf(was, sizeof(was), "%zu", call->reply_count);
        snprintf(is, sizeof(is), "%zu", count);
        add(trial, "replies", was, is);
}

size_t judge_play(struct judge *judge, const struct play *play)
{
        struct trial trial = { .judge = judge, .play = play };

        if (!play->call->was_cancelled)
                compare_status(&trial);
        compare_replies(&trial);
        return trial.differences;
}

void judge_deinit(struct judge *judge)
{
        for (size_t i = 0; i < judge->unknown.count; i++)
                free((void *)judge->unknown.at[i]);
        strings_deinit(&judge->unknown);
}
