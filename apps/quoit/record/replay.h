/* SPDX-License-Identifier: MIT */
#pragma once

/* All calls of a tape, made again at a server. */

#include <stdbool.h>

#include "../connection.h"
#include "judge.h"
#include "play.h"

struct replay {
        struct connection *connection;
        const struct tape *tape;
        const char *method; /* a pattern of fnmatch(3) for "pkg.Service/Method"; NULL: all */
        struct play_options options;
        size_t calls_max; /* at the same time; 0: no limit */
        struct judge *judge; /* NULL: answers are not compared */
        struct results *results;
        /* from here on its own */
        struct play **running;
        size_t running_count, running_room;
        size_t next; /* of the tape's calls */
        uint64_t began_ns, first_ns; /* when it began; and in the tape, its first call */
        bool was_interrupted; /* by SIGINT or SIGTERM, which cancel what runs */
        bool has_failed; /* a call could not be made; it was said */
};

/* Makes them, and adds to the results. EXIT_DONE, or an exit status, when all was said. */
int replay_run(struct replay *replay);
