/* SPDX-License-Identifier: MIT */
#pragma once

/* Answers of DNS as bytes, which may be anything, by c-ares. Pure. */

#include <stddef.h>
#include <stdint.h>

struct dns_srv;
struct dns_txt;

/* Both return a status of c-ares; *@srv, *@txt have what there is then. ARES_ENODATA: nothing of that kind. */
int dns_records_read_srv(const uint8_t *bytes, size_t size, struct dns_srv *srv);
int dns_records_read_txt(const uint8_t *bytes, size_t size, struct dns_txt *txt);
