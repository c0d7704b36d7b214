/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Marks the symbols that libquoit exports. All others are hidden.
 */
#define QUOIT_API __attribute__((visibility("default")))

#ifdef __cplusplus
#define QUOIT_BEGIN_DECLS extern "C" {
#define QUOIT_END_DECLS }
#else
#define QUOIT_BEGIN_DECLS
#define QUOIT_END_DECLS
#endif
