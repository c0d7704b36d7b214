/* SPDX-License-Identifier: MIT */
#include "fibers.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/clock.h"
#include "core/engine/sim.h"
#include "core/here.h"
#include "core/poison.h"

#ifdef POISON_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { FIBERS_MAX = 64, STACK_BYTES = 256 << 10 };

struct fiber {
        ucontext_t context;
        jmp_buf place; /* where it continues, once it has begun */
        void *stack; /* kept for the next one */
        void *fake_stack; /* AddressSanitizer's */
        const char *name;
        void *(*run)(void *arg);
        void *arg;
        uint64_t (*due_ns)(const void *arg); /* the time that it waits for; NULL: none */
        const void *due_arg;
        const void *object; /* the condition variable that it waits for */
        uint64_t until_ns;
        unsigned side;
        bool is_alive;
        bool turns; /* here.h */
        bool is_free; /* it has ended, and nobody waits for that: another one takes its place */
        bool is_detached; /* nobody will */
        bool has_begun;
        bool is_signalled;
        bool is_waking; /* it no longer waits for the condition, but does not have the mutex yet */
};

static struct fiber fibers[FIBERS_MAX];
static unsigned fiber_count;
static struct fiber *current; /* NULL: none runs */
static ucontext_t outside;

/* --- switching --- */

#ifdef POISON_ASAN

static const void *outside_stack;
static size_t outside_bytes;
static void *outside_fake_stack;

static void enter(struct fiber *fiber)
{
        current = fiber;
        __sanitizer_start_switch_fiber(&outside_fake_stack, fiber->stack, STACK_BYTES);
        swapcontext(&outside, &fiber->context);
        __sanitizer_finish_switch_fiber(outside_fake_stack, NULL, NULL);
        current = NULL;
}

static void arrive(struct fiber *fiber)
{
        __sanitizer_finish_switch_fiber(fiber->fake_stack, &outside_stack, &outside_bytes);
}

static void leave(struct fiber *fiber)
{
        __sanitizer_start_switch_fiber(
                fiber->is_alive ? &fiber->fake_stack : NULL, outside_stack, outside_bytes);
        swapcontext(&fiber->context, &outside);
        arrive(fiber);
}

#else

static jmp_buf outside_place;

/* swapcontext() only begins a fiber: it asks the kernel for the signal mask each time, which is slow. After that, longjmp(). */
static void enter(struct fiber *fiber)
{
        current = fiber;
        if (_setjmp(outside_place) == 0) {
                if (fiber->has_begun)
                        _longjmp(fiber->place, 1);
                fiber->has_begun = true;
                swapcontext(&outside, &fiber->context);
        }
        current = NULL;
}

static void arrive(struct fiber *fiber)
{
        (void)fiber;
}

static void leave(struct fiber *fiber)
{
        if (_setjmp(fiber->place) == 0)
                _longjmp(outside_place, 1);
}

#endif

static void begin(void)
{
        struct fiber *fiber = current;

        arrive(fiber);
        (void)fiber->run(fiber->arg);
        fiber->is_alive = false;
        fiber->is_free = fiber->is_detached;
        sim_note("thread ends", (uint64_t)(fiber - fibers), 0);
        leave(fiber);
}

static struct fiber *find_place(void)
{
        for (unsigned i = 0; i < fiber_count; i++) {
                if (fibers[i].is_free)
                        return fibers + i;
        }
        if (fiber_count == FIBERS_MAX)
                sim_fail("the simulator has too few threads");
        return fibers + fiber_count++;
}

static struct fiber *start(const char *name, void *(*run)(void *arg), void *arg)
{
        struct fiber *fiber = find_place();

        if (!fiber->stack) {
                sim_own_begin();
                fiber->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
                sim_own_end();
                assert(fiber->stack != MAP_FAILED);
        }
        *fiber = (struct fiber){
                .stack = fiber->stack,
                .name = name,
                .run = run,
                .arg = arg,
                .side = current ? current->side : 0,
                .is_alive = true,
        };
        getcontext(&fiber->context);
        fiber->context.uc_stack.ss_sp = fiber->stack;
        fiber->context.uc_stack.ss_size = STACK_BYTES;
        fiber->context.uc_link = NULL;
        makecontext(&fiber->context, begin, 0);
        return fiber;
}

void fiber_start(const char *name, void *(*run)(void *arg), void *arg)
{
        start(name, run, arg)->is_detached = true;
}

bool fiber_is_inside(void)
{
        return current;
}

void fiber_set_side(unsigned side)
{
        current->side = side;
}

unsigned fiber_side(void)
{
        return current ? current->side : 0;
}

void sim_block(uint64_t (*due_ns)(const void *arg), const void *arg)
{
        struct fiber *fiber = current;

        if (!fiber)
                sim_fail("what is no thread of the server's would wait");
        fiber->due_ns = due_ns;
        fiber->due_arg = arg;
        leave(fiber);
        fiber->due_ns = NULL;
}

static uint64_t fiber_due_ns(const struct fiber *fiber)
{
        return fiber->due_ns ? fiber->due_ns(fiber->due_arg) : 0;
}

bool fibers_step(uint64_t *ret_next_ns)
{
        struct fiber *ready[FIBERS_MAX];
        unsigned count = 0;

        *ret_next_ns = SIM_NEVER;
        for (unsigned i = 0; i < fiber_count; i++) {
                uint64_t due_ns = fibers[i].is_alive ? fiber_due_ns(fibers + i) : SIM_NEVER;

                if (due_ns <= sim.now_ns)
                        ready[count++] = fibers + i;
                else if (due_ns < *ret_next_ns)
                        *ret_next_ns = due_ns;
        }
        if (count == 0)
                return false;
        enter(ready[sim_below(count)]);
        return true;
}

unsigned fibers_alive(void)
{
        unsigned count = 0;

        for (unsigned i = 0; i < fiber_count; i++)
                count += fibers[i].is_alive;
        return count;
}

unsigned fibers_waiting(const void *cond, unsigned *ret_signalled)
{
        unsigned count = 0;

        *ret_signalled = 0;
        for (unsigned i = 0; i < fiber_count; i++) {
                if (!fibers[i].is_alive || fibers[i].object != cond)
                        continue;
                count++;
                *ret_signalled += fibers[i].is_signalled || fibers[i].is_waking;
        }
        return count;
}

void fibers_print(void)
{
        for (unsigned i = 0; i < fiber_count; i++)
                if (fibers[i].is_alive)
                        fprintf(stderr, "sim: %s waits%s\n", fibers[i].name,
                                fibers[i].object ? " for a condition variable" : "");
}

void fibers_end(void)
{
        if (fibers_alive() > 0)
                sim_fail("threads have not ended");
        fiber_count = 0;
}

static uint64_t until(const void *arg)
{
        return ((const struct fiber *)arg)->until_ns;
}

void fiber_sleep(uint64_t time_ns)
{
        current->until_ns = clock_after_ns(sim.now_ns, time_ns);
        sim_block(until, current);
}

/* --- here.h, in place of the library's --- */

const void *here_thread(void)
{
        return current ? (const void *)current : &outside;
}

bool here_turns(void)
{
        return current && current->turns;
}

void here_set_turns(bool turns)
{
        current->turns = turns;
}

/* --- pthread_create() and related functions --- */

int __wrap_pthread_create(
        pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_pthread_setname_np(pthread_t thread, const char *name);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(
        pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_sched_yield(void);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_sched_yield(void);

int __wrap_pthread_create(
        pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
        struct fiber *fiber;

        (void)attributes;
        if (sim_call_fails())
                return EAGAIN;
        fiber = start("a thread", run, arg);
        *thread = (pthread_t)fiber;
        sim_note("thread", (uint64_t)(fiber - fibers), 0);
        return 0;
}

static uint64_t end_of(const void *arg)
{
        return ((const struct fiber *)arg)->is_alive ? SIM_NEVER : 0;
}

int __wrap_pthread_join(pthread_t thread, void **result)
{
        (void)result;
        sim_block(end_of, (const struct fiber *)thread);
        ((struct fiber *)thread)->is_free = true;
        return 0;
}

/* There is only one thread, and its signals are the simulator's. */
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
        (void)how;
        (void)set;
        (void)old;
        return 0;
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name)
{
        (void)thread;
        (void)name;
        return 0;
}

static uint64_t signalled(const void *arg)
{
        const struct fiber *fiber = arg;

        return fiber->is_signalled ? 0 : fiber->until_ns;
}

static int wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, uint64_t until_ns)
{
        struct fiber *fiber = current;
        bool is_spurious = sim_fault(SIM_SPURIOUS);

        fiber->object = cond;
        fiber->is_signalled = fiber->is_waking = false;
        fiber->until_ns = is_spurious && sim_soon_ns() < until_ns ? sim_soon_ns() : until_ns;
        pthread_mutex_unlock(mutex);
        sim_block(signalled, fiber);
        fiber->is_waking = true;
        pthread_mutex_lock(mutex);
        fiber->object = NULL;
        return fiber->is_signalled || is_spurious ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
        return wait_for(cond, mutex, SIM_NEVER);
}

int __wrap_pthread_cond_timedwait(
        pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *time)
{
        return wait_for(cond, mutex, (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec);
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
        struct fiber *waiting[FIBERS_MAX];
        unsigned count = 0;

        for (unsigned i = 0; i < fiber_count; i++)
                if (fibers[i].is_alive && fibers[i].object == cond && !fibers[i].is_signalled &&
                        !fibers[i].is_waking)
                        waiting[count++] = fibers + i;
        if (count > 0)
                waiting[sim_below(count)]->is_signalled = true;
        return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
        for (unsigned i = 0; i < fiber_count; i++)
                if (fibers[i].is_alive && fibers[i].object == cond && !fibers[i].is_waking)
                        fibers[i].is_signalled = true;
        return 0;
}

static uint64_t at_once(const void *arg)
{
        (void)arg;
        return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
        if (!current) /* a sanitizer's, at the end */
                return __real_pthread_mutex_lock(mutex);
        if (sim_fault(SIM_PREEMPTED))
                sim_block(at_once, NULL);
        while (pthread_mutex_trylock(mutex) != 0)
                sim_block(at_once, NULL);
        return 0;
}

int __wrap_sched_yield(void)
{
        if (!current)
                return __real_sched_yield();
        sim_block(at_once, NULL);
        return 0;
}
