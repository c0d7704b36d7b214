/* SPDX-License-Identifier: MIT */
#include "client/note.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "client/channel.h"
#include "client/handle.h"
#include "core/clock.h"

#define TEXT_BYTES 512

/* ---- lines ---- */

static void make_printable(char *text)
{
        for (; *text; text++) {
                if (*text < ' ' || *text > '~')
                        *text = '?';
        }
}

static void say(struct log *log, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void say(struct log *log, quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_write(log, level, format, arguments);
        va_end(arguments);
}

static void say_peer(struct client *client, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void say_peer(struct client *client, quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        log_write_peer(
                &client->handle->log, level, ring_now_ns(&client->base->ring), format, arguments);
        va_end(arguments);
}

static void write_text(char text[static TEXT_BYTES], const char *format, va_list arguments)
{
        vsnprintf(text, TEXT_BYTES, format, arguments);
        make_printable(text);
}

void note_program(quoit_client *handle, quoit_log_level level, const char *format, ...)
{
        char text[TEXT_BYTES];
        va_list arguments;

        if (!handle->log.on_log)
                return;
        va_start(arguments, format);
        write_text(text, format, arguments);
        va_end(arguments);
        say(&handle->log, level, "%s", text);
}

void note_client(struct client *client, quoit_log_level level, const char *format, ...)
{
        char text[TEXT_BYTES];
        va_list arguments;

        if (!client->handle->log.on_log)
                return;
        va_start(arguments, format);
        write_text(text, format, arguments);
        va_end(arguments);
        say_peer(client, level, "%s", text);
}

/* An event of a channel says on which ring, where there are several. */
static void keep(struct channel *channel, quoit_log_level level, const char *text)
{
        quoit_client *handle = channel->client->handle;
        uint64_t now_ns = ring_now_ns(channel_ring(channel));
        char numbered[TEXT_BYTES];

        if (handle->count > 1) {
                snprintf(numbered, sizeof(numbered), "ring %u: %s",
                        (unsigned)(channel->client - handle->parts), text);
                text = numbered;
        }
        registry_note(&handle->registry, &channel->handle->record.record, level, now_ns, text);
}

static void keep_of_subchannel(
        struct subchannel *subchannel, quoit_log_level level, const char *text)
{
        struct channel *channel = subchannel->channel;

        registry_note(&channel->client->handle->registry, &subchannel->record.record, level,
                ring_now_ns(channel_ring(channel)), text);
}

void note_channel(struct channel *channel, quoit_log_level level, const char *format, ...)
{
        char text[TEXT_BYTES];
        va_list arguments;

        va_start(arguments, format);
        write_text(text, format, arguments);
        va_end(arguments);
        keep(channel, level, text);
        say_peer(channel->client, level, "%s: %s", channel->handle->target, text);
}

void note_subchannel(struct subchannel *subchannel, quoit_log_level level, const char *format, ...)
{
        const struct channel *channel = subchannel->channel;
        char text[TEXT_BYTES];
        va_list arguments;

        va_start(arguments, format);
        write_text(text, format, arguments);
        va_end(arguments);
        keep_of_subchannel(subchannel, level, text);
        say_peer(channel->client, level, "%s: %s: %s", channel->handle->target, subchannel->text,
                text);
}

/* ---- states ---- */

void note_channel_begin(struct channel *channel)
{
        keep(channel, QUOIT_LOG_DEBUG, "it begins");
}

void note_channel_state(struct channel *channel)
{
        keep(channel, QUOIT_LOG_DEBUG, quoit_channel_state_name(channel->state));
}

void note_subchannel_state(struct subchannel *subchannel)
{
        static const quoit_channel_state states[] = {
                [SUBCHANNEL_IDLE] = QUOIT_CHANNEL_IDLE,
                [SUBCHANNEL_CONNECTING] = QUOIT_CHANNEL_CONNECTING,
                [SUBCHANNEL_READY] = QUOIT_CHANNEL_READY,
                [SUBCHANNEL_TRANSIENT_FAILURE] = QUOIT_CHANNEL_TRANSIENT_FAILURE,
        };
        quoit_channel_state state = states[subchannel->state];

        registry_set_state(
                &subchannel->channel->client->handle->registry, &subchannel->record, state);
        keep_of_subchannel(subchannel, QUOIT_LOG_DEBUG, quoit_channel_state_name(state));
}

/* ---- the program's mistakes ---- */

void note_misuse(quoit_client *handle, const void *about, const char *name, const char *function,
        const char *why)
{
        if (handle->log.on_log && complaints_add(&handle->complaints, about, function))
                note_program(
                        handle, QUOIT_LOG_ERROR, "%s: %s() did nothing: %s", name, function, why);
}

uint64_t note_callback(const struct client *client)
{
        return client->handle->log.on_log && client->limits.slow_callback_ms != UINT32_MAX
                       ? ring_clock_coarse_ns(&client->base->ring)
                       : 0;
}

void note_callback_end(
        struct client *client, uint64_t began_ns, const char *whose, const char *name)
{
        uint64_t took_ns = began_ns > 0 ? ring_clock_coarse_ns(&client->base->ring) - began_ns : 0;

        if (took_ns < client->limits.slow_callback_ms * NS_PER_MS)
                return;
        note_client(client, QUOIT_LOG_WARNING,
                "%s: %s kept the client's ring, and all other calls there, for %" PRIu64
                " ms (slow_callback_ms)",
                whose, name, took_ns / NS_PER_MS);
        call_host_look(
                &client->base->host); /* a server's handler on the same ring is not to blame */
}
