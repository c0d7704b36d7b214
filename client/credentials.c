/* SPDX-License-Identifier: MIT */
#include "client/credentials.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "codec/status.h"
#include "core/list.h"

/* ---- grants ---- */

/* Of nothing yet; NULL: no memory. */
static struct grant *grant_new(void)
{
        upb_Arena *arena = upb_Arena_New();
        struct grant *grant = arena ? upb_Arena_Malloc(arena, sizeof(*grant)) : NULL;

        if (!grant) {
                if (arena)
                        upb_Arena_Free(arena);
                return NULL;
        }
        memset(grant, 0, sizeof(*grant));
        atomic_store(&grant->references, 1);
        grant->arena = arena;
        return grant;
}

void grant_unref(struct grant *grant)
{
        if (grant && atomic_fetch_sub(&grant->references, 1) == 1)
                upb_Arena_Free(grant->arena);
}

/* ---- credentials ---- */

static int credentials_new(const quoit_credentials_plugin *plugin, void *user, struct grant *bearer,
        quoit_call_credentials **ret_credentials)
{
        quoit_call_credentials *credentials = calloc(1, sizeof(*credentials));

        if (!credentials)
                return -ENOMEM;
        atomic_store(&credentials->references, 1);
        credentials->plugin = *plugin;
        credentials->user = user;
        credentials->bearer = bearer;
        pthread_mutex_init(&credentials->mutex, NULL);
        *ret_credentials = credentials;
        return 0;
}

int quoit_call_credentials_new(const quoit_credentials_plugin *plugin, void *user,
        quoit_call_credentials **ret_credentials)
{
        return plugin->on_request ? credentials_new(plugin, user, NULL, ret_credentials) : -EINVAL;
}

quoit_call_credentials *credentials_ref(quoit_call_credentials *credentials)
{
        if (credentials)
                atomic_fetch_add_explicit(&credentials->references, 1, memory_order_relaxed);
        return credentials;
}

quoit_call_credentials *quoit_call_credentials_free(quoit_call_credentials *credentials)
{
        if (!credentials || atomic_fetch_sub(&credentials->references, 1) > 1)
                return NULL;
        if (credentials->plugin.on_free)
                credentials->plugin.on_free(credentials->user);
        grant_unref(credentials->bearer);
        pthread_mutex_destroy(&credentials->mutex);
        free(credentials);
        return NULL;
}

/* ---- a token ---- */

static int check_token(const char *token)
{
        size_t size = strlen(token);

        if (size > CREDENTIALS_TOKEN_BYTES_MAX)
                return -E2BIG;
        for (size_t i = 0; i < size; i++) {
                if (token[i] <= ' ' || token[i] > '~')
                        return -EINVAL;
        }
        return size > 0 ? 0 : -EINVAL;
}

static int grant_bearer(const char *token, struct grant **ret_grant)
{
        static const char prefix[] = "Bearer ";
        char *value;
        struct grant *grant;
        int r = check_token(token);

        if (r < 0)
                return r;
        grant = grant_new();
        if (!grant || asprintf(&value, "%s%s", prefix, token) < 0) {
                grant_unref(grant);
                return -ENOMEM;
        }
        r = fields_send(
                &grant->fields, grant->arena, "authorization", value, strlen(value), SIZE_MAX);
        free(value);
        if (r < 0)
                grant_unref(grant);
        else
                *ret_grant = grant;
        return r;
}

int quoit_call_credentials_new_bearer(const char *token, quoit_call_credentials **ret_credentials)
{
        static const quoit_credentials_plugin none;
        struct grant *grant;
        int r = grant_bearer(token, &grant);

        if (r == 0) {
                r = credentials_new(&none, NULL, grant, ret_credentials);
                if (r < 0)
                        grant_unref(grant);
        }
        return r;
}

int quoit_call_credentials_set_bearer(quoit_call_credentials *credentials, const char *token)
{
        struct grant *grant, *old;
        int r = credentials->plugin.on_request ? -EINVAL : grant_bearer(token, &grant);

        if (r < 0)
                return r;
        pthread_mutex_lock(&credentials->mutex);
        old = credentials->bearer;
        credentials->bearer = grant;
        pthread_mutex_unlock(&credentials->mutex);
        grant_unref(old);
        return 0;
}

static struct grant *bearer_of(quoit_call_credentials *credentials)
{
        struct grant *grant;

        pthread_mutex_lock(&credentials->mutex);
        grant = credentials->bearer;
        atomic_fetch_add_explicit(&grant->references, 1, memory_order_relaxed);
        pthread_mutex_unlock(&credentials->mutex);
        return grant;
}

/* ---- a request ---- */

/* Unlocks it too: nobody but the last one may free what others lock. */
static void release_and_unlock(struct quoit_credentials_request *request)
{
        bool is_last = --request->references == 0;

        pthread_mutex_unlock(&request->mutex);
        if (!is_last)
                return;
        grant_unref(request->answer.grant);
        quoit_call_credentials_free(request->credentials);
        pthread_mutex_destroy(&request->mutex);
        free(request);
}

void credentials_end(struct quoit_credentials_request *request)
{
        request->user = NULL;
        pthread_mutex_lock(&request->mutex);
        request->client = NULL;
        release_and_unlock(request);
}

static void on_delivery(struct mail *mail)
{
        struct quoit_credentials_request *request =
                CONTAINER_OF(mail, struct quoit_credentials_request, mail);

        if (request->user)
                request->on_answer(request);
        pthread_mutex_lock(&request->mutex);
        release_and_unlock(request); /* the plugin's */
}

/* "https://HOST/package.Service", and where the method's name begins in the path. */
static struct quoit_credentials_request *request_new(const struct credentials_subject *subject)
{
        static const char port[] = ":443";
        const char *method = strrchr(subject->path, '/') + 1;
        size_t host_size = strlen(subject->authority);
        size_t service_size = (size_t)(method - 1 - subject->path);
        size_t bytes = strlen(subject->scheme) + strlen("://") + host_size + strlen(subject->path);
        struct quoit_credentials_request *request = calloc(1, sizeof(*request) + bytes + 2);
        int size;

        if (!request)
                return NULL;
        if (strcmp(subject->scheme, "https") == 0 && host_size >= strlen(port) &&
                strcmp(subject->authority + host_size - strlen(port), port) == 0)
                host_size -= strlen(port);
        size = sprintf(request->url, "%s://%.*s%.*s", subject->scheme, (int)host_size,
                subject->authority, (int)service_size, subject->path);
        request->method = strcpy(request->url + size + 1, method);
        pthread_mutex_init(&request->mutex, NULL);
        request->references = 2;
        request->mail.on_delivery = on_delivery;
        return request;
}

/* What the plugin has said at once. 0: nothing yet. */
static int take_early(
        struct quoit_credentials_request *request, struct credentials_answer *ret_answer)
{
        bool is_answered;

        pthread_mutex_lock(&request->mutex);
        is_answered = request->is_answered;
        request->is_late = !is_answered;
        pthread_mutex_unlock(&request->mutex);
        if (is_answered) {
                *ret_answer = request->answer;
                request->answer.grant = NULL;
        }
        return is_answered;
}

int credentials_ask(quoit_call_credentials *credentials, struct client *client,
        const struct credentials_subject *subject,
        void (*on_answer)(struct quoit_credentials_request *request), void *user,
        struct quoit_credentials_request **ret_request, struct credentials_answer *ret_answer)
{
        struct quoit_credentials_request *request;
        int r;

        if (!credentials->plugin.on_request) {
                *ret_answer = (struct credentials_answer){ .grant = bearer_of(credentials) };
                return 1;
        }
        request = request_new(subject);
        if (!request)
                return -ENOMEM;
        request->credentials = credentials_ref(credentials);
        request->client = client;
        request->bytes_max = client->limits.metadata_out_bytes_max;
        request->on_answer = on_answer;
        request->user = user;
        credentials->plugin.on_request(request, credentials->user);
        r = take_early(request, ret_answer);
        if (r == 0)
                *ret_request = request;
        else
                credentials_end(request);
        return r;
}

/* ---- for the plugin ---- */

const char *quoit_credentials_request_url(const quoit_credentials_request *request)
{
        return request->url;
}

const char *quoit_credentials_request_method(const quoit_credentials_request *request)
{
        return request->method;
}

bool quoit_credentials_request_is_wanted(quoit_credentials_request *request)
{
        bool is_wanted;

        pthread_mutex_lock(&request->mutex);
        is_wanted = request->client;
        pthread_mutex_unlock(&request->mutex);
        return is_wanted;
}

/* The mail has the plugin's reference, where there is one. */
static void give(struct quoit_credentials_request *request, const struct credentials_answer *answer)
{
        pthread_mutex_lock(&request->mutex);
        request->answer = *answer;
        request->is_answered = true;
        if (request->client && request->is_late &&
                client_post(request->client, &request->mail) == 0)
                pthread_mutex_unlock(&request->mutex);
        else
                release_and_unlock(request);
}

static void fail(struct credentials_answer *answer, quoit_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void fail(struct credentials_answer *answer, quoit_status status, const char *format, ...)
{
        va_list arguments;

        answer->status = status;
        va_start(arguments, format);
        vsnprintf(answer->text, sizeof(answer->text), format, arguments);
        va_end(arguments);
}

static void fail_field(struct credentials_answer *answer, int error, const char *name)
{
        if (error == -EINVAL)
                fail(answer, QUOIT_INTERNAL, "they gave a field \"%.100s\" that may not be sent",
                        name);
        else if (error == -E2BIG)
                fail(answer, QUOIT_INTERNAL,
                        "they gave too much metadata (metadata_out_bytes_max)");
        else
                fail(answer, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* Not gRPC's own names either that a caller may send. */
static bool is_allowed(const char *name)
{
        return strncmp(name, "grpc-", strlen("grpc-")) != 0;
}

void quoit_credentials_request_answer(
        quoit_credentials_request *request, const struct quoit_metadata *fields, size_t count)
{
        struct credentials_answer answer = { .grant = grant_new() };
        int r = answer.grant ? 0 : -ENOMEM;

        if (r < 0)
                fail_field(&answer, r, "");
        for (size_t i = 0; r == 0 && i < count; i++) {
                r = is_allowed(fields[i].name)
                            ? fields_send(&answer.grant->fields, answer.grant->arena,
                                      fields[i].name, fields[i].value.data, fields[i].value.size,
                                      request->bytes_max)
                            : -EINVAL;
                if (r < 0)
                        fail_field(&answer, r, fields[i].name);
        }
        if (r < 0) {
                grant_unref(answer.grant);
                answer.grant = NULL;
        }
        give(request, &answer);
}

void quoit_credentials_request_fail(
        quoit_credentials_request *request, quoit_status status, const char *text)
{
        struct credentials_answer answer = { 0 };

        if (status == QUOIT_OK)
                status = QUOIT_UNAUTHENTICATED;
        if (status_is_for_library(status))
                fail(&answer, status, "%s", text ? text : "");
        else
                fail(&answer, QUOIT_INTERNAL, "%s%s%.200s", quoit_status_name(status),
                        text ? ": " : "", text ? text : "");
        give(request, &answer);
}
