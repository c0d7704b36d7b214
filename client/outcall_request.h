/* SPDX-License-Identifier: MIT */
#pragma once

/* The header block of a request (gRPC's PROTOCOL-HTTP2, "Requests"). */

struct quoit_outcall;
struct session;

/* Begins the call's stream on @session. As session_request(). */
int outcall_request(struct quoit_outcall *call, struct session *session);
