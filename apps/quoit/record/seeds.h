/* SPDX-License-Identifier: MIT */
#pragma once

/* What a tape has as seeds for Quoit's fuzzers, in the forms of their inputs (fuzz/fuzz_decode.c, fuzz_framing.c, fuzz_session.c). */

#include "tape.h"

/*
 * Writes each message of the calls whose "pkg.Service/Method" fits the pattern @method (NULL: all) into @folder/decode/ and
 * @folder/framing/, and each call into @folder/session/, where it is one of the fuzzer's own service. Those of more than 60,000 bytes are left
 * out: fuzzers do little with them. A file's name is a hash of what is in it, so there is one of each. Folders are made. EXIT_DONE and
 * *@ret_count is how many were not there before, or an exit status, when all was said.
 */
int seeds_write(const struct tape *tape, const char *method, const char *folder, size_t *ret_count);
