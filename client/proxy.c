/* SPDX-License-Identifier: MIT */
#include "client/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <quoit/version.h>

#include "client/no_proxy.h"
#include "codec/base64.h"
#include "codec/percent.h"

#define PORT "80" /* of http:// */
#define HOST_BYTES 262 /* "[HOST]:PORT" */
#define USER_BYTES 512 /* "USER:PASSWORD" */
#define BASIC_BYTES (USER_BYTES / 3 * 4 + 8)

/* The parts of a URL. Not zero-terminated. */
struct url {
        const char *user; /* "USER:PASSWORD", with %XX */
        size_t user_size; /* 0: none */
        const char *host; /* "HOST:PORT", "HOST" */
        size_t host_size;
};

/* The first of @names that is set and not empty; NULL: none is. A program with more rights than its user does not ask. */
static const char *find_variable(const char *const *names, const char **ret_name)
{
        for (; *names; names++) {
                const char *value = secure_getenv(*names);

                if (value && *value) {
                        *ret_name = *names;
                        return value;
                }
        }
        return NULL;
}

/* As gRPC's document on environment variables has them; HTTP_PROXY in capitals can be a header of a CGI program's request. */
static const char *find_proxy(const char **ret_name)
{
        static const char *const names[] = { "grpc_proxy", "https_proxy", "HTTPS_PROXY",
                "http_proxy", NULL };

        return find_variable(names, ret_name);
}

/* Whether the environment exempts it. */
static bool is_exempt(const struct target *target)
{
        static const char *const names[] = { "no_grpc_proxy", "no_proxy", "NO_PROXY", NULL };
        const char *name, *list = find_variable(names, &name);

        return no_proxy_is_here(target->tunnel_host) ||
               (list && no_proxy_has(list, target->tunnel_host, target->port));
}

/* ---- a URL ---- */

/* 0; or -EINVAL, and what is wrong: static. */
static int parse_url(const char *text, struct url *ret_url, const char **ret_problem)
{
        static const char scheme[] = "http://";
        const char *end, *at;

        if (strncasecmp(text, scheme, sizeof(scheme) - 1) == 0) {
                text += sizeof(scheme) - 1;
        } else if (strstr(text, "://")) {
                *ret_problem = "its scheme is not http://";
                return -EINVAL;
        }
        end = text + strcspn(text, "/?#");
        at = memrchr(text, '@', (size_t)(end - text));
        ret_url->user = text;
        ret_url->user_size = at ? (size_t)(at - text) : 0;
        ret_url->host = at ? at + 1 : text;
        ret_url->host_size = (size_t)(end - ret_url->host);
        if (ret_url->user_size <= USER_BYTES - 1)
                return 0;
        *ret_problem = "its user and password are too long";
        return -EINVAL;
}

/* Its port stands behind its host, or behind the "]" of that. */
static bool has_port(const struct url *url)
{
        const char *bracket = memrchr(url->host, ']', url->host_size);
        const char *from = bracket ? bracket : url->host;

        return memchr(from, ':', url->host_size - (size_t)(from - url->host));
}

/* The same errors. */
static int find_target(const struct url *url, struct target *ret_target, const char **ret_problem)
{
        char text[HOST_BYTES + sizeof("dns:")];
        int size = snprintf(text, sizeof(text), "dns:%.*s%s", (int)url->host_size, url->host,
                has_port(url) ? "" : ":" PORT);
        int r = (size_t)size < sizeof(text) ? target_parse(text, ret_target) : -EINVAL;

        if (r == 0)
                return 0;
        *ret_problem = (size_t)size < sizeof(text) ? target_problem(ret_target, r)
                                                   : "its host is too long";
        return -EINVAL;
}

/* ---- what it is asked ---- */

/* "Proxy-Authorization: ..." and the end of its line (RFC 7617); "" without a user. */
static void write_basic(const struct url *url, char *text, size_t size)
{
        static const char padding[] = { '=', '=' };
        char user[USER_BYTES], basic[BASIC_BYTES];
        size_t user_size = percent_decode(user, url->user, url->user_size), basic_size;

        *text = '\0';
        if (user_size == 0)
                return;
        if (!memchr(user, ':', user_size))
                user[user_size++] = ':';
        basic_size = base64_encode(basic, (const uint8_t *)user, user_size);
        snprintf(text, size, "Proxy-Authorization: Basic %.*s%.*s\r\n", (int)basic_size, basic,
                (int)((4 - basic_size % 4) % 4), padding);
}

/* NULL: no memory. */
static char *make_request(const struct target *target, const struct url *url)
{
        bool has_colon = strchr(target->tunnel_host, ':');
        char basic[BASIC_BYTES + 64], authority[HOST_BYTES], *request;

        snprintf(authority, sizeof(authority), has_colon ? "[%s]:%u" : "%s:%u", target->tunnel_host,
                target->port);
        write_basic(url, basic, sizeof(basic));
        if (asprintf(&request,
                    "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: quoit/" QUOIT_VERSION
                    "\r\n%s\r\n",
                    authority, authority, basic) < 0)
                return NULL;
        return request;
}

/* ---- the choice ---- */

/* The host alone: a user and a password are nobody's business. */
static void describe(const char *variable, const struct url *url, const char *problem,
        char ret_text[static PROXY_PROBLEM_BYTES])
{
        snprintf(ret_text, PROXY_PROBLEM_BYTES,
                "proxy \"%.*s\"%s%s: %s; a proxy is http://HOST:PORT or "
                "http://USER:PASSWORD@HOST:PORT",
                url->host_size < 200 ? (int)url->host_size : 200, url->host,
                variable ? " of the environment's " : "", variable ? variable : "", problem);
}

int proxy_choose(const char *text, const struct target *target, struct proxy *ret_proxy,
        char ret_problem[static PROXY_PROBLEM_BYTES])
{
        const char *variable = NULL, *problem;
        struct url url = { .host = "" };
        int r;

        ret_proxy->request = NULL;
        if (!target->tunnel_host[0])
                return 0;
        if (!text && !is_exempt(target))
                text = find_proxy(&variable);
        if (!text || !*text)
                return 0;
        r = parse_url(text, &url, &problem);
        if (r == 0)
                r = find_target(&url, &ret_proxy->target, &problem);
        if (r < 0) {
                describe(variable, &url, problem, ret_problem);
                return r;
        }
        ret_proxy->request = make_request(target, &url);
        return ret_proxy->request ? 0 : -ENOMEM;
}
