/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
        ENTRY_BYTES = 6,
        STREAMS_MIN =
                100, /* RFC 9113, section 6.5.2: not smaller, so as not to limit parallelism */
        WINDOW_DEFAULT = 65535,
        FRAME_MIN = 16384,
        FRAME_MAX = 16777215,
        HEADERS_MIN = 8192,
};

/* By their numbers. */
enum setting {
        TABLE_SIZE = 1,
        ENABLE_PUSH,
        STREAMS,
        WINDOW,
        FRAME_SIZE,
        LIST_SIZE,
        CONNECT = 8,
        NO_PRIORITIES = 9,
};

static void check_streams(struct report *report, const char *name, uint32_t value)
{
        static const char advice[] = "raise it in the server (grpc's max_concurrent_streams, a "
                                     "proxy's limit): calls over it wait";

        if (value == 0)
                report_fail(report, name, advice, "0: the server takes no calls");
        else if (value < STREAMS_MIN)
                report_warn(
                        report, name, advice, "%" PRIu32 " calls at a time on a connection", value);
        else
                report_ok(report, name, "%" PRIu32, value);
}

static void check_window(struct report *report, const char *name, uint32_t value)
{
        if (value > INT32_MAX)
                report_fail(report, name, "the server breaks RFC 9113: at most 2147483647",
                        "%" PRIu32, value);
        else if (value < WINDOW_DEFAULT)
                report_warn(report, name, "raise the server's window of a stream",
                        "%" PRIu32
                        " bytes: requests larger than that wait for the server in between",
                        value);
        else
                report_ok(report, name, "%" PRIu32, value);
}

static void check_frame_size(struct report *report, const char *name, uint32_t value)
{
        if (value < FRAME_MIN || value > FRAME_MAX)
                report_fail(report, name, "the server breaks RFC 9113: 16384 to 16777215",
                        "%" PRIu32, value);
        else
                report_ok(report, name, "%" PRIu32, value);
}

static void check_push(struct report *report, const char *name, uint32_t value)
{
        if (value == 0)
                report_ok(report, name, "0");
        else
                report_fail(report, name,
                        "the server breaks RFC 9113: it may only send 0 (clients close the "
                        "connection)",
                        "%" PRIu32, value);
}

static void check_headers(struct report *report, const char *name, uint32_t value)
{
        if (value < HEADERS_MIN)
                report_warn(report, name, "raise the server's limit of metadata",
                        "%" PRIu32 " bytes: metadata of 8 KiB, as other servers take, is refused",
                        value);
        else
                report_ok(report, name, "%" PRIu32, value);
}

static void check_any(struct report *report, const char *name, uint32_t value)
{
        report_ok(report, name, "%" PRIu32, value);
}

static void check_flag(struct report *report, const char *name, uint32_t value)
{
        if (value <= 1)
                report_ok(report, name, "%" PRIu32, value);
        else
                report_fail(report, name, "the server breaks its RFC: 0 or 1", "%" PRIu32, value);
}

static const struct {
        const char *name;
        void (*check)(struct report *report, const char *name, uint32_t value);
} settings[] = {
        [TABLE_SIZE] = { "HEADER_TABLE_SIZE", check_any },
        [ENABLE_PUSH] = { "ENABLE_PUSH", check_push },
        [STREAMS] = { "MAX_CONCURRENT_STREAMS", check_streams },
        [WINDOW] = { "INITIAL_WINDOW_SIZE", check_window },
        [FRAME_SIZE] = { "MAX_FRAME_SIZE", check_frame_size },
        [LIST_SIZE] = { "MAX_HEADER_LIST_SIZE", check_headers },
        [CONNECT] = { "ENABLE_CONNECT_PROTOCOL", check_flag },
        [NO_PRIORITIES] = { "NO_RFC7540_PRIORITIES", check_flag },
};

enum { SETTING_COUNT = sizeof(settings) / sizeof(settings[0]) };

static unsigned id_of(const uint8_t *entry)
{
        return (unsigned)entry[0] << 8 | entry[1];
}

static uint32_t value_of(const uint8_t *entry)
{
        return (uint32_t)entry[2] << 24 | (uint32_t)entry[3] << 16 | (uint32_t)entry[4] << 8 |
               entry[5];
}

/* An identifier that nobody knows is ignored; servers send some to see that it is (RFC 8701's GREASE), and gRPC has its own. */
static void say_unknown(struct report *report, const uint8_t *payload, size_t size)
{
        char text[FINDING_TEXT_BYTES] = "";
        size_t used = 0;

        for (const uint8_t *entry = payload; entry < payload + size; entry += ENTRY_BYTES) {
                unsigned id = id_of(entry);

                if ((id < SETTING_COUNT && settings[id].check) || used >= sizeof(text))
                        continue;
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s0x%x = %" PRIu32,
                        used > 0 ? ", " : "", id, value_of(entry));
        }
        if (used > 0)
                report_ok(report, "other settings", "%s", text);
}

void settings_check(struct report *report, const uint8_t *payload, size_t size)
{
        bool has_streams = false;

        if (size % ENTRY_BYTES != 0) {
                report_fail(report, "SETTINGS",
                        "the server breaks RFC 9113: clients close the connection",
                        "%zu bytes, which is no multiple of 6", size);
                return;
        }
        for (const uint8_t *entry = payload; entry < payload + size; entry += ENTRY_BYTES) {
                unsigned id = id_of(entry);

                if (id == STREAMS)
                        has_streams = true;
                if (id < SETTING_COUNT && settings[id].check)
                        settings[id].check(report, settings[id].name, value_of(entry));
        }
        if (!has_streams)
                report_ok(report, settings[STREAMS].name, "no limit");
        say_unknown(report, payload, size);
}
