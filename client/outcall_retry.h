/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call that begins again, on whatever connection there is then: where no server has processed it ("transparent" retries), or by its
 * method's retry policy (gRPC's proposal A6). It can until its response has begun, while all that it has sent is kept.
 */

#include <stdbool.h>

#include <quoit/status.h>

#include "upb/base/string_view.h"

struct quoit_outcall;

/*
 * Its stream is closed, and the server has not processed it. True: it begins again at once. @refused: by the server, for it alone, which
 * is borne once. Also inside nghttp2's callbacks.
 */
bool outcall_retry_unprocessed(struct quoit_outcall *call, bool refused);

/*
 * An attempt has failed with @status: of the server, or for what became of its connection. True: its policy has it begin again later,
 * or has done so before. @message as of struct quoit_outcall. Also inside nghttp2's callbacks.
 */
bool outcall_try_again(struct quoit_outcall *call, quoit_status status, upb_StringView message);

/* Its attempt is over, and has no stream any more. It is settled later, outside nghttp2's callbacks, and begins again after that. */
void outcall_leave(struct quoit_outcall *call);

/* The balancer hears of the attempt that the call has left, with what its response said; the call may go on. */
void outcall_settle(struct quoit_outcall *call);

/* No output refers to it any more. */
void outcall_on_unpinned(struct quoit_outcall *call);
