/* SPDX-License-Identifier: MIT */
#include "client/dns_records.h"

#define CARES_NO_DEPRECATED /* what takes their place is not in 1.18 */
#include <ares.h>
#include <stdlib.h>
#include <string.h>

#include "client/dns.h"
#include "client/target.h"

/* ---- SRV ---- */

/* Among those of its priority the last. The list may be full: then the least preferred one goes, which it can be itself. */
static void insert(struct dns_srv *srv, const struct ares_srv_reply *reply)
{
        unsigned at = srv->count;

        while (at > 0 && srv->services[at - 1].priority > reply->priority)
                at--;
        if (at == DNS_SRV_MAX)
                return;
        if (srv->count < DNS_SRV_MAX)
                srv->count++;
        memmove(srv->services + at + 1, srv->services + at,
                (srv->count - at - 1) * sizeof(*srv->services));
        srv->services[at] = (struct dns_service){
                .priority = reply->priority, .weight = reply->weight, .port = reply->port
        };
        strcpy(srv->services[at].host, reply->host);
}

static void take(struct dns_srv *srv, const struct ares_srv_reply *reply)
{
        if (strcmp(reply->host, ".") == 0 || reply->host[0] == '\0')
                srv->is_refused = true;
        else if (strlen(reply->host) < DNS_NAME_BYTES - 1 && target_is_name(reply->host) &&
                 reply->port > 0)
                insert(srv, reply);
}

int dns_records_read_srv(const uint8_t *bytes, size_t size, struct dns_srv *srv)
{
        struct ares_srv_reply *replies = NULL;
        int status = ares_parse_srv_reply(bytes, (int)size, &replies);

        for (const struct ares_srv_reply *reply = replies; reply; reply = reply->next)
                take(srv, reply);
        if (replies)
                ares_free_data(replies);
        return status == ARES_SUCCESS && srv->count == 0 ? ARES_ENODATA : status;
}

/* ---- TXT ---- */

/* Where the next record begins; NULL: there is none. */
static const struct ares_txt_ext *next_record(const struct ares_txt_ext *chunk)
{
        do {
                chunk = chunk->next;
        } while (chunk && !chunk->record_start);
        return chunk;
}

/* A record's strings in one (RFC 7208 section 3.3 has it so, and gRPC's proposal A2), at @record. ARES_ENODATA: without the prefix. */
static int join(struct dns_txt *txt, const struct ares_txt_ext *record)
{
        const struct ares_txt_ext *end = next_record(record);
        size_t size = 0, prefix_bytes = strlen(txt->prefix);
        char *text;

        for (const struct ares_txt_ext *chunk = record; chunk != end; chunk = chunk->next)
                size += chunk->length;
        text = malloc(size + 1);
        if (!text)
                return ARES_ENOMEM;
        size = 0;
        for (const struct ares_txt_ext *chunk = record; chunk != end; chunk = chunk->next) {
                memcpy(text + size, chunk->txt, chunk->length);
                size += chunk->length;
        }
        text[size] = '\0';
        if (size < prefix_bytes || memcmp(text, txt->prefix, prefix_bytes) != 0) {
                free(text);
                return ARES_ENODATA;
        }
        memmove(text, text + prefix_bytes, size - prefix_bytes + 1);
        txt->text = text;
        txt->size = size - prefix_bytes;
        return ARES_SUCCESS;
}

int dns_records_read_txt(const uint8_t *bytes, size_t size, struct dns_txt *txt)
{
        struct ares_txt_ext *replies = NULL;
        int status = ares_parse_txt_reply_ext(bytes, (int)size, &replies);

        if (status == ARES_SUCCESS)
                status = ARES_ENODATA;
        for (const struct ares_txt_ext *record = replies; record && status == ARES_ENODATA;
                record = next_record(record))
                status = join(txt, record);
        if (replies)
                ares_free_data(replies);
        return status;
}
