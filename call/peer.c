/* SPDX-License-Identifier: MIT */
#include "call/peer.h"

#include <errno.h>

#include "call/call.h"

const char *quoit_call_peer(const quoit_call *call)
{
        return call->group->peer->address;
}

const char *quoit_call_local_address(const quoit_call *call)
{
        return call->group->peer->local;
}

int quoit_call_peer_credentials(const quoit_call *call, quoit_peer_credentials *ret_credentials)
{
        if (!call->group->peer->has_credentials)
                return -ENODATA;
        *ret_credentials = call->group->peer->credentials;
        return 0;
}

const quoit_peer_tls *quoit_call_peer_tls(const quoit_call *call)
{
        return call->group->peer->tls;
}
