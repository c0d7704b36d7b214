/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line that says what is wrong with TLS, and what to do. OpenSSL keeps its errors in a queue of the thread,
 * so words are made of it where it failed.
 */

struct tls_problem {
        char text[512];
};

/* Writes the line. Returns @error. */
int tls_problem_set(struct tls_problem *problem, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* OpenSSL's own words for the last error on this thread: "ee key too small". Static. */
const char *tls_problem_openssl(void);
