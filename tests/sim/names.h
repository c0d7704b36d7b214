/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The server of names that the client asks, by c-ares, whose sockets are simulated. What it says changes: which of the servers the name
 * has, of which family, with addresses that refuse or never answer among them; or that there is none. Answers come late, or never.
 */

/* What a channel is made for. */
#define NAMES_TARGET "dns://10.0.0.53/service.sim.:443"

/* The name has the first @servers places. */
void names_begin(unsigned servers);

/* It has others from now on. */
void names_change(void);

/* In calm times it has all servers, and is asked in vain no more. */
void names_calm(void);
