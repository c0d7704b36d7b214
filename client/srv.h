/* SPDX-License-Identifier: MIT */
#pragma once

/* What records of SRV ask of their reader (RFC 2782). Pure. */

#include <stdint.h>

#include "client/dns.h"

/* Begins the name that is looked up for a host (RFC 2782, "The format of the SRV RR"). */
#define SRV_PREFIX "_grpc._tcp."

/*
 * The domain that a name is about: "_SERVICE._PROTOCOL.DOMAIN" names a service itself, any other is its own domain. In @name. Such a
 * name has no addresses of its own.
 */
const char *srv_domain(const char *name);

/*
 * Puts records, which are sorted by priority, in the order in which they are tried: those of one priority by chance, the sooner the
 * larger their weights. @draw: a random number.
 */
void srv_order(
        struct dns_service *services, unsigned count, uint64_t (*draw)(void *user), void *user);

/* What each of @address_count addresses has of the weight of its target; never 0. */
uint32_t srv_share(const struct dns_service *service, unsigned address_count);
