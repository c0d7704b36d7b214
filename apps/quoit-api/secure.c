/* SPDX-License-Identifier: MIT */
#include "secure.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static pthread_t watcher; /* waits for SIGHUP: reading files takes time that no ring has */

static void reload(quoit_tls *tls)
{
        int old;

        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
        if (quoit_tls_reload(tls) < 0)
                fprintf(stderr, "quoit-api: warning: TLS goes on with the files it had: %s\n",
                        quoit_tls_problem(tls));
        else
                fprintf(stderr, "quoit-api: info: TLS has read its files again\n");
        pthread_setcancelstate(old, NULL);
}

static void *watch(void *user)
{
        sigset_t hangup;
        int number;

        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        for (;;) {
                if (sigwait(&hangup, &number) == 0)
                        reload(user);
        }
        return NULL;
}

/* Blocked here, SIGHUP is blocked on every thread that comes after, and waits for the one that takes it. */
static int start_watcher(quoit_tls *tls)
{
        sigset_t hangup, all, old;
        int r;

        sigemptyset(&hangup);
        sigaddset(&hangup, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &hangup, NULL);
        /* the others are the main thread's */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&watcher, NULL, watch, tls);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        return -r;
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
                fprintf(stderr, "quoit-api: %s\n", strerror(-r));
                return NULL;
        }
        if (read_files(tls, options) < 0) {
                fprintf(stderr, "quoit-api: %s\n", quoit_tls_problem(tls));
                return quoit_tls_free(tls);
        }
        r = start_watcher(tls);
        if (r < 0) {
                fprintf(stderr, "quoit-api: cannot start a thread: %s\n", strerror(-r));
                return quoit_tls_free(tls);
        }
        return tls;
}

void secure_end(quoit_tls *tls)
{
        if (!tls)
                return;
        pthread_cancel(watcher);
        pthread_join(watcher, NULL);
        quoit_tls_free(tls);
}
