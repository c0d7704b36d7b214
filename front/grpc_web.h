/* SPDX-License-Identifier: MIT */
#pragma once

/* gRPC-Web (grpc's PROTOCOL-WEB): gRPC whose trailers are the body's last frame; in the text form all of the body is base64. */

#include "call/dialect.h"

extern const struct dialect grpc_web;
extern const struct dialect grpc_web_text;
