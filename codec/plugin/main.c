/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        "input and takes no --quoit_opt.\n"
        "\n"
        "  --help     print this\n"
        "  --version  print the version\n";

static int fail(const char *text, const char *subject)
{
        fprintf(stderr, "protoc-gen-quoit: %s%s\n", text, subject);
        return EXIT_FAILURE;
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
                return fail("cannot read standard input", "");
        if (generator_run(request, request_size, arena, &response, &response_size) < 0)
                return fail(
                        "standard input is not a CodeGeneratorRequest; protoc runs this program",
                        "");
        if (fwrite(response, 1, response_size, stdout) != response_size || fflush(stdout))
                return fail("cannot write standard output", "");
        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        upb_Arena *arena;
        int r;

        if (argc > 1) {
                if (!strcmp(argv[1], "--help")) {
                        fputs(usage, stdout);
                        return EXIT_SUCCESS;
                }
                if (!strcmp(argv[1], "--version")) {
                        puts("protoc-gen-quoit " QUOIT_VERSION);
                        return EXIT_SUCCESS;
                }
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
