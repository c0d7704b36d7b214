/* SPDX-License-Identifier: MIT */

/*
 * A client of streams, by callbacks on the client's thread. Each keeps to what the other side takes and can run for ever in bounded memory.
 * streams_client TARGET METHOD, against the example that serves the method:
 *
 *      ./server_streaming & ./streams_client 127.0.0.1:50051 Countdown
 *      ./client_streaming & ./streams_client 127.0.0.1:50051 Average
 *      ./bidi             & ./streams_client 127.0.0.1:50051 Chat
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "guide.quoit.h"

#define LENGTH 100000

/* One call. */
struct play {
        quoit_channel *channel;
        int (*start)(struct play *play); /* of its method */
        int64_t count; /* of messages so far */
        quoit_error error; /* how it ended */
        pthread_mutex_t mutex;
        pthread_cond_t ended;
        bool is_over;
};

/* main() goes on. */
static void end(struct play *play)
{
        pthread_mutex_lock(&play->mutex);
        play->is_over = true;
        pthread_cond_signal(&play->ended);
        pthread_mutex_unlock(&play->mutex);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct play *play = user;

        (void)status;
        quoit_outcall_get_error(call, &play->error);
        end(play);
}

/* ---- many replies ---- */

#define LOT 100

/* The server may be a lot of messages ahead, and gets credit for the next one when these have been counted. */
static void on_number(quoit_outcall *call, const guide_Number *number, void *user)
{
        struct play *play = user;

        if (++play->count % LOT == 0)
                quoit_outcall_set_read_credits(call, LOT);
        if (guide_Number_value(number) == 0)
                printf("%lld numbers\n", (long long)play->count);
}

static int countdown(struct play *play)
{
        static const guide_Guide_Countdown_receiver receiver = { .on_message = on_number,
                .on_done = on_done };
        upb_Arena *arena = upb_Arena_New();
        guide_Number *from = guide_Number_new(arena);
        quoit_outcall *call;
        int r;

        guide_Number_set_value(from, LENGTH);
        r = guide_Guide_Countdown_start(play->channel, from, NULL, &receiver, play, &call);
        upb_Arena_Free(arena); /* the request has been encoded */
        if (r == 0)
                quoit_outcall_set_read_credits(call, LOT);
        return r;
}

/* ---- many requests ---- */

/* Sends while there is room, and again when there is room again. */
static void send_numbers(quoit_outcall *call, void *user)
{
        struct play *play = user;
        upb_Arena *arena = upb_Arena_New();
        guide_Number *number = guide_Number_new(arena); /* one for all: it is encoded at once */

        while (play->count < LENGTH && quoit_outcall_writable(call)) {
                guide_Number_set_value(number, play->count++);
                guide_Guide_Average_send_request(call, number);
        }
        if (play->count == LENGTH)
                quoit_outcall_half_close(call);
        upb_Arena_Free(arena);
}

static void on_mean(quoit_outcall *call, quoit_status status, const guide_Mean *mean, void *user)
{
        if (mean) /* the status is QUOIT_OK */
                printf("%.1f is the mean of %lld\n", guide_Mean_value(mean),
                        (long long)guide_Mean_count(mean));
        on_done(call, status, user);
}

static int average(struct play *play)
{
        static const guide_Guide_Average_receiver receiver = { .on_writable = send_numbers,
                .on_done = on_mean };
        quoit_outcall *call;
        int r = guide_Guide_Average_start(play->channel, NULL, &receiver, play, &call);

        if (r == 0)
                send_numbers(call, play);
        return r;
}

/* ---- many of both ---- */

static int say(quoit_outcall *call, const char *text)
{
        guide_Line *line = guide_Line_new(quoit_outcall_arena(call));

        guide_Line_set_from(line, upb_StringView_FromString("Ann"));
        guide_Line_set_text(line, upb_StringView_FromString(text));
        return guide_Guide_Chat_send_request(call, line);
}

/* Everybody in the room hears it, also who has said it. */
static void on_line(quoit_outcall *call, const guide_Line *line, void *user)
{
        static const char *const texts[] = { "How are you?", "Bye!" };
        struct play *play = user;
        upb_StringView from = guide_Line_from(line), text = guide_Line_text(line);

        printf("%.*s: %.*s\n", (int)from.size, from.data, (int)text.size, text.data);
        if (play->count < 2)
                say(call, texts[play->count++]);
        else
                quoit_outcall_half_close(call);
}

static int chat(struct play *play)
{
        static const guide_Guide_Chat_receiver receiver = { .on_message = on_line,
                .on_done = on_done };
        quoit_outcall *call;
        int r = guide_Guide_Chat_start(play->channel, NULL, &receiver, play, &call);

        return r == 0 ? say(call, "Hello!") : r;
}

/* ---- */

/* On the client's thread, where calls begin and callbacks run. */
static void start(quoit_client *client, void *arg)
{
        struct play *play = arg;

        (void)client;
        if (play->start(play) == 0)
                return;
        play->error = (quoit_error){ QUOIT_INTERNAL, "the call cannot begin" };
        end(play);
}

static bool choose(struct play *play, const char *method)
{
        if (strcmp(method, "Countdown") == 0)
                play->start = countdown;
        else if (strcmp(method, "Average") == 0)
                play->start = average;
        else if (strcmp(method, "Chat") == 0)
                play->start = chat;
        return play->start;
}

int main(int count, char **words)
{
        struct play play = { .mutex = PTHREAD_MUTEX_INITIALIZER,
                .ended = PTHREAD_COND_INITIALIZER };
        quoit_client *client;

        if (count != 3 || !choose(&play, words[2]) || quoit_client_new(NULL, &client) < 0) {
                fprintf(stderr, "streams_client TARGET Countdown|Average|Chat\n");
                return 2;
        }
        if (quoit_channel_new(client, words[1], NULL, &play.channel) < 0 ||
                quoit_client_post(client, start, &play) < 0)
                return 2;
        pthread_mutex_lock(&play.mutex);
        while (!play.is_over)
                pthread_cond_wait(&play.ended, &play.mutex);
        pthread_mutex_unlock(&play.mutex);
        if (play.error.status != QUOIT_OK)
                fprintf(stderr, "%s\n", quoit_error_text(&play.error));
        quoit_channel_free(play.channel);
        quoit_client_free(client);
        return play.error.status != QUOIT_OK;
}
