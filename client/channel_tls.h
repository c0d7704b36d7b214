/* SPDX-License-Identifier: MIT */
#pragma once

/* A channel's TLS, as its program has it: files, and what is wrong with them. */

#include <quoit/client.h>

struct tls_client_config;
struct tls_problem;

/*
 * What is made of @tls, in *@ret_config, which keeps @sessions_max sessions; NULL where @tls is. 0, or as quoit_channel_tls_check(),
 * and @problem says why.
 */
int channel_tls_new(const quoit_channel_tls *tls, unsigned sessions_max,
        struct tls_client_config **ret_config, struct tls_problem *problem);
