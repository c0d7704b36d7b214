/* SPDX-License-Identifier: MIT */
#include "core/probe.h"
#include "core/buffers.h"
#include "core/sqe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

enum { FLOOR_MAJOR = 6, FLOOR_MINOR = 1, PROBE_ENTRIES = 4, PROBE_GROUP = 1 };

bool probe_parse_release(const char *kernel_release, unsigned *ret_major, unsigned *ret_minor)
{
        unsigned major, minor;

        if (sscanf(kernel_release, "%u.%u", &major, &minor) != 2)
                return false;
        *ret_major = major;
        *ret_minor = minor;
        return true;
}

static bool is_too_old(const char *kernel_release)
{
        unsigned major, minor;

        if (!probe_parse_release(kernel_release, &major, &minor))
                return false;
        return major < FLOOR_MAJOR || (major == FLOOR_MAJOR && minor < FLOOR_MINOR);
}

static void message_permission(int disabled, char *ret_problem)
{
        const char *text;

        if (disabled == 2)
                text = "io_uring is switched off: kernel.io_uring_disabled is 2; set it to 0 "
                       "(sysctl -w kernel.io_uring_disabled=0)";
        else if (disabled == 1)
                text = "io_uring is for privileged processes only: kernel.io_uring_disabled is 1; "
                       "set it to 0, "
                       "or add the process to the group in kernel.io_uring_group";
        else
                text = "io_uring is forbidden to this process, most likely by a seccomp filter "
                       "(containers' default); "
                       "allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp "
                       "profile";
        snprintf(ret_problem, PROBE_PROBLEM_BYTES_MAX, "%s", text);
}

void probe_message(int error, const char *kernel_release, int disabled,
        unsigned long long memlock_bytes, char *ret_problem)
{
        const size_t size = PROBE_PROBLEM_BYTES_MAX;

        if ((error == -EINVAL || error == -ENOSYS) && is_too_old(kernel_release)) {
                snprintf(ret_problem, size,
                        "Linux %.64s is too old for io_uring as it is used here; Linux %d.%d or "
                        "newer is needed",
                        kernel_release, FLOOR_MAJOR, FLOOR_MINOR);
                return;
        }
        switch (error) {
        case -EPERM:
                message_permission(disabled, ret_problem);
                return;
        case -EACCES:
                snprintf(ret_problem, size,
                        "io_uring is forbidden by the security module (SELinux, AppArmor, "
                        "Landlock); "
                        "allow io_uring to this program in its policy");
                return;
        case -ENOSYS:
                snprintf(ret_problem, size,
                        "this kernel (%.64s) or the sandbox around it has no io_uring; use a "
                        "kernel built with "
                        "CONFIG_IO_URING, and a container runtime that lets io_uring through "
                        "(gVisor does not)",
                        kernel_release);
                return;
        case -ENOMEM:
                snprintf(ret_problem, size,
                        "no memory for an io_uring: RLIMIT_MEMLOCK is %llu KiB, or the cgroup's "
                        "memory is used up; raise "
                        "the limit (ulimit -l, LimitMEMLOCK=) or use fewer or smaller rings",
                        memlock_bytes / 1024);
                return;
        case -EMFILE:
        case -ENFILE:
                snprintf(ret_problem, size,
                        "no descriptor is left for an io_uring; raise RLIMIT_NOFILE (ulimit -n, "
                        "LimitNOFILE=)");
                return;
        default:
                snprintf(ret_problem, size, "io_uring cannot be set up on Linux %.64s: %s",
                        kernel_release, strerror(-error));
        }
}

static int read_disabled(void)
{
        FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
        int disabled = -1;

        if (!file)
                return -1;
        if (fscanf(file, "%d", &disabled) != 1)
                disabled = -1;
        fclose(file);
        return disabled;
}

void probe_explain(int error, char *ret_problem)
{
        struct utsname name;
        struct rlimit memlock;

        if (uname(&name) < 0)
                strcpy(name.release, "of unknown release");
        if (getrlimit(RLIMIT_MEMLOCK, &memlock) < 0)
                memlock.rlim_cur = 0;
        probe_message(error, name.release, read_disabled(), memlock.rlim_cur, ret_problem);
}

/* Only trying tells: it is a flag of a registration. */
static bool has_incremental_buffers(struct ring *ring)
{
        struct io_uring_buf_ring *entries;
        int r;

        entries = io_uring_setup_buf_ring(
                ring->uring, PROBE_ENTRIES, PROBE_GROUP, IOU_PBUF_RING_INC, &r);
        if (!entries)
                return false;
        io_uring_free_buf_ring(ring->uring, entries, PROBE_ENTRIES, PROBE_GROUP);
        return true;
}

static int probe_ring(struct ring *ring, struct probe_features *ret_features)
{
        struct io_uring_probe *operations = io_uring_get_probe_ring(ring->uring);
        unsigned features = ring->uring->features;

        if (!operations)
                return -ENOMEM;
        *ret_features = (struct probe_features){
                .recv_bundle = features & IORING_FEAT_RECVSEND_BUNDLE,
                .send_zc = io_uring_opcode_supported(operations, IORING_OP_SENDMSG_ZC),
                .buffer_incremental = has_incremental_buffers(ring),
                .wait_min = features & IORING_FEAT_MIN_TIMEOUT,
        };
        io_uring_free_probe(operations);
        return 0;
}

int probe_run(struct probe_features *ret_features, char *ret_problem)
{
        struct ring_options ring_options = { .sq_entries = PROBE_ENTRIES };
        struct buffers_options buffers_options = { .count = PROBE_ENTRIES, .buffer_bytes = 4096 };
        struct probe_features features;
        struct buffers buffers;
        struct ring ring;
        int r = ring_init(&ring, &ring_options);

        if (r == 0) {
                r = buffers_init(&buffers, &ring, &buffers_options);
                if (r == 0) {
                        r = probe_ring(&ring, &features);
                        buffers_deinit(&buffers);
                }
                ring_deinit(&ring);
        }
        if (r == 0 && ret_features)
                *ret_features = features;
        if (r < 0 && ret_problem)
                probe_explain(r, ret_problem);
        return r;
}
