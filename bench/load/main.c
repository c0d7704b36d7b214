/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/report.h"
#include "bench/load/run.h"

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
        /* Nothing measured is nothing proved. */
        good = good && load.calls > 0 && load.errors.count == 0 && load.lost_count == 0;
        load_deinit(&load);
        options_deinit(&options);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
