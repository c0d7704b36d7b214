/* SPDX-License-Identifier: MIT */
#include "call/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "call/encoding.h"
#include "call/exchange.h"
#include "codec/framing.h"

#define BLOCK_BYTES ((size_t)4096)          /* of gathered small messages */
#define REFER_BYTES_MIN                                                                            \
        ((size_t)4096) /* pieces of this size and larger are not copied into the output */

/* Small messages of a stream, one after the other. */
struct block {
        struct segment segment;
        uint8_t bytes[BLOCK_BYTES - sizeof(struct segment)];
};

static struct pending_copy *pending_copy(struct exchange *exchange)
{
        return &exchange->group->host->copy;
}

void writer_release_nothing(struct exchange *exchange, struct segment *segment)
{
        (void)exchange;
        (void)segment;
}

static void release_block(struct exchange *exchange, struct segment *segment)
{
        upb_free_sized(exchange_blocks(exchange), segment, sizeof(struct block));
}

static void count_added(struct exchange *exchange, size_t size)
{
        struct writer *writer = &exchange->writer;
        struct call_group *group = exchange->group;

        if (writer->queued_bytes == 0) {
                uint64_t now_ns = ring_now_ns(group->host->ring);

                stall_begin(&writer->stall, now_ns);
                if (group->queued_bytes == 0)
                        stall_begin(&group->stall, now_ns);
        }
        writer->queued_bytes += size;
        group->queued_bytes += size;
}

static void count_removed(struct exchange *exchange, size_t size)
{
        exchange->writer.queued_bytes -= size;
        exchange->group->queued_bytes -= size;
}

static void count_taken(struct exchange *exchange, size_t size)
{
        struct call_group *group = exchange->group;
        uint64_t now_ns = ring_now_ns(group->host->ring);

        count_removed(exchange, size);
        group->moved_bytes += size;
        stall_take(&exchange->writer.stall, size);
        stall_take(&group->stall, size);
        if (exchange->writer.queued_bytes == 0)
                group->emptied_ns = now_ns;
        counter_set(&group->counts.last_sent_ns, now_ns);
}

void writer_append_segment(struct exchange *exchange, struct segment *segment)
{
        struct writer *writer = &exchange->writer;

        segment->next = NULL;
        segment->base = segment->data;
        if (writer->first)
                writer->last->next = segment;
        else
                writer->first = segment;
        writer->last = segment;
        count_added(exchange, segment->size);
}

static struct segment *block_new(struct exchange *exchange)
{
        struct block *block = upb_malloc(exchange_blocks(exchange), sizeof(*block));

        if (!block)
                return NULL;
        block->segment = (struct segment){ .data = block->bytes, .release = release_block };
        return &block->segment;
}

/* How many bytes still fit after those of @segment; 0 if it is not a block. */
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

void writer_extend(struct exchange *exchange, size_t size)
{
        exchange->writer.last->size += size;
        count_added(exchange, size);
}

static uint8_t *place_in_block(struct exchange *exchange, size_t size)
{
        uint8_t *place = NULL;

        if (writer_room(&exchange->writer, &place) < size) {
                struct segment *fresh = block_new(exchange);

                if (!fresh)
                        return NULL;
                writer_append_segment(exchange, fresh);
                place = (uint8_t *)fresh->data;
        }
        writer_extend(exchange, size);
        return place;
}

/* The only answer of a call lies in the call's arena, which lives longer. */
static uint8_t *place_in_arena(struct exchange *exchange, size_t size)
{
        upb_Arena *arena = exchange_arena(exchange);
        struct segment *segment = arena ? upb_Arena_Malloc(arena, sizeof(*segment) + size) : NULL;

        if (!segment)
                return NULL;
        *segment = (struct segment){
                .data = (uint8_t *)(segment + 1),
                .size = size,
                .release = writer_release_nothing,
        };
        writer_append_segment(exchange, segment);
        return (uint8_t *)(segment + 1);
}

uint8_t *writer_place(struct exchange *exchange, size_t size)
{
        assert(size <= WRITER_PLACE_BYTES_MAX);
        return exchange->sends_many ? place_in_block(exchange, size)
                                    : place_in_arena(exchange, size);
}

static void append_blocks(struct exchange *exchange, struct encoding *encoding)
{
        struct segment *segment = encoding->first, *next;

        for (encoding->first = NULL; segment; segment = next) {
                next = segment->next;
                writer_append_segment(exchange, segment);
                if (next)
                        next->continues = true;
        }
}

bool writer_may_queue(const struct exchange *exchange, size_t size)
{
        const struct room *room = &exchange->group->host->room;
        size_t queued_bytes = exchange->group->queued_bytes;

        return room_allows(room, size > room_bytes_min(room) ? queued_bytes + size : queued_bytes);
}

int writer_append(struct exchange *exchange, struct encoding *encoding)
{
        uint8_t *place;

        if (encoding->first) {
                append_blocks(exchange, encoding);
                return 0;
        }
        place = writer_place(exchange, encoding->size);
        if (!place)
                return -ENOMEM;
        pending_copy_put(pending_copy(exchange), place, encoding->data, encoding->size);
        return 0;
}

/* Nothing needs the segment any more but an output, perhaps. */
static void retire(struct exchange *exchange, struct segment *segment)
{
        if (exchange->stream.pins > 0) {
                segment->next = exchange->writer.retired;
                exchange->writer.retired = segment;
        } else {
                segment->release(exchange, segment);
        }
}

static void keep(struct writer *writer, struct segment *segment)
{
        segment->next = NULL;
        if (writer->kept)
                writer->kept_last->next = segment;
        else
                writer->kept = segment;
        writer->kept_last = segment;
}

static void segment_done(struct exchange *exchange, struct segment *segment)
{
        struct writer *writer = &exchange->writer;

        writer->first = segment->next;
        if (writer_can_rewind(writer))
                keep(writer, segment);
        else
                retire(exchange, segment);
}

/* ---- what may have to be sent again ---- */

void writer_keep(struct writer *writer, size_t bytes_max, struct replay_budget *budget)
{
        writer->keep_bytes_max = bytes_max;
        writer->budget = budget;
}

static void set_kept(struct writer *writer, size_t bytes)
{
        writer->budget->bytes += bytes - writer->kept_bytes;
        writer->kept_bytes = bytes;
}

void writer_forget(struct exchange *exchange)
{
        struct writer *writer = &exchange->writer;
        struct segment *segment;

        if (writer_can_rewind(writer))
                set_kept(writer, 0);
        writer->keep_bytes_max = 0;
        while ((segment = writer->kept)) {
                writer->kept = segment->next;
                retire(exchange, segment);
        }
}

/* The segment is as it was before any of it was written. Returns how many bytes come back. */
static size_t rewind_segment(struct segment *segment)
{
        size_t written = (size_t)(segment->data - segment->base);

        segment->data = segment->base;
        segment->size += written;
        return written;
}

void writer_rewind(struct exchange *exchange)
{
        struct writer *writer = &exchange->writer;
        size_t size = writer->first ? rewind_segment(writer->first) : 0;

        assert(writer_can_rewind(writer));
        for (struct segment *segment = writer->kept; segment; segment = segment->next)
                size += rewind_segment(segment);
        if (writer->kept) {
                writer->kept_last->next = writer->first;
                if (!writer->first)
                        writer->last = writer->kept_last;
                writer->first = writer->kept;
                writer->kept = NULL;
        }
        set_kept(writer, 0);
        count_added(exchange, size);
}

static void count_kept(struct exchange *exchange, size_t size)
{
        struct writer *writer = &exchange->writer;

        if (!writer_can_rewind(writer))
                return;
        set_kept(writer, writer->kept_bytes + size);
        if (writer->kept_bytes <= writer->keep_bytes_max &&
                writer->budget->bytes <= writer->budget->bytes_max)
                return;
        counter_add(&writer->budget->overruns, 1);
        writer_forget(exchange);
}

void writer_write(struct exchange *exchange, struct output *output, size_t size)
{
        struct writer *writer = &exchange->writer;

        assert(size <= writer->queued_bytes);
        pending_copy_run(pending_copy(exchange));
        count_taken(exchange, size);
        count_kept(exchange, size);
        while (size > 0) {
                struct segment *segment = writer->first;
                size_t piece = size < segment->size ? size : segment->size;

                if (piece >= REFER_BYTES_MIN && output_can_refer(output))
                        output_refer(output, segment->data, piece, &exchange->stream);
                else
                        output_copy(output, segment->data, piece);
                segment->data += piece;
                segment->size -= piece;
                size -= piece;
                if (segment->size == 0)
                        segment_done(exchange, segment);
        }
}

void writer_unpinned(struct exchange *exchange)
{
        struct segment *segment;

        while ((segment = exchange->writer.retired)) {
                exchange->writer.retired = segment->next;
                segment->release(exchange, segment);
        }
}

void writer_drop(struct exchange *exchange)
{
        pending_copy_run(pending_copy(exchange));
        writer_forget(exchange);
        while (exchange->writer.first)
                segment_done(exchange, exchange->writer.first);
        count_removed(exchange, exchange->writer.queued_bytes);
}

/*
 * The end of the begun message, as far as it lies in the first segment. It begins in that segment, or @continues says that the
 * whole segment belongs to it.
 */
static const uint8_t *begun_end(const struct exchange *exchange, const struct segment *segment)
{
        const uint8_t *end = segment->data + segment->size, *border = segment->base;

        if (segment->continues)
                return end;
        if (exchange->sends_unframed)
                return segment->data == segment->base ? segment->data : end;
        while (border < segment->data) {
                uint32_t size = framing_read_size(border);

                if (size > (size_t)(end - border) - FRAMING_PREFIX_BYTES)
                        return end;
                border += FRAMING_PREFIX_BYTES + size;
        }
        return border;
}

/* The last segment of the begun message, without the messages after it; NULL: none was begun. */
static struct segment *cut_behind_begun(struct exchange *exchange)
{
        struct segment *last = exchange->writer.first;
        const uint8_t *end = last ? begun_end(exchange, last) : NULL;

        if (!last || end == last->data)
                return NULL;
        count_removed(exchange, (size_t)(last->data + last->size - end));
        last->size = (size_t)(end - last->data);
        while (last->next && last->next->continues)
                last = last->next;
        return last;
}

bool writer_drop_unbegun(struct exchange *exchange)
{
        struct writer *writer = &exchange->writer;
        struct segment *last, *segment, *next;

        pending_copy_run(pending_copy(exchange));
        last = cut_behind_begun(exchange);
        if (!last) {
                writer_drop(exchange);
                return true;
        }
        for (segment = last->next; segment; segment = next) {
                next = segment->next;
                count_removed(exchange, segment->size);
                segment->release(exchange, segment); /* unwritten: no output refers to it */
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
