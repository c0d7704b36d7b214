/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The file of a recording, while it is written: messages of grpc.binarylog.v1.GrpcLogEntry, each behind its length as a varint, as
 * parseDelimitedFrom() of Java, protodelim of Go and others read them. The first one belongs to no call and says that it is a recording
 * (RECORDING_MARK). docs/quoit.md describes it for users.
 *
 * Entries are collected, and written as a whole by recording_flush(): a program that is killed loses those of its last turn. What cannot be
 * written ends the recording, with a line for the user; the file then ends behind a whole entry, and whoever adds entries need not care.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/binlog/v1/binarylog.quoit.h>

/* A field of metadata of the first entry; its value is the version of the format. */
#define RECORDING_MARK "quoit-recording"
#define RECORDING_VERSION "1"

/* Opaque but for its counts. */
struct recording {
        const char *path;
        int fd;
        bool is_over; /* nothing more is written */
        bool has_failed; /* because of an error, not a limit */
        uint64_t written; /* bytes, all of whole entries */
        uint64_t bytes_max; /* 0: no limit */
        char *buffer; /* what recording_flush() writes */
        size_t used, room;
        uint64_t real_ns, monotonic_ns; /* the same moment by both clocks */
};

/*
 * Makes the file @path, which must outlive it; one that is there is replaced, and only its owner can read it. @bytes_max: how large it may
 * become; 0: no limit. 0, or a negative errno.
 */
int recording_open(struct recording *recording, const char *path, uint64_t bytes_max);

/* A time that never goes back, as a time of day: since 1970, in nanoseconds. */
uint64_t recording_now_ns(const struct recording *recording);

/* Adds @entry. */
void recording_add(struct recording *recording, const grpc_binarylog_v1_GrpcLogEntry *entry);

/* Ends it, with a line: an entry could not be made, for @error. */
void recording_fail(struct recording *recording, int error);

/* Writes what was added. */
void recording_flush(struct recording *recording);

/* Flushes and closes it. 0, or -EIO: something is not in the file that should be; it was said. */
int recording_close(struct recording *recording);
