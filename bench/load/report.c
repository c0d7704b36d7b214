/* SPDX-License-Identifier: MIT */
#include "bench/load/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/clock.h"

static double to_seconds(uint64_t ns)
{
        return (double)ns / (double)NS_PER_SECOND;
}

static double seconds_of(const struct load *load)
{
        return to_seconds(load->ended_ns - load->began_ns);
}

static double calls_per_second(const struct load *load)
{
        double seconds = seconds_of(load);

        return seconds > 0 ? (double)load->calls / seconds : 0;
}

/* ---- for people ---- */

static void text_latency(const char *name, struct latency *latency)
{
        struct latency_summary s = latency_summarize(latency);

        printf("%s, µs: p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f  mean %.1f\n", name,
                s.p50_us, s.p90_us, s.p99_us, s.p999_us, s.max_us, s.mean_us);
}

void report_text(struct load *load)
{
        printf("%" PRIu64 " calls in %.3f s, %.0f a second; %" PRIu64 " failed\n", load->calls,
                seconds_of(load), calls_per_second(load), load->errors.count);
        for (unsigned i = 0; i < load->errors.kind_count; i++)
                printf("  %s: %" PRIu64 "\n", load->errors.kinds[i].text,
                        load->errors.kinds[i].count);
        text_latency("latency", &load->latencies[0]);
        if (load->options->mix_path)
                text_latency("latency of the mix", &load->latencies[1]);
        printf("%zu bytes in, %zu bytes out; own CPU time %.3f s, at most %.1f µs late\n",
                load->bytes_in, load->bytes_out, to_seconds(load->cpu_ns),
                (double)load->behind_ns / (double)NS_PER_US);
}

/* ---- for programs ---- */

static void json_string(const char *text)
{
        putchar('"');
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                /* Text from a server need not be UTF-8. */
                if (c < 0x20 || c >= 0x7f)
                        printf("\\u%04x", c);
                else if (c == '"' || c == '\\')
                        printf("\\%c", c);
                else
                        putchar(c);
        }
        putchar('"');
}

static void json_errors(const struct errors *errors)
{
        printf("\"errors\": {");
        for (unsigned i = 0; i < errors->kind_count; i++) {
                if (i > 0)
                        printf(", ");
                json_string(errors->kinds[i].text);
                printf(": %" PRIu64, errors->kinds[i].count);
        }
        printf("}, ");
}

static void json_latency(const char *name, struct latency *latency)
{
        struct latency_summary s = latency_summarize(latency);

        printf("\"%s\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
               "\"max\": %.1f, \"mean\": %.2f}, ",
                name, s.p50_us, s.p90_us, s.p99_us, s.p999_us, s.max_us, s.mean_us);
}

void report_json(struct load *load)
{
        printf("{\"calls\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"warmup_calls\": %" PRIu64 ", ",
                load->calls, load->errors.count, load->warmup_calls);
        json_errors(&load->errors);
        printf("\"seconds\": %.9f, \"calls_per_second\": %.3f, \"cpu_seconds\": %.9f, "
               "\"behind_seconds_max\": %.9f, ",
                seconds_of(load), calls_per_second(load), to_seconds(load->cpu_ns),
                to_seconds(load->behind_ns));
        json_latency("latency_us", &load->latencies[0]);
        if (load->options->mix_path)
                json_latency("mix_latency_us", &load->latencies[1]);
        printf("\"bytes_in\": %zu, \"bytes_out\": %zu}\n", load->bytes_in, load->bytes_out);
}
