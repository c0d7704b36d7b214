/* SPDX-License-Identifier: MIT */
#include "services/sampler.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define ALL (UINT64_C(1) << 63)
#define PARENT_BASED "parentbased_"

/* A ratio, from 0 to 1, with a point whatever the program's locale has. */
static int parse_ratio(const char *text, uint64_t *ret_bound)
{
        locale_t plain = newlocale(LC_ALL_MASK, "C", NULL);
        double ratio;
        char *end;

        if (!plain)
                return -ENOMEM;
        ratio = strtod_l(text, &end, plain);
        freelocale(plain);
        if (end == text || *end || !(ratio >= 0 && ratio <= 1))
                return -EINVAL;
        *ret_bound = (uint64_t)(ratio * (double)ALL);
        return 0;
}

int sampler_parse(struct sampler *ret_sampler, const char *name, const char *argument)
{
        struct sampler sampler = { .bound = ALL };
        size_t size = strlen(PARENT_BASED);
        int r = 0;

        if (!name)
                name = PARENT_BASED "always_on";
        if (strncmp(name, PARENT_BASED, size) == 0) {
                sampler.asks_parent = true;
                name += size;
        }
        if (strcmp(name, "always_off") == 0)
                sampler.bound = 0;
        else if (strcmp(name, "traceidratio") == 0)
                r = parse_ratio(argument ? argument : "1", &sampler.bound);
        else if (strcmp(name, "always_on") != 0)
                r = -EINVAL;
        if (r == 0)
                *ret_sampler = sampler;
        return r;
}

bool sampler_wants(
        const struct sampler *sampler, const quoit_trace *trace, const quoit_trace *parent)
{
        uint64_t id = 0;

        if (sampler->asks_parent && parent)
                return parent->flags & QUOIT_TRACE_SAMPLED;
        /* of the id's last 8 bytes, as OpenTelemetry's libraries do: so all services agree */
        for (unsigned i = 8; i < 16; i++)
                id = id << 8 | trace->trace_id[i];
        return id >> 1 < sampler->bound;
}
