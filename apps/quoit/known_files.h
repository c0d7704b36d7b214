/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/message.h>

/* libquoit's own files, google/protobuf/... and google/rpc/...; ends with NULL. */
extern const quoit_file_descriptor *const known_files[];
