/* SPDX-License-Identifier: MIT */

/* Other system calls of the product, besides its engine, also simulated. The linker puts these in place (--wrap). */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/engine/sim.h"
#include "fibers.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
int __wrap_eventfd(unsigned count, int flags);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
int __wrap_close(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t size);
int __real_close(int fd);
int __wrap_shutdown(int fd, int how);
int __wrap_socket(int family, int type, int protocol);
int __real_socket(int family, int type, int protocol);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_ppoll(
        struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals);

/* The clock stands still while a fiber runs, except for what is added here, as if a step took time. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
        (void)clock;
        sim.now_ns += sim_below(500);
        *ret_time = (struct timespec){ .tv_sec = (time_t)(sim.now_ns / NS_PER_S),
                .tv_nsec = (long)(sim.now_ns % NS_PER_S) };
        return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
        (void)flags;
        for (size_t i = 0; i < size; i++)
                ((unsigned char *)bytes)[i] = (unsigned char)sim_random();
        return (ssize_t)size;
}

int __wrap_eventfd(unsigned count, int flags)
{
        (void)count;
        (void)flags;
        if (sim_call_fails()) {
                errno = EMFILE;
                return -1;
        }
        return sim_wake_new();
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
        if (fd < 0) { /* the wake-up of a ring that is gone: a late post to it fails */
                errno = EBADF;
                return -1;
        }
        if (!sim_wake_is(fd) && !fiber_is_inside())
                return __real_write(fd, bytes, size);
        if (!sim_wake_is(fd))
                sim_fail("a write to descriptor %d", fd);
        sim_wake(fd);
        return (ssize_t)size;
}

/* Of the last turns of a client whose loop is gone. */
int __wrap_ppoll(
        struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
        (void)signals;
        if (count != 1 || timeout)
                sim_fail("a poll that is not simulated");
        sim_poll(fds->fd);
        return 1;
}

int __wrap_close(int fd)
{
        struct sim_file *file = sim_file(fd);

        if (sim_wake_is(fd))
                return 0;
        if (!file && !fiber_is_inside())
                return __real_close(fd);
        if (!file)
                sim_fail("descriptor %d is closed, which is not open", fd);
        sim_file_close(file);
        return 0;
}

int __wrap_shutdown(int fd, int how)
{
        struct sim_file *file = sim_file(fd);

        (void)how;
        if (!file)
                sim_fail("shutdown of descriptor %d, which is not open", fd);
        sim_file_shutdown(file);
        return 0;
}

/* Of a connector. */
int __wrap_socket(int family, int type, int protocol)
{
        if (!fiber_is_inside())
                return __real_socket(family, type, protocol);
        if (sim_fault(SIM_ERROR)) {
                errno = EMFILE;
                return -1;
        }
        return sim_file_new(NULL);
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
        if (!sim_file(fd))
                return __real_setsockopt(fd, level, option, value, size);
        if (sim_call_fails()) {
                errno = ENOBUFS;
                return -1;
        }
        return 0;
}

static int name(int fd, uint32_t host, unsigned port, struct sockaddr *address, socklen_t *size)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET,
                .sin_port = htons((uint16_t)port),
                .sin_addr.s_addr = htonl(host) };

        if (!sim_file(fd))
                sim_fail("descriptor %d is asked for its name, which is not open", fd);
        if (sim_call_fails()) {
                errno = ENOBUFS;
                return -1;
        }
        if (*size < sizeof(v4)) {
                errno = EINVAL;
                return -1;
        }
        memcpy(address, &v4, sizeof(v4));
        *size = sizeof(v4);
        return 0;
}

/* A socket that is dead has no peer name. */
int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
        const struct sim_file *file = sim_file(fd);

        if (file && file->conn && file->conn->reset) {
                errno = ENOTCONN;
                return -1;
        }
        return name(fd, 0x0a000001 + (file && file->conn ? file->conn->id % 3 : 0),
                40000u + (unsigned)fd % 1000, address, size);
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
        return name(fd, 0x0a0000fe, 443, address, size);
}

/* What a descriptor is that a server takes over; the rest no socket of this world has. */
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
        (void)fd;
        (void)size;
        if (level == SOL_SOCKET && !sim_call_fails()) {
                if (option == SO_TYPE)
                        return *(int *)value = SOCK_STREAM, 0;
                if (option == SO_DOMAIN)
                        return *(int *)value = AF_INET, 0;
                if (option == SO_ACCEPTCONN)
                        return *(int *)value = 1, 0;
        }
        errno = ENOPROTOOPT;
        return -1;
}
