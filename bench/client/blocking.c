/* SPDX-License-Identifier: MIT */

/*
 * quoit-bench-blocking PORT
 *
 * What a thread pays for waiting: the time of a blocking sayHello beside that of an asynchronous one, begun on the ring when the one
 * before is done, and beside two switches from thread to thread; all are medians of rounds in turn. Then calls a second of 1 to 64
 * threads on one channel. Prints a line for each.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/quoit.h>

#include "../clock.h"
#include "api.quoit.h"

#define ROUNDS 21
#define CALLS_A_ROUND 500
#define THREADS_MAX 64
#define CALLS_A_THREAD 2000

static quoit_client *client;
static quoit_channel *channel;

static void __attribute__((noreturn)) die(const char *what)
{
        fprintf(stderr, "quoit-bench-blocking: %s\n", what);
        exit(EXIT_FAILURE);
}

static api_HelloRequest *request(upb_Arena *arena)
{
        api_HelloRequest *hello = api_HelloRequest_new(arena);

        api_HelloRequest_set_name(hello, upb_StringView_FromString("World"));
        return hello;
}

/* ---- a call after the other ---- */

static void call_blocking(unsigned calls)
{
        const api_Hello *reply;
        quoit_error error;

        for (unsigned i = 0; i < calls; i++) {
                upb_Arena *arena = upb_Arena_New();

                if (api_Api_sayHello_blocking(
                            channel, arena, request(arena), NULL, &reply, &error) != QUOIT_OK)
                        die(quoit_error_text(&error));
                upb_Arena_Free(arena);
        }
}

struct sequence {
        unsigned left;
        sem_t over;
};

static void start(struct sequence *sequence);

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct sequence *sequence = user;

        if (status != QUOIT_OK)
                die(quoit_outcall_status_message(call).data);
        if (--sequence->left > 0)
                start(sequence);
        else
                sem_post(&sequence->over);
}

static void start(struct sequence *sequence)
{
        static const quoit_outcall_handler handler = { .on_done = on_done };
        const quoit_method *method = quoit_service_method(&quoit_api__Api_service, "sayHello");
        quoit_outcall *call;

        if (quoit_outcall_start(channel, method, NULL, &handler, sequence, &call) < 0 ||
                quoit_outcall_send(call, UPB_UPCAST(request(quoit_outcall_arena(call)))) < 0)
                die("cannot call");
}

static void start_first(quoit_client *on, void *arg)
{
        (void)on;
        start(arg);
}

static void call_asynchronous(unsigned calls)
{
        struct sequence sequence = { .left = calls };

        if (sem_init(&sequence.over, 0, 0) < 0 ||
                quoit_client_post(client, start_first, &sequence) < 0)
                die("out of memory");
        while (sem_wait(&sequence.over) < 0)
                continue;
        sem_destroy(&sequence.over);
}

/* ---- two threads that hand a turn to each other ---- */

struct pair {
        sem_t there, back;
        unsigned turns;
};

static void *answer(void *arg)
{
        struct pair *pair = arg;

        for (unsigned i = 0; i < pair->turns; i++) {
                while (sem_wait(&pair->there) < 0)
                        continue;
                sem_post(&pair->back);
        }
        return NULL;
}

/* Each turn is two switches. */
static void switch_threads(unsigned turns)
{
        struct pair pair = { .turns = turns };
        pthread_t other;

        if (sem_init(&pair.there, 0, 0) < 0 || sem_init(&pair.back, 0, 0) < 0 ||
                pthread_create(&other, NULL, answer, &pair) != 0)
                die("no thread");
        for (unsigned i = 0; i < turns; i++) {
                sem_post(&pair.there);
                while (sem_wait(&pair.back) < 0)
                        continue;
        }
        pthread_join(other, NULL);
        sem_destroy(&pair.there);
        sem_destroy(&pair.back);
}

/* ---- figures ---- */

static int compare_doubles(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double microseconds_each(void (*work)(unsigned), unsigned count)
{
        uint64_t began_ns = now_ns();

        work(count);
        return (double)(now_ns() - began_ns) / count / (double)NS_PER_US;
}

static double median(double *values)
{
        qsort(values, ROUNDS, sizeof(*values), compare_doubles);
        return values[ROUNDS / 2];
}

static void compare(void)
{
        double blocking[ROUNDS], asynchronous[ROUNDS], switches[ROUNDS];
        double block, async, both;

        for (unsigned i = 0; i < ROUNDS; i++) {
                asynchronous[i] = microseconds_each(call_asynchronous, CALLS_A_ROUND);
                blocking[i] = microseconds_each(call_blocking, CALLS_A_ROUND);
                switches[i] = microseconds_each(switch_threads, CALLS_A_ROUND);
        }
        block = median(blocking), async = median(asynchronous), both = median(switches);
        printf("one call: blocking %.1f us, asynchronous %.1f us, two switches %.1f us: waiting "
               "adds "
               "%.1f us\n",
                block, async, both, block - async - both);
}

static void *run(void *arg)
{
        (void)arg;
        call_blocking(CALLS_A_THREAD);
        return NULL;
}

static void scale(unsigned threads)
{
        pthread_t callers[THREADS_MAX];
        uint64_t began_ns = now_ns(), cpu_before_ns = cpu_ns(), took_ns;
        double calls = (double)threads * CALLS_A_THREAD;

        for (unsigned i = 0; i < threads; i++)
                if (pthread_create(callers + i, NULL, run, NULL) != 0)
                        die("no thread");
        for (unsigned i = 0; i < threads; i++)
                pthread_join(callers[i], NULL);
        took_ns = now_ns() - began_ns;
        printf("%u threads: %.0f calls/s, %.1f us of CPU a call\n", threads,
                calls * NS_PER_SECOND / (double)took_ns,
                (double)(cpu_ns() - cpu_before_ns) / calls / (double)NS_PER_US);
}

int main(int argc, char **words)
{
        char target[32];

        if (argc != 2)
                die("PORT");
        snprintf(target, sizeof(target), "127.0.0.1:%s", words[1]);
        if (quoit_client_new(NULL, &client) < 0 ||
                quoit_channel_new(client, target, NULL, &channel) < 0)
                die("no channel");
        call_blocking(CALLS_A_ROUND); /* connects, and fills the caches */
        compare();
        for (unsigned threads = 1; threads <= THREADS_MAX; threads *= 4)
                scale(threads);
        quoit_client_free(client);
        return EXIT_SUCCESS;
}
