/* SPDX-License-Identifier: MIT */
#include "test_server.h"

static void peer(quoit_call *call, const calls_Empty *request, void *user)
{
        calls_PeerReply *reply = calls_PeerReply_new(quoit_call_arena(call));
        quoit_peer_credentials credentials = { 0 };

        (void)request;
        watch(call, user);
        calls_PeerReply_set_address(reply, upb_StringView_FromString(quoit_call_peer(call)));
        calls_PeerReply_set_local(reply, upb_StringView_FromString(quoit_call_local_address(call)));
        calls_PeerReply_set_result(reply, quoit_call_peer_credentials(call, &credentials));
        calls_PeerReply_set_pid(reply, credentials.pid);
        calls_PeerReply_set_uid(reply, credentials.uid);
        calls_PeerReply_set_gid(reply, credentials.gid);
        calls_Calls_Peer_reply(call, reply);
}

void peer_add(calls_Calls_service *service)
{
        service->Peer = peer;
}
