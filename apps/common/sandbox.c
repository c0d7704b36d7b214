/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "option_kinds.h"
#include "program.h"
#include "sandbox_calls.h"
#include "sandbox_files.h"

const struct option_entry sandbox_options[] = {
        { "sandbox", NULL,
                "after the start permit only what serving takes: no new programs, no writing of "
                "files, few system calls; SIGUSR2 is refused",
                option_set_switch, .offset = offsetof(struct sandbox_options, is_wanted) },
        { 0 },
};

static bool is_on;

bool sandbox_is_on(void)
{
        return is_on;
}

static int begin(quoit_engine engine, const struct sandbox_paths *paths)
{
        int r;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        r = sandbox_restrict_files(paths);
        if (r == -ENOSYS || r == -EOPNOTSUPP)
                program_say(QUOIT_LOG_WARNING,
                        "--sandbox: files stay writable: this kernel has no Landlock (%s)",
                        strerror(-r));
        else if (r < 0)
                return r;
        return sandbox_restrict_calls(engine != QUOIT_ENGINE_EPOLL);
}

bool sandbox_begin(const struct sandbox_options *options, quoit_engine engine,
        const struct sandbox_paths *paths)
{
        int r;

        if (!options->is_wanted)
                return true;
        r = begin(engine, paths);
        if (r < 0) {
                program_say(QUOIT_LOG_ERROR,
                        "--sandbox: the kernel refuses it: %s; start without it", strerror(-r));
                return false;
        }
        is_on = true;
        return true;
}
