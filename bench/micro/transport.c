/* SPDX-License-Identifier: MIT */

/* micro-transport: what HTTP/2 sessions and calls cost without sockets, beside a bare nghttp2 server. */

#include <stdio.h>

#include "bench/micro/measure.h"
#include "bench/micro/transport_client.h"

#define CALLS_A_ROUND 50000

/* Not inlined: a profiler can begin to count here. */
static void __attribute__((noinline)) replay(struct client *client, unsigned batches)
{
        while (batches-- > 0)
                client_replay(client);
}

static double round_of(const struct server_ops *ops, unsigned batch)
{
        struct client *client = client_open(ops, batch);
        unsigned batches = CALLS_A_ROUND / batch;
        uint64_t start_ns, end_ns;

        replay(client, batches / 20); /* into the caches */
        start_ns = measure_cpu_ns();
        replay(client, batches);
        end_ns = measure_cpu_ns();
        client_close(client);
        return (double)(end_ns - start_ns) / (batches * batch);
}

static double quoit_round(void *batch)
{
        return round_of(&quoit_server_ops, *(unsigned *)batch);
}

static double bare_round(void *batch)
{
        return round_of(&bare_server_ops, *(unsigned *)batch);
}

int main(int argc, char **argv)
{
        static const unsigned batches[] = { 1, 10, 100 };
        struct measure_options options = measure_parse(argc, argv, "micro-transport",
                "A unary call through sessions and calls in memory, in batches; the limit is a "
                "server\n"
                "that is nghttp2 alone.");

        for (unsigned i = 0; i < sizeof(batches) / sizeof(*batches); i++) {
                unsigned batch = batches[i];
                char name[64];

                snprintf(name, sizeof(name), "transport unary, batch of %u", batch);
                measure_compare(&options, name, quoit_round, bare_round, &batch);
        }
        return 0;
}
