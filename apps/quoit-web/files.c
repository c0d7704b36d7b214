/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <quoit/http.h>

#include <embedded_files.inc>

#include "headers.h"

#define ETAG_MAX 64

/* Whether the browser has @file, compressed or not. */
static bool is_known(const quoit_call *call, const struct file *file)
{
        upb_StringView tags;

        return quoit_call_metadata(call, "if-none-match", &tags) &&
               memmem(tags.data, tags.size, file->etag, strlen(file->etag));
}

static void serve(quoit_call *call, void *user)
{
        const struct file *file = user;
        bool compressed = quoit_http_takes(call, QUOIT_GZIP);
        char etag[ETAG_MAX];

        snprintf(etag, sizeof(etag), "\"%s%s\"", file->etag, compressed ? "-gzip" : "");
        headers_add(call, NULL);
        headers_set(call, "etag", etag);
        headers_set(call, "cache-control", "no-cache");
        headers_set(call, "vary", "accept-encoding");
        if (is_known(call, file)) {
                quoit_http_reply(call, &(quoit_http_answer){ .status = 304 });
                return;
        }
        if (compressed)
                headers_set(call, "content-encoding", "gzip");
        quoit_http_reply(call, &(quoit_http_answer){ .content_type = file->type,
                                       .body = compressed ? file->gzip : file->bytes,
                                       .size = compressed ? file->gzip_size : file->size,
                                       .is_static = true });
}

int files_register(quoit_server *server)
{
        int r = 0;

        for (const struct file *file = embedded_files; file->path && r == 0; file++)
                r = quoit_server_handle_http(server, file->path, serve, (void *)file);
        return r;
}
