/* SPDX-License-Identifier: MIT */
#include "comments.h"

#include <stdlib.h>
#include <string.h>

#include "literal.h"

/* ---- search ---- */

static int compare_paths(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b)
{
        for (size_t i = 0; i < n_a && i < n_b; i++)
                if (a[i] != b[i])
                        return a[i] < b[i] ? -1 : 1;
        return (n_a > n_b) - (n_a < n_b);
}

static int compare_locations(const void *a, const void *b)
{
        const location_proto *left = *(const location_proto *const *)a;
        const location_proto *right = *(const location_proto *const *)b;
        size_t n_left, n_right;
        const int32_t *path = google_protobuf_SourceCodeInfo_Location_path(left, &n_left);
        const int32_t *other = google_protobuf_SourceCodeInfo_Location_path(right, &n_right);

        return compare_paths(path, n_left, other, n_right);
}

void comments_find(struct printer *p)
{
        const google_protobuf_SourceCodeInfo *info =
                google_protobuf_FileDescriptorProto_source_code_info(p->file);
        const location_proto *const *all =
                info ? google_protobuf_SourceCodeInfo_location(info, &p->n_locations) : NULL;

        if (!all)
                p->n_locations = 0;
        p->locations = printer_memory(p, p->n_locations, sizeof(*p->locations));
        if (p->n_locations == 0)
                return;
        memcpy((void *)p->locations, (const void *)all, p->n_locations * sizeof(*all));
        qsort((void *)p->locations, p->n_locations, sizeof(*all), compare_locations);
}

/* The location of the current element, or NULL. */
static const location_proto *find(const struct printer *p)
{
        size_t low = 0, high = p->n_locations;

        while (low < high) {
                size_t middle = low + (high - low) / 2, n;
                const int32_t *path =
                        google_protobuf_SourceCodeInfo_Location_path(p->locations[middle], &n);
                int order = compare_paths(path, n, p->path, p->n_path);

                if (order == 0)
                        return p->locations[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

uint64_t comments_position(const struct printer *p)
{
        const location_proto *location = find(p);
        size_t n = 0;
        const int32_t *span =
                location ? google_protobuf_SourceCodeInfo_Location_span(location, &n) : NULL;

        return n < 3 ? 0 : ((uint64_t)(uint32_t)span[0] << 32 | (uint32_t)span[1]) + 1;
}

bool comments_are_detached(const struct printer *p)
{
        const location_proto *location = find(p);
        size_t n = 0;

        if (location)
                google_protobuf_SourceCodeInfo_Location_leading_detached_comments(location, &n);
        return n > 0;
}

bool comments_are_before(const struct printer *p)
{
        const location_proto *location = find(p);

        return location &&
               (google_protobuf_SourceCodeInfo_Location_leading_comments(location).size > 0 ||
                       comments_are_detached(p));
}

/* ---- print ---- */

static void print_line(struct printer *p, const char *line, size_t size)
{
        fputs("//", p->out);
        for (size_t i = 0, n; i < size; i += n) {
                bool printable;

                n = literal_char(line + i, size - i, &printable);
                if (printable || line[i] == '\t')
                        fwrite(line + i, 1, n, p->out);
                else
                        fputc(line[i] == '\r' && i + 1 == size ? ' ' : '?', p->out);
        }
        fputc('\n', p->out);
}

static void print_lines(struct printer *p, upb_StringView text)
{
        const char *line = text.size ? text.data : "", *end = line + text.size;

        while (line < end) {
                const char *newline = memchr(line, '\n', (size_t)(end - line));
                const char *stop = newline ? newline : end;

                printer_indent(p);
                print_line(p, line, (size_t)(stop - line));
                line = stop + 1;
        }
}

void comments_print_before(struct printer *p)
{
        const location_proto *location = find(p);
        const upb_StringView *detached;
        size_t n;

        if (!location)
                return;
        detached = google_protobuf_SourceCodeInfo_Location_leading_detached_comments(location, &n);
        for (size_t i = 0; i < n; i++) {
                print_lines(p, detached[i]);
                fputc('\n', p->out);
        }
        print_lines(p, google_protobuf_SourceCodeInfo_Location_leading_comments(location));
}

void comments_print_behind(struct printer *p)
{
        const location_proto *location = find(p);
        upb_StringView text = upb_StringView_FromString("");
        const char *newline;

        if (location)
                text = google_protobuf_SourceCodeInfo_Location_trailing_comments(location);
        newline = text.size ? memchr(text.data, '\n', text.size) : NULL;
        if (text.size == 0) {
                fputc('\n', p->out);
        } else if (!newline || newline + 1 == text.data + text.size) {
                fputc(' ', p->out);
                print_line(p, text.data, newline ? text.size - 1 : text.size);
        } else {
                fputc('\n', p->out);
                print_lines(p, text);
                p->after_comment = true;
        }
}
