/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a program's messages are called, at run time: the base of <quoit/json.h> and <quoit/text.h>. A program that uses these three
 * headers links libquoit-json (pkg-config: quoit-json), beside libquoit or libquoit-message; others do not carry it.
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
 * It is made once, from the descriptors that generated code has. Nothing changes in it afterwards: any number of threads may use it.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/message.h>

QUOIT_BEGIN_DECLS

/* Descriptions of messages, found by the tables of generated code. Any thread may use it. */
typedef struct quoit_schema quoit_schema;

/* The longest line about what went wrong, and a zero. */
#define QUOIT_PROBLEM_BYTES 512

/* What went wrong, in a line of printable ASCII. What would not fit is cut off. Peers' words may be in it. */
typedef struct quoit_problem {
        char text[QUOIT_PROBLEM_BYTES]; /* ends with a zero */
} quoit_problem;

/*
 * Of the @count @files, which are `foo_bar_proto_quoit_file` for `foo/bar.proto`, and all that they import. Name those too that nothing
 * imports: of extensions, and of messages that come in an Any. The array is not kept. Takes some ten times the descriptors' size.
 *
 * 0 and *@ret_schema, which is the caller's; -EEXIST: two files have one name, or define the same; -EINVAL: a descriptor that
 * protoc has not made; -ENOMEM. @ret_problem may be NULL, here and everywhere.
 */
QUOIT_API int quoit_schema_new(const quoit_file_descriptor *const *files, size_t count,
        quoit_schema **ret_schema, quoit_problem *ret_problem);

/* Messages are not affected: they don't need it. Takes NULL. */
QUOIT_API void quoit_schema_free(quoit_schema *schema);

QUOIT_END_DECLS
