/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <quoit/version.h>

#include "command.h"
#include "command_list.h"
#include "complete/complete.h"
#include "flags.h"
#include "nearest.h"
#include "say.h"

const struct command *const commands[] = {
        &command_call,
        &command_list,
        &command_describe,
        &command_export,
        &command_health,
        &command_top,
        &command_bench,
        &command_record,
        &command_replay,
        &command_doctor,
        NULL,
};

const struct command *command_find(const char *name)
{
        for (const struct command *const *command = commands; *command; command++)
                if (!strcmp((*command)->name, name))
                        return *command;
        return NULL;
}

int command_print_help(const struct command *command)
{
        printf("quoit %s %s\n\n%s\n", command->name, command->synopsis, command->summary);
        if (command->help)
                printf("\n%s", command->help);
        flags_print(command->groups);
        return EXIT_DONE;
}

static int print_commands(void)
{
        puts("quoit COMMAND: the command line of gRPC\n");
        for (const struct command *const *command = commands; *command; command++)
                printf("  quoit %-12s %s\n", (*command)->name, (*command)->summary);
        puts("\nquoit COMMAND --help has its flags, and examples.");
        return EXIT_DONE;
}

static int say_unknown(const char *name)
{
        char hint[NEAREST_HINT_BYTES];
        struct nearest nearest;

        /* as grpcurl's users begin: with a flag, or a target */
        if (name[0] == '-' || strchr(name, ':'))
                return say_usage(
                        "%s: a command comes first: quoit call, quoit list, quoit describe", name);
        nearest_init(&nearest, name);
        for (const struct command *const *command = commands; *command; command++)
                nearest_try(&nearest, (*command)->name);
        nearest_try(&nearest, "help");
        if (nearest.best[0])
                return say_usage("no command %s%s", name, nearest_hint(&nearest, hint));
        return say_usage("no command %s; see quoit help", name);
}

static int help(const char *name)
{
        const struct command *command = name ? command_find(name) : NULL;

        if (!name)
                return print_commands();
        return command ? command_print_help(command) : say_unknown(name);
}

int command_main(int argc, char **argv)
{
        const char *name = argc > 1 ? argv[1] : NULL;
        const struct command *command = name ? command_find(name) : NULL;

        if (command)
                return command->run(argc - 1, argv + 1);
        if (!name) {
                print_commands();
                return EXIT_USAGE;
        }
        if (!strcmp(name, "__complete"))
                return complete(argc - 1, argv + 1);
        if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
                return help(argc > 2 ? argv[2] : NULL);
        if (!strcmp(name, "--version") || !strcmp(name, "version") || !strcmp(name, "-version")) {
                printf("quoit %s\n", quoit_version());
                return EXIT_DONE;
        }
        return say_unknown(name);
}
