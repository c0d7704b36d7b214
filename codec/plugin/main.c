/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/plugin/generator.h"

#include <quoit/version.h>

/*
 * protoc-gen-quoit: run by protoc, with a request on standard input and the response on standard
 * output.
 */

static const char usage[] =
        "Usage: protoc --plugin=protoc-gen-quoit --quoit_out=DIR FILE.proto...\n"
        "\n"
        "protoc runs this program to make FILE.quoit.h and FILE.quoit.c: messages and\n"
        "services for C, on libquoit. It reads a CodeGeneratorRequest from standard\n"
        "input.\n"
        "\n"
        "  --quoit_opt=services=off          leave out what servers need of services\n"
        "  --quoit_opt=stubs=off             leave out what clients need of them\n"
        "  --quoit_opt=messages_only         both\n"
        "  --quoit_opt=symbol_prefix=PREFIX  put PREFIX before all names\n"
        "  --quoit_opt=elsewhere=PATH[:PREFIX]\n"
        "                                    PATH, a .proto file or a folder with / at\n"
        "                                    its end, is made elsewhere, with PREFIX\n"
        "\n"
        "  --help     print this\n"
        "  --version  print the version\n";

static int fail(const char *text, const char *subject)
{
        fprintf(stderr, "protoc-gen-quoit: %s%s\n", text, subject);
        return EXIT_FAILURE;
}

/*
 * A file must not get the number of a closed standard descriptor. These are opened in the wrong direction, so that reading from
 * or writing to them is an error.
 */
static int fill_descriptors(void)
{
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) < 0 &&
                        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
                        return -errno;
        }
        return 0;
}

static int print(const char *text)
{
        if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
                return fail("cannot write standard output: ", strerror(errno));
        return EXIT_SUCCESS;
}

/* All of @file, in @arena; NULL if it cannot be read. */
static char *read_all(FILE *file, upb_Arena *arena, size_t *ret_size)
{
        size_t size = 0, capacity = 64 * 1024;
        char *data = memory_alloc(arena, capacity);
        size_t n;

        while ((n = fread(data + size, 1, capacity - size, file))) {
                size += n;
                if (size == capacity) {
                        char *more = memory_alloc(arena, 2 * capacity);

                        memcpy(more, data, size);
                        data = more;
                        capacity *= 2;
                }
        }
        *ret_size = size;
        return ferror(file) ? NULL : data;
}

static int serve(upb_Arena *arena)
{
        size_t request_size, response_size;
        const char *request, *response;

        request = read_all(stdin, arena, &request_size);
        if (!request)
                return fail("cannot read standard input: ", strerror(errno));
        if (generator_run(request, request_size, arena, &response, &response_size) < 0)
                return fail(
                        "standard input is not a CodeGeneratorRequest; protoc runs this program",
                        "");
        if (fwrite(response, 1, response_size, stdout) != response_size || fflush(stdout))
                return fail("cannot write standard output: ", strerror(errno));
        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        upb_Arena *arena;
        int r = fill_descriptors();

        if (r < 0)
                return fail("/dev/null: ", strerror(-r));
        if (argc > 1) {
                if (!strcmp(argv[1], "--help"))
                        return print(usage);
                if (!strcmp(argv[1], "--version"))
                        return print("protoc-gen-quoit " QUOIT_VERSION "\n");
                fprintf(stderr,
                        "protoc-gen-quoit: unknown argument '%s'; --help says what it takes\n",
                        argv[1]);
                return 2;
        }
        arena = memory_arena_new();
        r = serve(arena);
        upb_Arena_Free(arena);
        return r;
}
