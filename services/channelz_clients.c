/* SPDX-License-Identifier: MIT */
#include "services/channelz_clients.h"

#include <quoit/client_statistics.h>

#define RESULTS_MAX 100
#define CLIENT_IDS INT64_C(1000000000000000) /* ids of one client; a server has fewer too */

size_t channelz_page_size(int64_t wanted)
{
        return wanted <= 0 || wanted > RESULTS_MAX ? RESULTS_MAX : (size_t)wanted;
}

void channelz_fail_unknown(quoit_call *call, const char *what, int64_t id)
{
        quoit_call_finishf(call, QUOIT_NOT_FOUND, "no %s has the id %lld", what, (long long)id);
}

/* ---- ids: channelz requires all of them to be different ---- */

/* Of client @index. */
static int64_t id_of(size_t index, uint64_t id)
{
        return CLIENT_IDS * (int64_t)(index + 1) + (int64_t)id;
}

/* Whose it is, in *@ret_index, and what the client calls it. 0: no client's. */
static uint64_t split(const struct channelz *channelz, int64_t id, size_t *ret_index)
{
        if (id < CLIENT_IDS || (uint64_t)(id / CLIENT_IDS) > channelz->client_count)
                return 0;
        *ret_index = (size_t)(id / CLIENT_IDS) - 1;
        return (uint64_t)(id % CLIENT_IDS);
}

/* ---- events ---- */

static grpc_channelz_v1_ChannelTraceEvent_Severity severity_of(quoit_log_level level)
{
        switch (level) {
        case QUOIT_LOG_ERROR:
                return grpc_channelz_v1_ChannelTraceEvent_CT_ERROR;
        case QUOIT_LOG_WARNING:
                return grpc_channelz_v1_ChannelTraceEvent_CT_WARNING;
        case QUOIT_LOG_INFO:
        case QUOIT_LOG_DEBUG:
                break;
        }
        return grpc_channelz_v1_ChannelTraceEvent_CT_INFO;
}

static bool describe_event(
        const quoit_client_event *event, grpc_channelz_v1_ChannelTraceEvent *to, upb_Arena *arena)
{
        if (!to)
                return false;
        grpc_channelz_v1_ChannelTraceEvent_set_description(to, channelz_text(event->text, arena));
        grpc_channelz_v1_ChannelTraceEvent_set_severity(to, (int32_t)severity_of(event->level));
        grpc_channelz_v1_ChannelTraceEvent_set_timestamp(to, channelz_time(event->time_ns, arena));
        return true;
}

static bool describe_trace(const quoit_client *client, uint64_t id, uint64_t created_ns,
        uint64_t count, grpc_channelz_v1_ChannelTrace *to, upb_Arena *arena)
{
        quoit_client_event events[QUOIT_EVENTS_MAX];
        size_t kept = quoit_client_get_events(client, id, events, QUOIT_EVENTS_MAX);
        bool ok = to;

        if (!to)
                return false;
        grpc_channelz_v1_ChannelTrace_set_num_events_logged(to, (int64_t)count);
        grpc_channelz_v1_ChannelTrace_set_creation_timestamp(to, channelz_time(created_ns, arena));
        for (size_t i = 0; ok && i < kept; i++)
                ok = describe_event(
                        events + i, grpc_channelz_v1_ChannelTrace_add_events(to, arena), arena);
        return ok;
}

/* ---- channels and subchannels ---- */

static grpc_channelz_v1_ChannelConnectivityState_State state_of(quoit_channel_state state)
{
        switch (state) {
        case QUOIT_CHANNEL_IDLE:
                return grpc_channelz_v1_ChannelConnectivityState_IDLE;
        case QUOIT_CHANNEL_CONNECTING:
                return grpc_channelz_v1_ChannelConnectivityState_CONNECTING;
        case QUOIT_CHANNEL_READY:
                return grpc_channelz_v1_ChannelConnectivityState_READY;
        case QUOIT_CHANNEL_TRANSIENT_FAILURE:
                return grpc_channelz_v1_ChannelConnectivityState_TRANSIENT_FAILURE;
        case QUOIT_CHANNEL_SHUTDOWN:
                return grpc_channelz_v1_ChannelConnectivityState_SHUTDOWN;
        }
        return grpc_channelz_v1_ChannelConnectivityState_UNKNOWN;
}

static bool describe_data(const char *target, quoit_channel_state state,
        const quoit_calls_statistics *calls, grpc_channelz_v1_ChannelData *to, upb_Arena *arena)
{
        grpc_channelz_v1_ChannelConnectivityState *now =
                to ? grpc_channelz_v1_ChannelData_mutable_state(to, arena) : NULL;

        if (!now)
                return false;
        grpc_channelz_v1_ChannelConnectivityState_set_state(now, (int32_t)state_of(state));
        grpc_channelz_v1_ChannelData_set_target(to, channelz_text(target, arena));
        grpc_channelz_v1_ChannelData_set_calls_started(to, (int64_t)calls->started);
        grpc_channelz_v1_ChannelData_set_calls_succeeded(to, (int64_t)calls->succeeded);
        grpc_channelz_v1_ChannelData_set_calls_failed(to, (int64_t)calls->failed);
        grpc_channelz_v1_ChannelData_set_last_call_started_timestamp(
                to, channelz_time(calls->last_ns, arena));
        return true;
}

static bool refer_to_subchannel(
        grpc_channelz_v1_SubchannelRef *to, int64_t id, const char *name, upb_Arena *arena)
{
        if (!to)
                return false;
        grpc_channelz_v1_SubchannelRef_set_subchannel_id(to, id);
        grpc_channelz_v1_SubchannelRef_set_name(to, channelz_text(name, arena));
        return true;
}

/* A page at a time, in the call's arena: there may be many. */
static bool describe_subchannels(const struct channelz *channelz, size_t index, uint64_t channel_id,
        grpc_channelz_v1_Channel *to, upb_Arena *arena)
{
        quoit_subchannel_statistics *page = upb_Arena_Malloc(arena, RESULTS_MAX * sizeof(*page));
        uint64_t next = 0;
        size_t count = RESULTS_MAX;
        bool ok = page;

        while (ok && count == RESULTS_MAX) {
                count = quoit_client_get_subchannels(
                        channelz->clients[index], channel_id, next, page, RESULTS_MAX);
                for (size_t i = 0; ok && i < count; i++)
                        ok = refer_to_subchannel(
                                grpc_channelz_v1_Channel_add_subchannel_ref(to, arena),
                                id_of(index, page[i].id), page[i].address, arena);
                if (count > 0)
                        next = page[count - 1].id + 1;
        }
        return ok;
}

static bool describe_channel(const struct channelz *channelz, size_t index,
        const quoit_channel_statistics *channel, grpc_channelz_v1_Channel *to, upb_Arena *arena)
{
        grpc_channelz_v1_ChannelRef *reference =
                to ? grpc_channelz_v1_Channel_mutable_ref(to, arena) : NULL;
        grpc_channelz_v1_ChannelData *data =
                reference ? grpc_channelz_v1_Channel_mutable_data(to, arena) : NULL;

        if (!data)
                return false;
        grpc_channelz_v1_ChannelRef_set_channel_id(reference, id_of(index, channel->id));
        grpc_channelz_v1_ChannelRef_set_name(reference, channelz_text(channel->target, arena));
        return describe_data(channel->target, channel->state, &channel->calls, data, arena) &&
               describe_trace(channelz->clients[index], channel->id, channel->created_ns,
                       channel->events, grpc_channelz_v1_ChannelData_mutable_trace(data, arena),
                       arena) &&
               describe_subchannels(channelz, index, channel->id, to, arena);
}

static bool refer_to_connections(const quoit_subchannel_statistics *subchannel, size_t index,
        grpc_channelz_v1_Subchannel *to, upb_Arena *arena)
{
        bool ok = true;

        for (unsigned i = 0; ok && i < subchannel->connection_count; i++)
                ok = channelz_set_socket(grpc_channelz_v1_Subchannel_add_socket_ref(to, arena),
                        id_of(index, subchannel->connection_ids[i]), subchannel->address, arena);
        return ok;
}

static bool describe_subchannel(const struct channelz *channelz, size_t index,
        const quoit_subchannel_statistics *subchannel, grpc_channelz_v1_Subchannel *to,
        upb_Arena *arena)
{
        grpc_channelz_v1_ChannelData *data =
                to ? grpc_channelz_v1_Subchannel_mutable_data(to, arena) : NULL;

        if (!data || !refer_to_subchannel(grpc_channelz_v1_Subchannel_mutable_ref(to, arena),
                             id_of(index, subchannel->id), subchannel->address, arena))
                return false;
        return describe_data(
                       subchannel->address, subchannel->state, &subchannel->calls, data, arena) &&
               describe_trace(channelz->clients[index], subchannel->id, subchannel->created_ns,
                       subchannel->events, grpc_channelz_v1_ChannelData_mutable_trace(data, arena),
                       arena) &&
               refer_to_connections(subchannel, index, to, arena);
}

/* ---- requests ---- */

/* Channels from @start on into @response, at most @left. */
static bool add_channels(const struct channelz *channelz, int64_t start, size_t left,
        grpc_channelz_v1_GetTopChannelsResponse *response, upb_Arena *arena)
{
        quoit_channel_statistics *page = upb_Arena_Malloc(arena, (left + 1) * sizeof(*page));
        bool ok = page, is_end = true;

        for (size_t index = 0; ok && is_end && index < channelz->client_count; index++) {
                uint64_t first = start > id_of(index, 0) ? (uint64_t)(start - id_of(index, 0)) : 0;
                size_t count =
                        quoit_client_get_channels(channelz->clients[index], first, page, left + 1);

                is_end = count <= left;
                for (size_t i = 0; ok && i < count && left > 0; i++, left--)
                        ok = describe_channel(channelz, index, page + i,
                                grpc_channelz_v1_GetTopChannelsResponse_add_channel(
                                        response, arena),
                                arena);
        }
        grpc_channelz_v1_GetTopChannelsResponse_set_end(response, is_end);
        return ok;
}

void channelz_on_get_top_channels(
        quoit_call *call, const grpc_channelz_v1_GetTopChannelsRequest *request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetTopChannelsResponse *response =
                grpc_channelz_v1_GetTopChannelsResponse_new(arena);
        size_t wanted =
                channelz_page_size(grpc_channelz_v1_GetTopChannelsRequest_max_results(request));
        bool ok =
                response &&
                add_channels(user, grpc_channelz_v1_GetTopChannelsRequest_start_channel_id(request),
                        wanted, response, arena);

        grpc_channelz_v1_Channelz_GetTopChannels_reply(call, ok ? response : NULL);
}

/* The channel that channelz calls @id, and whose it is. */
static bool find_channel(const struct channelz *channelz, int64_t id,
        quoit_channel_statistics *ret_channel, size_t *ret_index)
{
        uint64_t own = split(channelz, id, ret_index);

        return own > 0 &&
               quoit_client_get_channels(channelz->clients[*ret_index], own, ret_channel, 1) == 1 &&
               ret_channel->id == own;
}

/* The same. */
static bool find_subchannel(const struct channelz *channelz, int64_t id,
        quoit_subchannel_statistics *ret_subchannel, size_t *ret_index)
{
        uint64_t own = split(channelz, id, ret_index);

        return own > 0 &&
               quoit_client_get_subchannel(channelz->clients[*ret_index], own, ret_subchannel);
}

void channelz_on_get_channel(
        quoit_call *call, const grpc_channelz_v1_GetChannelRequest *request, void *user)
{
        int64_t id = grpc_channelz_v1_GetChannelRequest_channel_id(request);
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetChannelResponse *response;
        quoit_channel_statistics channel;
        size_t index = 0;
        bool ok;

        if (!find_channel(user, id, &channel, &index)) {
                channelz_fail_unknown(call, "channel", id);
                return;
        }
        response = grpc_channelz_v1_GetChannelResponse_new(arena);
        ok = response &&
             describe_channel(user, index, &channel,
                     grpc_channelz_v1_GetChannelResponse_mutable_channel(response, arena), arena);
        grpc_channelz_v1_Channelz_GetChannel_reply(call, ok ? response : NULL);
}

void channelz_on_get_subchannel(
        quoit_call *call, const grpc_channelz_v1_GetSubchannelRequest *request, void *user)
{
        int64_t id = grpc_channelz_v1_GetSubchannelRequest_subchannel_id(request);
        upb_Arena *arena = quoit_call_arena(call);
        grpc_channelz_v1_GetSubchannelResponse *response;
        quoit_subchannel_statistics subchannel;
        size_t index = 0;
        bool ok;

        if (!find_subchannel(user, id, &subchannel, &index)) {
                channelz_fail_unknown(call, "subchannel", id);
                return;
        }
        response = grpc_channelz_v1_GetSubchannelResponse_new(arena);
        ok = response &&
             describe_subchannel(user, index, &subchannel,
                     grpc_channelz_v1_GetSubchannelResponse_mutable_subchannel(response, arena),
                     arena);
        grpc_channelz_v1_Channelz_GetSubchannel_reply(call, ok ? response : NULL);
}

bool channelz_find_own_socket(const struct channelz *channelz, int64_t id,
        grpc_channelz_v1_Socket *to, upb_Arena *arena, bool *ret_ok)
{
        quoit_connection_statistics connection;
        size_t index = 0;
        uint64_t own = split(channelz, id, &index);

        if (own == 0 || !quoit_client_get_connection(channelz->clients[index], own, &connection))
                return false;
        *ret_ok = channelz_describe_own_connection(id, &connection, to, arena);
        return true;
}
