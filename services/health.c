/* SPDX-License-Identifier: MIT */
#include <quoit/health.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/hooks.h>

#include "grpc/health/v1/health.quoit.h"
#include "services/health.h"

/* The limit for answers to List, which the protocol requires; the same as grpc-go's. */
#define LIST_MAX 100

#define NOTHING_SENT (-1)
#define SERVICE_UNKNOWN grpc_health_v1_HealthCheckResponse_SERVICE_UNKNOWN

/* The status of a service. */
struct entry {
        struct entry *next;
        quoit_health_status status;
        char service[];
};

/* A stream of Watch. It lives in its call, which is held until the watch is over. */
struct watch {
        quoit_health *health;
        quoit_call *call;
        upb_StringView service; /* of the request */
        struct watch *next; /* from here on under the mutex: in the list while it is not over */
        struct watch **link;
        bool is_over;
        const char *why; /* it is over */
        bool is_posted; /* on_news is on its way: the call must not be finished before */
        int sent; /* the status that was sent last; only for its call's thread */
};

struct quoit_health {
        pthread_mutex_t mutex; /* of all that follows */
        struct entry *entries;
        size_t entry_count;
        struct watch *watches;
        bool is_suspended;
        bool is_stopping; /* for good */
};

/* ---- the table of services ---- */

static bool is_name(const struct entry *entry, upb_StringView service)
{
        return upb_StringView_IsEqual(upb_StringView_FromString(entry->service), service);
}

/* The link to the entry of @service, or the one where it would be appended. */
static struct entry **find(quoit_health *health, upb_StringView service)
{
        struct entry **at = &health->entries;

        while (*at && !is_name(*at, service))
                at = &(*at)->next;
        return at;
}

static int status_of_entry(const quoit_health *health, const struct entry *entry)
{
        return health->is_suspended || health->is_stopping ? QUOIT_HEALTH_NOT_SERVING
                                                           : entry->status;
}

static int status_of(quoit_health *health, upb_StringView service)
{
        struct entry *entry = *find(health, service);

        return entry ? status_of_entry(health, entry) : SERVICE_UNKNOWN;
}

static grpc_health_v1_HealthCheckResponse *response_new(upb_Arena *arena, int status)
{
        grpc_health_v1_HealthCheckResponse *response =
                grpc_health_v1_HealthCheckResponse_new(arena);

        if (response)
                grpc_health_v1_HealthCheckResponse_set_status(response, status);
        return response;
}

/* ---- Check and List ---- */

static void on_check(quoit_call *call, const grpc_health_v1_HealthCheckRequest *request, void *user)
{
        quoit_health *health = user;
        int status;

        pthread_mutex_lock(&health->mutex);
        status = status_of(health, grpc_health_v1_HealthCheckRequest_service(request));
        pthread_mutex_unlock(&health->mutex);
        if (status == SERVICE_UNKNOWN) {
                quoit_call_finish(call, QUOIT_NOT_FOUND, "unknown service");
                return;
        }
        grpc_health_v1_Health_Check_reply(call, response_new(quoit_call_arena(call), status));
}

/* A copy: the entry may be freed before the answer is sent. */
static bool list_entry(
        grpc_health_v1_HealthListResponse *list, upb_Arena *arena, const char *service, int status)
{
        grpc_health_v1_HealthCheckResponse *response = response_new(arena, status);
        size_t size = strlen(service);
        char *name = upb_Arena_Malloc(arena, size + 1);

        if (!response || !name)
                return false;
        memcpy(name, service, size + 1);
        return grpc_health_v1_HealthListResponse_statuses_set(
                list, upb_StringView_FromDataAndSize(name, size), response, arena);
}

static void on_list(quoit_call *call, const grpc_health_v1_HealthListRequest *request, void *user)
{
        quoit_health *health = user;
        upb_Arena *arena = quoit_call_arena(call);
        grpc_health_v1_HealthListResponse *list = grpc_health_v1_HealthListResponse_new(arena);
        bool ok = list;
        size_t count;

        (void)request;
        pthread_mutex_lock(&health->mutex);
        count = health->entry_count;
        for (struct entry *entry = health->entries; ok && count <= LIST_MAX && entry;
                entry = entry->next)
                ok = list_entry(list, arena, entry->service, status_of_entry(health, entry));
        pthread_mutex_unlock(&health->mutex);
        if (count > LIST_MAX)
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "more than %d services are known", LIST_MAX);
        else
                grpc_health_v1_Health_List_reply(call, ok ? list : NULL);
}

/* ---- Watch ---- */

/* A post that is on its way still needs the call: then the post finishes it. */
static void finish_watch(const struct watch *watch)
{
        quoit_call_finish(watch->call, QUOIT_UNAVAILABLE, watch->why);
}

/* @why is static. */
static void end_watch(struct watch *watch, const char *why)
{
        quoit_health *health = watch->health;
        bool is_posted;

        pthread_mutex_lock(&health->mutex);
        if (!watch->is_over) {
                *watch->link = watch->next;
                if (watch->next)
                        watch->next->link = watch->link;
        }
        watch->is_over = true;
        watch->why = why;
        is_posted = watch->is_posted;
        pthread_mutex_unlock(&health->mutex);
        if (!is_posted)
                finish_watch(watch);
}

/* The pump: runs after each post, and when there is room again. */
static void tell(quoit_call *call, void *state)
{
        struct watch *watch = state;
        quoit_health *health = watch->health;
        bool is_stopping;
        int status, r = 0;

        pthread_mutex_lock(&health->mutex);
        status = status_of(health, watch->service);
        is_stopping = health->is_stopping;
        pthread_mutex_unlock(&health->mutex);
        if (status != watch->sent && quoit_call_writable(call)) {
                r = grpc_health_v1_Health_Watch_send(
                        call, response_new(quoit_call_scratch(call), status));
                if (r == 0)
                        watch->sent = status;
        }
        if (r < 0) /* nothing would tell it again: who watches begins anew */
                end_watch(watch, "out of memory");
        else if (is_stopping && watch->sent == status)
                end_watch(watch, "the server is stopping");
}

/* Something has changed: the pump, which runs after this, finds out what. */
static void on_news(quoit_call *call, void *arg)
{
        struct watch *watch = arg;
        bool is_over;

        pthread_mutex_lock(&watch->health->mutex);
        watch->is_posted = false;
        is_over = watch->is_over;
        pthread_mutex_unlock(&watch->health->mutex);
        (void)call;
        if (is_over)
                finish_watch(watch);
}

/* Posts to all watchers of @service, or to all watchers. Under the mutex. 0, or -ENOMEM: some do not hear of it. */
static int spread_news(quoit_health *health, const struct entry *of)
{
        int r = 0;

        for (struct watch *watch = health->watches; watch; watch = watch->next) {
                int posted;

                if (watch->is_posted || (of && !is_name(of, watch->service)))
                        continue;
                posted = quoit_call_post(watch->call, on_news, watch);
                watch->is_posted = posted == 0;
                if (posted == -ENOMEM)
                        r = posted;
        }
        return r;
}

static void on_cancel(quoit_call *call, void *state)
{
        (void)call;
        end_watch(state, "the call was cancelled");
}

static void on_watch(quoit_call *call, const grpc_health_v1_HealthCheckRequest *request, void *user)
{
        quoit_health *health = user;
        struct watch *watch = quoit_call_alloc(call, sizeof(*watch));

        if (!watch) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        *watch = (struct watch){
                .health = health,
                .call = call,
                .service = grpc_health_v1_HealthCheckRequest_service(request),
                .sent = NOTHING_SENT,
        };
        quoit_call_hold(call);
        quoit_call_on_cancel(call, on_cancel, watch);
        quoit_call_pump(call, tell, watch);
        pthread_mutex_lock(&health->mutex);
        watch->next = health->watches;
        watch->link = &health->watches;
        if (watch->next)
                watch->next->link = &watch->next;
        health->watches = watch;
        pthread_mutex_unlock(&health->mutex);
}

/* ---- functions for the program ---- */

static int add_entry(quoit_health *health, struct entry **at, upb_StringView service)
{
        struct entry *entry = malloc(sizeof(*entry) + service.size + 1);

        if (!entry)
                return -ENOMEM;
        entry->next = NULL;
        memcpy(entry->service, service.data, service.size);
        entry->service[service.size] = '\0';
        *at = entry;
        health->entry_count++;
        return 0;
}

int quoit_health_set(quoit_health *health, const char *service, quoit_health_status status)
{
        struct entry **at;
        int r = 0;

        if (status != QUOIT_HEALTH_UNKNOWN && status != QUOIT_HEALTH_SERVING &&
                status != QUOIT_HEALTH_NOT_SERVING)
                return -EINVAL;
        pthread_mutex_lock(&health->mutex);
        at = find(health, upb_StringView_FromString(service));
        if (!*at)
                r = add_entry(health, at, upb_StringView_FromString(service));
        if (r == 0) {
                (*at)->status = status;
                r = spread_news(health, *at);
        }
        pthread_mutex_unlock(&health->mutex);
        return r;
}

int quoit_health_get(quoit_health *health, const char *service, quoit_health_status *ret_status)
{
        int status;

        pthread_mutex_lock(&health->mutex);
        status = status_of(health, upb_StringView_FromString(service));
        pthread_mutex_unlock(&health->mutex);
        if (status == SERVICE_UNKNOWN)
                return -ENOENT;
        *ret_status = (quoit_health_status)status;
        return 0;
}

bool health_is_leaving(quoit_health *health)
{
        bool is_leaving;

        pthread_mutex_lock(&health->mutex);
        is_leaving = health->is_suspended || health->is_stopping;
        pthread_mutex_unlock(&health->mutex);
        return is_leaving;
}

void quoit_health_forget(quoit_health *health, const char *service)
{
        struct entry **at, *entry;

        pthread_mutex_lock(&health->mutex);
        at = find(health, upb_StringView_FromString(service));
        entry = *at;
        if (entry) {
                *at = entry->next;
                health->entry_count--;
                (void)spread_news(health, entry);
                free(entry);
        }
        pthread_mutex_unlock(&health->mutex);
}

static void set_flag(quoit_health *health, bool *flag, bool value)
{
        pthread_mutex_lock(&health->mutex);
        *flag = value;
        (void)spread_news(health, NULL);
        pthread_mutex_unlock(&health->mutex);
}

void quoit_health_suspend(quoit_health *health)
{
        set_flag(health, &health->is_suspended, true);
}

void quoit_health_resume(quoit_health *health)
{
        set_flag(health, &health->is_suspended, false);
}

/* ---- life ---- */

static void on_stop(void *user)
{
        quoit_health *health = user;

        set_flag(health, &health->is_stopping, true);
}

static void on_free(void *user)
{
        quoit_health *health = user;
        struct entry *entry;

        while ((entry = health->entries)) {
                health->entries = entry->next;
                free(entry);
        }
        pthread_mutex_destroy(&health->mutex);
        free(health);
}

int quoit_health_register(quoit_server *server, quoit_health **ret_health)
{
        static const grpc_health_v1_Health_service service = {
                .Check = on_check,
                .List = on_list,
                .Watch = on_watch,
        };
        static const quoit_server_hooks hooks = { .on_stop = on_stop, .on_free = on_free };
        quoit_health *health = calloc(1, sizeof(*health));
        int r;

        if (!health)
                return -ENOMEM;
        pthread_mutex_init(&health->mutex, NULL);
        r = quoit_health_set(health, "", QUOIT_HEALTH_SERVING);
        if (r == 0)
                r = quoit_server_hook(server, &hooks, health);
        if (r < 0) {
                on_free(health);
                return r;
        }
        r = grpc_health_v1_Health_register(server, &service, health);
        if (r == 0 && ret_health)
                *ret_health = health;
        return r;
}
