/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../connection.h"
#include "dns.h"
#include "elapsed.h"
#include "grpc.h"
#include "http2.h"
#include "tcp.h"
#include "tls.h"

enum { TIMEOUT_MS = 10000 };

/* What the layers hand on. */
struct visit {
        struct report *report;
        struct connection_flags flags; /* their scheme is the one that is found */
        struct place place;
        const struct address *address; /* that can be connected to */
        unsigned timeout_ms;
};

/* The answer to this comes in the clear, or it wants TLS. */
static bool tries_tls_first(const struct visit *visit)
{
        const struct connection_flags *flags = &visit->flags;

        return flags->scheme == SCHEME_TLS || visit->place.port == PLACE_PORT_DEFAULT ||
               flags->is_insecure || flags->ca_file || flags->certificate_file ||
               flags->server_name;
}

/* A new connection. False: there is none, which was said. */
static bool open_wire(struct visit *visit, struct wire *ret_wire)
{
        int fd = tcp_connect(visit->address, visit->timeout_ms);

        if (fd < 0) {
                report_fail(visit->report, visit->address->text, "look at the server's log",
                        "a second connection: %s", strerror(-fd));
                return false;
        }
        *ret_wire = (struct wire){
                .fd = fd,
                .deadline_ns = clock_now_ns() + visit->timeout_ms * UINT64_C(1000000),
        };
        return true;
}

/* The name that the certificate must be for: the flags', else the host. */
static const char *expected_name(const struct visit *visit, char text[PLACE_HOST_BYTES])
{
        const char *authority = visit->flags.authority;

        if (visit->flags.server_name)
                return visit->flags.server_name;
        if (!authority)
                return visit->place.kind == PLACE_HOST ? visit->place.host : "localhost";
        strncpy(text, authority, PLACE_HOST_BYTES - 1);
        text[PLACE_HOST_BYTES - 1] = '\0';
        text[strcspn(text, ":")] = '\0';
        return text;
}

/* SPEECH_OTHER: there is no TLS, which was said unless @is_quiet. */
static enum speech try_tls(struct visit *visit, bool is_quiet)
{
        char text[PLACE_HOST_BYTES];
        const struct tls_flags flags = {
                .ca_file = visit->flags.ca_file,
                .certificate_file = visit->flags.certificate_file,
                .key_file = visit->flags.key_file,
                .name = expected_name(visit, text),
                .is_insecure = visit->flags.is_insecure,
        };
        enum speech speech = SPEECH_OTHER;
        struct wire wire;

        if (!open_wire(visit, &wire))
                return SPEECH_CLOSED;
        visit->report->section = "TLS";
        if (tls_check(visit->report, &wire, &flags, is_quiet) == 0) {
                visit->flags.scheme = SCHEME_TLS;
                visit->report->section = "HTTP/2";
                speech = http2_check(visit->report, &wire);
                http2_complain(visit->report, speech, true);
        }
        wire_close(&wire);
        return speech;
}

static enum speech try_plain(struct visit *visit)
{
        enum speech speech;
        struct wire wire;

        if (!open_wire(visit, &wire))
                return SPEECH_CLOSED;
        visit->report->section = "HTTP/2";
        speech = http2_check(visit->report, &wire);
        wire_close(&wire);
        if (speech == SPEECH_HTTP2)
                visit->flags.scheme = SCHEME_PLAINTEXT;
        return speech;
}

/* True: it is HTTP/2, and visit->flags.scheme says how. */
static bool check_speech(struct visit *visit)
{
        int wanted = visit->flags.scheme;
        bool tls_first = tries_tls_first(visit) && wanted != SCHEME_PLAINTEXT;
        enum speech speech;

        if (tls_first) {
                speech = try_tls(visit, wanted == SCHEME_FOUND);
                if (visit->flags.scheme == SCHEME_TLS)
                        return speech == SPEECH_HTTP2;
                if (try_plain(visit) == SPEECH_HTTP2)
                        return true;
                /* Neither: the first is what was meant. */
                (void)try_tls(visit, false);
                return false;
        }
        speech = try_plain(visit);
        if (speech == SPEECH_HTTP2)
                return true;
        if (wanted == SCHEME_FOUND && speech != SPEECH_SILENT) {
                enum speech behind_tls = try_tls(visit, true);

                if (visit->flags.scheme == SCHEME_TLS)
                        return behind_tls == SPEECH_HTTP2;
        }
        visit->report->section = "HTTP/2";
        http2_complain(visit->report, speech, false);
        return false;
}

static void check_calls(struct visit *visit, const char *target)
{
        struct connection *connection = NULL;
        quoit_error error;

        visit->report->section = "gRPC";
        if (connection_try(&visit->flags, target, &connection, &error) < 0) {
                report_fail(visit->report, "connection",
                        "look at the lines above, and at the server's log", "%s",
                        quoit_error_text(&error));
                return;
        }
        report_ok(visit->report, "connection", "ready after %.1f ms",
                (double)(connection->ready_ns - connection->begun_ns) / 1e6);
        grpc_check(visit->report, connection);
        connection_close(connection);
}

/* False: there is no address to go on with. */
static bool find_address(struct visit *visit, struct addresses *addresses)
{
        visit->report->section = "DNS";
        if (!addresses_add_place(addresses, &visit->place) &&
                !dns_check(visit->report, &visit->place, visit->timeout_ms, addresses))
                return false;
        visit->report->section = visit->place.kind == PLACE_UNIX ? "socket" : "TCP";
        visit->address = tcp_check(visit->report, addresses, visit->timeout_ms);
        return visit->address != NULL;
}

void target_check(struct report *report, const struct connection_flags *flags, const char *target)
{
        struct addresses addresses = { 0 };
        struct visit visit = {
                .report = report,
                .flags = *flags,
                .timeout_ms = flags->connect_ms ? flags->connect_ms : TIMEOUT_MS,
        };

        place_parse(&visit.place, target, flags->is_unix);
        if (visit.place.kind != PLACE_OTHER &&
                (!find_address(&visit, &addresses) || !check_speech(&visit)))
                return;
        check_calls(&visit, target);
}
