/* SPDX-License-Identifier: MIT */
#include "secure.h"

#include <errno.h>
#include <stdlib.h>

#include "core/engine/sim.h"
#include "pki.h"

static struct pki pki;
static struct tls_context *clients;

void secure_begin(void)
{
        static const quoit_tls_options options;
        struct tls_client_rules rules = { .options = &options };
        struct tls_problem problem;

        pki_init(&pki, "DNS:localhost");
        rules.ca_file = pki.certificate_file;
        if (tls_context_new_client(&rules, &clients, &problem) < 0)
                abort();
}

void secure_end(void)
{
        tls_context_unref(clients);
        pki_deinit(&pki);
}

const char *secure_ca_file(void)
{
        return pki.certificate_file;
}

quoit_tls *secure_rules(void)
{
        quoit_tls *rules;

        sim_own_begin(); /* it asserts that there is memory */
        rules = pki_rules(&pki, NULL);
        sim_own_end();
        return rules;
}

void secure_client(struct tls *tls)
{
        struct tls_problem problem;

        if (tls_init_client(tls, clients, "localhost") < 0 ||
                tls_handshake(tls, sim.now_ns, &problem) != -EAGAIN)
                abort();
}
