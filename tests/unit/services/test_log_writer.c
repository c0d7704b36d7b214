/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <quoit/log_writer.h>

#define TEXT_BYTES ((size_t)64 << 20)

static double seconds(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* stderr is the writing end of a pipe while a test runs; cmocka says what fails afterwards. */
static int old_stderr;

static void redirect(int fd)
{
        old_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
        dup2(fd, 2);
        close(fd);
}

static void restore(void)
{
        dup2(old_stderr, 2);
        close(old_stderr);
}

static int make_pipe(void)
{
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        redirect(ends[1]);
        return ends[0];
}

static int make_socket(void)
{
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        redirect(ends[1]);
        return ends[0];
}

struct reader {
        int fd;
        char *text;
        size_t size;
        pthread_t thread;
};

static void *read_all(void *user)
{
        struct reader *reader = user;
        ssize_t n;

        while ((n = read(reader->fd, reader->text + reader->size, TEXT_BYTES - reader->size)) > 0)
                reader->size += (size_t)n;
        return NULL;
}

static struct reader reader_start(int fd)
{
        struct reader reader = { .fd = fd, .text = malloc(TEXT_BYTES) };

        assert_non_null(reader.text);
        return reader;
}

/* Each line is "line N ..." with the numbers in order, but for those that a note says are missing. Returns how many came. */
static unsigned check_numbers(char *text, size_t size, unsigned *ret_missing)
{
        unsigned next = 0, came = 0, missing = 0;
        char *end = text + size;

        assert_true(size > 0 && end[-1] == '\n');
        for (char *line = text, *stop; line < end; line = stop + 1) {
                unsigned number;

                stop = memchr(line, '\n', (size_t)(end - line));
                *stop = '\0';
                if (sscanf(line, "t: warning: %u lines were dropped here", &number) == 1) {
                        missing += number;
                        next += number;
                        continue;
                }
                assert_int_equal(sscanf(line, "line %u ", &number), 1);
                assert_int_equal(number, next);
                assert_true(strlen(line) == 99 && line[98] == '.');
                next++;
                came++;
        }
        *ret_missing = missing;
        return came;
}

static void write_numbers(quoit_log_writer *writer, unsigned first, unsigned count)
{
        char line[128];

        for (unsigned i = first; i < first + count; i++) {
                snprintf(line, sizeof(line), "line %u %0100d", i, 0);
                memcpy(line + 98, ".\n", 3);
                quoit_log_writer_line(writer, line, 100);
        }
}

static quoit_log_writer *start(void)
{
        quoit_log_writer *writer = NULL;

        assert_int_equal(
                quoit_log_writer_new(&(quoit_log_writer_options){ .name = "t" }, &writer), 0);
        return writer;
}

static void pause_ms(long ms)
{
        nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Nobody reads: who writes does not wait, and neither does the end, for long. No CPU is spent meanwhile. */
static void check_nobody_reads(int fd)
{
        quoit_log_writer *writer = start();
        double began, took, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

        write_numbers(writer, 0, 50000); /* 5 MB */
        began = seconds(CLOCK_MONOTONIC);
        assert_null(quoit_log_writer_free(writer));
        took = seconds(CLOCK_MONOTONIC) - began;
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        restore();
        close(fd);
        assert_true(took > 0.9 && took < 5);
        assert_true(cpu < 0.5);
}

static void test_nobody_reads(void **state)
{
        (void)state;
        check_nobody_reads(make_pipe());
        check_nobody_reads(make_socket());
}

/* Whoever else has the descriptor may have made it nonblocking. */
static void test_nobody_reads_what_is_nonblocking(void **state)
{
        int fd = make_pipe();

        (void)state;
        fcntl(2, F_SETFL, O_NONBLOCK);
        check_nobody_reads(fd);
}

/* The reader comes back: all lines are there, or are counted where they are missing. */
static void check_late_reader(int fd)
{
        quoit_log_writer *writer = start();
        struct reader reader = reader_start(fd);
        unsigned came, missing;

        write_numbers(writer, 0, 1);
        pause_ms(100); /* the thread's hands are full */
        write_numbers(writer, 1, 49999);
        pthread_create(&reader.thread, NULL, read_all, &reader);
        pause_ms(500);
        write_numbers(writer, 50000, 1000); /* there is room again */
        quoit_log_writer_free(writer);
        restore();
        pthread_join(reader.thread, NULL);
        close(fd);
        came = check_numbers(reader.text, reader.size, &missing);
        assert_int_equal(came + missing, 51000);
        assert_in_range(missing, 1, 45000);
        free(reader.text);
}

static void test_late_reader(void **state)
{
        int fd;

        (void)state;
        check_late_reader(make_pipe());
        check_late_reader(make_socket());
        fd = make_pipe();
        fcntl(2, F_SETFL, O_NONBLOCK);
        check_late_reader(fd);
}

static void *write_many(void *user)
{
        char line[4096];

        (void)user;
        for (unsigned i = 0; i < 200; i++) {
                size_t size = 50 + (size_t)i * 37 % 4000;

                memset(line, 'o', size);
                line[size - 1] = '\n';
                assert_int_equal(write(2, line, size), size);
        }
        return NULL;
}

/* Somebody else writes lines to the same pipe: none is within another one. */
static void test_shared_pipe(void **state)
{
        int fd = make_pipe();
        quoit_log_writer *writer = start();
        struct reader reader = reader_start(fd);
        unsigned missing, others = 0;
        char *kept, *to;
        pthread_t other;

        (void)state;
        pthread_create(&reader.thread, NULL, read_all, &reader);
        pthread_create(&other, NULL, write_many, NULL);
        for (unsigned i = 0; i < 20; i++) {
                write_numbers(writer, i * 1000, 1000);
                pause_ms(5);
        }
        pthread_join(other, NULL);
        quoit_log_writer_free(writer);
        restore();
        pthread_join(reader.thread, NULL);
        close(fd);
        kept = to = malloc(reader.size);
        for (char *line = reader.text, *next; line < reader.text + reader.size; line = next) {
                next = (char *)memchr(line, '\n', TEXT_BYTES) + 1;
                if (*line == 'o') {
                        assert_int_equal(strspn(line, "o"), next - line - 1);
                        others++;
                        continue;
                }
                memcpy(to, line, (size_t)(next - line));
                to += next - line;
        }
        assert_int_equal(others, 200);
        assert_int_equal(check_numbers(kept, (size_t)(to - kept), &missing), 20000);
        assert_int_equal(missing, 0);
        free(kept);
        free(reader.text);
}

/* ---- what is wrong with a file ---- */

static struct {
        pthread_mutex_t mutex;
        unsigned count;
        char last[512];
} problems = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void on_problem(void *user, quoit_log_level level, const char *line)
{
        assert_ptr_equal(user, &problems);
        assert_int_equal(level, QUOIT_LOG_WARNING);
        pthread_mutex_lock(&problems.mutex);
        problems.count++;
        snprintf(problems.last, sizeof(problems.last), "%s", line);
        pthread_mutex_unlock(&problems.mutex);
}

/* Waits for it. */
static void assert_problem(unsigned count, const char *part)
{
        for (unsigned i = 0; i < 1000; i++) {
                bool is_there;

                pthread_mutex_lock(&problems.mutex);
                is_there = problems.count == count && strstr(problems.last, part);
                pthread_mutex_unlock(&problems.mutex);
                if (is_there)
                        return;
                pause_ms(10);
        }
        fail_msg("%u problems, the last: %s", problems.count, problems.last);
}

static quoit_log_writer *open_path(const char *path)
{
        quoit_log_writer *writer = NULL;

        problems.count = 0;
        assert_int_equal(quoit_log_writer_new(&(quoit_log_writer_options){ .path = path,
                                                      .name = "t",
                                                      .on_problem = on_problem,
                                                      .problem_user = &problems },
                                 &writer),
                0);
        return writer;
}

static size_t read_file(const char *path, char *text, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, text, size);

        assert_true(fd >= 0 && n >= 0);
        close(fd);
        return (size_t)n;
}

static char folder[] = "log-writer-XXXXXX";
static char path[64], moved[64];

static int make_folder(void **state)
{
        (void)state;
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/log", folder);
        snprintf(moved, sizeof(moved), "%s/moved", folder);
        return 0;
}

static int remove_folder(void **state)
{
        (void)state;
        unlink(path);
        unlink(moved);
        rmdir(folder);
        return 0;
}

static void limit_files(rlim_t bytes)
{
        struct rlimit limit;

        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full in the midst of a line, and is not any more: the line goes on where it was. */
static void test_full_disk(void **state)
{
        quoit_log_writer *writer = open_path(path);
        char text[4000];
        unsigned missing;

        (void)state;
        limit_files(1050);
        write_numbers(writer, 0, 20);
        assert_problem(1, "/log: File too large");
        write_numbers(writer, 20, 10);
        limit_files(RLIM_INFINITY);
        for (unsigned i = 0; i < 500 && read_file(path, text, sizeof(text)) < 3000; i++)
                pause_ms(10);
        assert_int_equal(read_file(path, text, sizeof(text)), 3000);
        assert_int_equal(check_numbers(text, 3000, &missing), 30);
        quoit_log_writer_free(writer);
        assert_int_equal(problems.count, 1);
}

/* The same, but another file takes its place: there the line is whole. */
static void test_full_disk_is_changed(void **state)
{
        quoit_log_writer *writer;
        char text[4000], first[32];

        (void)state;
        unlink(path);
        writer = open_path(path);
        limit_files(1050);
        write_numbers(writer, 0, 20);
        assert_problem(1, "/log: File too large");
        assert_int_equal(rename(path, moved), 0);
        limit_files(RLIM_INFINITY);
        quoit_log_writer_reopen(writer);
        quoit_log_writer_free(writer);
        assert_int_equal(read_file(moved, text, sizeof(text)), 1050);
        assert_int_equal(read_file(path, text, sizeof(text)), 1000);
        memcpy(first, text, 8);
        assert_memory_equal(first, "line 10 ", 8);
}

static void test_end_with_a_full_disk(void **state)
{
        quoit_log_writer *writer = open_path("/dev/full");
        double began;

        (void)state;
        write_numbers(writer, 0, 7);
        assert_problem(1, "/dev/full: No space left on device");
        began = seconds(CLOCK_MONOTONIC);
        quoit_log_writer_free(writer);
        assert_true(seconds(CLOCK_MONOTONIC) - began < 1);
        assert_problem(2, "/dev/full: 7 lines lost at the end");
}

static void test_fifo(void **state)
{
        quoit_log_writer *writer;
        char text[200];
        int fd;

        (void)state;
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(
                quoit_log_writer_new(&(quoit_log_writer_options){ .path = path }, &writer), -ENXIO);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        writer = open_path(path);
        close(fd);
        write_numbers(writer, 0, 1);
        assert_problem(1, "Broken pipe"); /* and no SIGPIPE */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        quoit_log_writer_free(writer);
        assert_int_equal(read(fd, text, sizeof(text)), 100);
        assert_int_equal(problems.count, 1);
        close(fd);
        unlink(path);
}

static void test_what_cannot_be_opened(void **state)
{
        quoit_log_writer *writer = NULL;

        (void)state;
        assert_int_equal(
                quoit_log_writer_new(&(quoit_log_writer_options){ .path = "/no/such" }, &writer),
                -ENOENT);
        assert_null(writer);
        assert_null(quoit_log_writer_free(NULL));
}

/* ---- lines ---- */

static void test_named_lines(void **state)
{
        quoit_log_writer *writer = open_path(path);
        char text[8000], long_name[5000];
        size_t size;

        (void)state;
        quoit_log_writer_log(writer, QUOIT_LOG_ERROR, "a\nb\x1b[0m \xc3\xbc");
        quoit_log_writer_log(writer, QUOIT_LOG_WARNING, "w");
        quoit_log_writer_log(writer, QUOIT_LOG_INFO, "");
        quoit_log_writer_printf(writer, "port %d%c", 80, '\x7f');
        memset(long_name, 'x', sizeof(long_name));
        quoit_log_writer_printf(writer, "%.*s", (int)sizeof(long_name), long_name);
        quoit_log_writer_free(writer);
        size = read_file(path, text, sizeof(text));
        text[size] = '\0';
        assert_int_equal(strcspn(strstr(text, "t: xx"), "\n"), 4003);
        *strstr(text, "t: xx") = '\0';
        assert_string_equal(
                text, "t: error: a?b?[0m \xc3\xbc\nt: warning: w\nt: info: \nt: port 80?\n");
        unlink(path);
}

static void test_levels(void **state)
{
        quoit_log_writer *writer = open_path(path);
        char text[200];
        size_t size;

        (void)state;
        quoit_log_writer_log(writer, QUOIT_LOG_DEBUG, "1");
        quoit_log_writer_set_level(writer, QUOIT_LOG_WARNING);
        quoit_log_writer_log(writer, QUOIT_LOG_ERROR, "2");
        quoit_log_writer_log(writer, QUOIT_LOG_WARNING, "3");
        quoit_log_writer_log(writer, QUOIT_LOG_INFO, "-");
        quoit_log_writer_printf(writer, "-");
        quoit_log_writer_line(writer, "raw\n", 4);
        quoit_log_writer_set_level(writer, QUOIT_LOG_INFO);
        quoit_log_writer_printf(writer, "4");
        quoit_log_writer_log(writer, QUOIT_LOG_DEBUG, "-");
        quoit_log_writer_free(writer);
        size = read_file(path, text, sizeof(text) - 1);
        text[size] = '\0';
        assert_string_equal(text, "t: debug: 1\nt: error: 2\nt: warning: 3\nraw\nt: 4\n");
        unlink(path);
}

/* The time is in each line, and all else as it was given. */
static void test_json(void **state)
{
        static const char *const expected[] = {
                "\"level\":\"error\",\"program\":\"t\",\"message\":\"a \\\"b\\\" \\\\ "
                "\\u000a\\u007f\\u00c3\\u00bc\"}",
                "\"level\":\"info\",\"program\":\"t\",\"message\":\"port 80\"}",
        };
        quoit_log_writer *writer = open_path(path);
        char text[1000], *line = text;
        size_t size;

        (void)state;
        quoit_log_writer_set_json(writer, true);
        quoit_log_writer_log(writer, QUOIT_LOG_ERROR, "a \"b\" \\ \n\x7f\xc3\xbc");
        quoit_log_writer_printf(writer, "port %d", 80);
        quoit_log_writer_line(writer, "raw\n", 4);
        quoit_log_writer_set_json(writer, false);
        quoit_log_writer_log(writer, QUOIT_LOG_INFO, "text");
        quoit_log_writer_free(writer);
        size = read_file(path, text, sizeof(text) - 1);
        text[size] = '\0';
        for (unsigned i = 0; i < 2; i++) {
                int n = 0;

                (void)sscanf(line, "{\"time\":\"%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ\",%n", &n);
                assert_int_equal(n, 35);
                line[n + (int)strcspn(line + n, "\n")] = '\0';
                assert_string_equal(line + n, expected[i]);
                line += n + (int)strlen(line + n) + 1;
        }
        assert_string_equal(line, "raw\nt: info: text\n");
        unlink(path);
}

/* Larger than any buffer: no line, and no reason to wait. */
static void test_a_line_too_large(void **state)
{
        quoit_log_writer *writer = open_path(path);
        char *line = calloc(3, 1 << 20);
        char text[200];

        (void)state;
        quoit_log_writer_line(writer, line, (size_t)3 << 20);
        assert_problem(1, "1 lines dropped");
        write_numbers(writer, 0, 1);
        quoit_log_writer_free(writer);
        assert_int_equal(read_file(path, text, sizeof(text)), 100);
        free(line);
        unlink(path);
}

/* A line that comes alone does not wait for more. */
static void test_a_line_is_written_at_once(void **state)
{
        int fd = make_pipe();
        quoit_log_writer *writer = start();
        double best = 1;
        char byte[100];

        (void)state;
        for (unsigned i = 0; i < 5; i++) {
                double began = seconds(CLOCK_MONOTONIC), took;

                write_numbers(writer, i, 1);
                assert_int_equal(read(fd, byte, 100), 100);
                took = seconds(CLOCK_MONOTONIC) - began;
                if (took < best)
                        best = took;
                pause_ms(100);
        }
        quoit_log_writer_free(writer);
        restore();
        close(fd);
        assert_true(best < 0.03);
}

static void test_flush(void **state)
{
        int fd = make_pipe();
        quoit_log_writer *writer = start();
        char text[400];

        (void)state;
        assert_int_equal(quoit_log_writer_flush(writer, 0), 0);
        for (unsigned i = 0; i < 3; i++) { /* the second does not wait for others to come */
                write_numbers(writer, i, 1);
                assert_int_equal(quoit_log_writer_flush(writer, 10000), 0);
        }
        assert_int_equal(read(fd, text, sizeof(text)), 300);
        write_numbers(writer, 0, 10000);
        assert_int_equal(quoit_log_writer_flush(writer, 10), -ETIMEDOUT);
        close(fd); /* the reader goes: there is nothing to wait for at the end */
        quoit_log_writer_free(writer);
        restore();
}

/* ---- the journal, and the time ---- */

/* What two lines have become on stderr. */
static void write_two_lines(bool tells_time, char *ret_text, size_t size)
{
        int fd = make_pipe();
        quoit_log_writer *writer = start();
        ssize_t n;

        if (tells_time)
                quoit_log_writer_tell_time(writer);
        quoit_log_writer_log(writer, QUOIT_LOG_ERROR, "bad");
        quoit_log_writer_printf(writer, "%s", "good");
        quoit_log_writer_line(writer, "raw\n", 4);
        quoit_log_writer_free(writer);
        restore();
        n = read(fd, ret_text, size - 1);
        close(fd);
        assert_true(n > 0);
        ret_text[n] = '\0';
}

static void test_time(void **state)
{
        char text[256], year[16];
        time_t now = time(NULL);
        int n = 0;

        (void)state;
        strftime(year, sizeof(year), "%Y-%m-", gmtime(&now));
        write_two_lines(true, text, sizeof(text));
        assert_memory_equal(text, year, strlen(year));
        (void)sscanf(text, "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ t: error: bad%n", &n);
        assert_int_equal(n, 25 + 13);
        assert_memory_equal(text + n + 1 + 25, "t: good\nraw\n", 12);
        write_two_lines(false, text, sizeof(text));
        assert_string_equal(text, "t: error: bad\nt: good\nraw\n");
}

static void test_journal(void **state)
{
        struct stat status;
        char stream[64], text[256];
        int fd = make_pipe();
        quoit_log_writer *writer;
        ssize_t n;

        (void)state;
        fstat(2, &status);
        snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
                (unsigned long long)status.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
        writer = start();
        quoit_log_writer_tell_time(writer);
        quoit_log_writer_log(writer, QUOIT_LOG_ERROR, "1");
        quoit_log_writer_log(writer, QUOIT_LOG_WARNING, "2");
        quoit_log_writer_log(writer, QUOIT_LOG_INFO, "3");
        quoit_log_writer_printf(writer, "4");
        quoit_log_writer_line(writer, "raw\n", 4);
        quoit_log_writer_free(writer);
        restore();
        n = read(fd, text, sizeof(text) - 1);
        close(fd);
        unsetenv("JOURNAL_STREAM");
        assert_true(n > 0);
        text[n] = '\0';
        assert_string_equal(
                text, "<3>t: error: 1\n<4>t: warning: 2\n<6>t: info: 3\n<6>t: 4\nraw\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nobody_reads),
                cmocka_unit_test(test_nobody_reads_what_is_nonblocking),
                cmocka_unit_test(test_late_reader),
                cmocka_unit_test(test_shared_pipe),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_full_disk_is_changed),
                cmocka_unit_test(test_end_with_a_full_disk),
                cmocka_unit_test(test_fifo),
                cmocka_unit_test(test_what_cannot_be_opened),
                cmocka_unit_test(test_named_lines),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_a_line_too_large),
                cmocka_unit_test(test_a_line_is_written_at_once),
                cmocka_unit_test(test_flush),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_journal),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
