/* SPDX-License-Identifier: MIT */
#include "server/hooks.h"

#include <errno.h>
#include <stdlib.h>

#include "server/server.h"

struct hook {
        const quoit_server_hooks *functions;
        void *user;
};

int quoit_server_hook(quoit_server *server, const quoit_server_hooks *functions, void *user)
{
        struct hooks *hooks = &server->hooks;
        struct hook *all;

        if (atomic_load(&server->running))
                return server_fail(
                        server, -EBUSY, "the server runs already: add hooks before it starts");
        all = realloc(hooks->all, (hooks->count + 1) * sizeof(*all));
        if (!all)
                return server_fail(server, -ENOMEM, "out of memory");
        all[hooks->count++] = (struct hook){ .functions = functions, .user = user };
        hooks->all = all;
        return 0;
}

void hooks_stop(const struct hooks *hooks)
{
        for (size_t i = 0; i < hooks->count; i++) {
                if (hooks->all[i].functions->on_stop)
                        hooks->all[i].functions->on_stop(hooks->all[i].user);
        }
}

void hooks_deinit(struct hooks *hooks)
{
        while (hooks->count > 0) {
                struct hook *hook = hooks->all + --hooks->count;

                if (hook->functions->on_free)
                        hook->functions->on_free(hook->user);
        }
        free(hooks->all);
}

/* ---- what it serves ---- */

size_t quoit_server_service_count(const quoit_server *server)
{
        return server->router.service_count;
}

const quoit_service *quoit_server_service(const quoit_server *server, size_t index)
{
        return index < server->router.service_count ? server->router.services[index] : NULL;
}
