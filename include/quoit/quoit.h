/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All that a program of servers or clients needs of Quoit: what libquoit has. NAME.quoit.h files, made by protoc-gen-quoit, include what
 * they need themselves. Not included, and to be included by who wants it:
 *
 *      <quoit/json.h>, <quoit/text.h>, <quoit/schema.h>
 *                              messages as JSON and text: they take libquoit-json too (pkg-config: quoit-json)
 *      <quoit/timestamp.h>     the time as google.protobuf.Timestamp and Duration have it
 *      <quoit/google/...>      messages that come with Quoit: <quoit/google/protobuf/any.quoit.h>, <quoit/google/rpc/status.quoit.h>
 *
 * A program of messages alone (pkg-config: quoit-message) includes its generated headers and not this one. <quoit/upb.h>,
 * <quoit/upb_config.h>, <quoit/upb_names.h> and <quoit/export.h> come with those that need them.
 *
 * In the comments of functions "Any thread." means: every thread may call it, at any time at which what it is given is valid.
 *
 * A pointer argument must not be NULL, unless its function documents what NULL means.
 */

#include <quoit/access_log.h>
#include <quoit/balancing.h>
#include <quoit/budget.h>
#include <quoit/call.h>
#include <quoit/channelz.h>
#include <quoit/client.h>
#include <quoit/client_interceptor.h>
#include <quoit/client_metrics.h>
#include <quoit/client_statistics.h>
#include <quoit/compression.h>
#include <quoit/cors.h>
#include <quoit/credentials.h>
#include <quoit/credits.h>
#include <quoit/details.h>
#include <quoit/engine.h>
#include <quoit/exposition.h>
#include <quoit/generic.h>
#include <quoit/health.h>
#include <quoit/hooks.h>
#include <quoit/http.h>
#include <quoit/interceptor.h>
#include <quoit/limits.h>
#include <quoit/load_reports.h>
#include <quoit/log.h>
#include <quoit/log_writer.h>
#include <quoit/message.h>
#include <quoit/message_info.h>
#include <quoit/method.h>
#include <quoit/method_options.h>
#include <quoit/metrics.h>
#include <quoit/peer.h>
#include <quoit/protocol.h>
#include <quoit/reflection.h>
#include <quoit/rings.h>
#include <quoit/server.h>
#include <quoit/service.h>
#include <quoit/statistics.h>
#include <quoit/status.h>
#include <quoit/stream.h>
#include <quoit/stub.h>
#include <quoit/tls.h>
#include <quoit/tls_version.h>
#include <quoit/tracing.h>
#include <quoit/version.h>
