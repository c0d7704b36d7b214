/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files of the page, which the program contains (www/, by embed): as they are, and compressed when the program was built. Browsers
 * keep them, and ask each time whether they are still the same.
 */

#include <stddef.h>

#include <quoit/server.h>

struct file {
        const char *path; /* "/style.css"; NULL ends the list */
        const char *type;
        const char *
                etag; /* what is between the quotes; "-gzip" comes behind it for what is compressed */
        const char *bytes;
        size_t size;
        const char *gzip;
        size_t gzip_size;
};

extern const struct file embedded_files[];

/* Pages that are filled for each request: templates, for text_add_filled(). */
extern const char template_home[];
extern const char template_direct[];

/* Before the server starts. 0, or an error of quoit_server_handle_http(). */
int files_register(quoit_server *server);
