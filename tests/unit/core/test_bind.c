/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void close_all(const int *fds, int count)
{
        for (int i = 0; i < count; i++)
                close(fds[i]);
}

static bool has_ipv6(void)
{
        struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

        if (fd >= 0)
                close(fd);
        return has;
}

static int connect_v4(uint16_t port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(port),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;

        close(fd);
        return r;
}

static int connect_v6(uint16_t port)
{
        struct sockaddr_in6 address = {
                .sin6_family = AF_INET6,
                .sin6_addr = in6addr_loopback,
                .sin6_port = htons(port),
        };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;

        close(fd);
        return r;
}

static void test_numeric(void **state)
{
        int fds[BIND_FDS_MAX], value = 0;
        socklen_t size = sizeof(value);
        uint16_t port = 0;

        (void)state;
        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, &port), 1);
        assert_int_not_equal(port, 0);
        assert_int_equal(connect_v4(port), 0);
        assert_int_equal(getsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
        assert_int_not_equal(value, 0);
        close(fds[0]);
        assert_int_equal(connect_v4(port), -ECONNREFUSED);
}

static void test_everything(void **state)
{
        const char *hosts[] = { "::", "[::]", "", NULL };

        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                int fds[BIND_FDS_MAX], count;
                uint16_t port;

                if (i < 2 && !has_ipv6())
                        continue;
                count = bind_tcp(hosts[i], 0, NULL, fds, &port);
                assert_int_equal(count, 1);
                assert_int_equal(connect_v4(port), 0);
                if (has_ipv6())
                        assert_int_equal(connect_v6(port), 0);
                close_all(fds, count);
        }
}

static void test_localhost_is_all_its_addresses(void **state)
{
        int fds[BIND_FDS_MAX], count;
        uint16_t port;

        (void)state;
        count = bind_tcp("localhost", 0, NULL, fds, &port);
        assert_in_range(count, 1, BIND_FDS_MAX);
        assert_int_equal(connect_v4(port), 0);
        if (count > 1)
                assert_int_equal(connect_v6(port), 0);
        close_all(fds, count);
}

static void test_port_in_use(void **state)
{
        struct bind_options shared = { .reuse_port = true };
        int fds[BIND_FDS_MAX], more[BIND_FDS_MAX] = { -7 };
        uint16_t port, other_port = 7;

        (void)state;
        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, &port), 1);
        assert_int_equal(bind_tcp("127.0.0.1", port, NULL, more, &other_port), -EADDRINUSE);
        assert_int_equal(more[0], -7);
        assert_int_equal(other_port, 7);
        close(fds[0]);
        assert_int_equal(bind_tcp("127.0.0.1", port, &shared, fds, NULL), 1);
        assert_int_equal(bind_tcp("127.0.0.1", port, &shared, more, NULL), 1);
        close(fds[0]);
        close(more[0]);
}

static void test_hosts_that_do_not_work(void **state)
{
        int fds[BIND_FDS_MAX];
        char long_name[400];

        (void)state;
        assert_int_equal(bind_tcp("203.0.113.7", 0, NULL, fds, NULL), -EADDRNOTAVAIL);
        assert_true(bind_tcp("no.such.host.invalid", 0, NULL, fds, NULL) < 0);
        memset(long_name, 'a', sizeof(long_name));
        long_name[sizeof(long_name) - 1] = '\0';
        assert_int_equal(bind_tcp(long_name, 0, NULL, fds, NULL), -ENAMETOOLONG);
}

static void test_unix_replaces_only_stale_sockets(void **state)
{
        char directory[] = "quoit-bind-XXXXXX", path[200], long_path[200];
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd, again = -7, client;
        FILE *file;

        (void)state;
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/socket", directory);
        assert_int_equal(bind_unix(path, NULL, &fd), 0);
        strcpy(address.sun_path, path);
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
        close(client);
        assert_int_equal(bind_unix(path, NULL, &again), -EADDRINUSE);
        assert_int_equal(again, -7);
        close(fd);
        assert_int_equal(bind_unix(path, NULL, &fd), 0); /* what the first left behind */
        close(fd);
        unlink(path);

        file = fopen(path, "w"); /* somebody's file is not ours to remove */
        assert_non_null(file);
        fclose(file);
        assert_int_equal(bind_unix(path, NULL, &fd), -EADDRINUSE);
        assert_int_equal(access(path, F_OK), 0);
        unlink(path);
        rmdir(directory);

        memset(long_path, 'a', sizeof(long_path));
        long_path[sizeof(long_path) - 1] = '\0';
        assert_int_equal(bind_unix(long_path, NULL, &fd), -ENAMETOOLONG);
}

static void test_unix_mode(void **state)
{
        char directory[] = "quoit-bind-XXXXXX", path[200];
        struct bind_options options = { .unix_mode = 0620 };
        struct stat status;
        int fd;

        (void)state;
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/socket", directory);
        assert_int_equal(bind_unix(path, &options, &fd), 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0620);
        close(fd);
        unlink(path);
        rmdir(directory);
}

static void test_abstract(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char name[200];
        socklen_t size;
        int fd, again = -7, client;

        (void)state;
        snprintf(name, sizeof(name), "quoit-test-bind-%d", getpid());
        assert_int_equal(bind_unix_abstract(name, NULL, &fd), 0);
        assert_int_equal(bind_unix_abstract(name, NULL, &again), -EADDRINUSE);
        assert_int_equal(again, -7);
        strcpy(address.sun_path + 1, name);
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
        close(client);
        close(fd);
        assert_int_equal(bind_unix_abstract(name, NULL, &fd), 0); /* it went with its descriptor */
        close(fd);

        memset(name, 'a', 107);
        name[107] = '\0';
        assert_int_equal(bind_unix_abstract(name, NULL, &fd), 0);
        close(fd);
        strcpy(name + 107, "a");
        assert_int_equal(bind_unix_abstract(name, NULL, &fd), -ENAMETOOLONG);
}

/* Whether bytes travel between two vsocks of one machine depends on it; that a port is taken does not. */
static void test_vsock(void **state)
{
        struct sockaddr_vm address = { 0 };
        socklen_t size = sizeof(address);
        int fd, again = -7;
        int r = bind_vsock(VMADDR_CID_ANY, VMADDR_PORT_ANY, NULL, &fd);

        (void)state;
        if (r == -EAFNOSUPPORT) {
                print_message("the kernel has no vsock\n");
                skip();
        }
        assert_int_equal(r, 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        assert_int_equal(address.svm_cid, VMADDR_CID_ANY);
        assert_int_equal(bind_vsock(VMADDR_CID_ANY, address.svm_port, NULL, &again), -EADDRINUSE);
        assert_int_equal(bind_vsock(0x7ffffffe, address.svm_port, NULL, &again), -EADDRNOTAVAIL);
        assert_int_equal(again, -7);
        assert_int_equal(bind_adopt(fd), 0);
        close(fd);
}

static void test_adopt(void **state)
{
        int fds[BIND_FDS_MAX], pair[2], fd, on;
        socklen_t size = sizeof(on);

        (void)state;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_int_equal(bind_adopt(fd), -ENOTCONN);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(bind_adopt(fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK); /* others who share it may need it */
        assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
        assert_true(on);
        close(fd);
        assert_int_equal(bind_adopt(fd), -EBADF);

        fd = socket(AF_INET, SOCK_DGRAM, 0);
        assert_int_equal(bind_adopt(fd), -ESOCKTNOSUPPORT);
        close(fd);
        assert_int_equal(pipe(pair), 0);
        assert_int_equal(bind_adopt(pair[0]), -ENOTSOCK);
        close(pair[0]);
        close(pair[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(bind_adopt(pair[0]), -ENOTCONN);
        close(pair[0]);
        close(pair[1]);

        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, NULL), 1);
        assert_int_equal(bind_adopt(fds[0]), 0);
        close(fds[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numeric),
                cmocka_unit_test(test_everything),
                cmocka_unit_test(test_localhost_is_all_its_addresses),
                cmocka_unit_test(test_port_in_use),
                cmocka_unit_test(test_hosts_that_do_not_work),
                cmocka_unit_test(test_unix_replaces_only_stale_sockets),
                cmocka_unit_test(test_unix_mode),
                cmocka_unit_test(test_abstract),
                cmocka_unit_test(test_vsock),
                cmocka_unit_test(test_adopt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
