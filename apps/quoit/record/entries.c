/* SPDX-License-Identifier: MIT */
#include "entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utf8_range.h>

#include <quoit/timestamp.h>

#include "../../common/clock.h"
#include "hop.h"
#include "secrets.h"

#define DETAILS "grpc-status-details-bin"

typedef grpc_binarylog_v1_GrpcLogEntry entry_t;

/* An entry that is being made. All of it is in the arena. @failed: memory was short; then it ends the recording. */
struct draft {
        struct recorded *recorded;
        upb_Arena *arena;
        entry_t *entry;
        bool failed;
};

static void draft_end(struct draft *draft)
{
        if (draft->failed)
                recording_fail(draft->recorded->recording, ENOMEM);
        else
                recording_add(draft->recorded->recording, draft->entry);
        if (draft->arena)
                upb_Arena_Free(draft->arena);
}

/* False: there is nothing to write it to any more. */
static bool draft_init(struct draft *draft, struct recorded *recorded, int type)
{
        google_protobuf_Timestamp *time;
        int64_t seconds;
        int32_t nanos;

        *draft = (struct draft){ .recorded = recorded };
        recorded->sequence++;
        if (recorded->recording->is_over)
                return false;
        draft->arena = upb_Arena_New();
        draft->entry = draft->arena ? grpc_binarylog_v1_GrpcLogEntry_new(draft->arena) : NULL;
        time = draft->entry ? grpc_binarylog_v1_GrpcLogEntry_mutable_timestamp(
                                      draft->entry, draft->arena)
                            : NULL;
        if (!time) {
                draft->failed = true;
                draft_end(draft);
                return false;
        }
        quoit_timestamp_from_ns((int64_t)recording_now_ns(recorded->recording), &seconds, &nanos);
        google_protobuf_Timestamp_set_seconds(time, seconds);
        google_protobuf_Timestamp_set_nanos(time, nanos);
        grpc_binarylog_v1_GrpcLogEntry_set_call_id(draft->entry, recorded->id);
        grpc_binarylog_v1_GrpcLogEntry_set_sequence_id_within_call(
                draft->entry, recorded->sequence);
        grpc_binarylog_v1_GrpcLogEntry_set_type(draft->entry, type);
        grpc_binarylog_v1_GrpcLogEntry_set_logger(
                draft->entry, grpc_binarylog_v1_GrpcLogEntry_LOGGER_SERVER);
        return true;
}

/* A field of text has to be UTF-8; what peers send need not be. */
static upb_StringView text_of(struct draft *draft, upb_StringView text)
{
        char *copy;

        if (utf8_range_IsValid(text.data, text.size))
                return text;
        copy = upb_Arena_Malloc(draft->arena, text.size);
        draft->failed |= !copy;
        for (size_t i = 0; copy && i < text.size; i++)
                copy[i] = text.data[i] & '\x80' ? '?' : text.data[i];
        return upb_StringView_FromDataAndSize(copy, copy ? text.size : 0);
}

/* ---- metadata ---- */

static bool is_named(upb_StringView name, const char *text)
{
        return upb_StringView_IsEqual(name, upb_StringView_FromString(text));
}

static void add_field(struct draft *draft, grpc_binarylog_v1_Metadata *metadata,
        upb_StringView name, upb_StringView value)
{
        bool is_secret = !draft->recorded->keeps_secrets && secret_is_name(name);
        grpc_binarylog_v1_MetadataEntry *field =
                metadata ? grpc_binarylog_v1_Metadata_add_entry(metadata, draft->arena) : NULL;

        if (!field) {
                draft->failed = true;
                return;
        }
        grpc_binarylog_v1_MetadataEntry_set_key(field, text_of(draft, name));
        grpc_binarylog_v1_MetadataEntry_set_value(
                field, is_secret ? upb_StringView_FromString(SECRET_REDACTED) : value);
        if (is_secret)
                grpc_binarylog_v1_GrpcLogEntry_set_payload_truncated(draft->entry, true);
}

/* ---- the begin ---- */

/* As "ipv4:192.0.2.1:50000", "ipv6:[2001:db8::1]:50000" or "unix:PATH". */
static void add_peer(struct draft *draft, const char *peer)
{
        grpc_binarylog_v1_Address *address =
                grpc_binarylog_v1_GrpcLogEntry_mutable_peer(draft->entry, draft->arena);
        const char *from = strchr(peer, ':'), *to = strrchr(peer, ':');

        draft->failed |= !address;
        if (!address || !from)
                return;
        from++;
        if (!strncmp(peer, "ipv4:", 5) || !strncmp(peer, "ipv6:", 5)) {
                bool is_ipv6 = peer[3] == '6';

                grpc_binarylog_v1_Address_set_type(
                        address, is_ipv6 ? grpc_binarylog_v1_Address_TYPE_IPV6
                                         : grpc_binarylog_v1_Address_TYPE_IPV4);
                grpc_binarylog_v1_Address_set_ip_port(address, (uint32_t)atoi(to + 1));
                from += is_ipv6;
                to -= is_ipv6;
        } else {
                grpc_binarylog_v1_Address_set_type(address, grpc_binarylog_v1_Address_TYPE_UNIX);
                to = from + strlen(from);
        }
        grpc_binarylog_v1_Address_set_address(
                address, upb_StringView_FromDataAndSize(from, (size_t)(to - from)));
}

static void add_timeout(
        struct draft *draft, grpc_binarylog_v1_ClientHeader *header, uint64_t deadline_ns)
{
        uint64_t now_ns = clock_now_ns(), left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        google_protobuf_Duration *timeout =
                grpc_binarylog_v1_ClientHeader_mutable_timeout(header, draft->arena);

        if (!timeout) {
                draft->failed = true;
                return;
        }
        google_protobuf_Duration_set_seconds(timeout, (int64_t)(left_ns / 1000000000));
        google_protobuf_Duration_set_nanos(timeout, (int32_t)(left_ns % 1000000000));
}

void entries_add_call(struct recorded *recorded, const quoit_call *call)
{
        grpc_binarylog_v1_ClientHeader *header;
        grpc_binarylog_v1_Metadata *metadata;
        upb_StringView name, value;
        struct draft draft;

        if (!draft_init(&draft, recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_HEADER))
                return;
        header = grpc_binarylog_v1_GrpcLogEntry_mutable_client_header(draft.entry, draft.arena);
        draft.failed |= !header;
        if (header) {
                metadata = grpc_binarylog_v1_ClientHeader_mutable_metadata(header, draft.arena);
                for (size_t cursor = 0; quoit_call_metadata_next(call, &cursor, &name, &value);)
                        if (!hop_has(name))
                                add_field(&draft, metadata, name, value);
                grpc_binarylog_v1_ClientHeader_set_method_name(
                        header, text_of(&draft, upb_StringView_FromString(quoit_call_path(call))));
                grpc_binarylog_v1_ClientHeader_set_authority(
                        header, text_of(&draft, quoit_call_authority(call)));
                if (quoit_call_deadline_ns(call) != UINT64_MAX)
                        add_timeout(&draft, header, quoit_call_deadline_ns(call));
        }
        add_peer(&draft, quoit_call_peer(call));
        draft_end(&draft);
}

/* ---- messages ---- */

static void add_message(struct recorded *recorded, int type, upb_StringView bytes)
{
        grpc_binarylog_v1_Message *message;
        struct draft draft;

        if (!draft_init(&draft, recorded, type))
                return;
        message = grpc_binarylog_v1_GrpcLogEntry_mutable_message(draft.entry, draft.arena);
        draft.failed |= !message;
        if (message) {
                grpc_binarylog_v1_Message_set_length(message, (uint32_t)bytes.size);
                grpc_binarylog_v1_Message_set_data(message, bytes);
        }
        draft_end(&draft);
}

void entries_add_request(struct recorded *recorded, upb_StringView message)
{
        add_message(recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_MESSAGE, message);
}

void entries_add_reply(struct recorded *recorded, upb_StringView message)
{
        add_message(recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_SERVER_MESSAGE, message);
}

static void add_bare(struct recorded *recorded, int type)
{
        struct draft draft;

        if (draft_init(&draft, recorded, type))
                draft_end(&draft);
}

void entries_add_half_close(struct recorded *recorded)
{
        add_bare(recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_HALF_CLOSE);
}

void entries_add_cancel(struct recorded *recorded)
{
        add_bare(recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CANCEL);
}

/* ---- the response ---- */

void entries_add_headers(struct recorded *recorded, const quoit_outcall *call)
{
        grpc_binarylog_v1_ServerHeader *header;
        grpc_binarylog_v1_Metadata *metadata;
        upb_StringView name, value;
        struct draft draft;

        if (!draft_init(&draft, recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_SERVER_HEADER))
                return;
        header = grpc_binarylog_v1_GrpcLogEntry_mutable_server_header(draft.entry, draft.arena);
        draft.failed |= !header;
        metadata = header ? grpc_binarylog_v1_ServerHeader_mutable_metadata(header, draft.arena)
                          : NULL;
        for (size_t cursor = 0; quoit_outcall_header_next(call, &cursor, &name, &value);)
                add_field(&draft, metadata, name, value);
        draft_end(&draft);
}

void entries_add_end(struct recorded *recorded, const quoit_outcall *call, quoit_status status)
{
        grpc_binarylog_v1_Trailer *trailer;
        grpc_binarylog_v1_Metadata *metadata;
        upb_StringView name, value;
        struct draft draft;

        if (!draft_init(&draft, recorded, grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_SERVER_TRAILER))
                return;
        trailer = grpc_binarylog_v1_GrpcLogEntry_mutable_trailer(draft.entry, draft.arena);
        draft.failed |= !trailer;
        if (trailer)
                grpc_binarylog_v1_Trailer_set_status_code(trailer, (uint32_t)status);
        if (trailer && call) {
                metadata = grpc_binarylog_v1_Trailer_mutable_metadata(trailer, draft.arena);
                for (size_t cursor = 0; quoit_outcall_trailer_next(call, &cursor, &name, &value);)
                        if (!is_named(name, DETAILS))
                                add_field(&draft, metadata, name, value);
                grpc_binarylog_v1_Trailer_set_status_message(
                        trailer, text_of(&draft, quoit_outcall_status_message(call)));
                if (quoit_outcall_trailer(call, DETAILS, &value))
                        grpc_binarylog_v1_Trailer_set_status_details(trailer, value);
        }
        draft_end(&draft);
}
