/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the stubs in generated headers stand on: PACKAGE_SERVICE_METHOD_start() and its like give client.h the types of one method.
 */

#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/method.h>
#include <quoit/stream.h>

QUOIT_BEGIN_DECLS

/* ---- from here on: for generated code only --------------------------------------------------- */

/* What the user gave to hear of a call: only the thunks of its method know the type. */
typedef union quoit_stub_target {
        const void *receiver; /* a METHOD_receiver */
        void (*on_done)(void); /* of a unary method: a METHOD_on_done */
} quoit_stub_target;

/*
 * Begins a call as quoit_outcall_start(), with @target for @thunks, which are static. If @method takes one request this is @request,
 * and it is sent too. 0, or an error of quoit_outcall_start() or quoit_outcall_send(): then there is no call, and no thunk runs.
 */
QUOIT_API int quoit_stub_start(quoit_channel *channel, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options,
        const quoit_outcall_handler *thunks, quoit_stub_target target, void *user,
        quoit_outcall **ret_call);

/* What @call was begun with. In a thunk. */
QUOIT_API quoit_stub_target quoit_stub_target_of(const quoit_outcall *call);

QUOIT_END_DECLS
