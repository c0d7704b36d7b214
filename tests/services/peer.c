/* SPDX-License-Identifier: MIT */
#include "test_server.h"

static calls_PeerTls *tls_of(quoit_call *call, const quoit_peer_tls *tls)
{
        static const char *const kinds[] = { "DNS", "URI", "email", "IP" };
        upb_Arena *arena = quoit_call_arena(call);
        calls_PeerTls *reply = calls_PeerTls_new(arena);

        calls_PeerTls_set_version(reply, upb_StringView_FromString(tls->version));
        calls_PeerTls_set_cipher(reply, upb_StringView_FromString(tls->cipher));
        if (tls->server_name)
                calls_PeerTls_set_server_name(reply, upb_StringView_FromString(tls->server_name));
        calls_PeerTls_set_resumed(reply, tls->resumed);
        if (!tls->certificate)
                return reply;
        calls_PeerTls_set_certificate(
                reply, upb_StringView_FromDataAndSize(
                               (const char *)tls->certificate, tls->certificate_bytes));
        calls_PeerTls_set_fingerprint(
                reply, upb_StringView_FromDataAndSize(
                               (const char *)tls->fingerprint, sizeof(tls->fingerprint)));
        calls_PeerTls_set_subject(reply, upb_StringView_FromString(tls->subject));
        for (size_t i = 0; i < tls->name_count; i++)
                calls_PeerTls_add_names(reply,
                        quoit_call_format(
                                call, "%s %s", kinds[tls->names[i].kind], tls->names[i].text),
                        arena);
        return reply;
}

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
        if (quoit_call_peer_tls(call))
                calls_PeerReply_set_tls(reply, tls_of(call, quoit_call_peer_tls(call)));
        calls_Calls_Peer_reply(call, reply);
}

void peer_add(calls_Calls_service *service)
{
        service->Peer = peer;
}
