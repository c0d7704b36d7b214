/* SPDX-License-Identifier: MIT */
#pragma once

/* channelz of clients in the same process: GetTopChannels, GetChannel, GetSubchannel, and the sockets of these. */

#include "services/channelz_describe.h"

/* The size of a page, unless less is @wanted; as in gRPC C++. */
size_t channelz_page_size(int64_t wanted);

/* NOT_FOUND: there is no @what, "server" for one, with this id. */
void channelz_fail_unknown(quoit_call *call, const char *what, int64_t id);

void channelz_on_get_top_channels(
        quoit_call *call, const grpc_channelz_v1_GetTopChannelsRequest *request, void *user);
void channelz_on_get_channel(
        quoit_call *call, const grpc_channelz_v1_GetChannelRequest *request, void *user);
void channelz_on_get_subchannel(
        quoit_call *call, const grpc_channelz_v1_GetSubchannelRequest *request, void *user);

/* Whether a client has a socket with @id; it is then described in @to. False in *@ret_ok: there is no memory. */
bool channelz_find_own_socket(const struct channelz *channelz, int64_t id,
        grpc_channelz_v1_Socket *to, upb_Arena *arena, bool *ret_ok);
