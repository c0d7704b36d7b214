/* SPDX-License-Identifier: MIT */
#include "http2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "elapsed.h"
#include "settings.h"

enum {
        HEAD_BYTES = 9,
        PAYLOAD_MAX = 16384,
        FRAMES_MAX = 100, /* that a server may send before it answers a PING */
};

/* RFC 9113, section 6. */
enum frame_type { FRAME_SETTINGS = 4, FRAME_PING = 6, FRAME_GOAWAY = 7, FRAME_WINDOW_UPDATE = 8 };
enum { FLAG_ACK = 1 };

struct frame {
        size_t size;
        unsigned type, flags;
        uint32_t stream;
        uint8_t payload[PAYLOAD_MAX]; /* @size bytes */
};

/* The preface, empty SETTINGS and a PING. */
static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                            "\0\0\0\4\0\0\0\0\0"
                            "\0\0\10\6\0\0\0\0\0doctor!!";
static const char settings_taken[] = "\0\0\0\4\1\0\0\0\0";

static uint32_t number(const uint8_t *bytes)
{
        return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3];
}

enum speech http2_speech(const unsigned char *bytes, size_t size)
{
        static const unsigned char http1[] = "HTTP/1.";

        if (size >= sizeof(http1) - 1 && memcmp(bytes, http1, sizeof(http1) - 1) == 0)
                return SPEECH_HTTP1;
        if (size >= 3 && bytes[0] == 21 && bytes[1] == 3 && bytes[2] <= 4)
                return SPEECH_TLS;
        /* The first frame must be SETTINGS; one that is too large is none. */
        if (size >= HEAD_BYTES && bytes[0] == 0 && bytes[3] == FRAME_SETTINGS &&
                number(bytes + 5) == 0)
                return SPEECH_HTTP2;
        return SPEECH_OTHER;
}

static enum speech speech_of_error(int error)
{
        return error == -ETIMEDOUT ? SPEECH_SILENT : SPEECH_CLOSED;
}

/* 1, or as wire_read(); -EPROTO: too large. */
static int read_payload(struct wire *wire, const uint8_t head[HEAD_BYTES], struct frame *frame)
{
        frame->size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        frame->type = head[3];
        frame->flags = head[4];
        frame->stream = number(head + 5) & INT32_MAX;
        return frame->size > PAYLOAD_MAX ? -EPROTO : wire_read(wire, frame->payload, frame->size);
}

static void say_goaway(struct report *report, const struct frame *frame)
{
        int size = (int)(frame->size > 8 ? frame->size - 8 : 0);

        report_fail(report, "GOAWAY", "the server ends connections as they begin: look at its log",
                "error %" PRIu32 " %.*s", frame->size >= 8 ? number(frame->payload + 4) : 0, size,
                (const char *)frame->payload + 8);
}

/* What comes until the answer to the PING. */
static void check_rest(
        struct report *report, struct wire *wire, struct frame *frame, uint64_t sent_ns)
{
        uint64_t window = 65535;
        uint8_t head[HEAD_BYTES];

        for (unsigned i = 0; i < FRAMES_MAX; i++) {
                int r = wire_read(wire, head, sizeof(head));

                if (r > 0)
                        r = read_payload(wire, head, frame);
                if (r <= 0) {
                        report_fail(report, "PING", "look at the server's log", "no answer: %s",
                                r == 0 ? "it has closed the connection" : strerror(-r));
                        return;
                }
                if (frame->type == FRAME_GOAWAY) {
                        say_goaway(report, frame);
                        return;
                }
                if (frame->type == FRAME_WINDOW_UPDATE && frame->stream == 0 && frame->size == 4)
                        window += number(frame->payload) & INT32_MAX;
                if (frame->type == FRAME_PING && frame->flags & FLAG_ACK) {
                        report_ok(report, "connection window", "%" PRIu64, window);
                        report_ok(report, "PING", "answered in %.1f ms", elapsed_ms(sent_ns));
                        return;
                }
        }
        report_fail(report, "PING", "look at the server's log", "no answer among %u frames",
                (unsigned)FRAMES_MAX);
}

static enum speech talk(struct report *report, struct wire *wire, struct frame *frame)
{
        uint64_t sent_ns = clock_now_ns();
        uint8_t head[HEAD_BYTES];
        size_t size = 0;
        enum speech speech;
        int r = wire_write(wire, hello, sizeof(hello) - 1);

        while (r >= 0 && size < sizeof(head)) {
                r = wire_read_some(wire, head + size, sizeof(head) - size);
                if (r == 0)
                        break;
                if (r > 0)
                        size += (size_t)r;
        }
        if (size == 0)
                return r < 0 ? speech_of_error(r) : SPEECH_CLOSED;
        speech = http2_speech(head, size);
        if (speech != SPEECH_HTTP2)
                return speech;
        r = read_payload(wire, head, frame);
        if (r <= 0)
                return r < 0 ? speech_of_error(r) : SPEECH_CLOSED;
        report_ok(report, "SETTINGS", "after %.1f ms", elapsed_ms(sent_ns));
        settings_check(report, frame->payload, frame->size);
        if (wire_write(wire, settings_taken, sizeof(settings_taken) - 1) == 0)
                check_rest(report, wire, frame, sent_ns);
        return SPEECH_HTTP2;
}

enum speech http2_check(struct report *report, struct wire *wire)
{
        struct frame *frame = malloc(sizeof(*frame));
        enum speech speech = frame ? talk(report, wire, frame) : SPEECH_SILENT;

        free(frame);
        return speech;
}

void http2_complain(struct report *report, enum speech speech, bool is_tls)
{
        static const char topic[] = "HTTP/2";

        switch (speech) {
        case SPEECH_HTTP1:
                report_fail(report, topic,
                        "is it the right port? A proxy in between needs HTTP/2 (nginx: http2 on; "
                        "with grpc_pass)",
                        "it answers by HTTP/1.1");
                return;
        case SPEECH_TLS:
                report_fail(report, topic, "use --tls, or leave --plaintext out", "it wants TLS");
                return;
        case SPEECH_OTHER:
                report_fail(report, topic, "is it the right port?", "it speaks another protocol");
                return;
        case SPEECH_CLOSED:
                report_fail(report, topic,
                        is_tls ? "look at its log: it may want a client's certificate (--cert, "
                                 "--key)"
                               : "look at its log: it may want TLS, or refuse this address",
                        "it closes the connection without a word");
                return;
        case SPEECH_SILENT:
                report_fail(report, topic, "is it the right port? Does the server hang?",
                        "no answer in time");
                return;
        case SPEECH_HTTP2:
                return;
        }
}
