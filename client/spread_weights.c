/* SPDX-License-Identifier: MIT */

/* Policies that look at how busy addresses are: weighted_round_robin and least_request. */

#include "client/least_request.h"
#include "client/outcall.h"
#include "client/spread.h"

/* ---- weighted_round_robin ---- */

/* What servers report; until any does, what was said of their addresses. */
static void weigh(struct spread *self, uint64_t now_ns)
{
        const struct balancing *balancing = &self->balancer.channel->balancing;
        double weights[QUOIT_CHANNEL_ADDRESSES_MAX];
        bool is_known = false;

        for (unsigned i = 0; i < self->count; i++) {
                weights[i] = load_weight_now(&self->ready[i]->weight, balancing->blackout_ns,
                        balancing->expiration_ns, now_ns);
                is_known |= weights[i] > 0;
        }
        for (unsigned i = 0; !is_known && i < self->count; i++)
                weights[i] = self->ready[i]->share;
        stride_set(&self->stride, weights, self->count);
        self->weighed_ns = now_ns;
}

static int choose_weighted(struct spread *self, const struct quoit_outcall *call)
{
        uint64_t now_ns = ring_now_ns(channel_ring(self->balancer.channel));

        (void)call;
        if (self->weighed_ns == 0 ||
                now_ns - self->weighed_ns >= self->balancer.channel->balancing.update_ns)
                weigh(self, now_ns);
        return (int)stride_next(&self->stride);
}

/* The report that came with the call's trailers, if there is one. */
static void on_done(struct balancer *balancer, struct subchannel *subchannel,
        struct quoit_outcall *call, quoit_status status)
{
        struct load_report report;
        upb_StringView value;

        (void)status;
        if (balancer->channel->balancing.reporting_ns > 0)
                return;
        if (fields_find(&call->response.trailers, LOAD_REPORT_FIELD, &value) &&
                load_report_parse(value.data, value.size, &report) == 0)
                load_weight_report(&subchannel->weight, &report,
                        balancer->channel->balancing.error_penalty,
                        ring_now_ns(channel_ring(balancer->channel)));
}

const struct spread_policy weighted_round_robin = {
        .policy = { .name = "weighted_round_robin", SPREAD_POLICY, .on_done = on_done },
        .choose = choose_weighted,
};

/* ---- least_request ---- */

static uint64_t draw(void *user)
{
        return ring_jitter(channel_ring(((struct spread *)user)->balancer.channel));
}

static uint32_t calls_of(void *user, uint32_t index)
{
        return ((struct spread *)user)->ready[index]->calls;
}

static int choose_least(struct spread *self, const struct quoit_outcall *call)
{
        (void)call;
        return (int)least_request_choose(
                self->count, self->balancer.channel->balancing.choice_count, draw, calls_of, self);
}

const struct spread_policy least_request = {
        .policy = { .name = "least_request_experimental", SPREAD_POLICY },
        .choose = choose_least,
};
