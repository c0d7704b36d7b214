/* SPDX-License-Identifier: MIT */

/*
 * A client under the Connect conformance suite: conformance-client [--engine NAME]. It is told on its standard input what to call, and
 * says on its standard output what came of it, until there is no more. Each is one message behind its size in 4 bytes, big-endian.
 */

#include <arpa/inet.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invoke.h"

#define AT_ONCE 16 /* calls */

static quoit_client *client;
static sem_t free_threads;
static pthread_mutex_t output_mutex = PTHREAD_MUTEX_INITIALIZER;

static void __attribute__((noreturn)) fail(const char *what)
{
        fprintf(stderr, "conformance-client: %s\n", what);
        exit(EXIT_FAILURE);
}

/* NULL: there is no more. */
static compat_request *read_request(upb_Arena *arena)
{
        compat_request *request = NULL;
        uint32_t size;
        char *bytes;

        if (fread(&size, sizeof(size), 1, stdin) != 1)
                return NULL;
        size = ntohl(size);
        bytes = upb_Arena_Malloc(arena, size);
        if (fread(bytes, 1, size, stdin) == size)
                request = CONFORMANCE(ClientCompatRequest_parse)(bytes, size, arena);
        if (!request)
                fail("no ClientCompatRequest");
        return request;
}

static void write_response(const struct invocation *invocation)
{
        upb_Arena *arena = invocation->arena;
        CONFORMANCE(ClientCompatResponse) *response = CONFORMANCE(ClientCompatResponse_new)(arena);
        uint32_t prefix;
        size_t size;
        char *bytes;

        CONFORMANCE(ClientCompatResponse_set_test_name)(
                response, CONFORMANCE(ClientCompatRequest_test_name)(invocation->request));
        if (invocation->problem)
                CONFORMANCE(ClientErrorResult_set_message)(
                        CONFORMANCE(ClientCompatResponse_mutable_error)(response, arena),
                        upb_StringView_FromString(invocation->problem));
        else
                CONFORMANCE(ClientCompatResponse_set_response)(response, invocation->result);
        bytes = CONFORMANCE(ClientCompatResponse_serialize)(response, arena, &size);
        if (!bytes)
                fail("a response does not encode");
        prefix = htonl((uint32_t)size);
        pthread_mutex_lock(&output_mutex);
        fwrite(&prefix, sizeof(prefix), 1, stdout);
        fwrite(bytes, 1, size, stdout);
        fflush(stdout);
        pthread_mutex_unlock(&output_mutex);
}

static void *answer(void *arg)
{
        struct invocation *invocation = arg;

        invoke(invocation);
        write_response(invocation);
        upb_Arena_Free(invocation->arena);
        free(invocation);
        sem_post(&free_threads);
        return NULL;
}

/* True: there was one. */
static bool begin_next(void)
{
        struct invocation *invocation = calloc(1, sizeof(*invocation));
        pthread_t thread;

        invocation->client = client;
        invocation->arena = upb_Arena_New();
        invocation->request = read_request(invocation->arena);
        if (!invocation->request) {
                upb_Arena_Free(invocation->arena);
                free(invocation);
                return false;
        }
        sem_wait(&free_threads);
        if (pthread_create(&thread, NULL, answer, invocation) != 0)
                fail("no thread");
        pthread_detach(thread);
        return true;
}

int main(int argc, char **argv)
{
        quoit_client_options options = { .limits.compress_bytes_min = 1 };

        if (argc == 3 && strcmp(argv[1], "--engine") == 0)
                options.engine =
                        strcmp(argv[2], "epoll") == 0 ? QUOIT_ENGINE_EPOLL : QUOIT_ENGINE_IO_URING;
        else if (argc != 1)
                fail("usage: conformance-client [--engine io_uring|epoll]");
        if (quoit_client_new(&options, &client) < 0)
                fail("no client");
        sem_init(&free_threads, 0, AT_ONCE);
        while (begin_next())
                ;
        for (int i = 0; i < AT_ONCE; i++) /* all are through */
                sem_wait(&free_threads);
        quoit_client_free(client);
        return EXIT_SUCCESS;
}
