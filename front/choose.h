/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct quoit_call;

/*
 * Gives @call, whose header block is complete and is not plain gRPC, the dialect and the codec that it asks for. False: it speaks
 * none of those that its method has, and is answered as a request of HTTP.
 */
bool front_choose(struct quoit_call *call);
