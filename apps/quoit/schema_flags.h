/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of commands that need a schema. */

#include "flags.h"

enum reflection {
        REFLECTION_AUTO, /* by v1, else v1alpha; not asked where there are files */
        REFLECTION_V1,
        REFLECTION_V1ALPHA,
        REFLECTION_ON, /* as AUTO, beside files too */
        REFLECTION_OFF,
};

struct schema_flags {
        int reflection; /* enum reflection */
        struct strings protos;       /* .proto files */
        struct strings import_paths; /* where their imports are */
        struct strings protosets;    /* files with a google.protobuf.FileDescriptorSet */
};

extern const struct flag schema_flags[];

void schema_flags_deinit(struct schema_flags *flags);
