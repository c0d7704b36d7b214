/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../core/seccomp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <quoit/server.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned lines;
static char last_line[512];

static void on_log(void *user, quoit_log_level level, const char *line)
{
        (void)user;
        (void)level;
        lines++;
        strncpy(last_line, line, sizeof(last_line) - 1);
}

static quoit_server *server_on(quoit_engine engine)
{
        quoit_server_options options = { .engine = engine, .rings = 2, .on_log = on_log };
        quoit_server *server;

        assert_int_equal(quoit_server_new(&options, &server), 0);
        assert_int_equal(quoit_server_engine(server), QUOIT_ENGINE_AUTO);
        return server;
}

static void test_no_such_engine(void **state)
{
        quoit_server_options options = { .engine = QUOIT_ENGINE_EPOLL + 1, .on_log = on_log };
        quoit_server *server = NULL;

        (void)state;
        assert_int_equal(quoit_server_new(&options, &server), -EINVAL);
        assert_non_null(strstr(quoit_server_problem(NULL), "quoit_server_new() failed"));
        assert_null(server);
        assert_non_null(strstr(last_line, "engine"));
}

static void test_it_is_told(void **state)
{
        const quoit_engine expected[] = { QUOIT_ENGINE_IO_URING, QUOIT_ENGINE_IO_URING,
                QUOIT_ENGINE_EPOLL };

        (void)state;
        for (quoit_engine asked = QUOIT_ENGINE_AUTO; asked <= QUOIT_ENGINE_EPOLL; asked++) {
                quoit_server *server = server_on(asked);

                assert_int_equal(quoit_server_listen(server, "127.0.0.1:0", NULL), 0);
                assert_int_equal(quoit_server_engine(server), expected[asked]);
                assert_int_equal(quoit_server_start(server), 0);
                assert_int_equal(quoit_server_engine(server), expected[asked]);
                quoit_server_stop(server);
                assert_int_equal(quoit_server_run(server), 0);
                quoit_server_free(server);
        }
}

/* What @run(@engine) returns in a process of its own. */
static int status_of_child(int (*run)(quoit_engine engine), quoit_engine engine)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(run(engine));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* A child listens, drops its rights, and starts. Returns its exit status; 0: as expected. */
static int start_without_rights(quoit_engine engine)
{
        quoit_server *server = server_on(engine);
        int r;

        if (quoit_server_listen(server, "127.0.0.1:0", NULL) < 0 ||
                quoit_server_engine(server) != QUOIT_ENGINE_IO_URING)
                return 4;
        forbid_by_seccomp(SYS_io_uring_setup, EPERM);
        lines = 0;
        r = quoit_server_start(server);
        if (engine == QUOIT_ENGINE_IO_URING)
                return r == -EPERM && lines == 0 ? 0 : 5;
        if (r < 0 || quoit_server_engine(server) != QUOIT_ENGINE_EPOLL)
                return 6;
        if (lines != 1 || !strstr(last_line, "epoll") || !strstr(last_line, "seccomp"))
                return 7;
        quoit_server_stop(server);
        return quoit_server_run(server) == 0 ? 0 : 8;
}

static void test_rights_that_are_given_up_before_the_start(void **state)
{
        (void)state;
        for (quoit_engine engine = QUOIT_ENGINE_AUTO; engine <= QUOIT_ENGINE_IO_URING; engine++)
                assert_int_equal(status_of_child(start_without_rights, engine), 0);
}

/* ---- a ring that fails ---- */

static int connect_to(uint16_t port)
{
        static const char hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
        const struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
                send(fd, hello, sizeof(hello), 0) != sizeof(hello))
                _exit(4);
        return fd;
}

static void serve_until_answered(quoit_server *server, int fd)
{
        char byte;

        while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 1) {
                if (quoit_server_step(server) != 1)
                        _exit(5);
                (void)poll(NULL, 0, 1);
        }
}

static unsigned wait_call(quoit_engine engine)
{
        if (engine == QUOIT_ENGINE_IO_URING)
                return SYS_io_uring_enter;
#ifdef SYS_epoll_wait
        return SYS_epoll_wait;
#else
        return SYS_epoll_pwait;
#endif
}

/* A child's exit status; 0: as expected. Each ring has a connection when the first one fails. */
static int fail_while_serving(quoit_engine engine)
{
        quoit_server *server = server_on(engine);
        uint16_t port;
        int r;

        if (quoit_server_listen(server, "127.0.0.1:0", &port) < 0 ||
                quoit_server_start(server) < 0 || quoit_server_fd(server) < 0)
                return 6;
        for (unsigned i = 0; i < 4; i++)
                serve_until_answered(server, connect_to(port));
        forbid_by_seccomp(wait_call(engine), EPERM); /* on this thread */
        while ((r = quoit_server_step(server)) == 1)
                ;
        if (r != -EPERM || !strstr(quoit_server_problem(server), "a ring failed"))
                return 7;
        return quoit_server_free(server) ? 8 : 0;
}

/* The server ends, whatever is still open on that ring, and can be freed. */
static void test_a_ring_fails(void **state)
{
        (void)state;
        for (quoit_engine engine = QUOIT_ENGINE_IO_URING; engine <= QUOIT_ENGINE_EPOLL; engine++)
                assert_int_equal(status_of_child(fail_while_serving, engine), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_such_engine),
                cmocka_unit_test(test_it_is_told),
                cmocka_unit_test(test_rights_that_are_given_up_before_the_start),
                cmocka_unit_test(test_a_ring_fails),
        };

        return cmocka_run_group_tests_name("server/engine", tests, NULL, NULL);
}
