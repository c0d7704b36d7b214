/* SPDX-License-Identifier: MIT */
#pragma once

/* What .proto files call a type of descriptors that has no name of its own: "int32". NULL: it is another one. */
const char *scalar_name(int type);
