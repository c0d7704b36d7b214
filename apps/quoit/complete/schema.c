/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../connection.h"
#include "../exit_status.h"
#include "cache.h"

enum {
        FRESH_S = 120, /* somebody who changes the server does not wait for long */
        STALE_S = 24 * 60 * 60, /* of a server that is away */
        CONNECT_MS = 1000,
        ALL_S = 3, /* nobody waits longer for a key */
};

/* ---- its file ---- */

/* FNV-1a. */
static void mix(uint64_t *hash, const char *text)
{
        for (; text && *text; text++)
                *hash = (*hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        *hash = (*hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Other flags may lead to another server. */
static bool path_of(const struct walk *walk, const char *target, char ret_path[CACHE_PATH_BYTES])
{
        const struct connection_flags *flags = &walk->connection;
        uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)flags->scheme * 2 + flags->is_unix;
        char name[40];

        mix(&hash, target);
        mix(&hash, flags->authority);
        mix(&hash, flags->server_name);
        mix(&hash, flags->proxy);
        for (size_t i = 0; i < walk->metadata.all.count; i++)
                mix(&hash, walk->metadata.all.at[i]);
        for (size_t i = 0; i < walk->metadata.reflection.count; i++)
                mix(&hash, walk->metadata.reflection.at[i]);
        snprintf(name, sizeof(name), "schema-%016llx", (unsigned long long)hash);
        return cache_path(name, ret_path);
}

/* A google.protobuf.FileDescriptorSet: each file is its field 1. */
static size_t put_file(char *bytes, upb_StringView file)
{
        size_t rest = file.size, used = 0;

        bytes[used++] = 1 << 3 | 2;
        for (; rest >= 0x80; rest >>= 7)
                bytes[used++] = (char)(rest | 0x80);
        bytes[used++] = (char)rest;
        memcpy(bytes + used, file.data, file.size);
        return used + file.size;
}

static void save(const struct source *source, const char *path)
{
        size_t count = source_file_count(source), size = 0, used = 0;
        char *bytes;

        for (size_t i = 0; i < count; i++)
                size += source_file(source, i).size + 11;
        bytes = malloc(size);
        if (!bytes)
                return;
        for (size_t i = 0; i < count; i++)
                used += put_file(bytes + used, source_file(source, i));
        (void)cache_write(path, bytes, used);
        free(bytes);
}

/* ---- where it comes from ---- */

static struct source *open_files(const struct walk *walk, const struct schema_flags *flags)
{
        struct source *source;

        return source_open(flags, &walk->metadata, NULL, &source) == EXIT_DONE ? source : NULL;
}

static struct source *open_saved(struct walk *walk, const char *path)
{
        /* Kept for the source's whole life: a program that completes does so once. */
        static struct schema_flags flags;

        flags = (struct schema_flags){ .reflection = REFLECTION_OFF };
        if (strings_add(&flags.protosets, path) < 0)
                return NULL;
        return open_files(walk, &flags);
}

/* Asks the server, and keeps what it says. False: it does not say it. */
static bool fetch(struct walk *walk, const char *target, const char *path)
{
        struct connection *connection = NULL;
        struct source *source = NULL;
        bool is_saved = false;
        quoit_error error;

        walk->connection.connect_ms = CONNECT_MS;
        alarm(ALL_S); /* its end is the program's */
        if (connection_try(&walk->connection, target, &connection, &error) < 0) {
                alarm(0);
                return false;
        }
        if (source_open(&walk->schema, &walk->metadata, connection, &source) == EXIT_DONE) {
                (void)source_load_all(source); /* some of it is better than none */
                is_saved = source_file_count(source) > 0;
                if (is_saved)
                        save(source, path);
        }
        alarm(0);
        source_free(source);
        connection_close(connection);
        return is_saved;
}

struct source *schema_open(struct walk *walk, const char *target)
{
        static char path[CACHE_PATH_BYTES];
        const struct schema_flags *flags = &walk->schema;

        if (flags->protos.count > 0 || flags->protosets.count > 0)
                return open_files(walk, flags);
        if (!target || flags->reflection == REFLECTION_OFF || !path_of(walk, target, path))
                return NULL;
        if (cache_age(path) > FRESH_S) {
                (void)fetch(walk, target, path);
                cache_sweep(STALE_S);
        }
        return cache_age(path) <= STALE_S ? open_saved(walk, path) : NULL;
}
