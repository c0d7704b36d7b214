/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../common/clock.h"
#include "../say.h"

#define LENGTH_BYTES_MAX 5 /* of a varint of 32 bits */

static uint64_t real_now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t recording_now_ns(const struct recording *recording)
{
        return recording->real_ns + (clock_now_ns() - recording->monotonic_ns);
}

/* ---- the end ---- */

/* Nothing more is written. What waits was of entries that would not be whole, or that lack others before them. */
static void give_up(struct recording *recording)
{
        recording->is_over = true;
        recording->used = 0;
}

void recording_fail(struct recording *recording, int error)
{
        if (recording->is_over)
                return;
        say("%s: %s: the recording ends at %" PRIu64 " bytes; calls go on", recording->path,
                strerror(error), recording->written);
        recording->has_failed = true;
        give_up(recording);
}

static void end_by_limit(struct recording *recording)
{
        recording_flush(recording);
        if (recording->is_over)
                return;
        say("%s: --max-file-size: the recording ends at %" PRIu64 " bytes; calls go on",
                recording->path, recording->written);
        give_up(recording);
}

/* ---- writing ---- */

void recording_flush(struct recording *recording)
{
        size_t done = 0;

        while (done < recording->used) {
                ssize_t n = write(recording->fd, recording->buffer + done, recording->used - done);

                if (n > 0) {
                        done += (size_t)n;
                } else if (n == 0 || errno != EINTR) {
                        int error = n == 0 ? EIO : errno;

                        /* a part of it has no use; a pipe or a device keeps it */
                        if (ftruncate(recording->fd, (off_t)recording->written) == 0)
                                lseek(recording->fd, (off_t)recording->written, SEEK_SET);
                        recording_fail(recording, error);
                        return;
                }
        }
        recording->written += recording->used;
        recording->used = 0;
}

static bool make_room(struct recording *recording, size_t size)
{
        size_t room = recording->room ? recording->room : (size_t)64 << 10;
        char *buffer;

        while (room - recording->used < size)
                room *= 2;
        if (room == recording->room)
                return true;
        buffer = realloc(recording->buffer, room);
        if (!buffer)
                return false;
        recording->buffer = buffer;
        recording->room = room;
        return true;
}

static void put_varint(struct recording *recording, size_t value)
{
        for (; value > 0x7f; value >>= 7)
                recording->buffer[recording->used++] = (char)(value | 0x80);
        recording->buffer[recording->used++] = (char)value;
}

static void add_bytes(struct recording *recording, const char *bytes, size_t size)
{
        uint64_t whole = recording->written + recording->used + size + LENGTH_BYTES_MAX;

        if (recording->bytes_max && whole > recording->bytes_max) {
                end_by_limit(recording);
        } else if (!bytes || !make_room(recording, size + LENGTH_BYTES_MAX)) {
                recording_fail(recording, ENOMEM);
        } else {
                put_varint(recording, size);
                memcpy(recording->buffer + recording->used, bytes, size);
                recording->used += size;
        }
}

void recording_add(struct recording *recording, const grpc_binarylog_v1_GrpcLogEntry *entry)
{
        upb_Arena *arena;
        size_t size = 0;

        if (recording->is_over)
                return;
        arena = upb_Arena_New();
        add_bytes(recording,
                arena ? grpc_binarylog_v1_GrpcLogEntry_serialize(entry, arena, &size) : NULL, size);
        upb_Arena_Free(arena);
}

/* ---- the whole ---- */

/* The first entry, of no call. */
static void add_mark(struct recording *recording)
{
        upb_Arena *arena = upb_Arena_New();
        grpc_binarylog_v1_GrpcLogEntry *entry =
                arena ? grpc_binarylog_v1_GrpcLogEntry_new(arena) : NULL;
        grpc_binarylog_v1_ClientHeader *header =
                entry ? grpc_binarylog_v1_GrpcLogEntry_mutable_client_header(entry, arena) : NULL;
        grpc_binarylog_v1_Metadata *metadata =
                header ? grpc_binarylog_v1_ClientHeader_mutable_metadata(header, arena) : NULL;
        grpc_binarylog_v1_MetadataEntry *field =
                metadata ? grpc_binarylog_v1_Metadata_add_entry(metadata, arena) : NULL;

        if (field) {
                grpc_binarylog_v1_MetadataEntry_set_key(
                        field, upb_StringView_FromString(RECORDING_MARK));
                grpc_binarylog_v1_MetadataEntry_set_value(
                        field, upb_StringView_FromString(RECORDING_VERSION));
                recording_add(recording, entry);
        } else {
                recording_fail(recording, ENOMEM);
        }
        upb_Arena_Free(arena);
}

/* Empties it, and makes it the owner's alone, as one that was there before need not be. What is no regular file stays as it is. */
static int make_private(int fd)
{
        struct stat info;

        if (fstat(fd, &info) < 0)
                return -errno;
        if (S_ISREG(info.st_mode) && (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0))
                return -errno;
        return 0;
}

int recording_open(struct recording *recording, const char *path, uint64_t bytes_max)
{
        int r;

        *recording = (struct recording){ .path = path,
                .fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
                .bytes_max = bytes_max,
                .real_ns = real_now_ns(),
                .monotonic_ns = clock_now_ns() };
        if (recording->fd < 0)
                return -errno;
        r = make_private(recording->fd);
        if (r < 0) {
                close(recording->fd);
                return r;
        }
        add_mark(recording);
        recording_flush(recording);
        return 0;
}

int recording_close(struct recording *recording)
{
        recording_flush(recording);
        if (close(recording->fd) < 0 && errno != EINTR)
                recording_fail(recording, errno);
        free(recording->buffer);
        recording->buffer = NULL;
        return recording->has_failed ? -EIO : 0;
}
