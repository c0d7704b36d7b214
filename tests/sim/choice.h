/* SPDX-License-Identifier: MIT */
#pragma once

/* What chance chooses for a client of the product: its limits, and a channel's addresses, balancer and policies. */

#include <stdbool.h>

#include <quoit/client.h>

struct rules;

/* What the run says to its client. */
struct setting {
        const bool *server_stops; /* the run's own is about to */
        const bool *server_is_over; /* then the client ends, or earlier */
        unsigned servers; /* how many there are: fleet.h */
        bool is_secure, is_gentle;
        bool admits_all; /* in calm times servers take all calls, whatever has been */
};

void choose_client_limits(const struct setting *setting, quoit_client_limits *limits);

struct choice {
        const struct setting *setting;
        struct rules *rules; /* of the channel's calls: filled in */
        bool has_name; /* the channel's target is one */
};

/* No channel of the run has an interceptor yet; and when all calls have ended: they were told of each end. */
void choice_begin_run(void);
void choice_check_ended(void);

/* A channel of @client. 0; or -ENOMEM, or what else follows from a lack of memory. */
int choose_channel(struct choice *choice, quoit_client *client, quoit_channel **ret_channel);
