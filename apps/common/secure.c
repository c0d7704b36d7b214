/* SPDX-License-Identifier: MIT */
#include "secure.h"

#include <stddef.h>
#include <string.h>

#include "hangup.h"
#include "program.h"

/* ---- options ---- */

static void set_version_min(struct options *options, const struct option_value *value)
{
        static const char *const words[] = { "1.2", "1.3", NULL };
        static const quoit_tls_version versions[] = { QUOIT_TLS_VERSION_1_2,
                QUOIT_TLS_VERSION_1_3 };

        *(quoit_tls_version *)option_place(options, value) =
                versions[option_choose(value, words, "1.2 nor 1.3")];
}

#define CERTIFICATES_MAX 32
#define AT(member) .offset = offsetof(struct secure_options, member)

const struct option_entry secure_options[] = {
        { .about = "TLS, if there is a certificate; SIGHUP reads all its files again:" },
        { "tls-cert", "FILE",
                "certificate and the intermediate ones up to its root, PEM; can be repeated, each "
                "with its --tls-key: a client gets the one for the name that it asks for",
                option_add_text, AT(certificates), .max = CERTIFICATES_MAX, .kind = OPTION_LIST },
        { "tls-key", "FILE", "its private key, PEM", option_add_text, AT(keys),
                .max = CERTIFICATES_MAX, .kind = OPTION_LIST },
        { "tls-client-ca", "FILE", "clients must show a certificate signed by one of these",
                option_set_text, AT(tls.client_ca_file) },
        { "tls-client-optional", NULL, "they need not show one", option_set_switch,
                AT(client_optional) },
        { "tls-min", "VERSION", "1.2 or 1.3; default 1.2", set_version_min, AT(tls.version_min) },
        { "tls-ticket-key", "FILE", "80 secret bytes, to resume sessions across processes",
                option_set_text, AT(tls.ticket_key_file) },
        { 0 },
};

static bool wants_more(const struct secure_options *options)
{
        const quoit_tls_options *tls = &options->tls;

        return tls->client_ca_file || options->client_optional || tls->version_min ||
               tls->ticket_key_file;
}

void secure_complete(struct secure_options *options)
{
        quoit_tls_options *tls = &options->tls;

        if (options->certificates.count != options->keys.count)
                program_usage_error("--tls-cert and --tls-key come in pairs, there are %u and %u",
                        options->certificates.count, options->keys.count);
        if (options->certificates.count == 0 && wants_more(options))
                program_usage_error("TLS needs a certificate: give --tls-cert and --tls-key");
        if (!tls->client_ca_file && options->client_optional)
                program_usage_error("--tls-client-optional needs a --tls-client-ca");
        if (tls->client_ca_file)
                tls->client_auth = options->client_optional ? QUOIT_TLS_CLIENT_AUTH_REQUEST
                                                            : QUOIT_TLS_CLIENT_AUTH_REQUIRE;
}

/* ---- files ---- */

static void reload(void *user)
{
        quoit_tls *tls = user;

        if (quoit_tls_reload(tls) < 0)
                program_say(QUOIT_LOG_WARNING, "TLS keeps using its old files: %s",
                        quoit_tls_problem(tls));
        else
                program_say(QUOIT_LOG_INFO, "TLS files were read again");
}

static int read_files(quoit_tls *tls, const struct secure_options *options)
{
        for (unsigned i = 0; i < options->certificates.count; i++) {
                int r = quoit_tls_add_certificate(
                        tls, options->certificates.texts[i], options->keys.texts[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

quoit_tls *secure_begin(const struct secure_options *options)
{
        quoit_tls *tls = NULL;
        int r = quoit_tls_new(&options->tls, &tls);

        if (r < 0) {
                program_say(QUOIT_LOG_ERROR, "%s", strerror(-r));
                return NULL;
        }
        if (read_files(tls, options) < 0) {
                program_say(QUOIT_LOG_ERROR, "%s", quoit_tls_problem(tls));
                return quoit_tls_free(tls);
        }
        hangup_add(reload, tls);
        return tls;
}
