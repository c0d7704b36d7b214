/* SPDX-License-Identifier: MIT */
#include "server/engine.h"

#include <errno.h>
#include <time.h>

#include "core/probe.h"
#include "server/server.h"

/* The kernel frees the rings of a killed process a little after wait(2) has reported its end. */
#define PROBE_TRIES 11
#define PROBE_PAUSE_MS 10

static int try_uring(struct refusal *ret_refusal)
{
        int r = probe_run(NULL, ret_refusal);

        for (int try = 1; r == -ENOMEM && try < PROBE_TRIES; try++) {
                nanosleep(&(struct timespec){ .tv_nsec = PROBE_PAUSE_MS * 1000000 }, NULL);
                r = probe_run(NULL, ret_refusal);
        }
        return r;
}

bool engine_fall_back(struct quoit_server *server)
{
        if (server->options.engine != QUOIT_ENGINE_AUTO || server->engine == QUOIT_ENGINE_EPOLL ||
                !server->refusal[0] || !refusal_is_lasting(&server->refused))
                return false;
        server->engine = QUOIT_ENGINE_EPOLL;
        server_log(server, QUOIT_LOG_WARNING, "serving on epoll, which takes more CPU: %s",
                server->refusal);
        server_forget_refusal(server);
        return true;
}

int engine_choose(struct quoit_server *server)
{
        struct refusal refusal = {};
        int r;

        if (server->engine != QUOIT_ENGINE_AUTO)
                return 0;
        server->engine = server->options.engine;
        if (server->engine == QUOIT_ENGINE_EPOLL)
                return 0;
        r = try_uring(&refusal);
        if (r == 0) {
                server->engine = QUOIT_ENGINE_IO_URING;
                return 0;
        }
        server_note_refusal(server, refusal.call, r);
        if (engine_fall_back(server))
                return 0;
        server->engine = QUOIT_ENGINE_AUTO; /* the next listen tries again */
        return server_fail_refused(server, r);
}

quoit_engine quoit_server_engine(const quoit_server *server)
{
        return server->engine;
}
