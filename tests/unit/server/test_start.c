/* SPDX-License-Identifier: MIT */

/* A server that cannot start: what it has started by then is gone again. */

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/quoit.h>
#include <quoit/tls.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki.h"
#include "script.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#else
#define IS_SANITIZED 0
#endif

#define STACKS 20 /* for so many threads there is room */

static unsigned threads(void)
{
        DIR *folder = opendir("/proc/self/task");
        unsigned count = 0;

        for (const struct dirent *entry; folder && (entry = readdir(folder));)
                count += entry->d_name[0] != '.';
        if (folder)
                closedir(folder);
        return count;
}

/* From now on there is room for STACKS more stacks. */
static void limit_address_space(void)
{
        struct rlimit stack, space;
        unsigned long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");

        if (!file || fscanf(file, "%lu", &pages) != 1 || getrlimit(RLIMIT_STACK, &stack) < 0 ||
                stack.rlim_cur == RLIM_INFINITY)
                _exit(3);
        fclose(file);
        space.rlim_cur = space.rlim_max =
                pages * (rlim_t)sysconf(_SC_PAGESIZE) + STACKS * stack.rlim_cur;
        if (setrlimit(RLIMIT_AS, &space) < 0)
                _exit(3);
}

/* A child's exit status; 0: as expected. */
static int start_without_handshakers(void)
{
        static const quoit_tls_options tls_options;
        const quoit_server_options options = { .workers = 2, .handshake_threads = 1000 };
        struct script script = { 0 };
        struct pki pki;
        quoit_server *server;
        quoit_tls *tls;

        pki_init(&pki, "DNS:localhost");
        tls = pki_rules(&pki, &tls_options);
        if (quoit_server_new(&options, &server) < 0 || script_register(server, &script) < 0 ||
                quoit_server_set_method(server, "/script.Script/*",
                        &(quoit_method_options){ .offload = true }) < 0 ||
                quoit_server_listen_tls(server, "127.0.0.1:0", tls, NULL) < 0)
                return 4;
        limit_address_space();
        if (quoit_server_start(server) >= 0 || !strstr(quoit_server_problem(server), "thread"))
                return 5;
        if (threads() != 1)
                return 6;
        quoit_server_free(server);
        quoit_tls_free(tls);
        pki_deinit(&pki);
        return 0;
}

/* Workers would wait for work that cannot come. */
static void test_no_room_for_handshake_threads(void **state)
{
        pid_t pid;
        int status;

        (void)state;
        if (IS_SANITIZED) {
                print_message("a sanitizer takes all of the address space\n");
                skip();
        }
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(start_without_handshakers());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_room_for_handshake_threads),
        };

        return cmocka_run_group_tests_name("server/start", tests, NULL, NULL);
}
