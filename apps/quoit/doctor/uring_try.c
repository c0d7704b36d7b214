/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES = 4, GROUP = 1, OPERATIONS = 256 };

/* From 6.12 on; the headers may be older than the kernel. */
#define INCREMENTAL_BUFFERS 2

/* The flags that Quoit's rings have. */
#define RING_FLAGS                                                                                 \
        (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |     \
                IORING_SETUP_SUBMIT_ALL)

static int error_of(long r)
{
        return r < 0 ? -errno : 0;
}

static int try_register(int ring, struct uring_facts *facts)
{
        struct io_uring_probe *probe =
                calloc(1, sizeof(*probe) + OPERATIONS * sizeof(probe->ops[0]));
        int r;

        if (!probe)
                return -ENOMEM;
        r = error_of(
                syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, probe, OPERATIONS));
        for (unsigned i = 0; r == 0 && i < probe->ops_len; i++)
                if (probe->ops[i].flags & IO_URING_OP_SUPPORTED)
                        facts->operations[probe->ops[i].op] = true;
        free(probe);
        return r;
}

/* A flag of a registration can only be tried. */
static bool try_incremental_buffers(int ring)
{
        size_t size = (size_t)getpagesize();
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
        struct io_uring_buf_reg registration = {
                .ring_addr = (uintptr_t)memory,
                .ring_entries = ENTRIES,
                .bgid = GROUP,
                .flags = INCREMENTAL_BUFFERS,
        };
        long r;

        if (memory == MAP_FAILED)
                return false;
        r = syscall(SYS_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &registration, 1);
        if (r == 0)
                syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_PBUF_RING, &registration, 1);
        munmap(memory, size);
        return r == 0;
}

/* Without a ring the two others fail in any case, but not so if they get as far as the kernel's own code. */
static int reach(long r)
{
        int error = error_of(r);

        return error == -EPERM || error == -EACCES || error == -ENOSYS ? error : 0;
}

void uring_try(struct uring_facts *ret_facts)
{
        struct io_uring_params params = { .flags = RING_FLAGS };
        int ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);

        ret_facts->setup_error = error_of(ring);
        if (ring < 0) {
                ret_facts->enter_error = reach(
                        syscall(SYS_io_uring_enter, -1, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0));
                ret_facts->register_error =
                        reach(syscall(SYS_io_uring_register, -1, IORING_REGISTER_PROBE, NULL, 0));
                return;
        }
        ret_facts->features = params.features;
        ret_facts->enter_error =
                error_of(syscall(SYS_io_uring_enter, ring, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0));
        ret_facts->register_error = try_register(ring, ret_facts);
        ret_facts->has_incremental_buffers = try_incremental_buffers(ring);
        close(ring);
}
