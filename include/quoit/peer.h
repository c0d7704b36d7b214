/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who calls: beside quoit_call_peer(), which tells the address, what else is known of the other end of a connection.
 * It is found out when the connection opens, and stays true as long as the call: from any thread that may use it.
 */

#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A process at the other end of a unix socket, as the kernel knew it when it connected (SO_PEERCRED in unix(7)). */
typedef struct quoit_peer_credentials {
        int32_t pid; /* in our pid namespace; 0: it has none there. May be another's by now */
        uint32_t uid; /* effective then, in our user namespace */
        uint32_t gid; /* effective then */
} quoit_peer_credentials;

/*
 * The credentials of the process that calls, in *@ret_credentials: unix sockets only, and true for everybody on this
 * machine, since it is the kernel that says so. To be trusted: the user and the group. The process may have ended, or
 * handed its connection to another.
 * 0; -ENODATA, and *@ret_credentials untouched, where the connection came by TCP or vsock.
 */
QUOIT_API int quoit_call_peer_credentials(
        const quoit_call *call, quoit_peer_credentials *ret_credentials);

/*
 * The address of this machine that the peer has connected to, spelled as quoit_call_peer()'s: with several listeners,
 * or one for all addresses, this tells which. Lives as long as the call.
 */
QUOIT_API const char *quoit_call_local_address(const quoit_call *call);

QUOIT_END_DECLS
