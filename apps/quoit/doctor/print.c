/* SPDX-License-Identifier: MIT */
#include "print.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
        TOPIC_COLUMNS = 32,
        TEXT_COLUMN = 2 + 6 + TOPIC_COLUMNS + 1, /* where the text begins */
        COLUMNS_MIN = TEXT_COLUMN + 30, /* narrower ones are left to the terminal */
        LINE_BYTES = 2 * FINDING_TEXT_BYTES + 8,
};

static unsigned columns_of(int fd)
{
        struct winsize size;

        if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < COLUMNS_MIN)
                return 0;
        return size.ws_col;
}

void lines_init(struct lines *ret_lines, bool is_plain)
{
        *ret_lines = (struct lines){
                .paint = paint_for(STDOUT_FILENO, is_plain),
                .columns = columns_of(STDOUT_FILENO),
        };
}

/* How much of @text fits into @room columns, cut between words where that is possible. */
static int fit(const char *text, int room)
{
        int size = (int)strlen(text);

        if (size <= room)
                return size;
        for (int cut = room; cut > 0; cut--)
                if (text[cut] == ' ')
                        return cut;
        return room;
}

/* Further lines begin where the first one does. */
static void print_wrapped(const char *text, unsigned columns, int begin)
{
        while (columns > 0 && *text) {
                int size = fit(text, (int)columns - begin);

                printf("%.*s\n", size, text);
                text += size;
                text += strspn(text, " ");
                begin = TEXT_COLUMN;
                if (*text)
                        printf("%*s", TEXT_COLUMN, "");
        }
        if (columns == 0)
                printf("%s\n", text);
}

static const char *paint_of(const struct paint *paint, enum verdict verdict)
{
        switch (verdict) {
        case VERDICT_OK:
                return paint->good;
        case VERDICT_WARN:
                return paint->warning;
        case VERDICT_FAIL:
                break;
        }
        return paint->bad;
}

void lines_print(const struct finding *finding, void *user)
{
        struct lines *lines = user;
        const struct paint *paint = lines->paint;
        char text[LINE_BYTES];
        int begin = TEXT_COLUMN;

        if (finding->section != lines->section) {
                printf("%s%s%s%s\n", lines->section ? "\n" : "", paint->bold, finding->section,
                        paint->end);
                lines->section = finding->section;
        }
        if (strlen(finding->topic) > TOPIC_COLUMNS)
                begin += (int)strlen(finding->topic) - TOPIC_COLUMNS;
        snprintf(text, sizeof(text), "%s%s%s", finding->text, finding->advice[0] ? "; " : "",
                finding->advice);
        printf("  %s%-4s%s  %-*s ", paint_of(paint, finding->verdict),
                verdict_name(finding->verdict), paint->end, TOPIC_COLUMNS, finding->topic);
        print_wrapped(text, lines->columns, begin);
        fflush(stdout); /* the next one may take a while */
}

static size_t count(const struct report *report, enum verdict verdict)
{
        size_t sum = 0;

        for (size_t i = 0; i < report->count; i++)
                sum += report->findings[i].verdict == verdict;
        return sum;
}

void lines_print_sum(const struct lines *lines, const struct report *report)
{
        const struct paint *paint = lines->paint;

        printf("\n%s%zu checks: %zu OK, %zu WARN, %zu FAIL%s\n", paint_of(paint, report->worst),
                report->count, count(report, VERDICT_OK), count(report, VERDICT_WARN),
                count(report, VERDICT_FAIL), paint->end);
}

static void print_string(const char *text)
{
        putchar('"');
        for (; *text; text++) {
                if (*text == '"' || *text == '\\')
                        putchar('\\');
                putchar((unsigned char)*text < ' ' ? '?' : *text);
        }
        putchar('"');
}

static void print_member(const char *name, const char *text)
{
        printf(",\"%s\":", name);
        print_string(text);
}

void findings_print_json(const struct report *report, const char *target)
{
        printf("{\"verdict\":\"%s\"", verdict_name(report->worst));
        if (target)
                print_member("target", target);
        printf(",\"findings\":[");
        for (size_t i = 0; i < report->count; i++) {
                const struct finding *finding = &report->findings[i];

                printf("%s\n{\"verdict\":\"%s\"", i > 0 ? "," : "", verdict_name(finding->verdict));
                print_member("section", finding->section);
                print_member("topic", finding->topic);
                print_member("text", finding->text);
                if (finding->advice[0])
                        print_member("advice", finding->advice);
                putchar('}');
        }
        puts("\n]}");
}
