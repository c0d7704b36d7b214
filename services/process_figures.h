/* SPDX-License-Identifier: MIT */
#pragma once

/* What Linux says of this process. */

#include <stdbool.h>
#include <stdint.h>

struct process_figures {
        double cpu_s;
        double started_unix_s; /* 0: not known */
        uint64_t resident_bytes, virtual_bytes; /* 0: not known */
        uint64_t descriptors, descriptors_max; /* 0: not known */
};

/* Any thread. Where /proc is not there, what it says is 0. */
void process_read(struct process_figures *ret_figures);
