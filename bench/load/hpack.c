/* SPDX-License-Identifier: MIT */
#include "bench/load/hpack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bench/load/h2.h"

/* ---- requests ---- */

/* The static table's. */
enum {
        INDEX_AUTHORITY = 1,
        INDEX_METHOD_POST = 3,
        INDEX_PATH = 4,
        INDEX_SCHEME_HTTP = 6,
        INDEX_CONTENT_TYPE = 31,
        INDEX_USER_AGENT = 58,
        INDEX_DYNAMIC = 62, /* the youngest of the dynamic table */
};

enum {
        FORM_INDEXED = 0x80,
        FORM_LITERAL_INDEXING = 0x40,
        FORM_LITERAL = 0x00,
        FORM_TABLE_SIZE = 0x20,
};

struct field {
        unsigned name_index; /* 0: the name is a literal */
        const char *name;
        const char *value;
};

enum { FIELDS = 5 };

static void request_fields(struct field *fields, const char *authority, const char *path)
{
        fields[0] = (struct field){ INDEX_PATH, ":path", path };
        fields[1] = (struct field){ INDEX_AUTHORITY, ":authority", authority };
        fields[2] = (struct field){ 0, "te", "trailers" };
        fields[3] = (struct field){ INDEX_CONTENT_TYPE, "content-type", "application/grpc" };
        fields[4] = (struct field){ INDEX_USER_AGENT, "user-agent", "quoit-load" };
}

/* RFC 7541 section 5.1: @form in the bits that @prefix_bits leave. */
static unsigned char *put_integer(
        unsigned char *to, unsigned form, unsigned prefix_bits, uint32_t value)
{
        uint32_t prefix_max = (1u << prefix_bits) - 1;

        if (value < prefix_max) {
                *to++ = (unsigned char)(form | value);
                return to;
        }
        *to++ = (unsigned char)(form | prefix_max);
        for (value -= prefix_max; value >= 128; value >>= 7)
                *to++ = (unsigned char)(value | 128);
        *to++ = (unsigned char)value;
        return to;
}

static void add_integer(
        struct hpack_block *block, unsigned form, unsigned prefix_bits, uint32_t value)
{
        unsigned char *to = block->bytes + block->size;

        block->size = (size_t)(put_integer(to, form, prefix_bits, value) - block->bytes);
}

static void add_string(struct hpack_block *block, const char *text)
{
        size_t size = strlen(text);

        add_integer(block, 0, 7, (uint32_t)size);
        assert(size + 8 < sizeof(block->bytes) - block->size);
        memcpy(block->bytes + block->size, text, size);
        block->size += size;
}

static void add_literal(struct hpack_block *block, unsigned form, const struct field *field)
{
        add_integer(block, form, form == FORM_LITERAL_INDEXING ? 6 : 4, field->name_index);
        if (field->name_index == 0)
                add_string(block, field->name);
        add_string(block, field->value);
}

static void begin_block(struct hpack_block *block)
{
        block->size = 0;
        add_integer(block, FORM_INDEXED, 7, INDEX_METHOD_POST);
        add_integer(block, FORM_INDEXED, 7, INDEX_SCHEME_HTTP);
}

/* @first: fields before it are literals here, those from it on are in the table since priming,
 * the last as the youngest. */
static void make_indexed(struct hpack_block *block, const struct field *fields, unsigned first)
{
        begin_block(block);
        for (unsigned i = 0; i < first; i++)
                add_literal(block, FORM_LITERAL, &fields[i]);
        for (unsigned i = first; i < FIELDS; i++)
                add_integer(block, FORM_INDEXED, 7, INDEX_DYNAMIC + (FIELDS - 1 - i));
}

static void make_literals(struct hpack_block *block, const struct field *fields, unsigned form)
{
        begin_block(block);
        for (unsigned i = 0; i < FIELDS; i++)
                add_literal(block, form, &fields[i]);
}

void hpack_request_init(struct hpack_request *request, const char *authority, const char *path)
{
        struct field fields[FIELDS];

        request_fields(fields, authority, path);
        make_literals(&request->priming, fields, FORM_LITERAL_INDEXING);
        make_indexed(&request->indexed, fields, 0);
        make_literals(&request->plain, fields, FORM_LITERAL);
        request->table_bytes = 0;
        for (unsigned i = 0; i < FIELDS; i++)
                request->table_bytes += strlen(fields[i].name) + strlen(fields[i].value) + 32;
}

void hpack_request_init_second(
        struct hpack_request *request, const char *authority, const char *path)
{
        struct field fields[FIELDS];

        request_fields(fields, authority, path);
        request->priming.size = 0;
        make_indexed(&request->indexed, fields, 1);
        make_literals(&request->plain, fields, FORM_LITERAL);
        request->table_bytes = 0;
}

void hpack_encoder_init(struct hpack_encoder *encoder)
{
        *encoder = (struct hpack_encoder){ .table_bytes = H2_HEADER_TABLE_BYTES };
}

void hpack_encoder_resize(struct hpack_encoder *encoder, uint32_t table_bytes)
{
        /* We never want more than the table has to begin with. */
        if (table_bytes > H2_HEADER_TABLE_BYTES)
                table_bytes = H2_HEADER_TABLE_BYTES;
        if (table_bytes == encoder->table_bytes)
                return;
        encoder->table_bytes = table_bytes;
        encoder->update_due = true;
}

size_t hpack_encode(
        struct hpack_encoder *encoder, const struct hpack_request *request, unsigned char *to)
{
        const struct hpack_block *block = &request->plain;
        unsigned char *end = to;

        if (encoder->update_due) {
                /* By way of 0, so that the table is empty, which is a state we know. */
                end = put_integer(end, FORM_TABLE_SIZE, 5, 0);
                end = put_integer(end, FORM_TABLE_SIZE, 5, encoder->table_bytes);
                encoder->update_due = encoder->primed = false;
        }
        if (encoder->primed) {
                block = &request->indexed;
        } else if (request->priming.size > 0 && request->table_bytes <= encoder->table_bytes) {
                block = &request->priming;
                encoder->primed = true;
        }
        memcpy(end, block->bytes, block->size);
        return (size_t)(end - to) + block->size;
}

/* ---- answers ---- */

int hpack_decoder_init(struct hpack_decoder *decoder)
{
        decoder->known_count = 0;
        return nghttp2_hd_inflate_new(&decoder->inflater) ? -ENOMEM : 0;
}

void hpack_decoder_deinit(struct hpack_decoder *decoder)
{
        nghttp2_hd_inflate_del(decoder->inflater);
}

/* -1 unless all of @value is one. */
static int parse_number(const nghttp2_nv *field)
{
        int number = 0;

        if (field->valuelen == 0 || field->valuelen > 6)
                return -1;
        for (size_t i = 0; i < field->valuelen; i++) {
                if (field->value[i] < '0' || field->value[i] > '9')
                        return -1;
                number = 10 * number + (field->value[i] - '0');
        }
        return number;
}

static bool is_named(const nghttp2_nv *field, const char *name)
{
        return field->namelen == strlen(name) && memcmp(field->name, name, field->namelen) == 0;
}

static void take_field(struct hpack_fields *fields, const nghttp2_nv *field)
{
        static const char grpc[] = "application/grpc";

        if (is_named(field, ":status")) {
                fields->http_status = parse_number(field);
        } else if (is_named(field, "grpc-status")) {
                fields->grpc_status = parse_number(field);
        } else if (is_named(field, "content-type")) {
                fields->is_grpc = field->valuelen >= strlen(grpc) &&
                                  memcmp(field->value, grpc, strlen(grpc)) == 0;
        } else if (is_named(field, "grpc-message")) {
                size_t size = field->valuelen < sizeof(fields->grpc_message) - 1
                                      ? field->valuelen
                                      : sizeof(fields->grpc_message) - 1;

                memcpy(fields->grpc_message, field->value, size);
                fields->grpc_message[size] = '\0';
        }
}

static bool inflate(struct hpack_decoder *decoder, const unsigned char *block, size_t size,
        struct hpack_fields *ret_fields)
{
        struct hpack_fields fields = { .grpc_status = -1 };
        int flags = 0;

        while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
                nghttp2_nv field;
                nghttp2_ssize taken;

                flags = 0;
                taken = nghttp2_hd_inflate_hd3(decoder->inflater, &field, &flags, block, size, 1);
                if (taken < 0)
                        return false;
                block += taken;
                size -= (size_t)taken;
                if (flags & NGHTTP2_HD_INFLATE_EMIT)
                        take_field(&fields, &field);
                else if (!(flags & NGHTTP2_HD_INFLATE_FINAL) && size == 0)
                        return false;
        }
        nghttp2_hd_inflate_end_headers(decoder->inflater);
        *ret_fields = fields;
        return true;
}

/* Nothing but indices of one byte: such a block leaves the table as it was. */
static bool is_row_of_indices(const unsigned char *block, size_t size)
{
        if (size > HPACK_KNOWN_BYTES_MAX)
                return false;
        for (size_t i = 0; i < size; i++)
                if (block[i] < FORM_INDEXED || block[i] == 0xff)
                        return false;
        return true;
}

static const struct hpack_fields *find_known(
        const struct hpack_decoder *decoder, const unsigned char *block, size_t size)
{
        for (unsigned i = 0; i < decoder->known_count; i++) {
                const struct hpack_known *known = &decoder->known[i];

                if (known->size == size && memcmp(known->block, block, size) == 0)
                        return &known->fields;
        }
        return NULL;
}

const struct hpack_fields *hpack_decode(
        struct hpack_decoder *decoder, const unsigned char *block, size_t size)
{
        const struct hpack_fields *fields = find_known(decoder, block, size);
        struct hpack_known *known;

        if (fields)
                return fields;
        /* Any other block may have changed what the indices mean. */
        if (!is_row_of_indices(block, size) || decoder->known_count == HPACK_KNOWN_MAX)
                decoder->known_count = 0;
        known = &decoder->known[decoder->known_count];
        if (!inflate(decoder, block, size, &known->fields))
                return NULL;
        if (is_row_of_indices(block, size)) {
                memcpy(known->block, block, size);
                known->size = size;
                decoder->known_count++;
        }
        return &known->fields;
}
