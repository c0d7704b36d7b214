/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * connectrpc.conformance.v1.ConformanceService, for the Connect conformance suite: clients describe the answer that
 * they want, and are told what the server saw of them. Handlers may sleep: every method is offloaded.
 */

#include <stddef.h>
#include <stdint.h>

#include <quoit/quoit.h>

#include "connectrpc/conformance/v1/service.quoit.h"
#include "names.h"

typedef CONFORMANCE(ConformancePayload) payload;
typedef CONFORMANCE(ConformancePayload_RequestInfo) request_info;
typedef CONFORMANCE(ConformanceService_service) conformance_service;
typedef CONFORMANCE(Error) error;
typedef CONFORMANCE(Header) header;
typedef CONFORMANCE(StreamResponseDefinition) stream_definition;
typedef CONFORMANCE(UnaryResponseDefinition) unary_definition;

/* Each puts the handlers of its file in. */
void unary_add(conformance_service *service);
void streams_add(conformance_service *service);

/* ---- what is told of the request; all in the call's arena, which nothing here expects to be short of memory ---- */

/* Its headers and its deadline. */
request_info *info_new(quoit_call *call);

/* Adds a message of type connectrpc.conformance.v1.@name, serialized. */
void info_add_request(
        quoit_call *call, request_info *info, const char *name, const char *bytes, size_t size);

payload *payload_new(quoit_call *call, upb_StringView data, request_info *info);

/* ---- what the definitions have in common ---- */

typedef int (*add_field_fn)(quoit_call *call, const char *name, upb_StringView value);

/* @add is quoit_call_add_header() or quoit_call_add_trailer(). */
void add_fields(quoit_call *call, const header *const *headers, size_t count, add_field_fn add);

void delay(uint32_t ms);

/* Finishes with @wanted, or QUOIT_OK where it is NULL. @info, where it is not NULL, becomes a further detail. */
void finish(quoit_call *call, const error *wanted, const request_info *info);
