/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of commands that connect. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flags.h"
#include "protocol.h"

/* How a target is spoken to. */
enum scheme {
        SCHEME_FOUND, /* HTTP/2 in the clear, else by TLS: what the server speaks; by TLS first where flags or the port say so */
        SCHEME_PLAINTEXT,
        SCHEME_TLS,
};

/* All zeros: no flag was given. Strings are those of argv. */
struct connection_flags {
        int scheme; /* enum scheme */
        int protocol; /* enum protocol; a command that can do all of them begins with FOUND */
        int engine; /* quoit_engine */
        bool is_insecure; /* whoever the server is */
        bool is_unix; /* the target is the path of a unix socket */
        const char *ca_file, *certificate_file, *key_file;
        const char *server_name; /* that the certificate must be for */
        const char *authority;
        const char *user_agent;
        const char *proxy;
        const char *service_config; /* JSON, or @FILE */
        unsigned retries; /* a call that a server has not taken is tried again so often */
        uint32_t connect_ms; /* until there is a connection; 0: 10 s */
        uint32_t keepalive_ms;
        size_t message_bytes_max; /* received; 0: the client's default */
};

extern const struct flag connection_flags[];

/* That of commands which can do all protocols, of the same struct. */
extern const struct flag protocol_flags[];
