/* SPDX-License-Identifier: MIT */
#include "transport/connect_answer.h"

#include <errno.h>

static const char version[] = "HTTP/1.";

#define VERSION_SIZE (sizeof(version) - 1)
#define STATUS_AT (VERSION_SIZE + 2) /* behind the minor version and a space */
#define STATUS_END (STATUS_AT + 3)

void connect_answer_init(struct connect_answer *answer, size_t bytes_max)
{
        *answer = (struct connect_answer){ .bytes_max = bytes_max };
}

static bool is_digit(uint8_t byte)
{
        return byte >= '0' && byte <= '9';
}

/* Whether @byte can stand at @at of a status line. So what speaks another protocol is known by its first bytes. */
static bool can_stand(size_t at, uint8_t byte)
{
        if (at < VERSION_SIZE)
                return byte == (uint8_t)version[at];
        if (at == STATUS_AT - 1 || at == STATUS_END)
                return byte == ' ';
        if (at < STATUS_END)
                return is_digit(byte);
        return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static int end_status_line(struct connect_answer *answer)
{
        const char *digits = answer->kept + STATUS_AT;

        if (answer->line_size < STATUS_END || digits[0] == '0')
                return -EPROTO;
        answer->status =
                (unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0');
        return answer->status >= 300 || answer->status == 101 ? -ECONNREFUSED : 0;
}

/* As connect_answer_feed(). */
static int end_line(struct connect_answer *answer)
{
        int r = 0;

        if (answer->status == 0) {
                r = end_status_line(answer);
        } else if (answer->line_size == 0) {
                r = answer->status >= 200;
                answer->status = 0; /* behind an interim one another answer follows */
                answer->kept_size = 0;
        }
        answer->line_size = 0;
        return r;
}

/* One byte of a line: it is kept, if that is a status line. 0 or -EPROTO. */
static int put(struct connect_answer *answer, uint8_t byte)
{
        size_t at = answer->line_size++;

        if (answer->status > 0)
                return 0;
        if (at < CONNECT_ANSWER_LINE_BYTES)
                answer->kept[answer->kept_size++] = (char)byte;
        return can_stand(at, byte) ? 0 : -EPROTO;
}

/* As connect_answer_feed(). */
static int feed_byte(struct connect_answer *answer, uint8_t byte)
{
        bool had_cr = answer->has_cr;
        int r = 0;

        if (++answer->bytes > answer->bytes_max)
                return -EMSGSIZE;
        answer->has_cr = byte == '\r';
        if (byte == '\n')
                return end_line(answer);
        if (had_cr) /* it was none of a line's end */
                r = put(answer, '\r');
        return r < 0 || answer->has_cr ? r : put(answer, byte);
}

int connect_answer_feed(
        struct connect_answer *answer, const uint8_t *data, size_t size, size_t *ret_used)
{
        size_t used = 0;
        int r = 0;

        while (r == 0 && used < size)
                r = feed_byte(answer, data[used++]);
        *ret_used = used;
        return r;
}

void connect_answer_text(
        const struct connect_answer *answer, char ret_text[static CONNECT_ANSWER_LINE_BYTES + 1])
{
        for (size_t i = 0; i < answer->kept_size; i++)
                ret_text[i] =
                        answer->kept[i] >= ' ' && answer->kept[i] <= '~' ? answer->kept[i] : '?';
        ret_text[answer->kept_size] = '\0';
}
