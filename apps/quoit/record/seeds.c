/* SPDX-License-Identifier: MIT */
#include "seeds.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base64.h"
#include "../say.h"

#define SEED_BYTES_MAX 60000 /* of messages */
#define FRAME_BYTES 16384

/* A seed that is being made. @failed: memory is short. */
struct seed {
        char *bytes;
        size_t size, room;
        bool failed;
};

static void put(struct seed *seed, const void *bytes, size_t size)
{
        while (!seed->failed && seed->room - seed->size < size) {
                size_t room = seed->room ? 2 * seed->room : 4096;
                char *more = realloc(seed->bytes, room);

                seed->failed = !more;
                if (more) {
                        seed->bytes = more;
                        seed->room = room;
                }
        }
        if (seed->failed || size == 0)
                return;
        memcpy(seed->bytes + seed->size, bytes, size);
        seed->size += size;
}

/* The low @size bytes of @value, the highest first. */
static void put_number(struct seed *seed, uint32_t value, unsigned size)
{
        for (unsigned i = size; i-- > 0;)
                put(seed, &(uint8_t){ (uint8_t)(value >> 8 * i) }, 1);
}

/* ---- files ---- */

/* FNV-1a. */
static uint64_t hash_of(const struct seed *seed)
{
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < seed->size; i++)
                hash = (hash ^ (uint8_t)seed->bytes[i]) * 0x100000001b3;
        return hash;
}

static int fail_file(const char *path)
{
        return say_failed("%s: %s", path, strerror(errno));
}

/* Consumes @seed. One that is there already stays. */
static int write_seed(struct seed *seed, const char *folder, const char *fuzzer, size_t *count)
{
        char path[4096];
        bool fits = snprintf(path, sizeof(path), "%s/%s/%016" PRIx64, folder, fuzzer,
                            hash_of(seed)) < (int)sizeof(path);
        FILE *file = NULL;
        bool is_whole;

        if (!seed->failed)
                file = fits ? fopen(path, "wxe") : (errno = ENAMETOOLONG, NULL);
        if (!file) {
                free(seed->bytes);
                if (!seed->failed && errno == EEXIST)
                        return EXIT_DONE;
                return seed->failed ? say_failed("out of memory") : fail_file(path);
        }
        is_whole = fwrite(seed->bytes, 1, seed->size, file) == seed->size;
        free(seed->bytes);
        if (fclose(file) == EOF || !is_whole) {
                fail_file(path);
                unlink(path); /* or the next run takes it for a whole one */
                return EXIT_FAILED;
        }
        ++*count;
        return EXIT_DONE;
}

static int make_folder(const char *folder, const char *fuzzer)
{
        char path[4096];

        if (snprintf(path, sizeof(path), "%s%s%s", folder, fuzzer ? "/" : "",
                    fuzzer ? fuzzer : "") >= (int)sizeof(path))
                errno = ENAMETOOLONG;
        else if (mkdir(path, 0777) == 0 || errno == EEXIST)
                return EXIT_DONE;
        return fail_file(path);
}

/* ---- messages ---- */

static void put_framed(struct seed *seed, upb_StringView message)
{
        put_number(seed, 0, 1);
        put_number(seed, (uint32_t)message.size, 4);
        put(seed, message.data, message.size);
}

static int write_message(upb_StringView message, const char *folder, size_t *count)
{
        struct seed decode = { 0 }, framing = { 0 };
        int status;

        put_number(&decode, 0, 1); /* the first type; a fuzzer finds the others */
        put(&decode, message.data, message.size);
        put_number(&framing, 0xffff, 2); /* the limit */
        put_number(&framing, 0, 1); /* of cuts */
        put_framed(&framing, message);
        status = write_seed(&decode, folder, "decode", count);
        if (status == EXIT_DONE)
                return write_seed(&framing, folder, "framing", count);
        free(framing.bytes);
        return status;
}

/* ---- a call, as a conversation with a server ---- */

enum { FRAME_DATA = 0, FRAME_HEADERS = 1 };
enum { END_STREAM = 1, END_HEADERS = 4 };
enum { STEP_FEED_MANY = 1, STEP_TURN = 2, STEP_SENT = 3 };

static void put_frame(struct seed *wire, int type, int flags, const void *bytes, size_t size)
{
        put_number(wire, (uint32_t)size, 3);
        put_number(wire, (uint32_t)type, 1);
        put_number(wire, (uint32_t)flags, 1);
        put_number(wire, 1, 4); /* the stream */
        put(wire, bytes, size);
}

/* HPACK's string without Huffman's code (RFC 7541 section 5.2). */
static void put_string(struct seed *block, const char *text, size_t size)
{
        size_t rest = size;

        if (rest < 127) {
                put_number(block, (uint32_t)rest, 1);
        } else {
                put_number(block, 127, 1);
                for (rest -= 127; rest > 127; rest >>= 7)
                        put_number(block, (rest & 127) | 128, 1);
                put_number(block, (uint32_t)rest, 1);
        }
        put(block, text, size);
}

/* A literal without indexing (RFC 7541 section 6.2.2). */
static void put_field(struct seed *block, const char *name, upb_StringView value)
{
        put_number(block, 0, 1);
        put_string(block, name, strlen(name));
        put_string(block, value.data, value.size);
}

static void put_metadata(struct seed *block, const quoit_metadata *field)
{
        size_t size = strlen(field->name);
        char *text;

        if (size < 4 || strcmp(field->name + size - 4, "-bin") != 0) {
                put_field(block, field->name, field->value);
                return;
        }
        text = malloc(BASE64_ENCODED_BYTES(field->value.size));
        if (text) {
                base64_encode(field->value.data, field->value.size, text);
                put_field(block, field->name, upb_StringView_FromString(text));
        }
        block->failed |= !text;
        free(text);
}

/* Of script.Script, which the fuzzer's server has, the one of that kind. */
static const char *script_path(const struct tape_call *call)
{
        size_t requests = 0;

        for (size_t i = 0; i < call->event_count; i++)
                requests += call->events[i].type == TAPE_REQUEST;
        if (requests == 1)
                return call->reply_count == 1 ? "/script.Script/Unary"
                                              : "/script.Script/ServerStream";
        return call->reply_count == 1 ? "/script.Script/ClientStream" : "/script.Script/Bidi";
}

/* False: they do not fit into a frame. */
static bool put_headers(struct seed *wire, const struct tape_call *call)
{
        static const char *const fields[][2] = { { ":method", "POST" }, { ":scheme", "http" },
                { ":authority", "x" }, { "te", "trailers" },
                { "content-type", "application/grpc" } };
        struct seed block = { 0 };

        for (unsigned i = 0; i < 3; i++)
                put_field(&block, fields[i][0], upb_StringView_FromString(fields[i][1]));
        put_field(&block, ":path", upb_StringView_FromString(script_path(call)));
        for (unsigned i = 3; i < 5; i++)
                put_field(&block, fields[i][0], upb_StringView_FromString(fields[i][1]));
        for (size_t i = 0; i < call->metadata_count; i++)
                put_metadata(&block, &call->metadata[i]);
        if (block.size <= FRAME_BYTES)
                put_frame(wire, FRAME_HEADERS, END_HEADERS, block.bytes, block.size);
        wire->failed |= block.failed;
        free(block.bytes);
        return block.size <= FRAME_BYTES;
}

static void put_request(struct seed *wire, upb_StringView message)
{
        struct seed framed = { 0 };

        put_framed(&framed, message);
        for (size_t at = 0; at < framed.size; at += FRAME_BYTES) {
                size_t left = framed.size - at;

                put_frame(wire, FRAME_DATA, 0, framed.bytes + at,
                        left < FRAME_BYTES ? left : FRAME_BYTES);
        }
        wire->failed |= framed.failed;
        free(framed.bytes);
}

/* The client's frames in pieces as they went, with turns of the server between them. */
static void put_feed(struct seed *seed, struct seed *wire)
{
        for (size_t at = 0, size; at < wire->size; at += size) {
                size = wire->size - at < SEED_BYTES_MAX ? wire->size - at : SEED_BYTES_MAX;
                put_number(seed, STEP_FEED_MANY, 1);
                put_number(seed, (uint32_t)size, 2);
                put(seed, wire->bytes + at, size);
        }
        put_number(seed, STEP_TURN, 1);
        put_number(seed, STEP_SENT, 1);
        seed->failed |= wire->failed;
        free(wire->bytes);
        *wire = (struct seed){ 0 };
}

static int write_call(const struct tape_call *call, const char *folder, size_t *count)
{
        struct seed seed = { 0 }, wire = { 0 };

        if (!put_headers(&wire, call)) {
                say("call %zu %s: its metadata is over 16 KiB: no seed of it", call->number,
                        call->path + 1);
                return EXIT_DONE;
        }
        put_number(&seed, 0, 1); /* with a preface */
        for (size_t i = 0; i < call->event_count; i++) {
                const struct tape_event *event = &call->events[i];

                if (event->type == TAPE_REQUEST)
                        put_request(&wire, event->message);
                else if (event->type == TAPE_HALF_CLOSE)
                        put_frame(&wire, FRAME_DATA, END_STREAM, NULL, 0);
                else if (wire.size)
                        put_feed(&seed, &wire);
        }
        put_feed(&seed, &wire);
        return write_seed(&seed, folder, "session", count);
}

/* ---- the whole ---- */

static int write_all(const struct tape_call *call, const char *folder, size_t *count)
{
        size_t bytes = 0;
        int status = EXIT_DONE;

        for (size_t i = 0; status == EXIT_DONE && i < call->event_count; i++) {
                const struct tape_event *event = &call->events[i];
                bool is_message = event->type == TAPE_REQUEST || event->type == TAPE_REPLY;

                bytes += event->type == TAPE_REQUEST ? event->message.size : 0;
                if (is_message && event->message.size <= SEED_BYTES_MAX)
                        status = write_message(event->message, folder, count);
        }
        return status == EXIT_DONE && bytes <= SEED_BYTES_MAX ? write_call(call, folder, count)
                                                              : status;
}

int seeds_write(const struct tape *tape, const char *method, const char *folder, size_t *ret_count)
{
        static const char *const fuzzers[] = { NULL, "decode", "framing", "session" };
        size_t count = 0;
        int status = EXIT_DONE;

        for (unsigned i = 0; status == EXIT_DONE && i < sizeof(fuzzers) / sizeof(*fuzzers); i++)
                status = make_folder(folder, fuzzers[i]);
        for (size_t i = 0; status == EXIT_DONE && i < tape->count; i++) {
                const struct tape_call *call = tape->calls[i];

                if (call->path[0] == '/' && (!method || fnmatch(method, call->path + 1, 0) == 0))
                        status = write_all(call, folder, &count);
        }
        if (status == EXIT_DONE)
                *ret_count = count;
        return status;
}
