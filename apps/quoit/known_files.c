/* SPDX-License-Identifier: MIT */
/* Apart from what uses upb's reflection, whose own code for descriptor.proto has the same names. */
#include "known_files.h"

#include <quoit/google/protobuf/any.quoit.h>
#include <quoit/google/protobuf/api.quoit.h>
#include <quoit/google/protobuf/descriptor.quoit.h>
#include <quoit/google/protobuf/duration.quoit.h>
#include <quoit/google/protobuf/empty.quoit.h>
#include <quoit/google/protobuf/field_mask.quoit.h>
#include <quoit/google/protobuf/source_context.quoit.h>
#include <quoit/google/protobuf/struct.quoit.h>
#include <quoit/google/protobuf/timestamp.quoit.h>
#include <quoit/google/protobuf/type.quoit.h>
#include <quoit/google/protobuf/wrappers.quoit.h>
#include <quoit/google/rpc/code.quoit.h>
#include <quoit/google/rpc/error_details.quoit.h>
#include <quoit/google/rpc/status.quoit.h>

const quoit_file_descriptor *const known_files[] = {
        &google_protobuf_any_proto_quoit_file,
        &google_protobuf_api_proto_quoit_file,
        &google_protobuf_descriptor_proto_quoit_file,
        &google_protobuf_duration_proto_quoit_file,
        &google_protobuf_empty_proto_quoit_file,
        &google_protobuf_field_mask_proto_quoit_file,
        &google_protobuf_source_context_proto_quoit_file,
        &google_protobuf_struct_proto_quoit_file,
        &google_protobuf_timestamp_proto_quoit_file,
        &google_protobuf_type_proto_quoit_file,
        &google_protobuf_wrappers_proto_quoit_file,
        &google_rpc_code_proto_quoit_file,
        &google_rpc_error_details_proto_quoit_file,
        &google_rpc_status_proto_quoit_file,
        NULL,
};
