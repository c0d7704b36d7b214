/* SPDX-License-Identifier: MIT */
#include "http1.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "choice.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"
#include "pattern.h"
#include "script.quoit.h"
#include "service.h"

enum { AT_ONCE_MAX = 3, BYTES_MAX = 1 << 16, SIZE_MAX_ASKED = 20000 };

#define PATIENCE_NS (5 * NS_PER_S) /* before, it gives up a connection */

struct request {
        enum act act;
        uint32_t size;
};

static struct {
        const struct setting *setting;
        int listener_fd;
        bool is_late; /* all faults are over */
        bool is_over;
        struct sim_conn *conn; /* NULL: there is none */
        char bytes[BYTES_MAX]; /* that have come, and are not looked at yet */
        size_t size;
} http1;

/* ---- its connection ---- */

static void leave(void)
{
        if (http1.conn)
                sim_peer_reset(http1.conn);
        http1.conn = NULL;
        http1.size = 0;
}

static bool is_left(void)
{
        if (!http1.conn || *http1.setting->server_is_over || (sim.is_calm && !http1.is_late))
                return true;
        return http1.conn->reset || sim_peer_is_ended(http1.conn);
}

static void send_all(const char *bytes, size_t size)
{
        while (size > 0 && !is_left()) {
                size_t most = sim_chance(300) ? 1 + sim_below(size) : size;
                size_t sent = sim_peer_write(http1.conn, bytes, most);

                bytes += sent;
                size -= sent;
                if (size > 0)
                        fiber_sleep(sim_below(2 * NS_PER_MS));
        }
}

/* ---- a request ---- */

/* An Ask. Returns its size. */
static size_t put_ask(const struct request *request, char *bytes, size_t size_max)
{
        upb_Arena *arena;
        script_Ask *ask;
        size_t size = 0;
        char *text;

        sim_own_begin();
        arena = upb_Arena_New();
        ask = script_Ask_new(arena);
        script_Ask_set_act(ask, (uint32_t)request->act);
        script_Ask_set_count(ask, (uint32_t)sim_below(20));
        script_Ask_set_size(ask, request->size);
        text = script_Ask_serialize(ask, arena, &size);
        if (!text || size > size_max)
                abort();
        memcpy(bytes, text, size);
        upb_Arena_Free(arena);
        sim_own_end();
        return size;
}

static void ask(struct request *request)
{
        char text[512], body[64];
        size_t body_size, head_size;

        *request = (struct request){
                .act = !http1.is_late && sim_chance(300) ? (enum act)sim_below(ACTS) : ACT_ANSWER,
                .size = (uint32_t)sim_below(sim_chance(200) ? SIZE_MAX_ASKED : 1000),
        };
        body_size = put_ask(request, body, sizeof(body));
        head_size = (size_t)snprintf(text, sizeof(text),
                "POST /script.Script/Unary HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/proto\r\nConnect-Protocol-Version: 1\r\n"
                "%sContent-Length: %zu\r\n\r\n",
                !http1.is_late && sim_chance(300) ? "Connect-Timeout-Ms: 50\r\n" : "", body_size);
        memcpy(text + head_size, body, body_size);
        sim_note("asks by HTTP/1.1", http1.conn->id, (uint64_t)request->act);
        send_all(text, head_size + body_size);
}

/* ---- an answer ---- */

static void check_told(const struct request *request, const char *bytes, size_t size)
{
        upb_Arena *arena;
        const script_Told *told;
        upb_StringView payload;

        sim_own_begin();
        arena = upb_Arena_New();
        told = script_Told_parse(bytes, size, arena);
        sim_own_end();
        if (!told)
                sim_fail("an answer by HTTP/1.1 does not parse");
        payload = script_Told_payload(told);
        if (payload.size != request->size || script_Told_number(told) != 0 ||
                pattern_check((const unsigned char *)payload.data, payload.size, 0) < payload.size)
                sim_fail(
                        "an answer by HTTP/1.1 has %zu bytes, or wrong ones, and %u were asked for",
                        payload.size, request->size);
        sim_own_begin();
        upb_Arena_Free(arena);
        sim_own_end();
}

/* The value of @name in the fields, which end with a zero. NULL: there is none. */
static const char *field(const char *fields, const char *name)
{
        size_t size = strlen(name);

        while ((fields = strstr(fields, "\r\n"))) {
                fields += 2;
                if (strncasecmp(fields, name, size) == 0 && fields[size] == ':')
                        return fields + size + 1;
        }
        return NULL;
}

/* Waits for more. False: there will be none. */
static bool hear(uint64_t begun_ns)
{
        size_t size_max = sizeof(http1.bytes) - http1.size, size;

        while (!is_left()) {
                uint64_t took_ns = sim.now_ns - begun_ns;

                size = sim_peer_read(http1.conn, http1.bytes + http1.size, size_max);
                http1.size += size;
                if (size > 0)
                        return true;
                if (!http1.is_late && took_ns > PATIENCE_NS) /* late calls are awaited by run.c */
                        return false;
                fiber_sleep(sim.is_calm ? NS_PER_MS : sim_below(5 * NS_PER_MS));
        }
        return false;
}

static void check_answer(const struct request *request, const char *body, size_t size)
{
        int status = atoi(http1.bytes + strlen("HTTP/1.1 "));

        sim_note("is answered by HTTP/1.1", (uint64_t)status, size);
        if (status == 200)
                check_told(request, body, size);
        else if (status == 404 && request->act != ACT_FAIL)
                sim_fail("HTTP/1.1: a call fails as nobody asked for");
}

/* Nobody keeps it from the server, and it waits for nothing. */
static void check_late(void)
{
        if (http1.is_late && http1.setting->admits_all && !*http1.setting->server_stops)
                sim_fail("all faults are over, and a call by HTTP/1.1 is not answered");
}

/* True: it has come, and the connection stays. */
static bool get_answer(const struct request *request)
{
        uint64_t begun_ns = sim.now_ns;
        size_t head_size = 0, whole = SIZE_MAX;
        bool closes = false;

        while (http1.size < whole) {
                const char *end = memmem(http1.bytes, http1.size, "\r\n\r\n", 4);

                if (end && head_size == 0) {
                        const char *length;

                        head_size = (size_t)(end - http1.bytes) + 4;
                        http1.bytes[head_size - 1] = '\0';
                        length = field(http1.bytes, "content-length");
                        if (strncmp(http1.bytes, "HTTP/1.1 ", 9) != 0 || !length)
                                sim_fail("HTTP/1.1: an answer begins with \"%s\"", http1.bytes);
                        whole = head_size + strtoul(length, NULL, 10);
                        closes = field(http1.bytes, "connection");
                } else if (!hear(begun_ns)) {
                        check_late();
                        return false;
                }
        }
        check_answer(request, http1.bytes + head_size, whole - head_size);
        http1.size -= whole;
        memmove(http1.bytes, http1.bytes + whole, http1.size);
        return !closes;
}

/* ---- its thread ---- */

static void call(void)
{
        struct request requests[AT_ONCE_MAX];
        bool stays = true;
        unsigned count = http1.is_late ? 1 : 1 + (unsigned)sim_below(AT_ONCE_MAX);

        for (unsigned i = 0; i < count; i++)
                ask(requests + i);
        if (!http1.is_late && sim_chance(50))
                sim_peer_end(http1.conn);
        for (unsigned i = 0; i < count && stays; i++)
                stays = get_answer(requests + i);
        if (!stays || sim_chance(100))
                leave();
}

void http1_prepare(int listener_fd, const struct setting *setting)
{
        memset(&http1, 0, sizeof(http1));
        http1.listener_fd = listener_fd;
        http1.setting = setting;
}

void *http1_run(void *unused)
{
        (void)unused;
        while (!http1.is_over) {
                http1.is_late = sim.is_calm;
                if (http1.is_late)
                        leave();
                if (!http1.conn)
                        http1.conn = sim_connect(http1.listener_fd);
                if (http1.conn)
                        call();
                http1.is_over = http1.is_late || *http1.setting->server_is_over;
                if (!http1.is_over)
                        fiber_sleep(sim_below(30 * NS_PER_MS));
        }
        leave();
        return NULL;
}

bool http1_is_served(void)
{
        return http1.is_over;
}
