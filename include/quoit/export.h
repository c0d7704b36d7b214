/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Marks what libquoit exports. Everything else is built with hidden visibility; upb and its symbols
 * never leave the library.
 */
#define QUOIT_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define QUOIT_BEGIN_DECLS extern "C" {
#define QUOIT_END_DECLS }
#else
#define QUOIT_BEGIN_DECLS
#define QUOIT_END_DECLS
#endif
