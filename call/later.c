/* SPDX-License-Identifier: MIT */

/* The public functions of a call that is answered later: holds, posts, delays. */

#include <errno.h>
#include <stdlib.h>

#include "call/call.h"
#include "call/here.h"
#include "core/clock.h"

void quoit_call_hold(quoit_call *call)
{
        if (!call_is_here(call, __func__))
                return;
        call_note_after_finish(call, "it held the call, which was finished before");
        if (!call->handler.finish_asked)
                call->handler.held = true;
}

/* It runs when the dispatcher next looks at the call. */
static void queue_post(struct call_post *post)
{
        quoit_call *call = post->call;

        if (call->ring.state == CALL_DONE) { /* given up (server/unfinished.h) */
                free(post);
                return;
        }
        if (call->ring.posts)
                call->ring.posts_last->next = post;
        else
                call->ring.posts = post;
        call->ring.posts_last = post;
        call_wake(call);
}

/* ---- posts ---- */

static struct call_post *post_new(
        quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg)
{
        struct call_post *post = malloc(sizeof(*post));

        if (post)
                *post = (struct call_post){ .call = call, .fn = fn, .arg = arg };
        return post;
}

static void on_post(struct mail *mail)
{
        queue_post(CONTAINER_OF(mail, struct call_post, mail));
}

int quoit_call_post(quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg)
{
        struct call_post *post = post_new(call, fn, arg);
        int r;

        if (!post)
                return -ENOMEM;
        post->mail.on_delivery = on_post;
        r = call_host_post(call_host_of(call), &post->mail);
        if (r < 0)
                free(post);
        return r;
}

/* ---- delays ---- */

static struct timers *timers_of(quoit_call *call)
{
        return &call_host_of(call)->ring->timers;
}

static void on_delay_over(struct timer *timer)
{
        struct call_post *post = CONTAINER_OF(timer, struct call_post, timer);

        list_remove(&post->link);
        queue_post(post);
}

/* The list is sorted by time, so that hastened functions run in that order. */
static void insert_delay(struct list *delayed, struct call_post *post)
{
        struct list *behind = delayed;

        while (behind->prev != delayed &&
                CONTAINER_OF(behind->prev, struct call_post, link)->due_ns > post->due_ns)
                behind = behind->prev;
        list_append(behind, &post->link);
}

static void start_delay(struct call_post *post)
{
        struct call_host *host = call_host_of(post->call);

        post->due_ns = post->at_stop ? UINT64_MAX : ring_now_ns(host->ring) + post->delay_ns;
        if (post->at_stop && host->is_stopping) {
                queue_post(post);
                return;
        }
        insert_delay(&post->call->ring.delayed, post);
        timer_init(&post->timer);
        list_init(&post->stop_link);
        if (post->at_stop)
                list_append(&host->at_stop, &post->stop_link);
        else
                timer_start(timers_of(post->call), &post->timer, post->due_ns, on_delay_over);
        if (host->ring->is_polled && !host->ring->in_turn)
                call_wake(post->call); /* so that a foreign loop that drives the ring is woken */
}

void call_host_stop(struct call_host *host)
{
        struct list *link;

        host->is_stopping = true;
        while ((link = list_pop(&host->at_stop))) {
                struct call_post *post = CONTAINER_OF(link, struct call_post, stop_link);

                list_remove(&post->link);
                queue_post(post);
        }
}

/* Asked on a worker; the call may have ended meanwhile. */
static void on_delay_asked(struct mail *mail)
{
        struct call_post *post = CONTAINER_OF(mail, struct call_post, mail);

        if (post->call->ring.state == CALL_OPEN)
                start_delay(post);
        else
                queue_post(post);
}

/* Runs @fn after @delay_ns, or @at_stop of the server. 0, also if the call was finished: then @fn will not run. -ECANCELED, -ENOMEM. */
static int delay(quoit_call *call, uint64_t delay_ns, bool at_stop,
        void (*fn)(quoit_call *call, void *arg), void *arg)
{
        struct call_post *post;

        if (call->handler.finish_asked)
                return 0;
        if (quoit_call_cancelled(call))
                return -ECANCELED; /* it would run at once, and a function that asks again each time would run for ever */
        post = post_new(call, fn, arg);
        if (!post)
                return -ENOMEM;
        post->is_delay = true;
        post->delay_ns = delay_ns;
        post->at_stop = at_stop;
        if (call->offload) {
                post->mail.on_delivery = on_delay_asked;
                (void)call_host_post(call_host_of(call),
                        &post->mail); /* cannot fail: the ring does not end before this worker */
        } else {
                start_delay(post);
        }
        return 0;
}

int quoit_call_after(
        quoit_call *call, uint32_t delay_ms, void (*fn)(quoit_call *call, void *arg), void *arg)
{
        if (!call_is_here(call, __func__))
                return -EPERM;
        return delay(call, delay_ms * NS_PER_MS, false, fn, arg);
}

int quoit_call_at_stop(quoit_call *call, void (*fn)(quoit_call *call, void *arg), void *arg)
{
        return call_is_here(call, __func__) ? delay(call, 0, true, fn, arg) : -EPERM;
}

/* NULL: there is none left. */
static struct call_post *pop_delayed(struct quoit_call *call)
{
        struct list *link = list_pop(&call->ring.delayed);
        struct call_post *post;

        if (!link)
                return NULL;
        post = CONTAINER_OF(link, struct call_post, link);
        timer_cancel(timers_of(call), &post->timer);
        list_remove(&post->stop_link);
        return post;
}

void call_hasten_delayed(struct quoit_call *call)
{
        struct call_post *post;

        while ((post = pop_delayed(call)))
                queue_post(post);
}

void call_drop_delayed(struct quoit_call *call)
{
        struct call_post *post;

        while ((post = pop_delayed(call)))
                free(post);
}
