/* SPDX-License-Identifier: MIT */
#pragma once

/* OpenTelemetry's lists: "KEY=VALUE,KEY=VALUE", with spaces around each and %XX for bytes (W3C Baggage, without its properties). */

#include <stdbool.h>

/*
 * The next pair of *@cursor, which is moved behind it; the text is changed, and pairs are parts of it. False: there are no more, and
 * *@cursor is NULL; or what is there is no pair, and it is not.
 */
bool key_values_next(char **cursor, char **ret_key, char **ret_value);
