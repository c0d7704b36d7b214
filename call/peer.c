/* SPDX-License-Identifier: MIT */
#include "call/peer.h"

#include <errno.h>

#include "call/call.h"
#include "call/here.h"

const char *quoit_call_peer(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.group->peer->address : "";
}

const char *quoit_call_local_address(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.group->peer->local : "";
}

int quoit_call_peer_credentials(const quoit_call *call, quoit_peer_credentials *ret_credentials)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        if (!call->exchange.group->peer->has_credentials)
                return -ENODATA;
        *ret_credentials = call->exchange.group->peer->credentials;
        return 0;
}

const quoit_peer_tls *quoit_call_peer_tls(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call->exchange.group->peer->tls : NULL;
}
