/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/allocator_interface.h>

#include "apps/common/program.h"
#include "apps/common/settings.c" /* what it remembers is forgotten here, as a process does that ends */
#include "apps/quoit-api/options.h"
#include "client/proxy.h"
#include "server/address.h"

/*
 * The command line, the environment and the file of options of quoit-api. They come to options within their ranges, which a server
 * takes or refuses, or to a line that says what is wrong. What they say of addresses, names and proxies is parsed too.
 *
 * Input: words of the command line, a line each; an empty line; variables, NAME=VALUE, a line each; an empty line; the rest is what is
 * in any file that is opened.
 */
#define WORDS_MAX 32
#define BLOCKS_MAX 4096

struct input {
        char *words[WORDS_MAX + 1];
        char *variables[WORDS_MAX + 1];
        int word_count;
        const char *file;
        size_t file_size;
};

/* ---- a program that begins and ends many times ---- */

quoit_log_writer *program_log;

static jmp_buf over;
static struct input *running; /* NULL: none */
static FILE *opened; /* by the one that runs */
static const volatile void *blocks[BLOCKS_MAX]; /* that it has allocated */
static size_t block_count;

int __attribute__((weak)) __sanitizer_install_malloc_and_free_hooks(
        void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);

FILE *__wrap_fopen(const char *path, const char *mode)
{
        if (!running)
                return __real_fopen(path, mode);
        assert(!opened);
        if (running->file_size == 0) {
                errno = ENOENT;
                return NULL;
        }
        return opened = fmemopen((void *)(uintptr_t)running->file, running->file_size, "r");
}

static void on_malloc(const volatile void *block, size_t size)
{
        (void)size;
        if (running && block_count < BLOCKS_MAX)
                blocks[block_count++] = block;
}

static void on_free(const volatile void *block)
{
        for (size_t i = block_count; running && i-- > 0;) {
                if (blocks[i] == block) {
                        blocks[i] = blocks[--block_count];
                        return;
                }
        }
}

static void forget_all(void)
{
        if (opened)
                fclose(opened);
        opened = NULL;
        running = NULL;
        while (block_count > 0)
                free((void *)(uintptr_t)blocks[--block_count]);
        settings = NULL;
        count = 0;
        option_table = NULL;
}

const char *program_get_name(void)
{
        return "quoit-api";
}

static void check_line(const char *format, va_list arguments)
{
        char text[4000];

        assert(vsnprintf(text, sizeof(text), format, arguments) > 0);
}

void program_say(quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        (void)level;
        va_start(arguments, format);
        check_line(format, arguments);
        va_end(arguments);
}

void program_usage_error(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        check_line(format, arguments);
        va_end(arguments);
        longjmp(over, 1);
}

void program_exit(int status)
{
        (void)status;
        longjmp(over, 1);
}

void program_print(const char *text)
{
        assert(*text);
        longjmp(over, 1);
}

void program_print_version(void)
{
        longjmp(over, 1);
}

sigset_t program_signals(const int *signals)
{
        sigset_t set;

        (void)signals;
        sigemptyset(&set);
        return set;
}

/* ---- what comes of it ---- */

static void check_address(const char *text)
{
        struct address address;
        int r = address_parse(text, &address);

        assert(r == 0 || r == -EINVAL || r == -ERANGE);
        if (r < 0)
                assert(*address_problem(text, r));
}

static void check_target(const char *text)
{
        char problem[PROXY_PROBLEM_BYTES] = "";
        struct target target;
        struct proxy proxy;
        int r = target_parse(text, &target);

        if (r < 0) {
                assert(*target_problem(&target, r));
                return;
        }
        assert(target.count <= QUOIT_CHANNEL_ADDRESSES_MAX);
        assert(target.count > 0 || *target.host);
        r = proxy_choose(NULL, &target, &proxy, problem);
        if (r < 0)
                assert(r == -EINVAL && *problem);
        else
                free(proxy.request);
}

static void check_options(const struct options *options)
{
        quoit_server *server = NULL;
        int r;

        assert(options->port >= 0 && options->port <= UINT16_MAX);
        assert(options->tls_port >= -1 && options->tls_port <= UINT16_MAX);
        assert(options->rings >= 1 && options->rings <= 1024 && options->workers <= 4096);
        assert(options->unix_mode <= 0777 && options->reload_pid >= 0);
        assert(options->addresses.count <= ADDRESSES_MAX);
        assert(options->secure.certificates.count == options->secure.keys.count);
        for (unsigned i = 0; i < options->addresses.count; i++)
                check_address(options->addresses.texts[i]);
        r = quoit_server_new(&(quoit_server_options){ .limits = options->limits }, &server);
        assert(r == 0 || r == -EINVAL);
        quoit_server_free(server);
}

/* ---- the input ---- */

/* Cuts the next line off; NULL: it is empty, or there is none. */
static char *next_line(char **rest)
{
        char *line = *rest, *end = strchr(line, '\n');

        *rest = end ? end + 1 : line + strlen(line);
        if (end)
                *end = '\0';
        return *line ? line : NULL;
}

static void cut(struct input *input, char *text, const uint8_t *data, size_t size)
{
        size_t variables = 0, used;
        char *rest = text, *line;

        input->words[input->word_count++] = "quoit-api";
        while (input->word_count < WORDS_MAX && (line = next_line(&rest)))
                input->words[input->word_count++] = line;
        while (variables < WORDS_MAX && (line = next_line(&rest)))
                input->variables[variables++] = line;
        used = (size_t)(rest - text);
        input->file = (const char *)data + used;
        input->file_size = size - used;
}

static void run(struct input *input)
{
        struct options options;

        running = input;
        optind = 0;
        if (setjmp(over) == 0) {
                options_read(&options, input->word_count, input->words);
                check_options(&options);
        }
        forget_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = { .word_count = 0 };
        char **before = environ, *text = malloc(size + 1);

        if (!program_log) {
                int r = quoit_log_writer_new(
                        &(quoit_log_writer_options){ .path = "/dev/null" }, &program_log);

                assert(r == 0);
                if (__sanitizer_install_malloc_and_free_hooks)
                        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
        }
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        cut(&input, text, data, size);
        environ = input.variables;
        for (int i = 1; i < input.word_count; i++) {
                check_address(input.words[i]);
                check_target(input.words[i]);
        }
        run(&input);
        environ = before;
        free(text);
        return 0;
}
