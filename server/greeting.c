/* SPDX-License-Identifier: MIT */
#include "server/greeting.h"

#include <string.h>

#include "server/connection.h"
#include "transport/tls.h"

#define SHOWN_BYTES_MAX 24

static const char preface[] = "PRI * HTTP/2.0"; /* RFC 9113 section 3.4 */

static size_t smaller(size_t one, size_t other)
{
        return one < other ? one : other;
}

/* The line that it began with; what is not printable as a dot. */
static void show(char text[SHOWN_BYTES_MAX + 1], const uint8_t *data, size_t size)
{
        size_t shown = 0;

        while (shown < smaller(size, SHOWN_BYTES_MAX) && data[shown] != '\r' &&
                data[shown] != '\n') {
                text[shown] = (char)(data[shown] >= 0x20 && data[shown] < 0x7f ? data[shown] : '.');
                shown++;
        }
        text[shown] = '\0';
}

void greeting_explain(const struct connection *connection, const uint8_t *data, size_t size)
{
        struct quoit_server *server = connection->shard->server;
        uint64_t now_ns = ring_now_ns(&connection->shard->ring);
        char text[SHOWN_BYTES_MAX + 1];

        if (!connection->session.bad_preface)
                return; /* HTTP/2 it is, if no good one */
        if (connection->secure || connection->session.began ||
                memcmp(data, preface, smaller(size, sizeof(preface) - 1)) == 0) {
                server_log_peer(server, QUOIT_LOG_INFO, now_ns,
                        "%s: its HTTP/2 preface is damaged; closed", connection->peer.address);
                return;
        }
        if (size >= 3 && tls_is_record(data, size)) {
                server_log_peer(server, QUOIT_LOG_INFO, now_ns,
                        "%s: it speaks TLS, and this port is in the clear; closed",
                        connection->peer.address);
                return;
        }
        show(text, data, size);
        server_log_peer(server, QUOIT_LOG_INFO, now_ns,
                "%s: it begins with \"%s\", which is no HTTP/2; closed", connection->peer.address,
                text);
}
