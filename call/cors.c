/* SPDX-License-Identifier: MIT */
#include "call/cors.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/cors.h>

#include "call/call.h"
#include "call/field_block.h"
#include "codec/metadata.h"

#define MAX_AGE_S 7200

/* An origin that is named, or all of one domain. */
struct origin {
        char *text; /* heap; of a domain: with the star */
        size_t scheme_size; /* of a domain: up to the star; else 0 */
};

struct cors {
        bool any;
        bool credentials;
        char max_age[12];
        struct origin *origins;
        size_t count;
};

/* ---- what may call ---- */

/* What is wrong with it; NULL: nothing. RFC 6454, section 6.2: a scheme, a host, and perhaps a port. */
static const char *find_fault(const char *origin)
{
        const char *host = strstr(origin, "://"), *star = strchr(origin, '*');

        if (strcmp(origin, "*") == 0 || strcmp(origin, "null") == 0)
                return NULL;
        if (!host || host == origin || host[3] == '\0')
                return "is no origin: give SCHEME://HOST, or SCHEME://HOST:PORT";
        if (star && (star != host + 3 || star[1] != '.' || strchr(star + 1, '*')))
                return "has a star that is not a whole host's beginning, as in "
                       "https://*.example.com";
        if (strpbrk(host + 3, "/?#@, ") || !metadata_value_valid(origin, strlen(origin)))
                return "has more than an origin: nothing may follow the host and its port";
        return NULL;
}

static bool find_problem(const quoit_cors_options *options, struct cors_problem *ret_problem)
{
        for (size_t i = 0; i < options->origin_count; i++) {
                const char *origin = options->origins[i], *fault = find_fault(origin);

                if (!fault && options->credentials && strcmp(origin, "*") == 0)
                        fault = "is every origin, and no browser sends credentials there: name "
                                "them";
                if (fault) {
                        *ret_problem = (struct cors_problem){ .origin = origin, .what = fault };
                        return true;
                }
        }
        return false;
}

/* As browsers spell it: in lower case (the URL standard). */
static int add_origin(struct cors *cors, const char *text)
{
        struct origin *origin = cors->origins + cors->count;
        const char *star = strchr(text, '*');

        *origin = (struct origin){ .text = strdup(text) };
        if (!origin->text)
                return -ENOMEM;
        for (char *c = origin->text; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        origin->scheme_size = star ? (size_t)(star - text) : 0;
        cors->any |= strcmp(text, "*") == 0;
        cors->count++;
        return 0;
}

int cors_new(
        const quoit_cors_options *options, struct cors **ret_cors, struct cors_problem *ret_problem)
{
        struct cors *cors;

        if (find_problem(options, ret_problem))
                return -EINVAL;
        cors = calloc(1, sizeof(*cors));
        if (!cors)
                return -ENOMEM;
        cors->credentials = options->credentials;
        snprintf(cors->max_age, sizeof(cors->max_age), "%u",
                options->max_age_s ? options->max_age_s : MAX_AGE_S);
        cors->origins = calloc(options->origin_count + 1, sizeof(*cors->origins));
        for (size_t i = 0; i < options->origin_count; i++) {
                if (!cors->origins || add_origin(cors, options->origins[i]) < 0) {
                        cors_free(cors);
                        return -ENOMEM;
                }
        }
        *ret_cors = cors;
        return 0;
}

void cors_free(struct cors *cors)
{
        for (size_t i = 0; cors && i < cors->count; i++)
                free(cors->origins[i].text);
        if (cors)
                free(cors->origins);
        free(cors);
}

/* Letters, digits, "-", "_" and "." as browsers spell a host: neither a list, nor a user before it, nor a path. */
static bool is_host(const char *text, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
                        (text[i] == '\0' || !strchr("-_.", text[i])))
                        return false;
        }
        return true;
}

/* All hosts below the domain, which is not one of them. */
static bool is_below(const struct origin *domain, upb_StringView origin)
{
        const char *suffix = domain->text + domain->scheme_size + 1;
        size_t suffix_size = strlen(suffix);

        return origin.size > domain->scheme_size + suffix_size &&
               memcmp(origin.data, domain->text, domain->scheme_size) == 0 &&
               memcmp(origin.data + origin.size - suffix_size, suffix, suffix_size) == 0 &&
               is_host(origin.data + domain->scheme_size,
                       origin.size - domain->scheme_size - suffix_size);
}

static bool is_named(const struct cors *cors, upb_StringView origin)
{
        for (size_t i = 0; i < cors->count; i++) {
                const struct origin *named = cors->origins + i;

                if (named->scheme_size > 0 ? is_below(named, origin)
                                           : upb_StringView_IsEqual(origin,
                                                     upb_StringView_FromString(named->text)))
                        return true;
        }
        return false;
}

/* What is said to be allowed. False: the origin is not. */
static bool find_allowed(
        const struct cors *cors, const struct quoit_call *call, upb_StringView *ret_allowed)
{
        upb_StringView origin;

        if (!fields_find(&call->request.fields, "origin", &origin))
                return false;
        if (cors->any) {
                *ret_allowed = upb_StringView_FromString("*");
                return true;
        }
        *ret_allowed = origin;
        return is_named(cors, origin);
}

/* ---- preflights ---- */

bool cors_is_preflight(const struct quoit_call *call)
{
        upb_StringView value;

        return call_host_of(call)->cors && call->request.http_method == METHOD_OPTIONS &&
               fields_find(&call->request.fields, "origin", &value) &&
               fields_find(&call->request.fields, "access-control-request-method", &value);
}

/* A field of the answer; both texts live as long as the call. */
static void answer(struct quoit_call *call, const char *name, upb_StringView value)
{
        upb_Arena *arena = call_arena(call);

        if (arena)
                (void)fields_append(&call->handler.header_fields, arena, name, strlen(name),
                        value.data, value.size);
}

/* What the browser asks for in the field @asked is what it gets. */
static void grant(struct quoit_call *call, const char *asked, const char *name)
{
        upb_StringView value;

        if (fields_find(&call->request.fields, asked, &value))
                answer(call, name, value);
}

void cors_answer_preflight(struct quoit_call *call)
{
        const struct cors *cors = call_host_of(call)->cors;
        upb_StringView allowed;

        if (!find_allowed(cors, call, &allowed)) {
                call->request.http_status = "403";
                call->request.http_text = "pages of this origin may not call\n";
                return;
        }
        call->request.http_status = "204";
        answer(call, "access-control-allow-origin", allowed);
        if (cors->credentials)
                answer(call, "access-control-allow-credentials", upb_StringView_FromString("true"));
        grant(call, "access-control-request-method", "access-control-allow-methods");
        grant(call, "access-control-request-headers", "access-control-allow-headers");
        answer(call, "access-control-max-age", upb_StringView_FromString(cors->max_age));
        answer(call, "vary",
                upb_StringView_FromString("origin, access-control-request-method, "
                                          "access-control-request-headers"));
}

/* ---- all other answers ---- */

#define EXPOSED_ALWAYS "grpc-status, grpc-message, grpc-status-details-bin"

/* Pages see these in any case, or see nothing of them: the Fetch standard's safelist, what is not a field, and what is ours. */
static bool is_exposed_anyway(const char *name, size_t size)
{
        static const char *const names[] = { "cache-control", "content-language", "content-length",
                "content-type", "expires", "last-modified", "pragma", "grpc-status", "grpc-message",
                "grpc-status-details-bin", "vary", "set-cookie" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
                        return true;
        }
        return size == 0 || *name == ':';
}

/* Names of @block's fields, and those that may come where pages find them by themselves. Those that do not fit are left out. */
static void list_exposed(const struct field_block *block, char list[CORS_EXPOSED_BYTES])
{
        const char *end = list + CORS_EXPOSED_BYTES;
        char *at = stpcpy(list, EXPOSED_ALWAYS);

        for (size_t i = 0; i < block->count; i++) {
                const nghttp2_nv *field = block->fields + i;

                if (is_exposed_anyway((const char *)field->name, field->namelen) ||
                        (size_t)(end - at) < sizeof(", ") + field->namelen)
                        continue;
                at = stpcpy(at, ", ");
                at = (char *)mempcpy(at, field->name, field->namelen);
                *at = '\0';
        }
}

/* No browser speaks it. */
static bool is_plain_grpc(const struct quoit_call *call)
{
        return call->request.is_grpc && !call->front;
}

/* The block may be sent when the request's memory, or the caller's, is gone. */
static void copy_last_value(struct field_block *block)
{
        block->fields[block->count - 1].flags &= (uint8_t)~NGHTTP2_NV_FLAG_NO_COPY_VALUE;
}

void cors_add_fields(
        struct field_block *block, const struct quoit_call *call, char exposed[CORS_EXPOSED_BYTES])
{
        const struct cors *cors = call_host_of(call)->cors;
        upb_StringView origin;

        if (!cors || cors_is_preflight(call) || is_plain_grpc(call))
                return;
        if (!find_allowed(cors, call, &origin)) {
                if (call->request.is_http && !cors->any) /* a cache may have it for a page later */
                        field_block_add_text(block, "vary", "origin");
                return;
        }
        list_exposed(block, exposed);
        field_block_add(block, "access-control-allow-origin", strlen("access-control-allow-origin"),
                origin.data, origin.size);
        copy_last_value(block);
        field_block_add_text(block, "access-control-expose-headers", exposed);
        copy_last_value(block);
        if (cors->credentials)
                field_block_add_text(block, "access-control-allow-credentials", "true");
        if (!cors->any)
                field_block_add_text(block, "vary", "origin");
}
