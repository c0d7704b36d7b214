/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The names of messages and their fields at run time: the base of <quoit/json.h> and <quoit/text.h>. They are in
 * libquoit; a program without it links libquoit-json (pkg-config: quoit-json) in addition to libquoit-message.
 *
 *      static const quoit_file_descriptor *const files[] = { &api_proto_quoit_file };
 *      quoit_problem problem;
 *      quoit_schema *schema;
 *
 *      if (quoit_schema_new(files, 1, &schema, &problem) < 0)
 *              ... problem.text
 *      ...
 *      quoit_schema_free(schema);
 *
 * It is made once, from the descriptors in generated code, and does not change afterwards: any number of threads can use it.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/message.h>

QUOIT_BEGIN_DECLS

/* Descriptions of messages, found by the tables of generated code. Any thread can use it. */
typedef struct quoit_schema quoit_schema;

/* The size of the longest text in a quoit_problem, with its zero. */
#define QUOIT_PROBLEM_BYTES 512

/* What went wrong, in a line of printable ASCII, cut to fit. It can contain text from a peer. */
typedef struct quoit_problem {
        char text[QUOIT_PROBLEM_BYTES]; /* ends with a zero */
} quoit_problem;

/*
 * Makes a schema of the @count @files (`foo_bar_proto_quoit_file` for `foo/bar.proto`) and all that they import. Files with
 * extensions, or with messages that occur in an Any, have to be in the list if no other file imports them. The array is not
 * kept. The schema takes some ten times the descriptors' size.
 *
 * 0 and *@ret_schema, which belongs to the caller; -EEXIST: two files have the same name, or define the same name; -EINVAL: a
 * descriptor that does not come from protoc; -ENOMEM. @ret_problem can be NULL, here and everywhere.
 */
QUOIT_API int quoit_schema_new(const quoit_file_descriptor *const *files, size_t count,
        quoit_schema **ret_schema, quoit_problem *ret_problem);

/* Frees it. Messages do not need it and are not affected. Takes NULL. */
QUOIT_API void quoit_schema_free(quoit_schema *schema);

QUOIT_END_DECLS
