/* SPDX-License-Identifier: MIT */
#include "client/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/channel.h"
#include "client/handle.h"

struct trace_event {
        uint64_t time_ns;
        quoit_log_level level;
        char text[];
};

static void lock(const struct registry *registry)
{
        pthread_mutex_lock((pthread_mutex_t *)&registry->mutex);
}

static void unlock(const struct registry *registry)
{
        pthread_mutex_unlock((pthread_mutex_t *)&registry->mutex);
}

void registry_init(struct registry *registry)
{
        pthread_mutex_init(&registry->mutex, NULL);
        list_init(&registry->channels);
}

void registry_deinit(struct registry *registry)
{
        pthread_mutex_destroy(&registry->mutex);
}

/* ---- what rings tell ---- */

static void add(struct registry *registry, struct record *record, struct list *to)
{
        record->id = registry_draw(registry);
        list_append(to, &record->link);
}

void registry_add_channel(struct registry *registry, struct channel_record *record)
{
        list_init(&record->subchannels);
        lock(registry);
        add(registry, &record->record, &registry->channels);
        unlock(registry);
}

void registry_add_subchannel(
        struct registry *registry, struct channel_record *channel, struct subchannel_record *record)
{
        lock(registry);
        add(registry, &record->record, &channel->subchannels);
        unlock(registry);
}

void registry_remove(struct registry *registry, struct record *record)
{
        if (record->id == 0)
                return;
        lock(registry);
        record->id = 0;
        list_remove(&record->link);
        for (unsigned i = 0; i < QUOIT_EVENTS_MAX; i++)
                free(record->trace.events[i]);
        record->trace = (struct trace){ 0 };
        unlock(registry);
}

void registry_note(struct registry *registry, struct record *record, quoit_log_level level,
        uint64_t now_ns, const char *text)
{
        size_t size = strnlen(text, QUOIT_EVENT_TEXT_BYTES - 1);
        struct trace_event *event = malloc(sizeof(*event) + size + 1);
        struct trace_event *oldest = event;

        if (!event)
                return;
        event->time_ns = now_ns;
        event->level = level;
        memcpy(event->text, text, size);
        event->text[size] = '\0';
        lock(registry);
        if (record->id > 0) {
                struct trace_event **at =
                        record->trace.events + record->trace.count % QUOIT_EVENTS_MAX;

                if (record->trace.count++ == 0)
                        record->created_ns = now_ns;
                oldest = *at;
                *at = event;
        }
        unlock(registry);
        free(oldest);
}

void registry_set_state(
        struct registry *registry, struct subchannel_record *record, quoit_channel_state state)
{
        lock(registry);
        record->state = state;
        unlock(registry);
}

void registry_set_connections(struct registry *registry, struct subchannel_record *record,
        const uint64_t *ids, unsigned count)
{
        lock(registry);
        memcpy(record->connection_ids, ids, count * sizeof(*ids));
        record->connection_count = count;
        unlock(registry);
}

/* ---- what other threads ask ---- */

static const struct channel_record *channel_of(const struct list *link)
{
        return CONTAINER_OF(link, struct channel_record, record.link);
}

static const struct subchannel_record *subchannel_of(const struct list *link)
{
        return CONTAINER_OF(link, struct subchannel_record, record.link);
}

static void add_calls(quoit_calls_statistics *to, const struct call_counts *counts)
{
        uint64_t last_ns = counter_read(&counts->last_ns);

        to->succeeded += counter_read(&counts->succeeded);
        to->failed += counter_read(&counts->failed);
        to->started += counter_read(&counts->started);
        if (last_ns > to->last_ns)
                to->last_ns = last_ns;
}

static void read_channel(const struct channel_record *record, quoit_channel_statistics *to)
{
        const quoit_channel *channel = CONTAINER_OF(record, quoit_channel, record);

        *to = (quoit_channel_statistics){
                .id = record->record.id,
                .state = channel_best_state(channel),
                .created_ns = record->record.created_ns,
                .events = record->record.trace.count,
        };
        snprintf(to->target, sizeof(to->target), "%s", channel->target);
        for (unsigned i = 0; i < channel->client->count; i++)
                add_calls(&to->calls, &channel->parts[i]->call_counts);
}

static void read_subchannel(const struct subchannel_record *record, quoit_subchannel_statistics *to)
{
        const struct subchannel *subchannel = CONTAINER_OF(record, struct subchannel, record);

        *to = (quoit_subchannel_statistics){
                .id = record->record.id,
                .state = record->state,
                .connection_count = record->connection_count,
                .created_ns = record->record.created_ns,
                .events = record->record.trace.count,
        };
        memcpy(to->connection_ids, record->connection_ids,
                record->connection_count * sizeof(*record->connection_ids));
        snprintf(to->address, sizeof(to->address), "%s", subchannel->text);
        add_calls(&to->calls, &record->counts);
}

size_t quoit_client_get_channels(const quoit_client *client, uint64_t id_min,
        quoit_channel_statistics *channels, size_t capacity)
{
        const struct list *all = &client->registry.channels;
        size_t count = 0;

        if (client_is_inherited(client))
                return 0;
        lock(&client->registry);
        for (const struct list *link = all->next; link != all && count < capacity;
                link = link->next) {
                if (channel_of(link)->record.id >= id_min)
                        read_channel(channel_of(link), channels + count++);
        }
        unlock(&client->registry);
        return count;
}

/* NULL: there is none. Under the lock. */
static const struct channel_record *find_channel(const struct registry *registry, uint64_t id)
{
        const struct list *all = &registry->channels;

        for (const struct list *link = all->next; link != all; link = link->next) {
                if (channel_of(link)->record.id == id)
                        return channel_of(link);
        }
        return NULL;
}

static const struct subchannel_record *find_subchannel(const struct registry *registry, uint64_t id)
{
        const struct list *all = &registry->channels;

        for (const struct list *link = all->next; link != all; link = link->next) {
                const struct list *own = &channel_of(link)->subchannels;

                for (const struct list *other = own->next; other != own; other = other->next) {
                        if (subchannel_of(other)->record.id == id)
                                return subchannel_of(other);
                }
        }
        return NULL;
}

size_t quoit_client_get_subchannels(const quoit_client *client, uint64_t channel_id,
        uint64_t id_min, quoit_subchannel_statistics *subchannels, size_t capacity)
{
        const struct channel_record *channel;
        size_t count = 0;

        if (client_is_inherited(client))
                return 0;
        lock(&client->registry);
        channel = find_channel(&client->registry, channel_id);
        for (const struct list *link = channel ? channel->subchannels.next : NULL;
                channel && link != &channel->subchannels && count < capacity; link = link->next) {
                if (subchannel_of(link)->record.id >= id_min)
                        read_subchannel(subchannel_of(link), subchannels + count++);
        }
        unlock(&client->registry);
        return count;
}

bool quoit_client_get_subchannel(
        const quoit_client *client, uint64_t id, quoit_subchannel_statistics *ret_subchannel)
{
        const struct subchannel_record *found;

        if (client_is_inherited(client))
                return false;
        lock(&client->registry);
        found = find_subchannel(&client->registry, id);
        if (found)
                read_subchannel(found, ret_subchannel);
        unlock(&client->registry);
        return found;
}

bool quoit_client_get_connection(
        const quoit_client *client, uint64_t id, quoit_connection_statistics *ret_connection)
{
        bool found = false;

        if (client_is_inherited(client))
                return false;
        for (unsigned i = 0; !found && i < client->count; i++)
                found = census_read((struct census *)&client->parts[i].census, id, ret_connection);
        return found;
}

static size_t read_trace(const struct trace *trace, quoit_client_event *events, size_t capacity)
{
        size_t kept = trace->count < QUOIT_EVENTS_MAX ? trace->count : QUOIT_EVENTS_MAX;
        size_t count = kept < capacity ? kept : capacity;

        for (size_t i = 0; i < count; i++) {
                const struct trace_event *event =
                        trace->events[(trace->count - count + i) % QUOIT_EVENTS_MAX];

                events[i].time_ns = event->time_ns;
                events[i].level = event->level;
                snprintf(events[i].text, sizeof(events[i].text), "%s", event->text);
        }
        return count;
}

size_t quoit_client_get_events(
        const quoit_client *client, uint64_t id, quoit_client_event *events, size_t capacity)
{
        const struct subchannel_record *subchannel;
        const struct channel_record *channel;
        size_t count = 0;

        if (client_is_inherited(client))
                return 0;
        lock(&client->registry);
        channel = find_channel(&client->registry, id);
        subchannel = channel ? NULL : find_subchannel(&client->registry, id);
        if (channel)
                count = read_trace(&channel->record.trace, events, capacity);
        else if (subchannel)
                count = read_trace(&subchannel->record.trace, events, capacity);
        unlock(&client->registry);
        return count;
}
