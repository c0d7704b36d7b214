/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How generated code describes a service, for servers and for clients. Users do not write these by hand: protoc-gen-quoit generates
 * them, and PACKAGE_SERVICE_register() (service.h) and the calls of clients (stub.h) on top.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

struct quoit_call;
struct quoit_file_descriptor;
struct upb_Message;
struct upb_MiniTable;

/* The four kinds of gRPC calls: which side streams. */
typedef enum quoit_method_kind {
        QUOIT_UNARY,            /* one request, one answer */
        QUOIT_SERVER_STREAMING, /* one request, many answers */
        QUOIT_CLIENT_STREAMING, /* many requests, one answer */
        QUOIT_BIDI,             /* many of both */
} quoit_method_kind;

/*
 * One method. The functions are a server's: generated thunks that call the user's handler in @implementation with its types;
 * @implementation is what was registered. @on_request is used by the kinds with one request, the others by those with many. A
 * thunk whose user handler is absent does nothing. A method without any handler (@is_implemented) is answered UNIMPLEMENTED.
 * In code made with services=off all functions are NULL. All strings and tables are static.
 */
typedef struct quoit_method {
        const char *path;                    /* "/package.Service/method" */
        quoit_method_kind kind;              /* which side streams */
        bool has_no_side_effects; /* as its option idempotency_level says: it may be called by GET, and answered from a cache */
        const struct upb_MiniTable *request; /* type of the client's messages */
        const struct upb_MiniTable *reply; /* type of the server's messages */

        /* whether @implementation has a handler for it */
        bool (*is_implemented)(const void *implementation);

        /* the handler: @request lives as long as the call */
        void (*on_request)(const void *implementation, struct quoit_call *call,
                const struct upb_Message *request, void *user);

        /* the call begins; returns the @state of the others */
        void *(*on_start)(const void *implementation, struct quoit_call *call, void *user);
        /* one message; it lives until this returns */
        void (*on_message)(const void *implementation, struct quoit_call *call,
                const struct upb_Message *message, void *state);
        /* there will be no more messages */
        void (*on_half_close)(const void *implementation, struct quoit_call *call, void *state);
        /* the queue has room again: quoit_call_writable() */
        void (*on_writable)(const void *implementation, struct quoit_call *call, void *state);
        /* the call is over; last of all */
        void (*on_done)(const void *implementation, struct quoit_call *call, void *state);
} quoit_method;

/* One service: its methods, and the descriptor of the file that defines it. Static. */
typedef struct quoit_service {
        const char *name; /* "package.Service" */
        const quoit_method *methods; /* @method_count of them */
        size_t method_count; /* may be 0 */
        const struct quoit_file_descriptor *file; /* the file that defines it: message.h */
} quoit_service;

/* The method @name, as its .proto file spells it: for calls (client.h). NULL: @service has none of that name. Any thread. */
QUOIT_API const quoit_method *quoit_service_method(const quoit_service *service, const char *name);

QUOIT_END_DECLS
