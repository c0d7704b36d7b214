/* SPDX-License-Identifier: MIT */
#include "results.h"

#include <stdio.h>
#include <string.h>

#include "../json_write.h"

static void write_json(const char *text)
{
        json_write_string(stdout, upb_StringView_FromString(text));
}

/* What is from the file, or from a peer, cannot move the terminal's cursor. */
static void write_plain(const char *text)
{
        for (; *text; text++)
                putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void results_begin(const struct results *results, const char *target)
{
        if (!results->is_json)
                return;
        fputs("{\"target\":", stdout);
        write_json(target);
        fputs(",\"differences\":[", stdout);
}

/* "pkg.Service/Method" */
static const char *method_of(const struct tape_call *call)
{
        return call->path[0] == '/' ? call->path + 1 : call->path;
}

static void add_json(const struct results *results, const struct difference *difference)
{
        printf("%s{\"call\":%zu,\"method\":", results->differences ? "," : "",
                difference->call->number);
        write_json(method_of(difference->call));
        fputs(",\"what\":", stdout);
        write_json(difference->what);
        if (difference->reply)
                printf(",\"reply\":%zu", difference->reply);
        if (difference->field) {
                fputs(",\"field\":", stdout);
                write_json(difference->field);
        }
        fputs(",\"recorded\":", stdout);
        write_json(difference->was);
        fputs(",\"now\":", stdout);
        write_json(difference->is);
        putchar('}');
}

static void add_line(const struct difference *difference)
{
        printf("call %zu ", difference->call->number);
        write_plain(method_of(difference->call));
        printf(": %s", difference->what);
        if (difference->reply)
                printf(" %zu", difference->reply);
        if (difference->field) {
                fputs(": ", stdout);
                write_plain(difference->field);
        }
        fputs(": ", stdout);
        write_plain(difference->was);
        fputs(" was recorded, now ", stdout);
        write_plain(difference->is);
        putchar('\n');
}

void results_add(struct results *results, const struct difference *difference)
{
        if (results->is_json)
                add_json(results, difference);
        else
                add_line(difference);
        results->differences++;
        fflush(stdout);
}

void results_count(struct results *results, quoit_status status, size_t differences)
{
        results->calls++;
        results->agreed += differences == 0;
        results->statuses[status < RESULTS_STATUSES ? status : QUOIT_UNKNOWN]++;
}

static void end_json(const struct results *results, size_t left_out, double seconds)
{
        const char *comma = "";

        printf("],\"calls\":%zu,", results->calls);
        if (results->compares)
                printf("\"agreed\":%zu,\"differed\":%zu,", results->agreed,
                        results->calls - results->agreed);
        printf("\"left_out\":%zu,\"statuses\":{", left_out);
        for (int i = 0; i < RESULTS_STATUSES; i++) {
                if (!results->statuses[i])
                        continue;
                printf("%s\"%s\":%zu", comma, quoit_status_name((quoit_status)i),
                        results->statuses[i]);
                comma = ",";
        }
        printf("},\"seconds\":%.3f}\n", seconds);
}

void results_end(const struct results *results, size_t left_out, double seconds)
{
        const char *separator = ":";

        if (results->is_json) {
                end_json(results, left_out, seconds);
                return;
        }
        printf("%zu calls in %.2f s", results->calls, seconds);
        if (results->compares)
                printf(": %zu agree, %zu differ", results->agreed,
                        results->calls - results->agreed);
        for (int i = 0; !results->compares && i < RESULTS_STATUSES; i++) {
                if (!results->statuses[i])
                        continue;
                printf("%s %zu %s", separator, results->statuses[i],
                        quoit_status_name((quoit_status)i));
                separator = ",";
        }
        if (left_out)
                printf("; %zu of the file were left out", left_out);
        putchar('\n');
}
