/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/version.h>

#include "client/no_proxy.h"
#include "client/proxy.h"

#define TARGET "backend.test:1"

static const char *const variables[] = { "grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy",
        "HTTP_PROXY", "no_grpc_proxy", "no_proxy", "NO_PROXY" };

static int clear_environment(void **state)
{
        (void)state;
        for (unsigned i = 0; i < sizeof(variables) / sizeof(*variables); i++)
                unsetenv(variables[i]);
        return 0;
}

/* ---- NO_PROXY ---- */

static void test_names(void **state)
{
        (void)state;
        assert_true(no_proxy_has("example.com", "example.com", 1));
        assert_true(no_proxy_has("Example.COM", "www.eXample.com", 1));
        assert_false(no_proxy_has("example.com", "notexample.com", 1));
        assert_false(no_proxy_has("example.com", "example.com.evil", 1));
        assert_false(no_proxy_has("www.example.com", "example.com", 1));
        assert_true(no_proxy_has(".example.com", "www.example.com", 1));
        assert_false(no_proxy_has(".example.com", "example.com", 1));
        assert_true(no_proxy_has("*.example.com", "a.b.example.com", 1));
        assert_false(no_proxy_has("*.example.com", "example.com", 1));
        assert_true(no_proxy_has("*", "anything", 1));
        assert_true(no_proxy_has("a, b\tc d,*", "anything", 1));
        assert_false(no_proxy_has("", "example.com", 1));
        assert_false(no_proxy_has(" ,, ,", "example.com", 1));
        assert_false(no_proxy_has(".", "example.com", 1));
        assert_false(no_proxy_has("*.", "example.com", 1));
        assert_true(no_proxy_has("a,example.com,b", "example.com", 1));
}

static void test_ports(void **state)
{
        (void)state;
        assert_true(no_proxy_has("example.com:443", "www.example.com", 443));
        assert_false(no_proxy_has("example.com:443", "www.example.com", 80));
        assert_false(no_proxy_has("example.com:", "example.com", 80));
        assert_false(no_proxy_has("example.com:x", "example.com", 80));
        assert_false(no_proxy_has("example.com:65616", "example.com", 80));
        assert_true(no_proxy_has("10.0.0.1:80", "10.0.0.1", 80));
        assert_false(no_proxy_has("10.0.0.1:80", "10.0.0.1", 81));
        assert_true(no_proxy_has("[2001:db8::1]:80", "2001:db8::1", 80));
        assert_false(no_proxy_has("[2001:db8::1]:80", "2001:db8::1", 81));
        assert_false(no_proxy_has("[2001:db8::1]x", "2001:db8::1", 81));
        assert_true(no_proxy_has("10.0.0.0/8:80", "10.0.0.1", 80));
}

static void test_networks(void **state)
{
        (void)state;
        assert_true(no_proxy_has("10.0.0.1", "10.0.0.1", 1));
        assert_false(no_proxy_has("10.0.0.1", "10.0.0.11", 1));
        assert_true(no_proxy_has("10.0.0.0/8", "10.255.0.1", 1));
        assert_false(no_proxy_has("10.0.0.0/8", "11.0.0.1", 1));
        assert_true(no_proxy_has("192.168.4.0/22", "192.168.7.255", 1));
        assert_false(no_proxy_has("192.168.4.0/22", "192.168.8.0", 1));
        assert_true(no_proxy_has("0.0.0.0/0", "1.2.3.4", 1));
        assert_true(no_proxy_has("1.2.3.4/32", "1.2.3.4", 1));
        assert_false(no_proxy_has("1.2.3.4/33", "1.2.3.4", 1));
        assert_false(no_proxy_has("1.2.3.4/", "1.2.3.4", 1));
        assert_false(no_proxy_has("1.2.3.4/-1", "1.2.3.4", 1));
        assert_true(no_proxy_has("fd00::/8", "fdff::1", 1));
        assert_false(no_proxy_has("fd00::/8", "fe80::1", 1));
        assert_true(no_proxy_has("2001:db8::1", "2001:DB8:0::1", 1));
        assert_true(no_proxy_has("2001:db8::1/128", "2001:db8::1", 1));
        assert_true(no_proxy_has("::/0", "2001:db8::1", 1));
        assert_false(no_proxy_has("::/0", "1.2.3.4", 1));
        assert_true(no_proxy_has("10.0.0.0/8", "::ffff:10.0.0.1", 1));
        /* a name is not looked up, and is no part of an address */
        assert_false(no_proxy_has("0.0.0.0/0,::/0", "example.com", 1));
        assert_false(no_proxy_has("0.0.1", "10.0.0.1", 1));
}

/* Entries that are longer than any name match nothing, and what follows them is read. */
static void test_long_entries(void **state)
{
        char list[1000];

        (void)state;
        memset(list, 'a', sizeof(list));
        strcpy(list + 900, ",example.com");
        assert_true(no_proxy_has(list, "example.com", 1));
        assert_false(no_proxy_has(list, "a", 1));
}

static void test_here(void **state)
{
        (void)state;
        assert_true(no_proxy_is_here("localhost"));
        assert_true(no_proxy_is_here("LocalHost"));
        assert_true(no_proxy_is_here("127.1.2.3"));
        assert_true(no_proxy_is_here("::1"));
        assert_true(no_proxy_is_here("::ffff:127.0.0.1"));
        assert_false(no_proxy_is_here("128.0.0.1"));
        assert_false(no_proxy_is_here("nothere"));
}

/* ---- the proxy ---- */

/* What of the channel's own target is its way, and what is asked; "" for none. */
static void assert_proxy(const char *url, const char *target_text, const char *way,
        const char *authority, const char *more)
{
        char problem[PROXY_PROBLEM_BYTES], wanted[2048];
        struct target target;
        struct proxy proxy;

        assert_int_equal(target_parse(target_text, &target), 0);
        assert_int_equal(proxy_choose(url, &target, &proxy, problem), 0);
        if (!*way) {
                assert_null(proxy.request);
                return;
        }
        assert_string_equal(proxy.target.authority, way);
        snprintf(wanted, sizeof(wanted),
                "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: quoit/" QUOIT_VERSION "\r\n%s\r\n",
                authority, authority, more);
        assert_string_equal(proxy.request, wanted);
        free(proxy.request);
}

static void test_urls(void **state)
{
        (void)state;
        assert_proxy("http://proxy:3128", TARGET, "proxy:3128", TARGET, "");
        assert_proxy("HTTP://proxy:3128/path?q#f", TARGET, "proxy:3128", TARGET, "");
        assert_proxy("proxy:3128", TARGET, "proxy:3128", TARGET, "");
        assert_proxy("proxy", TARGET, "proxy:80", TARGET, "");
        assert_proxy("unix:80", TARGET, "unix:80", TARGET, ""); /* a host */
        assert_proxy("http://10.0.0.1", TARGET, "10.0.0.1:80", TARGET, "");
        assert_proxy("http://[2001:db8::1]", TARGET, "[2001:db8::1]:80", TARGET, "");
        assert_proxy("http://[2001:db8::1]:1", TARGET, "[2001:db8::1]:1", TARGET, "");
        assert_proxy("http://me@proxy:1", TARGET, "proxy:1", TARGET,
                "Proxy-Authorization: Basic bWU6\r\n"); /* "me:" */
        assert_proxy("http://me:p%40ss%3A%0d%0a@proxy:1", TARGET, "proxy:1", TARGET,
                "Proxy-Authorization: Basic bWU6cEBzczoNCg==\r\n");
        assert_proxy("me:a@b@proxy:1", TARGET, "proxy:1", TARGET,
                "Proxy-Authorization: Basic bWU6YUBi\r\n");
        assert_proxy("http://@proxy:1", TARGET, "proxy:1", TARGET, "");
        assert_proxy("", TARGET, "", "", "");
}

static void test_targets(void **state)
{
        (void)state;
        assert_proxy("proxy:1", "backend.test", "proxy:1", "backend.test:443", "");
        assert_proxy("proxy:1", "dns:///backend.test:7", "proxy:1", "backend.test:7", "");
        assert_proxy("proxy:1", "dns://1.1.1.1/backend.test:7", "proxy:1", "backend.test:7", "");
        assert_proxy("proxy:1", "10.0.0.1", "proxy:1", "10.0.0.1:443", "");
        assert_proxy("proxy:1", "[2001:db8::1]:7", "proxy:1", "[2001:db8::1]:7", "");
        assert_proxy("proxy:1", "127.0.0.1:7", "proxy:1", "127.0.0.1:7", "");
        assert_proxy("proxy:1", "ipv4:10.0.0.1:7", "", "", "");
        assert_proxy("proxy:1", "ipv6:[2001:db8::1]:7", "", "", "");
        assert_proxy("proxy:1", "unix:/run/x", "", "", "");
        assert_proxy("proxy:1", "unix-abstract:x", "", "", "");
        assert_proxy("proxy:1", "vsock:2:7", "", "", "");
}

static void test_longest(void **state)
{
        char target[TARGET_HOST_BYTES], user[512], url[600], problem[PROXY_PROBLEM_BYTES];
        struct target parsed;
        struct proxy proxy;

        (void)state;
        memset(target, 'a', sizeof(target) - 7);
        strcpy(target + sizeof(target) - 7, ":65535");
        memset(user, 'x', sizeof(user) - 1);
        user[sizeof(user) - 1] = '\0';
        snprintf(url, sizeof(url), "%s@proxy:1", user);
        assert_int_equal(target_parse(target, &parsed), 0);
        assert_int_equal(proxy_choose(url, &parsed, &proxy, problem), 0);
        assert_non_null(strstr(proxy.request, target));
        assert_string_equal(proxy.request + strlen(proxy.request) - 8, "eDo=\r\n\r\n"); /* "x:" */
        free(proxy.request);
}

static void test_environment(void **state)
{
        (void)state;
        assert_proxy(NULL, TARGET, "", "", "");
        setenv("HTTP_PROXY", "no:1", 1); /* a header of CGI */
        assert_proxy(NULL, TARGET, "", "", "");
        setenv("http_proxy", "d:1", 1);
        assert_proxy(NULL, TARGET, "d:1", TARGET, "");
        setenv("HTTPS_PROXY", "c:1", 1);
        assert_proxy(NULL, TARGET, "c:1", TARGET, "");
        setenv("https_proxy", "b:1", 1);
        assert_proxy(NULL, TARGET, "b:1", TARGET, "");
        setenv("grpc_proxy", "", 1);
        assert_proxy(NULL, TARGET, "b:1", TARGET, "");
        setenv("grpc_proxy", "a:1", 1);
        assert_proxy(NULL, TARGET, "a:1", TARGET, "");
        assert_proxy("x:1", TARGET, "x:1", TARGET, "");
        assert_proxy("", TARGET, "", "", "");
        assert_proxy(NULL, "localhost:1", "", "", "");
        assert_proxy(NULL, "[::1]:1", "", "", "");
        assert_proxy("x:1", "localhost:1", "x:1", "localhost:1", "");
        setenv("NO_PROXY", "test", 1);
        assert_proxy(NULL, TARGET, "", "", "");
        assert_proxy("x:1", TARGET, "x:1", TARGET, "");
        setenv("no_proxy", "test:2", 1);
        assert_proxy(NULL, TARGET, "a:1", TARGET, "");
        setenv("no_grpc_proxy", "backend.test:1", 1);
        assert_proxy(NULL, TARGET, "", "", "");
}

/* What is said of it does not have the password. */
static void assert_bad(const char *url, const char *wanted)
{
        char problem[PROXY_PROBLEM_BYTES] = "";
        struct target target;
        struct proxy proxy;

        assert_int_equal(target_parse(TARGET, &target), 0);
        assert_int_equal(proxy_choose(url, &target, &proxy, problem), -EINVAL);
        assert_null(proxy.request);
        assert_non_null(strstr(problem, wanted));
        assert_null(strstr(problem, "secret"));
}

static void test_bad(void **state)
{
        char long_url[700];

        (void)state;
        assert_bad("https://me:secret@proxy:1", "its scheme is not http://");
        assert_bad("socks5://proxy:1", "its scheme is not http://");
        assert_bad("http://me:secret@proxy:x", "proxy \"proxy:x\": its port is not a number");
        assert_bad("http://", "it has no host before its port");
        assert_bad("http://:80", "it has no host before its port");
        assert_bad("http://a,b", "only ipv4: and ipv6: take lists");
        assert_bad("http://[::1", "a \"[\" without a \"]\"");
        assert_bad("http://pro xy", "characters that names do not have");
        memset(long_url, 'x', sizeof(long_url) - 1);
        long_url[sizeof(long_url) - 1] = '\0';
        assert_bad(long_url, "its host is too long");
        memcpy(long_url, "secret", 6);
        long_url[sizeof(long_url) - 3] = '@';
        assert_bad(long_url, "its user and password are too long");
        setenv("https_proxy", "ftp://me:secret@proxy", 1);
        assert_bad(NULL, "of the environment's https_proxy: its scheme is not http://");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_long_entries),
                cmocka_unit_test(test_here),
                cmocka_unit_test_setup(test_urls, clear_environment),
                cmocka_unit_test_setup(test_targets, clear_environment),
                cmocka_unit_test_setup(test_longest, clear_environment),
                cmocka_unit_test_setup(test_environment, clear_environment),
                cmocka_unit_test_setup(test_bad, clear_environment),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
