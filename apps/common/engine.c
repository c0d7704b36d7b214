/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <string.h>

#include "program.h"

quoit_engine engine_parse(const char *option, const char *text)
{
        static const char *const names[] = {
                [QUOIT_ENGINE_AUTO] = "auto",
                [QUOIT_ENGINE_IO_URING] = "io_uring",
                [QUOIT_ENGINE_EPOLL] = "epoll",
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                if (strcmp(text, names[i]) == 0)
                        return (quoit_engine)i;
        }
        program_usage_error("%s: '%s' is neither auto, io_uring nor epoll", option, text);
}
