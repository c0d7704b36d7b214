/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <quoit/http.h>

#include <embedded_files.inc>

#include "headers.h"

#define ETAG_MAX 64

/* The size of the first element of a list in @list, and in *@ret_next what follows its comma. */
static size_t element(const char *list, size_t size, size_t *ret_next)
{
        const char *comma = memchr(list, ',', size);
        size_t length = comma ? (size_t)(comma - list) : size;

        *ret_next = comma ? length + 1 : size;
        return length;
}

/* RFC 9110, section 12.5.3: "gzip, br", "gzip;q=0.5", "*"; not "gzip;q=0". */
static bool takes_gzip(const quoit_call *call)
{
        upb_StringView list;

        if (!quoit_call_metadata(call, "accept-encoding", &list))
                return false;
        for (size_t next; list.size > 0; list.data += next, list.size -= next) {
                char coding[16] = "", weight[16] = "";
                char text[64];

                snprintf(text, sizeof(text), "%.*s", (int)element(list.data, list.size, &next),
                        list.data);
                if (sscanf(text, " %15[^; ] ; q=%15s", coding, weight) < 1)
                        continue;
                if (strcasecmp(coding, "gzip") == 0 || strcmp(coding, "*") == 0)
                        return strspn(weight, "0.") != strlen(weight) || !*weight;
        }
        return false;
}

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
        bool compressed = takes_gzip(call);
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
