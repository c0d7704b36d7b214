/* SPDX-License-Identifier: MIT */
#include "complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../exit_status.h"
#include "fields.h"
#include "offers.h"
#include "schema.h"
#include "shell_words.h"
#include "targets.h"
#include "walk.h"

enum { NAME_BYTES = 512 };

/* ---- commands and flags ---- */

static void offer_commands(struct offers *offers)
{
        for (const struct command *const *command = commands; *command; command++)
                offer(offers, (*command)->name, (*command)->summary);
}

static void offer_flags(struct offers *offers, const struct command *command)
{
        char name[NAME_BYTES];

        for (const struct flag_group *group = command->groups; group && group->title; group++)
                for (const struct flag *flag = group->flags; flag->name; flag++) {
                        snprintf(name, sizeof(name), "--%s", flag->name);
                        if (flag->help)
                                offer(offers, name, flag->help);
                }
        offer(offers, "--help", "its flags, and examples");
}

/* Those that are one of a few words. */
static void offer_value(struct offers *offers, const struct flag *flag)
{
        static const char *const values[][6] = {
                { "reflect", "auto", "v1", "v1alpha", "on", "off" },
                { "compression", "identity", "gzip", "deflate", "zstd" },
                { "format", "json", "text" },
        };

        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
                for (size_t k = 1; strcmp(values[i][0], flag->name) == 0 && k < 6 && values[i][k];
                        k++)
                        offer(offers, values[i][k], NULL);
}

/* ---- what a schema has ---- */

/* What a server sends is not printed as it is. */
static bool is_name(const char *text)
{
        return *text &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
                       strlen(text);
}

/* Those of gRPC itself are in the way, unless somebody asks for them. */
static bool is_wanted(struct offers *offers, const char *service)
{
        if (strncmp(offers->word, service, strlen(offers->word)) != 0 || !is_name(service))
                return false;
        return strncmp(service, "grpc.", 5) != 0 || offers->word[0] != '\0';
}

static void offer_methods(struct offers *offers, struct source *source, const char *service)
{
        const upb_ServiceDef *def = source_service(source, service);
        char name[NAME_BYTES];

        for (int i = 0; def && i < upb_ServiceDef_MethodCount(def); i++) {
                const upb_MethodDef *method = upb_ServiceDef_Method(def, i);

                snprintf(name, sizeof(name), "%s/%s", service, upb_MethodDef_Name(method));
                offer(offers, name, upb_MessageDef_FullName(upb_MethodDef_InputType(method)));
        }
}

static void offer_type(struct offers *offers, const upb_MessageDef *type)
{
        if (is_wanted(offers, upb_MessageDef_FullName(type)))
                offer(offers, upb_MessageDef_FullName(type), "message");
}

/* Messages that a service's methods take and return: what can be described too. */
static void offer_types(struct offers *offers, struct source *source)
{
        const struct strings *services;

        if (source_services(source, &services) != EXIT_DONE)
                return;
        for (size_t i = 0; i < services->count; i++) {
                const upb_ServiceDef *def = source_service(source, services->at[i]);

                for (int k = 0; def && k < upb_ServiceDef_MethodCount(def); k++) {
                        const upb_MethodDef *method = upb_ServiceDef_Method(def, k);

                        offer_type(offers, upb_MethodDef_InputType(method));
                        offer_type(offers, upb_MethodDef_OutputType(method));
                }
        }
}

/* With a '/' behind it, if a method follows. */
static void offer_services(struct offers *offers, struct source *source, bool takes_method)
{
        const struct strings *services;
        const char *slash = strchr(offers->word, '/'), *last = NULL;
        char name[NAME_BYTES];
        size_t count = 0;

        if (source_services(source, &services) != EXIT_DONE)
                return;
        for (size_t i = 0; i < services->count; i++)
                if (is_wanted(offers, services->at[i])) {
                        last = services->at[i];
                        count++;
                        snprintf(name, sizeof(name), "%s%s", last, takes_method ? "/" : "");
                        if (!takes_method || services->count > 1)
                                offer(offers, name, NULL);
                }
        if (!takes_method)
                return;
        if (slash) {
                snprintf(name, sizeof(name), "%.*s", (int)(slash - offers->word), offers->word);
                offer_methods(offers, source, name);
        } else if (count == 1) {
                offer_methods(offers, source, last);
        }
}

/* ---- words ---- */

static void offer_from_schema(struct offers *offers, struct walk *walk, const char *kind)
{
        struct source *source = schema_open(walk, walk->words.count > 0 ? walk->words.at[0] : NULL);

        if (!source)
                return;
        offer_services(offers, source, strstr(kind, "Method") != NULL);
        if (strncmp(kind, "SYMBOL", 6) == 0)
                offer_types(offers, source);
        source_free(source);
}

static void offer_data(struct offers *offers, struct walk *walk)
{
        struct source_method method;
        struct source *source;

        if (walk->words.count < 2 || offers->word[0] == '@')
                return;
        source = schema_open(walk, walk->words.at[0]);
        if (source && source_method(source, walk->words.at[1], &method) == EXIT_DONE)
                fields_offer(offers, method.request);
        source_free(source);
}

static void offer_word(struct offers *offers, struct walk *walk)
{
        char kind[NAME_BYTES];

        walk_kind(walk->command, walk->words.count, kind, sizeof(kind));
        if (strcmp(kind, "HOST:PORT") == 0)
                targets_offer(offers);
        else if (strstr(kind, "Method") || strcasestr(kind, "SERVICE") ||
                 strncmp(kind, "SYMBOL", 6) == 0)
                offer_from_schema(offers, walk, kind);
}

/* @count words, the last of which is being written. */
static void complete_words(struct offers *offers, int count, char **words)
{
        struct walk walk;

        walk_init(&walk, count - 1, words);
        if (count == 1 || (count == 2 && strcmp(words[0], "help") == 0))
                offer_commands(offers);
        if (count == 1)
                offer(offers, "help", "what a command does");
        if (walk.flag && strcmp(walk.flag->name, "data") == 0)
                offer_data(offers, &walk);
        else if (walk.flag)
                offer_value(offers, walk.flag);
        else if (walk.command && offers->word[0] == '-')
                offer_flags(offers, walk.command);
        else if (walk.command)
                offer_word(offers, &walk);
        walk_deinit(&walk);
}

/* How much of the word bash keeps: what is before @current. SIZE_MAX: the word does not end with that. */
static size_t cut_of(const char *word, const char *current)
{
        size_t word_size = strlen(word), size = strlen(current);

        if (size > word_size || strcmp(word + word_size - size, current) != 0)
                return SIZE_MAX;
        return word_size - size;
}

static int complete_bash(const char *current, const char *line)
{
        struct shell_words words;
        struct offers offers = { .is_bash = true };

        if (shell_words_split(&words, line) < 0)
                return EXIT_FAILED;
        if (words.count > 1) {
                offers.word = words.at[words.count - 1];
                offers.cut = cut_of(offers.word, current);
                offers.is_quoted = words.is_open;
                if (offers.cut != SIZE_MAX)
                        complete_words(&offers, words.count - 1, words.at + 1);
                offers_end(&offers);
        }
        shell_words_deinit(&words);
        return EXIT_DONE;
}

int complete(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "--bash") == 0)
                return complete_bash(argv[2], argv[3]);
        if (argc > 1)
                complete_words(&(struct offers){ .word = argv[argc - 1] }, argc - 1, argv + 1);
        return EXIT_DONE;
}
