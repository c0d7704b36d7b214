/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load/report.h"
#include "bench/load/run.h"

/*
 * A connection must not get the number of a closed standard descriptor: results would be sent to a server. These are opened in
 * the wrong direction, so that reading from or writing to them is an error.
 */
static bool fill_descriptors(void)
{
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) < 0 &&
                        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
                        return false;
        }
        return true;
}

/* Results that cannot be written are an error. */
static bool flush(void)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return true;
        fprintf(stderr, "quoit-load: cannot write standard output: %s\n", strerror(errno));
        return false;
}

static bool run(struct load *load)
{
        if (load->options->idle)
                return run_idle(load);
        if (load->options->first_call)
                return run_first_call(load);
        return run_measure(load);
}

int main(int argc, char **argv)
{
        struct options options;
        struct load load;
        bool good;
        int r;

        if (!fill_descriptors()) {
                fprintf(stderr, "quoit-load: /dev/null: %s\n", strerror(errno));
                return EXIT_FAILURE;
        }
        options_parse(&options, argc, argv);
        r = load_init(&load, &options);
        if (r < 0) {
                fprintf(stderr, "quoit-load: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        good = run(&load);
        if (good && options.json)
                report_json(&load);
        else if (good && !options.idle)
                report_text(&load);
        /* A run without a measured call is an error. */
        good = good && load.calls > 0 && load.errors.count == 0 && load.lost_count == 0;
        good = flush() && good;
        load_deinit(&load);
        options_deinit(&options);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
