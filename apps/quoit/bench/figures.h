/* SPDX-License-Identifier: MIT */
#pragma once

/* Numbers as people read them. */

#define FIGURE_BYTES 32

/* "1,234,567", rounded; less than 100 with as many decimals as make three digits: "12.3". In @text, which it returns. */
const char *figure_count(char text[FIGURE_BYTES], double count);

/* A time with its unit and three or four digits: "83.2 µs", "1.25 ms", "12.4 s". */
const char *figure_time(char text[FIGURE_BYTES], double us);

/* "512 B", "1.2 MiB". */
const char *figure_bytes(char text[FIGURE_BYTES], double bytes);

/* "12.3 %"; of 0: "0 %". */
const char *figure_percent(char text[FIGURE_BYTES], double part, double whole);
