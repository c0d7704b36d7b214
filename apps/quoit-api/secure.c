/* SPDX-License-Identifier: MIT */
#include "secure.h"

#include <stddef.h>
#include <string.h>

#include "../common/program.h"
#include "hangup.h"

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
        for (unsigned i = 0; i < options->certificate_count; i++) {
                int r = quoit_tls_add_certificate(
                        tls, options->certificate_files[i], options->key_files[i]);

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
