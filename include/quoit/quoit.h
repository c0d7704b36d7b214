/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All of Quoit's public headers; generated NAME.quoit.h files include what they need themselves.
 *
 * A pointer argument must not be NULL, unless its function documents what NULL means.
 */

#include <quoit/access_log.h>
#include <quoit/budget.h>
#include <quoit/call.h>
#include <quoit/channelz.h>
#include <quoit/compression.h>
#include <quoit/details.h>
#include <quoit/generic.h>
#include <quoit/health.h>
#include <quoit/hooks.h>
#include <quoit/interceptor.h>
#include <quoit/limits.h>
#include <quoit/log_writer.h>
#include <quoit/message.h>
#include <quoit/method_options.h>
#include <quoit/metrics.h>
#include <quoit/peer.h>
#include <quoit/reflection.h>
#include <quoit/server.h>
#include <quoit/service.h>
#include <quoit/statistics.h>
#include <quoit/status.h>
#include <quoit/tls.h>
#include <quoit/version.h>
