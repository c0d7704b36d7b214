/* SPDX-License-Identifier: MIT */
#pragma once

/* Before anything of OpenSSL or c-ares is used: what they and zlib, zstd allocate is counted and fails too. */
void libraries_begin(void);
