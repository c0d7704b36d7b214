/* SPDX-License-Identifier: MIT */
#include "call/writer.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "call/call.h"
#include "call/encoding.h"
#include "codec/framing.h"

#define BLOCK_BYTES ((size_t)4096)          /* of gathered small messages */
#define REFER_BYTES_MIN ((size_t)4096) /* pieces from here on are not copied into the output */

/* Small messages of a stream, one behind the other. */
struct block {
        struct segment segment;
        uint8_t bytes[BLOCK_BYTES - sizeof(struct segment)];
};

static struct late_copy *late_copy(struct quoit_call *call)
{
        return &call->group->host->late;
}

void writer_release_nothing(struct quoit_call *call, struct segment *segment)
{
        (void)call;
        (void)segment;
}

static void release_block(struct quoit_call *call, struct segment *segment)
{
        upb_free_sized(call_blocks(call), segment, sizeof(struct block));
}

static void count_added(struct quoit_call *call, size_t size)
{
        struct writer *writer = &call->writer;
        struct call_group *group = call->group;

        if (writer->queued_bytes == 0) {
                uint64_t now_ns = ring_now_ns(group->host->ring);

                stall_begin(&writer->stall, now_ns);
                if (group->queued_bytes == 0)
                        stall_begin(&group->stall, now_ns);
        }
        writer->queued_bytes += size;
        group->queued_bytes += size;
}

static void count_removed(struct quoit_call *call, size_t size)
{
        call->writer.queued_bytes -= size;
        call->group->queued_bytes -= size;
}

static void count_taken(struct quoit_call *call, size_t size)
{
        struct call_group *group = call->group;
        uint64_t now_ns = ring_now_ns(group->host->ring);

        count_removed(call, size);
        group->moved_bytes += size;
        stall_take(&call->writer.stall, size);
        stall_take(&group->stall, size);
        if (call->writer.queued_bytes == 0)
                group->emptied_ns = now_ns;
        counter_set(&group->counts.last_sent_ns, now_ns);
}

void writer_append_segment(struct quoit_call *call, struct segment *segment)
{
        struct writer *writer = &call->writer;

        segment->next = NULL;
        segment->base = segment->data;
        if (writer->first)
                writer->last->next = segment;
        else
                writer->first = segment;
        writer->last = segment;
        count_added(call, segment->size);
}

static struct segment *block_new(struct quoit_call *call)
{
        struct block *block = upb_malloc(call_blocks(call), sizeof(*block));

        if (!block)
                return NULL;
        block->segment = (struct segment){ .data = block->bytes, .release = release_block };
        return &block->segment;
}

/* How many bytes still fit behind those of @segment: none if it is no block. */
static size_t block_room(const struct segment *segment)
{
        const struct block *block = (const struct block *)segment;

        if (!segment || segment->release != release_block)
                return 0;
        return (size_t)(block->bytes + sizeof(block->bytes) - (segment->data + segment->size));
}

size_t writer_room(const struct writer *writer, uint8_t **ret_place)
{
        const struct segment *last = writer->first ? writer->last : NULL;
        size_t room = block_room(last);

        if (room > 0)
                *ret_place = (uint8_t *)last->data + last->size;
        return room;
}

void writer_extend(struct quoit_call *call, size_t size)
{
        call->writer.last->size += size;
        count_added(call, size);
}

static uint8_t *place_in_block(struct quoit_call *call, size_t size)
{
        uint8_t *place = NULL;

        if (writer_room(&call->writer, &place) < size) {
                struct segment *fresh = block_new(call);

                if (!fresh)
                        return NULL;
                writer_append_segment(call, fresh);
                place = (uint8_t *)fresh->data;
        }
        writer_extend(call, size);
        return place;
}

/* The only answer of a call: its arena, which lives longer, will do. */
static uint8_t *place_in_arena(struct quoit_call *call, size_t size)
{
        upb_Arena *arena = call_arena(call);
        struct segment *segment = arena ? upb_Arena_Malloc(arena, sizeof(*segment) + size) : NULL;

        if (!segment)
                return NULL;
        *segment = (struct segment){
                .data = (uint8_t *)(segment + 1),
                .size = size,
                .release = writer_release_nothing,
        };
        writer_append_segment(call, segment);
        return (uint8_t *)(segment + 1);
}

uint8_t *writer_place(struct quoit_call *call, size_t size)
{
        assert(size <= WRITER_PLACE_BYTES_MAX);
        return call_sends_many(call) ? place_in_block(call, size) : place_in_arena(call, size);
}

static void append_blocks(struct quoit_call *call, struct encoding *encoding)
{
        struct segment *segment = encoding->first, *next;

        for (encoding->first = NULL; segment; segment = next) {
                next = segment->next;
                writer_append_segment(call, segment);
                if (next)
                        next->continues = true;
        }
}

bool writer_may_queue(const struct quoit_call *call, size_t size)
{
        size_t queued_bytes = call->group->queued_bytes;

        return room_allows(&call->group->host->room,
                size > ROOM_BYTES_MIN ? queued_bytes + size : queued_bytes);
}

int writer_append(struct quoit_call *call, struct encoding *encoding)
{
        uint8_t *place;

        if (encoding->first) {
                append_blocks(call, encoding);
                return 0;
        }
        place = writer_place(call, encoding->size);
        if (!place)
                return -ENOMEM;
        late_copy_put(late_copy(call), place, encoding->data, encoding->size);
        return 0;
}

static void segment_done(struct quoit_call *call, struct segment *segment)
{
        struct writer *writer = &call->writer;

        writer->first = segment->next;
        if (call->stream.pins > 0) {
                segment->next = writer->retired;
                writer->retired = segment;
        } else {
                segment->release(call, segment);
        }
}

void writer_write(struct quoit_call *call, struct output *output, size_t size)
{
        struct writer *writer = &call->writer;

        assert(size <= writer->queued_bytes);
        late_copy_run(late_copy(call));
        count_taken(call, size);
        while (size > 0) {
                struct segment *segment = writer->first;
                size_t piece = size < segment->size ? size : segment->size;

                if (piece >= REFER_BYTES_MIN && output_can_refer(output))
                        output_refer(output, segment->data, piece, &call->stream);
                else
                        output_copy(output, segment->data, piece);
                segment->data += piece;
                segment->size -= piece;
                size -= piece;
                if (segment->size == 0)
                        segment_done(call, segment);
        }
}

void writer_unpinned(struct quoit_call *call)
{
        struct segment *segment;

        while ((segment = call->writer.retired)) {
                call->writer.retired = segment->next;
                segment->release(call, segment);
        }
}

void writer_drop(struct quoit_call *call)
{
        late_copy_run(late_copy(call));
        while (call->writer.first)
                segment_done(call, call->writer.first);
        count_removed(call, call->writer.queued_bytes);
}

/*
 * Where the message ends that was begun, as far as it is in the first segment. It begins there as well, or @continues says
 * that the whole segment belongs to it.
 */
static const uint8_t *begun_end(const struct segment *segment)
{
        const uint8_t *end = segment->data + segment->size, *border = segment->base;

        if (segment->continues)
                return end;
        while (border < segment->data) {
                uint32_t size;

                memcpy(&size, border + 1, sizeof(size));
                size = be32toh(size);
                if (size > (size_t)(end - border) - FRAMING_PREFIX_BYTES)
                        return end;
                border += FRAMING_PREFIX_BYTES + size;
        }
        return border;
}

/* The last segment of the message that was begun; NULL: none was. What else is in that segment is cut off. */
static struct segment *cut_behind_begun(struct quoit_call *call)
{
        struct segment *last = call->writer.first;
        const uint8_t *end = last ? begun_end(last) : NULL;

        if (!last || end == last->data)
                return NULL;
        count_removed(call, (size_t)(last->data + last->size - end));
        last->size = (size_t)(end - last->data);
        while (last->next && last->next->continues)
                last = last->next;
        return last;
}

bool writer_drop_unbegun(struct quoit_call *call)
{
        struct writer *writer = &call->writer;
        struct segment *last, *segment, *next;

        late_copy_run(late_copy(call));
        last = cut_behind_begun(call);
        if (!last) {
                writer_drop(call);
                return true;
        }
        for (segment = last->next; segment; segment = next) {
                next = segment->next;
                count_removed(call, segment->size);
                segment->release(call, segment); /* unwritten: no output refers to it */
        }
        last->next = NULL;
        writer->last = last;
        return false;
}

static bool lies_in_arena(const struct segment *segment)
{
        while (segment && segment->release != writer_release_nothing)
                segment = segment->next;
        return segment;
}

bool writer_needs_arena(const struct writer *writer)
{
        return lies_in_arena(writer->first) || lies_in_arena(writer->retired);
}
