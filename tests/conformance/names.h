/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of the package are long, and nothing else is here. */
#define CONFORMANCE(name) connectrpc_conformance_v1_##name
