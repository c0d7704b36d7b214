/* SPDX-License-Identifier: MIT */
#include "services/log_line.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define ESCAPE_BYTES 6 /* of "\u00ff" */

const struct log_line_kind log_line_plain = { "<6>", "info", false };
const struct log_line_kind log_line_kinds[] = {
        [QUOIT_LOG_ERROR] = { "<3>", "error", true },
        [QUOIT_LOG_WARNING] = { "<4>", "warning", true },
        [QUOIT_LOG_INFO] = { "<6>", "info", true },
        [QUOIT_LOG_DEBUG] = { "<7>", "debug", true },
};

/* ---- making ---- */

static void tell_time(struct log_line *line)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        time_text(line->time, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static void add(struct log_line *line, const char *text, enum log_line_copy copy)
{
        assert(line->count < LOG_LINE_PIECES_MAX);
        line->pieces[line->count++] = (struct log_line_piece){ text, strlen(text), copy };
}

static void add_plain(struct log_line *line, const char *text)
{
        add(line, text, LOG_LINE_PLAIN);
}

/* "MARK NAME: LEVEL: TEXT". The journal records the time itself. */
static void make_text(struct log_line *line, const struct log_line_style *style,
        const struct log_line_kind *kind, const char *text)
{
        if (style->is_journal) {
                add_plain(line, kind->priority);
        } else if (style->tells_time) {
                tell_time(line);
                add_plain(line, line->time);
                add_plain(line, " ");
        }
        if (style->name) {
                add_plain(line, style->name);
                add_plain(line, ": ");
        }
        if (kind->is_named) {
                add_plain(line, kind->level);
                add_plain(line, ": ");
        }
        add(line, text, LOG_LINE_MASKED);
        add_plain(line, "\n");
}

static void make_json(struct log_line *line, const struct log_line_style *style,
        const struct log_line_kind *kind, const char *text)
{
        tell_time(line);
        add_plain(line, "{\"time\":\"");
        add_plain(line, line->time);
        add_plain(line, "\",\"level\":\"");
        add_plain(line, kind->level);
        if (style->name) {
                add_plain(line, "\",\"program\":\"");
                add(line, style->name, LOG_LINE_ESCAPED);
        }
        add_plain(line, "\",\"message\":\"");
        add(line, text, LOG_LINE_ESCAPED);
        add_plain(line, "\"}\n");
}

void log_line_make(struct log_line *line, const struct log_line_style *style,
        const struct log_line_kind *kind, const char *text)
{
        line->count = 0;
        if (style->is_json)
                make_json(line, style, kind, text);
        else
                make_text(line, style, kind, text);
}

void log_line_take(struct log_line *line, const char *text, size_t size)
{
        line->pieces[0] = (struct log_line_piece){ text, size, LOG_LINE_PLAIN };
        line->count = 1;
}

/* ---- writing ---- */

static bool is_printable(unsigned char c)
{
        return c >= ' ' && c < 0x7f;
}

/* Returns behind it. What is not printable ASCII is escaped by its number, as in the access log. */
static char *write_escaped(char *to, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";

        if (c == '"' || c == '\\') {
                *to++ = '\\';
        } else if (!is_printable(c)) {
                memcpy(to, "\\u00", 4);
                to[4] = hex[c >> 4];
                to[5] = hex[c & 15];
                return to + ESCAPE_BYTES;
        }
        *to++ = (char)c;
        return to;
}

static size_t piece_size(const struct log_line_piece *piece)
{
        char escape[ESCAPE_BYTES];
        size_t size = 0;

        if (piece->copy != LOG_LINE_ESCAPED)
                return piece->size;
        for (size_t i = 0; i < piece->size; i++)
                size += (size_t)(write_escaped(escape, (unsigned char)piece->text[i]) - escape);
        return size;
}

/* Returns behind it. */
static char *write_piece(const struct log_line_piece *piece, char *to)
{
        if (piece->copy == LOG_LINE_ESCAPED) {
                for (size_t i = 0; i < piece->size; i++)
                        to = write_escaped(to, (unsigned char)piece->text[i]);
                return to;
        }
        memcpy(to, piece->text, piece->size);
        for (size_t i = 0; piece->copy == LOG_LINE_MASKED && i < piece->size; i++) {
                if ((unsigned char)to[i] < ' ' || to[i] == 0x7f)
                        to[i] = '?';
        }
        return to + piece->size;
}

size_t log_line_size(const struct log_line *line)
{
        size_t size = 0;

        for (unsigned i = 0; i < line->count; i++)
                size += piece_size(&line->pieces[i]);
        return size;
}

void log_line_write(const struct log_line *line, char *to)
{
        for (unsigned i = 0; i < line->count; i++)
                to = write_piece(&line->pieces[i], to);
}
