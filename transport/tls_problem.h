/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line that says what is wrong with TLS, and what to do. It is made where the error occurs: OpenSSL keeps its
 * errors in a queue of the thread.
 */

struct tls_problem {
        char text[512];
};

/* Writes the line. Returns @error. */
int tls_problem_set(struct tls_problem *problem, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* OpenSSL's text for the last error on this thread: "ee key too small". Static. */
const char *tls_problem_openssl(void);
