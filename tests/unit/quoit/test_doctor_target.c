/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/doctor/addresses.h"
#include "apps/quoit/doctor/hosts.h"
#include "apps/quoit/doctor/http2.h"
#include "apps/quoit/doctor/settings.h"

static void test_places(void **state)
{
        static const struct {
                const char *target, *host;
                unsigned port;
        } cases[] = {
                { "localhost:50051", "localhost", 50051 },
                { "example.org", "example.org", 443 },
                { "127.0.0.1:1", "127.0.0.1", 1 },
                { "[::1]:50051", "::1", 50051 },
                { "[::1]", "::1", 443 },
                { "dns:a:2", "a", 2 },
                { "dns:///a:2", "a", 2 },
                { "ipv4:10.0.0.1:3", "10.0.0.1", 3 },
                { "ipv6:[fe80::1]:4", "fe80::1", 4 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct place place;

                place_parse(&place, cases[i].target, false);
                assert_int_equal(place.kind, PLACE_HOST);
                assert_string_equal(place.host, cases[i].host);
                assert_int_equal(place.port, cases[i].port);
        }
}

static void test_sockets(void **state)
{
        struct place place;

        (void)state;
        place_parse(&place, "unix:/run/a.sock", false);
        assert_int_equal(place.kind, PLACE_UNIX);
        assert_string_equal(place.path, "/run/a.sock");
        place_parse(&place, "unix:///run/a.sock", false);
        assert_string_equal(place.path, "/run/a.sock");
        place_parse(&place, "a:1", true);
        assert_int_equal(place.kind, PLACE_UNIX);
        assert_string_equal(place.path, "a:1");
}

/* They are only called. */
static void test_other_places(void **state)
{
        static const char *const targets[] = { "", ":1", "a:", "a:0", "a:65536", "a:1x", "a:-1",
                "[::1", "[::1]x", "::1", "dns://8.8.8.8/a:1", "ipv4:10.0.0.1:1,10.0.0.2:1",
                "vsock:2:50051", "unix-abstract:a", "unix:", "unix:/a%20b", "a/b:1" };
        char name[400];
        struct place place;

        (void)state;
        for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
                place_parse(&place, targets[i], false);
                assert_int_equal(place.kind, PLACE_OTHER);
        }
        memset(name, 'a', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        place_parse(&place, name, false);
        assert_int_equal(place.kind, PLACE_OTHER);
        place_parse(&place, name, true);
        assert_int_equal(place.kind, PLACE_OTHER);
}

static void test_addresses(void **state)
{
        struct addresses addresses = { 0 };
        struct place place;

        (void)state;
        place_parse(&place, "[::1]:5", false);
        assert_true(addresses_add_place(&addresses, &place));
        place_parse(&place, "10.0.0.1:5", false);
        assert_true(addresses_add_place(&addresses, &place));
        place_parse(&place, "unix:/a", false);
        assert_true(addresses_add_place(&addresses, &place));
        place_parse(&place, "localhost:5", false);
        assert_false(addresses_add_place(&addresses, &place));
        assert_int_equal(addresses.count, 3);
        assert_string_equal(addresses.list[0].text, "[::1]:5");
        assert_string_equal(addresses.list[1].text, "10.0.0.1:5");
        assert_string_equal(addresses.list[2].text, "/a");
}

static void test_hosts(void **state)
{
        static const char text[] = "# 1.2.3.4 commented\n127.0.0.1\tlocalhost  Alias\n\n"
                                   "10.0.0.1 a.example a # b\n10.0.0.2";

        (void)state;
        assert_false(hosts_have(NULL, "a"));
        assert_false(hosts_have(text, "commented"));
        assert_false(hosts_have(text, "b"));
        assert_false(hosts_have(text, "10.0.0.2"));
        assert_false(hosts_have(text, ""));
        assert_false(hosts_have(text, "local"));
        assert_true(hosts_have(text, "localhost"));
        assert_true(hosts_have(text, "alias"));
        assert_true(hosts_have(text, "a.example"));
        assert_true(hosts_have(text, "a"));
}

static void test_speech(void **state)
{
        static const unsigned char http2[] = { 0, 0, 6, 4, 0, 0, 0, 0, 0 };
        static const unsigned char on_stream[] = { 0, 0, 6, 4, 0, 0, 0, 0, 1 };
        static const unsigned char alert[] = { 21, 3, 1, 0, 2, 2, 10 };

        (void)state;
        assert_int_equal(http2_speech(http2, 9), SPEECH_HTTP2);
        assert_int_equal(http2_speech(http2, 8), SPEECH_OTHER);
        assert_int_equal(http2_speech(on_stream, 9), SPEECH_OTHER);
        assert_int_equal(http2_speech((const unsigned char *)"HTTP/1.1 ", 9), SPEECH_HTTP1);
        assert_int_equal(http2_speech(alert, 7), SPEECH_TLS);
        assert_int_equal(http2_speech((const unsigned char *)"SSH-2.0-O", 9), SPEECH_OTHER);
        assert_int_equal(http2_speech((const unsigned char *)"S", 1), SPEECH_OTHER);
}

static void assert_setting(
        const char *bytes, size_t size, const char *topic, enum verdict verdict, const char *text)
{
        struct report report = { 0 };
        bool is_found = false;

        settings_check(&report, (const uint8_t *)bytes, size);
        for (size_t i = 0; i < report.count; i++)
                if (strcmp(report.findings[i].topic, topic) == 0) {
                        is_found = true;
                        assert_int_equal(report.findings[i].verdict, verdict);
                        assert_non_null(strstr(report.findings[i].text, text));
                }
        assert_true(is_found);
        report_deinit(&report);
}

#define ASSERT_SETTING(bytes, topic, verdict, text)                                                \
        assert_setting(bytes, sizeof(bytes) - 1, topic, verdict, text)

static void test_settings(void **state)
{
        (void)state;
        ASSERT_SETTING("", "MAX_CONCURRENT_STREAMS", VERDICT_OK, "no limit");
        ASSERT_SETTING("\0\3\0\0\0\x64", "MAX_CONCURRENT_STREAMS", VERDICT_OK, "100");
        ASSERT_SETTING("\0\3\0\0\0\1", "MAX_CONCURRENT_STREAMS", VERDICT_WARN, "1 calls");
        ASSERT_SETTING("\0\3\0\0\0\0", "MAX_CONCURRENT_STREAMS", VERDICT_FAIL, "0");
        ASSERT_SETTING("\0\4\0\1\0\0", "INITIAL_WINDOW_SIZE", VERDICT_OK, "65536");
        ASSERT_SETTING("\0\4\0\0\1\0", "INITIAL_WINDOW_SIZE", VERDICT_WARN, "256");
        ASSERT_SETTING("\0\4\x80\0\0\0", "INITIAL_WINDOW_SIZE", VERDICT_FAIL, "2147483648");
        ASSERT_SETTING("\0\5\0\0\x40\0", "MAX_FRAME_SIZE", VERDICT_OK, "16384");
        ASSERT_SETTING("\0\5\0\0\0\1", "MAX_FRAME_SIZE", VERDICT_FAIL, "1");
        ASSERT_SETTING("\0\5\1\0\0\0", "MAX_FRAME_SIZE", VERDICT_FAIL, "16777216");
        ASSERT_SETTING("\0\2\0\0\0\0", "ENABLE_PUSH", VERDICT_OK, "0");
        ASSERT_SETTING("\0\2\0\0\0\1", "ENABLE_PUSH", VERDICT_FAIL, "1");
        ASSERT_SETTING("\0\6\0\0\x20\0", "MAX_HEADER_LIST_SIZE", VERDICT_OK, "8192");
        ASSERT_SETTING("\0\6\0\0\1\0", "MAX_HEADER_LIST_SIZE", VERDICT_WARN, "256");
        ASSERT_SETTING("\0\x8\0\0\0\2", "ENABLE_CONNECT_PROTOCOL", VERDICT_FAIL, "2");
        ASSERT_SETTING("\xfe\3\0\0\0\1", "other settings", VERDICT_OK, "0xfe03 = 1");
        ASSERT_SETTING("\0\0\0\0\0\1", "other settings", VERDICT_OK, "0x0 = 1");
        ASSERT_SETTING("\0\3\0\0\0", "SETTINGS", VERDICT_FAIL, "5 bytes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_sockets),
                cmocka_unit_test(test_other_places),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_hosts),
                cmocka_unit_test(test_speech),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
