/* SPDX-License-Identifier: MIT */
#include "transport/tls_sessions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "transport/tls.h"

struct tls_kept {
        SSL_SESSION *session;
        uint64_t place;
        uint64_t since_ns;
        char name[];
};

int tls_sessions_init(struct tls_sessions *sessions, unsigned count_max)
{
        *sessions = (struct tls_sessions){ .count_max = count_max };
        pthread_mutex_init(&sessions->mutex, NULL);
        sessions->kept = count_max > 0 ? calloc(count_max, sizeof(struct tls_kept *)) : NULL;
        return count_max > 0 && !sessions->kept ? -ENOMEM : 0;
}

static void kept_free(struct tls_kept *kept)
{
        if (!kept)
                return;
        SSL_SESSION_free(kept->session);
        free(kept);
}

void tls_sessions_deinit(struct tls_sessions *sessions)
{
        while (sessions->count > 0)
                kept_free(sessions->kept[--sessions->count]);
        free(sessions->kept);
        pthread_mutex_destroy(&sessions->mutex);
}

/* ---- in ---- */

static bool is_worth_it(const SSL_SESSION *session)
{
        const unsigned char *ticket;
        size_t size = 0;

        SSL_SESSION_get0_ticket(session, &ticket, &size);
        return SSL_SESSION_is_resumable(session) && size <= TLS_SESSION_TICKET_BYTES_MAX;
}

/*
 * A copy, as OpenSSL changes the original when its connection ends without a close_notify, on whatever thread that is. NULL: no
 * memory.
 */
static struct tls_kept *kept_new(
        SSL_SESSION *session, const char *name, uint64_t place, uint64_t now_ns)
{
        size_t name_bytes = strlen(name) + 1;
        struct tls_kept *kept = malloc(sizeof(*kept) + name_bytes);

        if (!kept)
                return NULL;
        kept->session = SSL_SESSION_dup(session);
        if (!kept->session) {
                free(kept);
                return NULL;
        }
        kept->place = place;
        kept->since_ns = now_ns;
        memcpy(kept->name, name, name_bytes);
        return kept;
}

/* With the mutex. */
static struct tls_kept *take_at(struct tls_sessions *sessions, unsigned index)
{
        struct tls_kept *kept = sessions->kept[index];

        sessions->count--;
        memmove(sessions->kept + index, sessions->kept + index + 1,
                (sessions->count - index) * sizeof(*sessions->kept));
        return kept;
}

void tls_sessions_put(struct tls_sessions *sessions, SSL_SESSION *session, const char *name,
        uint64_t place, uint64_t now_ns)
{
        struct tls_kept *kept, *oldest = NULL;

        if (sessions->count_max == 0 || !is_worth_it(session))
                return;
        kept = kept_new(session, name, place, now_ns);
        if (!kept)
                return;
        pthread_mutex_lock(&sessions->mutex);
        if (sessions->count == sessions->count_max)
                oldest = take_at(sessions, 0);
        sessions->kept[sessions->count++] = kept;
        pthread_mutex_unlock(&sessions->mutex);
        kept_free(oldest);
}

/* ---- out ---- */

/* With the mutex. */
static struct tls_kept *take(struct tls_sessions *sessions, const char *name, uint64_t place)
{
        unsigned found = sessions->count;

        for (unsigned i = sessions->count; i-- > 0;) {
                if (strcmp(sessions->kept[i]->name, name) != 0)
                        continue;
                if (sessions->kept[i]->place == place)
                        return take_at(sessions, i);
                if (found == sessions->count)
                        found = i;
        }
        return found < sessions->count ? take_at(sessions, found) : NULL;
}

SSL_SESSION *tls_sessions_take(
        struct tls_sessions *sessions, const char *name, uint64_t place, uint64_t now_ns)
{
        SSL_SESSION *session = NULL;
        struct tls_kept *kept;

        pthread_mutex_lock(&sessions->mutex);
        kept = take(sessions, name, place);
        pthread_mutex_unlock(&sessions->mutex);
        if (kept && now_ns - kept->since_ns <= TLS_SESSION_SECONDS_MAX * NS_PER_S) {
                session = kept->session;
                kept->session = NULL;
        }
        kept_free(kept);
        return session;
}

/* ---- of connections ---- */

static void keep(struct tls_sessions *sessions, SSL_SESSION *session, const struct tls *tls)
{
        if (tls->resumes.name)
                tls_sessions_put(
                        sessions, session, tls->resumes.name, tls->resumes.place, tls->now_ns);
}

/* During a handshake of TLS 1.2; of TLS 1.3 with what is read after it. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
        struct tls_sessions *sessions = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

        keep(sessions, session, SSL_get_app_data(ssl));
        return 0; /* it stays OpenSSL's */
}

int tls_sessions_attach(struct tls_sessions *sessions, SSL_CTX *ssl)
{
        if (SSL_CTX_set_app_data(ssl, sessions) != 1)
                return -ENOMEM;
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, on_session);
        return 0;
}

void tls_sessions_offer(struct tls_sessions *sessions, struct tls *tls)
{
        SSL_SESSION *session =
                tls_sessions_take(sessions, tls->resumes.name, tls->resumes.place, tls->now_ns);

        if (session)
                (void)SSL_set_session(tls->ssl, session); /* or the handshake is a whole one */
        SSL_SESSION_free(session);
}

void tls_sessions_return(struct tls_sessions *sessions, const struct tls *tls)
{
        if (SSL_session_reused(tls->ssl) && SSL_version(tls->ssl) == TLS1_2_VERSION)
                keep(sessions, SSL_get0_session(tls->ssl), tls);
}
