/* SPDX-License-Identifier: MIT */
#pragma once

/* A server of DNS on a thread, on UDP and TCP of one port of 127.0.0.1, that does what its rules say. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum { NAME_A = 1, NAME_TXT = 16, NAME_AAAA = 28, NAME_SRV = 33 };

enum name_act {
        NAME_ANSWERS, /* with `count` addresses */
        NAME_TRUNCATES, /* by UDP; answers by TCP */
        NAME_IS_SILENT,
        NAME_IS_SILENT_ONCE,
        NAME_FAILS, /* SERVFAIL */
        NAME_CONFUSES, /* with addresses of the other family */
        NAME_TALKS_GARBAGE, /* behind a good header and question */
};

struct name_service {
        const char *host;
        unsigned priority, weight, port;
};

struct name_rule {
        const char *name; /* NULL: the last one. Other names do not exist */
        unsigned type; /* 0: all */
        enum name_act act;
        /* 127.0.0.x and ::x, and from there on; 0 addresses: the name has none of this type */
        unsigned first, count;
        const struct name_service *services; /* of SRV, `count` of them */
        const char *text; /* of TXT: one record, in strings of 255 bytes at most */
        unsigned late_ms; /* at most 8 answers at a time are late */
};

struct name_server {
        uint16_t port;
        _Atomic(const struct name_rule *) rules; /* can be replaced at any time */
        atomic_uint asked; /* questions by UDP */
        atomic_uint asked_by_tcp;

        int udp, tcp, stop; /* its own */
        pthread_t thread;
        struct name_late *late;
};

void name_server_start(struct name_server *server, const struct name_rule *rules);
void name_server_stop(struct name_server *server);
