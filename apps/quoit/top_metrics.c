/* SPDX-License-Identifier: MIT */
#include "top_metrics.h"

#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 2 }; /* of each step */

/* ---- the histogram ---- */

static void add(struct top_latency *latency, double bound_s, double count)
{
        size_t at = 0;

        while (at < latency->count && latency->bounds_s[at] < bound_s)
                at++;
        if (at == latency->count || latency->bounds_s[at] != bound_s) {
                size_t behind = (latency->count - at) * sizeof(double);

                if (latency->count == TOP_BUCKETS_MAX)
                        return;
                memmove(&latency->bounds_s[at + 1], &latency->bounds_s[at], behind);
                memmove(&latency->counts[at + 1], &latency->counts[at], behind);
                latency->bounds_s[at] = bound_s;
                latency->counts[at] = 0;
                latency->count++;
        }
        latency->counts[at] += count;
}

/* A sample of it: NAME_bucket{...,le="0.005"} 12. */
static void parse_line(struct top_latency *latency, const char *line, size_t size)
{
        static const char *const names[] = { "grpc_server_call_duration_seconds_bucket{",
                "grpc_server_handling_seconds_bucket{" };
        const char *le = memmem(line, size, "le=\"", 4), *end = memchr(line, '}', size);
        double bound_s;

        if (strncmp(line, names[0], strlen(names[0])) != 0 &&
                strncmp(line, names[1], strlen(names[1])) != 0)
                return;
        if (!le || !end || le > end)
                return;
        bound_s = strtod(le + 4, NULL); /* "+Inf" too */
        if (bound_s > 0)
                add(latency, bound_s, strtod(end + 1, NULL));
}

void top_metrics_parse(struct top_latency *latency, const char *text)
{
        while (*text) {
                size_t size = strcspn(text, "\n");

                parse_line(latency, text, size);
                text += size + (text[size] == '\n');
        }
}

static double calls_until(
        const struct top_latency *before, const struct top_latency *now, size_t bucket)
{
        for (size_t i = 0; i < before->count; i++)
                if (before->bounds_s[i] == now->bounds_s[bucket])
                        return now->counts[bucket] - before->counts[i];
        return now->counts[bucket];
}

double top_metrics_quantile_s(
        const struct top_latency *before, const struct top_latency *now, double q)
{
        double all = now->count ? calls_until(before, now, now->count - 1) : 0;
        double below = 0, lower_s = 0;

        if (all <= 0)
                return -1;
        for (size_t i = 0; i < now->count; i++) {
                double until = calls_until(before, now, i);

                if (until >= q * all) {
                        if (isinf(now->bounds_s[i]) || until <= below)
                                return lower_s;
                        return lower_s +
                               (now->bounds_s[i] - lower_s) * (q * all - below) / (until - below);
                }
                below = until;
                lower_s = now->bounds_s[i];
        }
        return lower_s;
}

/* ---- HTTP ---- */

struct place {
        char host[256], port[16], path[256];
};

static bool parse_url(const char *url, struct place *ret_place)
{
        const char *host = strncmp(url, "http://", 7) ? url : url + 7;
        size_t size = strcspn(host, "/");
        const char *colon = memrchr(host, ':', size);
        bool is_bracketed = host[0] == '[' && colon && colon[-1] == ']';
        int host_size = colon ? (int)(colon - host) - 2 * is_bracketed : 0;

        if (!colon || host_size <= 0 || (size_t)host_size >= sizeof(ret_place->host) ||
                strstr(host, "://"))
                return false;
        snprintf(ret_place->host, sizeof(ret_place->host), "%.*s", host_size, host + is_bracketed);
        snprintf(ret_place->port, sizeof(ret_place->port), "%.*s", (int)(host + size - colon - 1),
                colon + 1);
        snprintf(ret_place->path, sizeof(ret_place->path), "%s",
                host[size] ? host + size : "/metrics");
        return true;
}

/* A descriptor, or -1. */
static int connect_to(const struct place *place)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *one;
        struct timeval patience = { .tv_sec = PATIENCE_S };
        int fd = -1;

        if (getaddrinfo(place->host, place->port, &hints, &all) != 0)
                return -1;
        for (one = all; one && fd < 0; one = one->ai_next) {
                fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, 0);
                if (fd < 0)
                        continue;
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
                if (connect(fd, one->ai_addr, one->ai_addrlen) < 0) {
                        close(fd);
                        fd = -1;
                }
        }
        freeaddrinfo(all);
        return fd;
}

/* By HTTP/1.0: the answer ends with the connection, and has no chunks. The caller frees it; NULL: there is none. */
static char *get(const struct place *place)
{
        int fd = connect_to(place);
        char *text = fd < 0 ? NULL : malloc(TOP_METRICS_BYTES_MAX + 1);
        size_t size = 0;
        ssize_t n = -1;

        if (text && dprintf(fd, "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: text/plain\r\n\r\n",
                            place->path, place->host) > 0)
                while ((n = read(fd, text + size, TOP_METRICS_BYTES_MAX - size)) > 0)
                        size += (size_t)n;
        if (fd >= 0)
                close(fd);
        if (n < 0) {
                free(text);
                return NULL;
        }
        text[size] = '\0';
        return text;
}

bool top_metrics_take(const char *url, struct top_latency *ret_latency)
{
        struct place place;
        char *text = parse_url(url, &place) ? get(&place) : NULL;

        *ret_latency = (struct top_latency){ 0 };
        if (text)
                top_metrics_parse(ret_latency, text);
        free(text);
        return ret_latency->count > 0;
}
