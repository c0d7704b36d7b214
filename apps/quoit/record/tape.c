/* SPDX-License-Identifier: MIT */
#include "tape.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/binlog/v1/binarylog.quoit.h>
#include <quoit/timestamp.h>

#include "../file.h"
#include "../say.h"
#include "../text_copy.h"
#include "recording.h"
#include "secrets.h"
#include "upb/wire/decode.h"

typedef grpc_binarylog_v1_GrpcLogEntry entry_t;

struct reading {
        struct tape *tape;
        const char *path;
        const char *at, *end;
        void *calls; /* by id, of tsearch(3) */
        int64_t began_ns; /* when the first call did */
        bool is_short; /* it ends within an entry */
};

static int fail_memory(void)
{
        return say_failed("out of memory");
}

/* ---- entries ---- */

/* The next entry's bytes. 1; 0: the file is over; -EBADMSG: it is no length. */
static int next_bytes(struct reading *reading, upb_StringView *ret_bytes)
{
        const char *at = reading->at;
        uint64_t size = 0;

        for (unsigned shift = 0;; shift += 7) {
                if (at == reading->end) {
                        reading->is_short = at > reading->at;
                        return 0;
                }
                if (shift > 28)
                        return -EBADMSG;
                size |= (uint64_t)(*at & 0x7f) << shift;
                if (!(*at++ & 0x80))
                        break;
        }
        if (size > (uint64_t)(reading->end - at)) {
                reading->is_short = true;
                return 0;
        }
        *ret_bytes = upb_StringView_FromDataAndSize(at, (size_t)size);
        return 1;
}

/* As next_bytes(). Strings in the entry are the file's. */
static int next_entry(struct reading *reading, entry_t **ret_entry)
{
        upb_StringView bytes;
        int r = next_bytes(reading, &bytes);

        if (r <= 0)
                return r;
        *ret_entry = grpc_binarylog_v1_GrpcLogEntry_parse_ex(
                bytes.data, bytes.size, NULL, kUpb_DecodeOption_AliasString, reading->tape->arena);
        if (!*ret_entry)
                return -EBADMSG;
        reading->at = bytes.data + bytes.size;
        return 1;
}

static bool is_mark(const entry_t *entry)
{
        const grpc_binarylog_v1_ClientHeader *header =
                grpc_binarylog_v1_GrpcLogEntry_client_header(entry);
        const grpc_binarylog_v1_Metadata *metadata =
                header ? grpc_binarylog_v1_ClientHeader_metadata(header) : NULL;
        const grpc_binarylog_v1_MetadataEntry *const *fields;
        size_t count = 0;

        fields = metadata ? grpc_binarylog_v1_Metadata_entry(metadata, &count) : NULL;
        return count > 0 && upb_StringView_IsEqual(grpc_binarylog_v1_MetadataEntry_key(fields[0]),
                                    upb_StringView_FromString(RECORDING_MARK));
}

/* Since 1970; 0: it has none, or one before that. */
static int64_t time_of(const entry_t *entry)
{
        const google_protobuf_Timestamp *time = grpc_binarylog_v1_GrpcLogEntry_timestamp(entry);
        int64_t ns;

        if (!time || quoit_timestamp_to_ns(google_protobuf_Timestamp_seconds(time),
                             google_protobuf_Timestamp_nanos(time), &ns) < 0)
                return 0;
        return ns > 0 ? ns : 0;
}

/* ---- calls ---- */

static int compare_ids(const void *a, const void *b)
{
        const struct tape_call *first = a, *second = b;

        return (first->id > second->id) - (first->id < second->id);
}

static int read_metadata(
        struct tape_call *call, const grpc_binarylog_v1_ClientHeader *header, upb_Arena *arena)
{
        const grpc_binarylog_v1_Metadata *metadata =
                grpc_binarylog_v1_ClientHeader_metadata(header);
        const grpc_binarylog_v1_MetadataEntry *const *fields;
        size_t count = 0;

        fields = metadata ? grpc_binarylog_v1_Metadata_entry(metadata, &count) : NULL;
        call->metadata = upb_Arena_Malloc(arena, (count + 1) * sizeof(*call->metadata));
        for (size_t i = 0; call->metadata && i < count; i++) {
                upb_StringView value = grpc_binarylog_v1_MetadataEntry_value(fields[i]);
                const char *name = text_copy(grpc_binarylog_v1_MetadataEntry_key(fields[i]), arena);

                if (!name)
                        return -ENOMEM;
                if (!secret_is_redacted(value))
                        call->metadata[call->metadata_count++] = (quoit_metadata){ name, value };
        }
        return call->metadata ? 0 : -ENOMEM;
}

/* In ms, at least 1. */
static uint32_t timeout_of(const grpc_binarylog_v1_ClientHeader *header)
{
        const google_protobuf_Duration *timeout = grpc_binarylog_v1_ClientHeader_timeout(header);
        int64_t ns, ms;

        if (!timeout)
                return 0;
        if (quoit_duration_to_ns(google_protobuf_Duration_seconds(timeout),
                    google_protobuf_Duration_nanos(timeout), &ns) < 0)
                return UINT32_MAX - 1;
        ms = ns / 1000000 + (ns % 1000000 > 0);
        return ms < 1 ? 1 : ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX - 1;
}

static int append_call(struct tape *tape, struct tape_call *call)
{
        if (tape->count == tape->room) {
                size_t room = tape->room ? 2 * tape->room : 64;
                struct tape_call **calls =
                        reallocarray((void *)tape->calls, room, sizeof(struct tape_call *));

                if (!calls)
                        return -ENOMEM;
                tape->calls = calls;
                tape->room = room;
        }
        tape->calls[tape->count++] = call;
        call->number = tape->count;
        return 0;
}

/* Since the first call began; times do not go back. */
static uint64_t begin_of(const struct reading *reading, const entry_t *entry)
{
        const struct tape *tape = reading->tape;
        uint64_t before_ns = tape->count ? tape->calls[tape->count - 1]->at_ns : 0;
        int64_t ns = time_of(entry) - reading->began_ns;

        return ns > (int64_t)before_ns ? (uint64_t)ns : before_ns;
}

static int begin_call(struct reading *reading, const entry_t *entry)
{
        const grpc_binarylog_v1_ClientHeader *header =
                grpc_binarylog_v1_GrpcLogEntry_client_header(entry);
        struct tape *tape = reading->tape;
        struct tape_call *call = upb_Arena_Malloc(tape->arena, sizeof(*call));

        if (!header)
                return -EBADMSG;
        if (!call)
                return -ENOMEM;
        if (tape->count == 0)
                reading->began_ns = time_of(entry);
        *call = (struct tape_call){ .id = grpc_binarylog_v1_GrpcLogEntry_call_id(entry),
                .path = text_copy(grpc_binarylog_v1_ClientHeader_method_name(header), tape->arena),
                .at_ns = begin_of(reading, entry),
                .timeout_ms = timeout_of(header) };
        if (!call->path || read_metadata(call, header, tape->arena) < 0)
                return -ENOMEM;
        /* a second one of that id: what follows is the new one's, if there is such a thing */
        tdelete(call, &reading->calls, compare_ids);
        if (!tsearch(call, &reading->calls, compare_ids))
                return -ENOMEM;
        return append_call(tape, call);
}

static int add_event(struct reading *reading, struct tape_call *call, enum tape_event_type type,
        const entry_t *entry)
{
        const grpc_binarylog_v1_Message *message = grpc_binarylog_v1_GrpcLogEntry_message(entry);
        struct tape_event event = { .type = type, .at_ns = call->end_ns };

        if (call->event_count == call->event_room) {
                size_t room = call->event_room ? 2 * call->event_room : 4;

                call->events = upb_Arena_Realloc(reading->tape->arena, call->events,
                        call->event_room * sizeof(event), room * sizeof(event));
                if (!call->events)
                        return -ENOMEM;
                call->event_room = room;
        }
        if (message) {
                event.message = grpc_binarylog_v1_Message_data(message);
                if (event.message.size != grpc_binarylog_v1_Message_length(message))
                        call->is_damaged = true;
        }
        call->reply_count += type == TAPE_REPLY;
        call->events[call->event_count++] = event;
        return 0;
}

static int end_call(struct reading *reading, struct tape_call *call, const entry_t *entry)
{
        const grpc_binarylog_v1_Trailer *trailer = grpc_binarylog_v1_GrpcLogEntry_trailer(entry);

        call->has_ended = true;
        call->was_cancelled = !trailer;
        if (!trailer)
                return add_event(reading, call, TAPE_CANCEL, entry);
        call->status = (quoit_status)grpc_binarylog_v1_Trailer_status_code(trailer);
        call->status_message = grpc_binarylog_v1_Trailer_status_message(trailer);
        call->status_details = grpc_binarylog_v1_Trailer_status_details(trailer);
        return 0;
}

/* What belongs to no call that the file has the begin of is left out, and so are kinds of entries that are not known. */
static int take_entry(struct reading *reading, const entry_t *entry)
{
        const struct tape_call key = { .id = grpc_binarylog_v1_GrpcLogEntry_call_id(entry) };
        int type = grpc_binarylog_v1_GrpcLogEntry_type(entry);
        struct tape_call *const *found, *call;
        int64_t time_ns;

        if (type == grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_HEADER)
                return begin_call(reading, entry);
        found = tfind(&key, &reading->calls, compare_ids);
        call = found ? *found : NULL;
        if (!call || call->has_ended)
                return 0;
        time_ns = time_of(entry) - reading->began_ns - (int64_t)call->at_ns;
        if (time_ns > (int64_t)call->end_ns) /* times do not go back */
                call->end_ns = (uint64_t)time_ns;
        switch (type) {
        case grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_MESSAGE:
                return add_event(reading, call, TAPE_REQUEST, entry);
        case grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_SERVER_MESSAGE:
                return add_event(reading, call, TAPE_REPLY, entry);
        case grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CLIENT_HALF_CLOSE:
                return add_event(reading, call, TAPE_HALF_CLOSE, entry);
        case grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_SERVER_TRAILER:
        case grpc_binarylog_v1_GrpcLogEntry_EVENT_TYPE_CANCEL:
                return end_call(reading, call, entry);
        default:
                return 0;
        }
}

/* ---- the file ---- */

static int say_damaged(const struct reading *reading)
{
        return say_failed("%s: byte %td: no entry of a recording; %zu calls are before it",
                reading->path, reading->at - reading->tape->bytes, reading->tape->count);
}

static int read_entries(struct reading *reading)
{
        entry_t *entry;
        int r = next_entry(reading, &entry);

        if (r != 1 || !is_mark(entry))
                return say_failed("%s: no recording; quoit record makes one", reading->path);
        while ((r = next_entry(reading, &entry)) == 1) {
                r = take_entry(reading, entry);
                if (r < 0)
                        break;
        }
        if (r == -ENOMEM)
                return fail_memory();
        if (r < 0)
                return say_damaged(reading);
        if (reading->is_short)
                say("%s: ends within an entry, at byte %td: was it killed? All before it is used",
                        reading->path, reading->at - reading->tape->bytes);
        return EXIT_DONE;
}

static void keep(void *node)
{
        (void)node; /* the arena's */
}

int tape_read(struct tape *tape, const char *path)
{
        struct reading reading = { .tape = tape, .path = path };
        size_t size;
        int status;

        if (file_read(path, &tape->bytes, &size) < 0)
                return say_failed("%s: %m", path);
        tape->arena = upb_Arena_New();
        if (!tape->arena)
                return fail_memory();
        reading.at = tape->bytes;
        reading.end = tape->bytes + size;
        status = read_entries(&reading);
        tdestroy(reading.calls, keep);
        for (size_t i = 0; i < tape->count; i++)
                tape->ended += tape->calls[i]->has_ended;
        return status;
}

void tape_deinit(struct tape *tape)
{
        if (tape->arena)
                upb_Arena_Free(tape->arena);
        free((void *)tape->calls);
        free(tape->bytes);
}

/* ---- how many at once ---- */

static int compare_times(const void *a, const void *b)
{
        const uint64_t *first = a, *second = b;

        return (*first > *second) - (*first < *second);
}

size_t tape_width(const struct tape *tape)
{
        uint64_t *ends = calloc(tape->count + 1, sizeof(*ends));
        size_t over = 0, width = 1;

        if (!ends)
                return width;
        for (size_t i = 0; i < tape->count; i++)
                ends[i] = tape->calls[i]->at_ns + tape->calls[i]->end_ns;
        qsort(ends, tape->count, sizeof(*ends), compare_times);
        for (size_t i = 0; i < tape->count; i++) {
                while (ends[over] <= tape->calls[i]->at_ns && over < i)
                        over++;
                if (i + 1 - over > width)
                        width = i + 1 - over;
        }
        free(ends);
        return width;
}
