/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file of options: NAME, NAME VALUE or NAME=VALUE on each line, with spaces wherever they please. A line that begins with "#" is a
 * comment, and empty lines are nothing.
 */

/*
 * Reads the file at @path, and hands its lines to @on_line: @where is "FILE:LINE", @text is NULL where there is neither a value nor
 * "=". Both live until it returns. If it cannot be read, says so and ends the program.
 */
void config_file_read(
        const char *path, void (*on_line)(const char *where, const char *name, const char *text));
