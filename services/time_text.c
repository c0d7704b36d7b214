/* SPDX-License-Identifier: MIT */
#include "services/time_text.h"

#define MS_PER_DAY UINT64_C(86400000)

/* With leading zeros; returns where it ends. */
static char *put(char *to, uint64_t value, unsigned digits)
{
        for (unsigned i = digits; i > 0; i--) {
                to[i - 1] = (char)('0' + value % 10);
                value /= 10;
        }
        return to + digits;
}

static char *put_with(char *to, uint64_t value, unsigned digits, char behind)
{
        to = put(to, value, digits);
        *to++ = behind;
        return to;
}

/*
 * Not gmtime_r(), which takes a lock that all threads share. Years begin on the first of March here, so that a leap day is the
 * last.
 */
static char *put_date(char *to, uint64_t days)
{
        uint64_t day = days + 719468; /* since 0000-03-01 */
        uint64_t era = day / 146097; /* of 400 years */
        uint64_t of_era = day % 146097;
        uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
        uint64_t month = (5 * of_year + 2) / 153; /* 0 is March */

        to = put_with(to, era * 400 + year + (month >= 10), 4, '-');
        to = put_with(to, month < 10 ? month + 3 : month - 9, 2, '-');
        return put(to, of_year - (153 * month + 2) / 5 + 1, 2);
}

size_t time_text(char *ret_text, uint64_t unix_ms)
{
        uint64_t ms = unix_ms % MS_PER_DAY;
        char *to = put_date(ret_text, unix_ms / MS_PER_DAY);

        *to++ = 'T';
        to = put_with(to, ms / 3600000, 2, ':');
        to = put_with(to, ms / 60000 % 60, 2, ':');
        to = put_with(to, ms / 1000 % 60, 2, '.');
        to = put_with(to, ms % 1000, 3, 'Z');
        *to = '\0';
        return (size_t)(to - ret_text);
}
