/* SPDX-License-Identifier: MIT */
#include "comma.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A locale of this directory: localedef makes it, and a machine may lack its sources. */
static bool make_and_set(const char *directory)
{
        char command[256];

        snprintf(command, sizeof(command), "localedef -i de_DE -f UTF-8 %s/comma >%s/log 2>&1",
                directory, directory);
        (void)!system(command);
        setenv("LOCPATH", directory, 1);
        return setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
}

bool comma_set(void)
{
        char directory[] = "quoit-locale-XXXXXX", command[64];
        bool is_set;

        assert_non_null(mkdtemp(directory));
        is_set = make_and_set(directory);
        snprintf(command, sizeof(command), "rm -r %s", directory);
        assert_int_equal(system(command), 0);
        if (!is_set)
                print_message("localedef cannot make de_DE here\n");
        return is_set;
}
