/* SPDX-License-Identifier: MIT */
#include "bench/load/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/schedule.h"
#include "bench/number.h"

#define CALLS_MAX 1000000000ull /* measured; four bytes each */
#define SECONDS_MAX 100000.0
#define MESSAGE_BYTES_MAX ((size_t)1 << 30)

static const char help[] =
        "usage: quoit-load [OPTION...] HOST:PORT /package.Service/method\n"
        "\n"
        "Calls a gRPC method over cleartext HTTP/2, and reports how fast and how well it was "
        "answered.\n"
        "\n"
        "  --connections N         default 1\n"
        "  --streams N             calls in flight on each connection; default 1\n"
        "  --kind KIND             unary (the default), server-stream, client-stream, bidi\n"
        "  --message-file FILE     one request message in protobuf; default: empty\n"
        "  --message-hex HEX       the same, in hexadecimal digits\n"
        "  --messages N            request messages a call; default 1; client-stream: all at "
        "once;\n"
        "                          bidi: the next when the last was answered\n"
        "\n"
        "  --calls N               calls to measure; default 1\n"
        "  --duration SECONDS      or for how long\n"
        "  --warmup SECONDS        before that, not measured\n"
        "  --rate R                open loop: R calls a second in all, whatever the server does; "
        "a\n"
        "                          call's latency counts from when it should have begun\n"
        "  --mix PERCENT,PATH,HEX  so many of the calls go to another unary method, with that "
        "message\n"
        "\n"
        "  --expect-messages N     what a good answer holds: messages (unary, client-stream: 1;\n"
        "                          bidi: as many as were sent), ...\n"
        "  --expect-bytes N        ... bytes of messages in all, ...\n"
        "  --expect-hex HEX        ... and this in each message\n"
        "\n"
        "  --idle                  make one call on each connection, print 'idle', and hold them "
        "until\n"
        "                          the end of stdin\n"
        "  --first-call            try each millisecond to connect, until one call was answered\n"
        "  --json                  print one JSON object\n"
        "  --help, -h              this text\n"
        "\n"
        "Exit status: 0 all calls went well, 1 some did not or the server went away, 2 misuse.\n";

static void __attribute__((format(printf, 1, 2), noreturn)) usage_error(const char *format, ...)
{
        va_list arguments;

        fputs("quoit-load: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputs("; see quoit-load --help\n", stderr);
        exit(OPTIONS_MISUSED);
}

/* ---- values ---- */

static uint64_t parse_count(const char *what, const char *text, uint64_t min, uint64_t max)
{
        uint64_t value;

        if (!number_parse(text, min, max, &value))
                usage_error("%s: '%s' is not a number from %llu to %llu", what, text,
                        (unsigned long long)min, (unsigned long long)max);
        return value;
}

static double parse_real(const char *what, const char *text, double max)
{
        double value;
        char *end;

        value = strtod(text, &end);
        if (end == text || *end || !isfinite(value) || value < 0 || value > max)
                usage_error("%s: '%s' is not a number from 0 to %g", what, text, max);
        return value;
}

static const char *parse_path(const char *what, const char *text)
{
        if (*text != '/' || strlen(text) > HPACK_PATH_BYTES_MAX)
                usage_error("%s: '%s' is not a /package.Service/method", what, text);
        return text;
}

static int hex_digit(char digit)
{
        static const char digits[] = "0123456789abcdef";
        const char *found = digit ? strchr(digits, digit | 0x20) : NULL;

        return found ? (int)(found - digits) : -1;
}

static void make_room(struct options_message *message, const char *what, size_t capacity)
{
        if (capacity <= MESSAGE_BYTES_MAX)
                message->bytes = realloc(message->bytes, capacity);
        if (!message->bytes || capacity > MESSAGE_BYTES_MAX)
                usage_error("%s: too large", what);
}

static void parse_hex(struct options_message *message, const char *what, const char *text)
{
        size_t digits = strlen(text);

        for (size_t i = 0; i < digits; i++)
                if (digits % 2 != 0 || hex_digit(text[i]) < 0)
                        usage_error("%s: '%s' is not hexadecimal", what, text);
        make_room(message, what, digits / 2 + 1);
        message->size = digits / 2;
        for (size_t i = 0; i < message->size; i++)
                message->bytes[i] =
                        (unsigned char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
}

static void read_message(struct options_message *message, const char *path)
{
        size_t capacity = 1 << 16;
        FILE *file = fopen(path, "rb");

        if (!file)
                usage_error("--message-file: %s: %s", path, strerror(errno));
        for (message->size = 0;; capacity *= 2) {
                make_room(message, path, capacity);
                message->size +=
                        fread(message->bytes + message->size, 1, capacity - message->size, file);
                if (message->size < capacity)
                        break;
        }
        if (ferror(file))
                usage_error("--message-file: %s: %s", path, strerror(errno));
        fclose(file);
}

static enum method_kind parse_kind(const char *text)
{
        static const char *const names[] = {
                [METHOD_UNARY] = "unary",
                [METHOD_SERVER_STREAM] = "server-stream",
                [METHOD_CLIENT_STREAM] = "client-stream",
                [METHOD_BIDI] = "bidi",
        };

        for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
                if (strcmp(text, names[i]) == 0)
                        return (enum method_kind)i;
        usage_error("--kind: '%s' is not unary, server-stream, client-stream or bidi", text);
}

/* PERCENT,PATH,HEX */
static void parse_mix(struct options *options, char *text)
{
        char *path = strchr(text, ',');
        char *hex = path ? strchr(path + 1, ',') : NULL;

        if (!hex)
                usage_error("--mix: '%s' is not PERCENT,PATH,HEX", text);
        *path++ = *hex++ = '\0';
        options->mix_percent = parse_real("--mix", text, 100);
        options->mix_path = parse_path("--mix", path);
        parse_hex(&options->mix_message, "--mix", hex);
}

/* HOST:PORT, an IPv6 address in brackets. */
static void parse_target(struct options *options, const char *text)
{
        const char *colon = strrchr(text, ':');
        size_t size = colon ? (size_t)(colon - text) : 0;

        if (size == 0 || size >= sizeof(options->host))
                usage_error("'%s' is not HOST:PORT", text);
        options->target = text;
        options->port = colon + 1;
        parse_count(text, options->port, 1, 65535);
        if (*text == '[' && colon[-1] == ']') {
                text++;
                size -= 2;
        }
        memcpy(options->host, text, size);
        options->host[size] = '\0';
}

/* ---- the whole ---- */

enum {
        OPTION_CONNECTIONS = 256,
        OPTION_STREAMS,
        OPTION_KIND,
        OPTION_MESSAGE_FILE,
        OPTION_MESSAGE_HEX,
        OPTION_MESSAGES,
        OPTION_CALLS,
        OPTION_DURATION,
        OPTION_WARMUP,
        OPTION_RATE,
        OPTION_MIX,
        OPTION_EXPECT_MESSAGES,
        OPTION_EXPECT_BYTES,
        OPTION_EXPECT_HEX,
        OPTION_IDLE,
        OPTION_FIRST_CALL,
        OPTION_JSON,
};

static const struct option known[] = {
        { "connections", required_argument, NULL, OPTION_CONNECTIONS },
        { "streams", required_argument, NULL, OPTION_STREAMS },
        { "kind", required_argument, NULL, OPTION_KIND },
        { "message-file", required_argument, NULL, OPTION_MESSAGE_FILE },
        { "message-hex", required_argument, NULL, OPTION_MESSAGE_HEX },
        { "messages", required_argument, NULL, OPTION_MESSAGES },
        { "calls", required_argument, NULL, OPTION_CALLS },
        { "duration", required_argument, NULL, OPTION_DURATION },
        { "warmup", required_argument, NULL, OPTION_WARMUP },
        { "rate", required_argument, NULL, OPTION_RATE },
        { "mix", required_argument, NULL, OPTION_MIX },
        { "expect-messages", required_argument, NULL, OPTION_EXPECT_MESSAGES },
        { "expect-bytes", required_argument, NULL, OPTION_EXPECT_BYTES },
        { "expect-hex", required_argument, NULL, OPTION_EXPECT_HEX },
        { "idle", no_argument, NULL, OPTION_IDLE },
        { "first-call", no_argument, NULL, OPTION_FIRST_CALL },
        { "json", no_argument, NULL, OPTION_JSON },
        { "help", no_argument, NULL, 'h' },
        { 0 },
};

static void parse_option(struct options *options, int option, const char *word)
{
        switch (option) {
        case OPTION_CONNECTIONS:
                options->connections = (uint32_t)parse_count("--connections", optarg, 1, 1000000);
                break;
        case OPTION_STREAMS:
                options->streams = (uint32_t)parse_count("--streams", optarg, 1, 1000000);
                break;
        case OPTION_KIND:
                options->kind = parse_kind(optarg);
                break;
        case OPTION_MESSAGE_FILE:
                read_message(&options->message, optarg);
                break;
        case OPTION_MESSAGE_HEX:
                parse_hex(&options->message, "--message-hex", optarg);
                break;
        case OPTION_MESSAGES:
                options->messages = (uint32_t)parse_count("--messages", optarg, 1, CALLS_MAX);
                break;
        case OPTION_CALLS:
                options->calls = parse_count("--calls", optarg, 1, CALLS_MAX);
                break;
        case OPTION_DURATION:
                options->duration_seconds = parse_real("--duration", optarg, SECONDS_MAX);
                break;
        case OPTION_WARMUP:
                options->warmup_seconds = parse_real("--warmup", optarg, SECONDS_MAX);
                break;
        case OPTION_RATE:
                options->rate = parse_real("--rate", optarg, (double)CALLS_MAX);
                if (options->rate == 0)
                        usage_error("--rate: 0 calls a second are none");
                break;
        case OPTION_MIX:
                parse_mix(options, optarg);
                break;
        case OPTION_EXPECT_MESSAGES:
                options->expect_messages =
                        (int64_t)parse_count("--expect-messages", optarg, 0, INT64_MAX);
                break;
        case OPTION_EXPECT_BYTES:
                options->expect_bytes =
                        (int64_t)parse_count("--expect-bytes", optarg, 0, INT64_MAX);
                break;
        case OPTION_EXPECT_HEX:
                parse_hex(&options->expect_message, "--expect-hex", optarg);
                options->expects_message = true;
                break;
        case OPTION_IDLE:
                options->idle = true;
                break;
        case OPTION_FIRST_CALL:
                options->first_call = true;
                break;
        case OPTION_JSON:
                options->json = true;
                break;
        case 'h':
                exit(fputs(help, stdout) != EOF && fflush(stdout) == 0 ? EXIT_SUCCESS
                                                                       : EXIT_FAILURE);
        case ':':
                usage_error("%s needs a value", word);
        default:
                if (optopt > 0 &&
                        optopt < OPTION_CONNECTIONS) /* a letter, maybe of several in a word */
                        usage_error("unknown option -%c", optopt);
                usage_error("unknown option %s", word);
        }
}

static void check_together(struct options *options)
{
        bool timed = options->duration_seconds > 0;
        bool special = options->idle || options->first_call;

        if (timed && options->calls > 0)
                usage_error("--calls and --duration: only one says when it ends");
        if (special && (timed || options->calls > 0 || options->rate > 0 ||
                               options->warmup_seconds > 0 || options->mix_path))
                usage_error("--idle and --first-call make their own calls, no other ones");
        if (options->idle && options->first_call)
                usage_error("--idle and --first-call: one at a time");
        if (options->messages > 1 && options->kind != METHOD_CLIENT_STREAM &&
                options->kind != METHOD_BIDI)
                usage_error("--messages: this --kind of call sends one");
        if (options->rate * (options->warmup_seconds + options->duration_seconds) >
                (double)CALLS_MAX)
                usage_error("--rate: more than %llu calls in that time", CALLS_MAX);
        if (options->calls == 0)
                options->calls = timed ? CALLS_UNLIMITED : 1;
}

void options_parse(struct options *options, int argc, char **argv)
{
        int option;

        *options = (struct options){
                .connections = 1,
                .streams = 1,
                .messages = 1,
                .expect_messages = EXPECT_ANY,
                .expect_bytes = EXPECT_ANY,
        };
        while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
                parse_option(options, option, argv[optind - 1]);
        if (argc - optind != 2)
                usage_error("HOST:PORT and /package.Service/method are needed, %d words are left",
                        argc - optind);
        parse_target(options, argv[optind]);
        options->path = parse_path("the method", argv[optind + 1]);
        check_together(options);
}

void options_deinit(struct options *options)
{
        free(options->message.bytes);
        free(options->expect_message.bytes);
        free(options->mix_message.bytes);
}
