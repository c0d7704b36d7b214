/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/plugin/generator.h"

/*
 * protoc-gen-quoit for many requests: { size, bytes } in, { result, size, bytes } out. After a crash the number of answers
 * tells which request it was.
 */
int main(void)
{
        uint32_t size;

        while (fread(&size, sizeof(size), 1, stdin)) {
                upb_Arena *arena = memory_arena_new();
                char *request = malloc(size + 1);
                const char *response = NULL;
                size_t response_size = 0;
                uint32_t head[2];

                if (!request || fread(request, 1, size, stdin) != size)
                        return EXIT_FAILURE;
                head[0] = (uint32_t)generator_run(request, size, arena, &response, &response_size);
                head[1] = (uint32_t)response_size;
                fwrite(head, sizeof(head), 1, stdout);
                fwrite(response, 1, response_size, stdout);
                fflush(stdout);
                free(request);
                upb_Arena_Free(arena);
        }
        return EXIT_SUCCESS;
}
