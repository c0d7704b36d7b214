/* SPDX-License-Identifier: MIT */
#pragma once

/* Versions of TLS, for servers (tls.h) and for clients (client.h). */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* The lowest version that is accepted. */
typedef enum quoit_tls_version {
        QUOIT_TLS_VERSION_DEFAULT, /* 1.2 */
        QUOIT_TLS_VERSION_1_2,
        QUOIT_TLS_VERSION_1_3,
} quoit_tls_version;

QUOIT_END_DECLS
